"""Associations over TLS, with and without certificates of callers."""

from __future__ import annotations

import hashlib
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.dimse.test_dcmtk import ct, free_port, written
from tests.faults import server
from tests.faults.server import Server
from tests.peers import dcmtk
from tests.peers.require import require
from vna.services.peers import FRESH_SECONDS

PEMS = Path(__file__).parent.parent / "app" / "tls"
CERTIFICATE, KEY = str(PEMS / "certificate.pem"), str(PEMS / "key.pem")
TLS = {"VNA_TLS__CERTIFICATE": CERTIFICATE, "VNA_TLS__KEY": KEY, "VNA_TLS__TRUSTED": CERTIFICATE}


@pytest.fixture(params=[False, True], ids=["server only", "mutual"], scope="module")
def secured(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, int, bool]]:
    """An archive that speaks DIMSE over TLS only; whether callers must show a certificate."""
    require(dcmtk.missing())
    port = free_port()
    environment = {**TLS, "VNA_DIMSE_TLS": f"127.0.0.1:{port}", "VNA_DIMSE": "off"}
    if request.param:
        environment["VNA_TLS__CLIENT_CA"] = CERTIFICATE
    folder = tmp_path_factory.mktemp("tls") / "data"
    with server.running(folder, environment=environment, scheme="https") as running:
        yield running, port, request.param


def dcmtk_says(name: str, port: int, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [dcmtk.program(name), "-v", "+cf", CERTIFICATE, *words[:3], "-aec", "VNA", "127.0.0.1",
         str(port), *words[3:]],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_dcmtk_stores_over_tls(secured: tuple[Server, int, bool], tmp_path: Path) -> None:
    _, port, _ = secured
    paths = written(tmp_path, *(ct(f"1.11.1.1.{number}") for number in range(1, 4)))
    done = dcmtk_says("storescu", port, "+tls", KEY, CERTIFICATE, *paths)
    assert done.returncode == 0, done.stderr
    assert (done.stdout + done.stderr).count("Store Response (Success)") == 3


def test_who_shows_no_certificate_is_let_in_only_where_none_is_wanted(
    secured: tuple[Server, int, bool],
) -> None:
    _, port, mutual = secured
    command = [dcmtk.program("echoscu"), "+tla", "+cf", CERTIFICATE, "-aec", "VNA"]
    done = subprocess.run(
        [*command, "127.0.0.1", str(port)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode == 0) is not mutual, done.stderr


def test_what_is_no_tls_or_too_old_gets_nowhere_and_harms_nobody(
    secured: tuple[Server, int, bool],
) -> None:
    _, port, _ = secured
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.sendall(b"\1\0\0\0\0\xff" + bytes(255))
        sock.settimeout(20)
        with suppress(ConnectionResetError):
            assert sock.recv(100)[:1] in (b"", b"\x15")  # closed, or an alert of TLS
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("AES128-SHA")  # no forward secrecy, CBC
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection(("127.0.0.1", port), 10) as sock,
        pytest.raises(OSError, match=r"(?i)handshake|alert|reset"),
    ):
        context.wrap_socket(sock)
    assert dcmtk_says("echoscu", port, "+tls", KEY, CERTIFICATE).returncode == 0


def test_we_call_a_peer_over_tls(
    secured: tuple[Server, int, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    running, port, _ = secured
    for name, value in TLS.items():
        monkeypatch.setenv(name, value)
    server.vna("ae", "add", f"VNA@127.0.0.1:{port}", "--tls", data=running.data)
    assert "yes" in server.vna("dicom", "echo", "VNA", data=running.data).stdout


def test_a_title_with_a_certificate_is_taken_from_nobody_else(
    secured: tuple[Server, int, bool],
) -> None:
    running, port, mutual = secured
    pinned = hashlib.sha256(ssl.PEM_cert_to_DER_cert(Path(CERTIFICATE).read_text())).hexdigest()
    other = "0" * 64
    for certificate, let_in in ((pinned, mutual), (other, False), ("", True)):
        server.vna("ae", "add", "PINNED", "--certificate", certificate, data=running.data)
        time.sleep(FRESH_SECONDS + 0.2)
        words = ("+tls", KEY, CERTIFICATE, "-aet", "PINNED")
        command = [dcmtk.program("echoscu"), "-v", "+cf", CERTIFICATE, *words, "-aec", "VNA"]
        done = subprocess.run(
            [*command, "127.0.0.1", str(port)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode == 0) is let_in, done.stderr
    refused = server.vna("dicom", "log", "--json", data=running.data).stdout
    assert "the certificate shown is not that of PINNED" in refused or not mutual
