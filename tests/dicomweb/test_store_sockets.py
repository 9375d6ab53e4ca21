"""Bodies that are slow, cut or withdrawn leave nothing behind."""

from __future__ import annotations

import socket

import httpx
import pytest

from tests.dicomweb.wire import MULTIPART_DICOM, body, path_of
from tests.faults.synthetic import small


@pytest.fixture
def port(url: str) -> int:
    """Of the archive."""
    return int(url.rpartition(":")[2])


def head(length: int | None, kind: str = MULTIPART_DICOM) -> bytes:
    """The head of a store request, chunked without a length."""
    framing = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = [
        "POST /dicomweb/studies HTTP/1.1",
        "Host: localhost",
        f"Content-Type: {kind}",
        framing,
        "",
        "",
    ]
    return "\r\n".join(lines).encode()


def test_a_body_may_come_byte_by_byte(port: int, client: httpx.Client) -> None:
    one = small(20, 1)
    content = body(one.data)

    with socket.create_connection(("127.0.0.1", port), timeout=30) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.sendall(head(len(content)))
        for start in range(0, 300):
            peer.sendall(content[start : start + 1])
        peer.sendall(content[300:])
        answer = peer.recv(65536)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert client.get(path_of(one), params="original").content == one.data


@pytest.mark.parametrize("kind", [MULTIPART_DICOM, "application/dicom"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_client_that_leaves_inside_its_body_leaves_nothing(
    port: int, client: httpx.Client, chunked: bool, kind: str
) -> None:
    one = small(21, 1 + chunked)
    content = body(one.data) if kind == MULTIPART_DICOM else one.data
    half = content[: len(content) // 2]
    if chunked:
        half = f"{len(half):x}\r\n".encode() + half + b"\r\n"

    with socket.create_connection(("127.0.0.1", port), timeout=30) as peer:
        peer.sendall(head(None if chunked else len(content), kind) + half)

    assert client.get(path_of(one)).status_code == 404
    assert client.get("/studies", params={"StudyInstanceUID": one.study_uid}).status_code == 204


def test_a_wrong_media_type_is_told_before_the_body_comes(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as peer:
        peer.sendall(head(100 << 20, "text/plain"))
        answer = peer.recv(65536)

    assert answer.startswith(b"HTTP/1.1 415 ")
