"""Objects far larger than memory may be: stored, one frame read, all read, within fixed memory."""

from __future__ import annotations

import hashlib
import http.client
import json
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction

import pytest

from tests.dicomweb.models import path_of
from tests.dicomweb.test_store_metadata import video
from tests.faults import server as servers
from tests.faults.client import ORIGINAL, acknowledged
from tests.faults.synthetic import Large, encapsulated, native
from tests.render.video.streams import REORDERED
from tests.size import size
from vna.dicom.source import BytesSource
from vna.render.video.remux import to_mp4

MIB = 1 << 20
RSS_LIMIT = 400 * MIB
FRAME = "/dicomweb/studies/{}/series/{}/instances/{}/frames/{}"
OCTETS = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    with servers.running(tmp_path_factory.mktemp("large") / "data") as running:
        yield running


@pytest.mark.timeout(size(240, 1800))
@pytest.mark.parametrize(
    "large",
    [
        pytest.param(native(size(256 * MIB, 2**32)), id="native"),
        pytest.param(encapsulated(size(256 * MIB, 2**32 + 64 * MIB)), id="extended-offset-table"),
    ],
)
def test_a_large_object_streams_in_and_out_within_fixed_memory(
    server: servers.Server, large: Large, record_property: Callable[[str, object], None]
) -> None:
    digest = _store(server.port, large)
    names = (large.study_uid, large.series_uid, large.sop_uid)

    middle = large.frames // 2
    body = b"".join(_read(server.port, FRAME.format(*names, middle), OCTETS))
    assert large.frame(middle) in body

    everything = hashlib.sha256()
    total = 0
    for chunk in _read(server.port, ORIGINAL.format(*names), "application/dicom"):
        everything.update(chunk)
        total += len(chunk)
    assert (total, everything.hexdigest()) == (large.size, digest)

    last = ",".join(str(n) for n in range(large.frames - 3, large.frames + 1))
    body = b"".join(_read(server.port, FRAME.format(*names, last), OCTETS))
    for number in range(large.frames - 3, large.frames + 1):
        assert large.frame(number) in body
    record_property("MiB", large.size // MIB)
    record_property("peak RSS, MiB", max(server.peak_rss_bytes()) // MIB)
    assert max(server.peak_rss_bytes()) < RSS_LIMIT


@pytest.mark.timeout(size(240, 1800))
def test_a_large_film_and_its_metadata_become_an_object_within_fixed_memory(
    server: servers.Server, record_property: Callable[[str, object], None]
) -> None:
    """Beyond 4 GiB a fragment does not hold it (PS3.5 §7.1): it is cut, and given as it was."""
    made = video()
    mp4 = to_mp4(BytesSource(REORDERED), Fraction(25))
    film = b"".join(mp4.read(BytesSource(REORDERED), 0))
    free = size(256 * MIB, 2**32 + 64 * MIB)
    film += b"\0\0\0\1free" + free.to_bytes(8, "big")
    pieces = (free - 16) // MIB
    head = (
        f"--large\r\nContent-Type: application/dicom+json\r\n\r\n{json.dumps([made])}\r\n"
        "--large\r\nContent-Type: video/mp4\r\nContent-Location: clip\r\n\r\n"
    ).encode()
    rest = (free - 16) % MIB
    digest = hashlib.sha256(film)

    def body() -> Iterator[bytes]:
        yield head + film
        for number in range(pieces):
            digest.update(piece := number.to_bytes(8, "big") * (MIB // 8))
            yield piece
        digest.update(bytes(rest))
        yield bytes(rest) + b"\r\n--large--\r\n"

    kind = 'multipart/related; type="application/dicom+json"; boundary=large'
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    connection.request(
        "POST", "/dicomweb/studies", body(), {"Content-Type": kind}, encode_chunked=True
    )
    answer = connection.getresponse()
    assert (answer.status, answer.read()[:300])[0] == 200
    connection.close()

    shown = hashlib.sha256()
    total = 0
    for chunk in _read(server.port, f"/dicomweb{path_of(made)}/rendered", "video/mp4"):
        shown.update(chunk)
        total += len(chunk)
    assert total == len(film) + free - 16
    assert shown.digest() == digest.digest()
    record_property("MiB", total // MIB)
    record_property("peak RSS, MiB", max(server.peak_rss_bytes()) // MIB)
    assert max(server.peak_rss_bytes()) < RSS_LIMIT
    raw = list((server.data / "store").rglob("*.bin"))
    assert {each.with_suffix(".meta").exists() for each in raw} == {True}  # no spool is left


def test_many_large_bodies_at_once_are_stored_or_told_to_come_back(
    server: servers.Server, record_property: Callable[[str, object], None]
) -> None:
    clients = size(16, 64)
    objects = [native(50 * MIB, name=1000 + number) for number in range(clients)]
    outcomes: list[int] = []

    def send(one: Large) -> None:
        outcomes.append(_post(server.port, one)[0])

    threads = [threading.Thread(target=send, args=(one,)) for one in objects]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    record_property("stored", outcomes.count(200))
    record_property("told to come back", outcomes.count(503))
    record_property("peak RSS, MiB", max(server.peak_rss_bytes()) // MIB)
    assert len(outcomes) == clients, "a client saw a reset instead of an answer"
    assert set(outcomes) <= {200, 503}
    assert 200 in outcomes
    assert max(server.peak_rss_bytes()) < RSS_LIMIT


def _store(port: int, large: Large) -> str:
    status, content, digest = _post(port, large)
    assert status == 200, content[:500]
    assert acknowledged(content) == {large.sop_uid}
    return digest


def _post(port: int, large: Large) -> tuple[int, bytes, str]:
    """Send one object with a Content-Length; status, body and the digest of what was sent."""
    head = b"--large\r\nContent-Type: application/dicom\r\n\r\n"
    tail = b"\r\n--large--\r\n"
    digest = hashlib.sha256()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.putrequest("POST", "/dicomweb/studies")
    kind = 'multipart/related; type="application/dicom"; boundary=large'
    connection.putheader("Content-Type", kind)
    connection.putheader("Content-Length", str(len(head) + large.size + len(tail)))
    connection.endheaders()
    try:
        connection.send(head)
        for chunk in large.chunks():
            digest.update(chunk)
            connection.send(chunk)
        connection.send(tail)
    except (BrokenPipeError, ConnectionResetError):
        pass  # the server has answered and stopped listening: its answer must still be readable
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content, digest.hexdigest()


def _read(port: int, path: str, accept: str) -> Iterator[bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    connection.request("GET", path, headers={"Accept": accept})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read(1000)
    while chunk := answer.read(MIB):
        yield chunk
    connection.close()
