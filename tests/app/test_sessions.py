"""Signing in at a running server, as a browser does, and coming with a certificate."""

from __future__ import annotations

import hashlib
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.app.test_access import ON, TLS
from tests.faults import server
from tests.faults.server import Server
from tests.services.house import CALLER
from vna.index.engine import Index
from vna.model.caller import Role
from vna.model.user import User
from vna.services.users import Users

GOOD = "correct horse battery"
CERTIFICATE = str(TLS / "certificate.pem")
FINGERPRINT = hashlib.sha256(ssl.PEM_cert_to_DER_cert(Path(CERTIFICATE).read_text())).hexdigest()


def add(data: Path, name: str, role: Role, *, certificate: str = "") -> None:
    index = Index.open(f"sqlite:///{data}/index.db")
    wanted = User(name, "", frozenset({role}), None, certificate=certificate)
    Users(index).add(CALLER, wanted, None if certificate else GOOD)
    index.close()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server.running(tmp_path_factory.mktemp("sessions") / "data", environment=ON) as running:
        add(running.data, "ana", Role.READER)
        add(running.data, "root", Role.ADMINISTRATOR)
        yield running


@pytest.fixture
def browser(archive: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=archive.url, timeout=60) as client:
        yield client


def sign_in(browser: httpx.Client, name: str, password: str = GOOD) -> httpx.Response:
    return browser.post("/api/v1/session", json={"name": name, "password": password})


def test_a_session_lasts_from_signing_in_to_signing_out(browser: httpx.Client) -> None:
    assert browser.get("/dicomweb/studies").status_code == 401
    answer = sign_in(browser, "ana")
    assert answer.status_code == 200
    assert answer.json()["name"] == "user:ana"
    assert answer.json()["roles"] == ["reader"]
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "no-store" in answer.headers["cache-control"]
    assert browser.get("/dicomweb/studies").status_code in (200, 204)
    assert browser.get("/api/v1/session").json() == answer.json()
    assert browser.get("/api/v1/users").status_code == 403
    kept = dict(browser.cookies)
    assert browser.delete("/api/v1/session").status_code == 204
    browser.cookies.update(kept)
    deadline = time.monotonic() + 30  # another process may have seen it up to five seconds ago
    while browser.get("/api/v1/session").status_code != 401:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_wrong_password_and_nobodys_name_are_one_answer(browser: httpx.Client) -> None:
    wrong, nobody = sign_in(browser, "ana", "wrong"), sign_in(browser, "nobody")
    assert (wrong.status_code, nobody.status_code) == (401, 401)
    assert wrong.json() == nobody.json()
    assert "set-cookie" not in wrong.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:1"},
    ],
)
def test_a_page_of_another_origin_changes_nothing_with_our_cookie(
    browser: httpx.Client, headers: dict[str, str]
) -> None:
    sign_in(browser, "root")
    body = {"name": "eve", "roles": ["administrator"], "organisations": None, "password": GOOD}
    assert browser.post("/api/v1/users", json=body, headers=headers).status_code == 403
    assert browser.get("/api/v1/users/eve").status_code == 404
    own = {"Origin": str(browser.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"}
    assert browser.post("/api/v1/users", json=body, headers=own).status_code == 201
    assert browser.delete("/api/v1/users/eve", headers=own).status_code == 204


def test_users_and_tokens_are_made_changed_and_ended_over_the_api(browser: httpx.Client) -> None:
    sign_in(browser, "root")
    made = browser.post(
        "/api/v1/users",
        json={"name": "bob", "roles": ["reader"], "organisations": ["north"], "password": GOOD},
    )
    assert made.status_code == 201
    with httpx.Client(base_url=browser.base_url, timeout=60) as other:
        assert sign_in(other, "bob").json()["organisations"] == ["north"]
        changed = made.json() | {"disabled": True}
        wanted = ("roles", "organisations", "full_name", "certificate", "disabled")
        body = {key: changed[key] for key in wanted}
        assert browser.put("/api/v1/users/bob", json=body).json()["disabled"] is True
        assert sign_in(other, "bob").status_code == 401
    token = browser.post(
        "/api/v1/tokens", json={"label": "worklist", "roles": ["reader"], "organisations": None}
    )
    assert token.status_code == 201, token.text
    bearer = {"Authorization": f"Bearer {token.json()['secret']}"}
    with httpx.Client(base_url=browser.base_url, headers=bearer, timeout=60) as program:
        assert program.get("/dicomweb/studies").status_code in (200, 204)
        assert program.get("/api/v1/tokens").status_code == 403
    listed = browser.get("/api/v1/tokens").text
    assert "worklist" in listed
    assert token.json()["secret"] not in listed


def test_a_token_that_is_shown_decides_alone(browser: httpx.Client) -> None:
    sign_in(browser, "root")
    assert browser.get("/api/v1/users", headers={"Authorization": "Bearer x"}).status_code == 401
    assert browser.get("/api/v1/users", headers={"Authorization": "Basic x"}).status_code == 401


def test_a_certificate_is_as_good_as_signing_in_where_it_was_registered(tmp_path: Path) -> None:
    settings = ON | {
        "VNA_TLS__CERTIFICATE": CERTIFICATE,
        "VNA_TLS__KEY": str(TLS / "key.pem"),
        "VNA_TLS__CLIENT_CA": CERTIFICATE,
    }
    context = ssl.create_default_context(cafile=CERTIFICATE)
    shown = ssl.create_default_context(cafile=CERTIFICATE)
    shown.load_cert_chain(CERTIFICATE, str(TLS / "key.pem"))
    with server.running(tmp_path / "data", environment=settings, scheme="https") as running:
        with httpx.Client(base_url=running.url, verify=context, timeout=60) as bare:
            assert bare.get("/livez").status_code == 200
            assert bare.get("/dicomweb/studies").status_code == 401
        with httpx.Client(base_url=running.url, verify=shown, timeout=60) as machine:
            assert machine.get("/dicomweb/studies").status_code == 401
            add(running.data, "pacs", Role.SENDER, certificate=FINGERPRINT)
            assert machine.get("/api/v1/session").json()["name"] == "user:pacs"
            assert machine.get("/dicomweb/studies").status_code == 403  # it sends only
        with httpx.Client(base_url=running.url, verify=context, timeout=60) as browser:
            add(running.data, "ana", Role.READER)
            cookie = sign_in(browser, "ana").headers["set-cookie"]
            assert cookie.startswith("__Host-vna-session=")
            assert "; Secure" in cookie
