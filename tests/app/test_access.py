"""Access control on a running server: without a token nothing, with one what is its own."""

from __future__ import annotations

import json
import ssl
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.faults import server
from tests.faults.server import Server
from tests.services.desk import image
from tests.services.house import CALLER
from vna.app.serve import refuse_open_doors
from vna.config.settings import Access, Scp, Settings, Tls
from vna.errors import InvalidConfiguration
from vna.index.engine import Index
from vna.model.caller import Role
from vna.services.access import Access as TokenAccess

ON = {"VNA_ACCESS__CONTROL": "on"}
TLS = Path(__file__).parent / "tls"
FILE = {"Content-Type": "application/dicom"}


def token(data: Path, role: str, organisation: str = "") -> str:
    """The secret of a new token, made beside the running server."""
    index = Index.open(f"sqlite:///{data}/index.db")
    seen = frozenset({organisation}) if organisation else None
    roles = frozenset({Role(role)})
    _, secret = TokenAccess(index).create(CALLER, "test", roles, organisations=seen)
    index.close()
    return secret


def files(folder: Path, study: str, count: int, patient: str) -> Path:
    folder.mkdir(parents=True)
    for number in range(1, count + 1):
        (folder / f"{number}.dcm").write_bytes(image(f"{study}.1.{number}", patient))
    return folder


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Of two organisations; each has a study and a held object."""
    folder = tmp_path_factory.mktemp("access")
    with server.running(folder / "data", environment=ON) as running:
        fill(running, folder, "north", "south")
        yield running


def fill(running: Server, folder: Path, *organisations: str) -> None:
    for number, code in enumerate(("north", "south"), 1):
        if code in organisations:
            inside = files(folder / code, f"1.9.{number}", 3, f"P{number}")
            (inside / "note.pdf").write_bytes(b"%PDF-1.4 " + code.encode())
            held = folder / f"{code}-held.dcm"  # of another patient: not before the study stands
            held.write_bytes(image(f"1.9.{number}.2.1", "OTHER"))
            for path in (inside, held):
                words = ("--organisation", code, "--jobs", "1")
                server.vna("import", str(path), *words, data=running.data)


def client(running: Server, *words: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token(running.data, *words)}"} if words else {}
    return httpx.Client(base_url=running.url, headers=headers, timeout=60)


def test_health_answers_anybody_and_nothing_else_does(archive: Server) -> None:
    with client(archive) as nobody:
        assert nobody.get("/livez").status_code == 200
        assert nobody.get("/readyz").status_code == 200
        for path in (
            "/dicomweb/studies",
            "/metrics",
            "/api/v1/changes",
            "/api/v1/held",
            "/wado",
        ):
            answer = nobody.get(path)
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), path
            assert answer.headers["www-authenticate"].startswith("Bearer")
        assert nobody.post("/dicomweb/studies", content=b"x", headers=FILE).status_code == 401
        wrong = nobody.get("/dicomweb/studies", headers={"Authorization": "Bearer vna_wrong"})
        assert wrong.status_code == 401


def test_a_role_may_what_it_says(archive: Server) -> None:
    mine = image("1.9.7.1.1", "P7")
    with (
        client(archive, "reader") as reader,
        client(archive, "sender") as sender,
    ):
        assert reader.get("/dicomweb/studies").status_code == 200
        assert reader.get("/metrics").status_code == 200
        answer = reader.post("/dicomweb/studies", content=mine, headers=FILE)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert sender.post("/dicomweb/studies", content=mine, headers=FILE).status_code == 200
        assert sender.get("/dicomweb/studies").status_code == 403
        assert reader.delete("/dicomweb/studies/1.9.7").status_code == 403
    with client(archive, "archivist") as archivist:
        assert archivist.delete("/dicomweb/studies/1.9.7").status_code in (200, 204)
        assert archivist.get("/api/v1/aes").status_code == 403
    with client(archive, "administrator") as administrator:
        assert administrator.get("/api/v1/aes").status_code == 200


PATHS = (
    "/dicomweb/studies", "/dicomweb/series", "/dicomweb/instances", "/dicomweb/patients",
    "/dicomweb/studies?limit=1", "/dicomweb/studies?PatientID=P2", "/dicomweb/studies/1.9.1/series",
    "/dicomweb/studies/1.9.1/metadata", "/dicomweb/studies/1.9.2/metadata",
    "/dicomweb/studies/1.9.1/series/1.9.1.1/instances/1.9.1.1.1",
    "/dicomweb/studies/1.9.2/series/1.9.2.1/instances/1.9.2.1.1",
    "/dicomweb/studies/1.9.2/thumbnail", "/dicomweb/studies/1.9.2/rendered",
    "/dicomweb/studies/1.9.2/series", "/dicomweb/instances/1.9.2.1.1", "/dicomweb/series/1.9.2.1",
    "/api/v1/held", "/api/v1/trash", "/api/v1/documents", "/api/v1/attention",
)  # fmt: skip


def test_an_organisation_sees_what_it_would_see_without_the_others(
    archive: Server, tmp_path: Path
) -> None:
    with (
        server.running(tmp_path / "data", environment=ON) as alone,
        client(archive, "archivist", "north") as mine,
    ):
        fill(alone, tmp_path, "north")
        with client(alone, "archivist", "north") as theirs:
            for path in PATHS:
                here, there = asked(mine, path), asked(theirs, path)
                assert here.status_code == there.status_code, path
                assert told(here, archive) == told(there, alone), path
            changes = [told_changes(each.get("/api/v1/changes")) for each in (mine, theirs)]
            assert changes[0] == changes[1]
    with client(archive, "reader") as everybody:
        assert len(everybody.get("/dicomweb/studies").json()) == 2


def asked(client: httpx.Client, path: str) -> httpx.Response:
    single = {"Accept": "application/dicom, */*;q=0.1"} if "/instances/1" in path else {}
    return client.get(path, headers=single)


def told(answer: httpx.Response, of: Server) -> Any:
    """The body without what differs between two archives of equal content: address, keys, times."""
    text = answer.text.replace(of.url, "")
    if "json" not in answer.headers.get("content-type", ""):
        return text
    return cleaned(json.loads(text))


def cleaned(tree: Any) -> Any:
    if isinstance(tree, dict):
        own = {"id", "at", "received_at", "next", "reception", "item", "seq", "raised_at", "after"}
        return {key: cleaned(value) for key, value in tree.items() if key not in own}
    return [cleaned(each) for each in tree] if isinstance(tree, list) else tree


def told_changes(answer: httpx.Response) -> list[tuple[str, str]]:
    rows = answer.json()["changes"]
    return sorted((each["kind"], each.get("instance") or "") for each in rows)


def test_https_is_served_with_a_certificate_of_ours(tmp_path: Path) -> None:
    settings = {
        **ON,
        "VNA_TLS__CERTIFICATE": str(TLS / "certificate.pem"),
        "VNA_TLS__KEY": str(TLS / "key.pem"),
    }
    context = ssl.create_default_context(cafile=str(TLS / "certificate.pem"))
    with (
        server.running(tmp_path / "data", environment=settings, scheme="https") as running,
        urllib.request.urlopen(f"{running.url}/livez", context=context) as answer,
    ):
        assert answer.status == 200


OUT = Settings(http="0.0.0.0:8080", dimse="")
DIMSE_OUT = Settings(dimse="10.0.0.1:11112")
CONTROLLED = Access(control="on")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (OUT, "no access control"),
        (replace(OUT, access=CONTROLLED), "in the clear"),
        (DIMSE_OUT, "no access control"),
        (replace(DIMSE_OUT, access=CONTROLLED), "lets anybody in"),
        (Settings(tls=Tls(certificate="x.pem")), "go together"),
        (Settings(tls=Tls(certificate="x.pem", key="y.pem")), "no file"),
    ],
    ids=["http", "clear", "dimse", "open", "half", "no file"],
)
def test_a_door_that_is_open_to_others_is_refused(settings: Settings, said: str) -> None:
    with pytest.raises(InvalidConfiguration, match=said):
        refuse_open_doors(settings)


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        replace(OUT, access=Access("on", behind_proxy=True)),
        replace(DIMSE_OUT, access=CONTROLLED, scp=Scp(unknown_callers="ask")),
        Settings(http="localhost:1", dimse="[::1]:2"),
    ],
    ids=["default", "proxy", "asking", "names"],
)
def test_a_door_that_is_watched_or_leads_nowhere_is_not(settings: Settings) -> None:
    refuse_open_doors(settings)
