"""A STOW-RS client that writes down, durably, what was acknowledged before it sends more."""

from __future__ import annotations

import http.client
import json
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path

from tests.faults.synthetic import Sent

BOUNDARY = "fault-test"
RETRIES = 3  # within which a fault that has passed is noticed no more
ORIGINAL = "/dicomweb/studies/{}/series/{}/instances/{}?original"


def body(parts: Iterable[Sent]) -> bytes:
    """A multipart/related body of Part 10 files (PS3.18 §10.5.2)."""
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return b"".join(head + p.data + b"\r\n" for p in parts) + f"--{BOUNDARY}--\r\n".encode()


def acknowledged(answer: bytes) -> set[str]:
    """The SOP Instance UIDs of the Referenced SOP Sequence of a store response (§10.5.3)."""
    items = json.loads(answer).get("00081199", {}).get("Value", [])
    return {item["00081155"]["Value"][0] for item in items}


class AckLog:
    """One line per acknowledged SOP Instance UID, on disk before `write` returns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")
        self._lock = threading.Lock()

    def write(self, uids: Iterable[str]) -> None:
        """Append `uids` and sync them."""
        with self._lock:
            self._file.writelines(f"{uid}\n" for uid in uids)
            self._file.flush()
            os.fdatasync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @staticmethod
    def read(path: Path) -> set[str]:
        """Every UID that was acknowledged."""
        return set(path.read_text().split()) if path.exists() else set()


def send(
    port: int, batches: Sequence[Sequence[Sent]], log: AckLog, on_ack: Callable[[], None]
) -> None:
    """Send `batches` over one connection until all are sent or the server dies."""
    kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        for batch in batches:
            try:
                connection.request("POST", "/dicomweb/studies", body(batch), {"Content-Type": kind})
                answer = connection.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException):
                return
            if answer.status in (200, 202):
                log.write(acknowledged(content))
                on_ack()


def offer(port: int, batch: Sequence[Sent]) -> tuple[int, bytes]:
    """Status and body of one store request; 0 where the connection ended before the answer."""
    kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        try:
            connection.request("POST", "/dicomweb/studies", body(batch), {"Content-Type": kind})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""


def get(port: int, path: str, accept: str = "*/*") -> tuple[int, bytes]:
    """Status and body of one GET."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("GET", path, headers={"Accept": accept})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def check(port: int, objects: Sequence[Sent]) -> None:
    """Every object is what was sent, or is said not to be at hand just now; at last it is."""
    for one in objects:
        path = ORIGINAL.format(one.study_uid, one.series_uid, one.sop_uid)
        for _ in range(RETRIES):
            status, content = get(port, path)
            assert status in (200, 503), content
            if status == 200:
                break
        assert content == one.data, one.sop_uid


def unkept(port: int, batches: Sequence[Sequence[Sent]], kept: dict[str, Sent]) -> list[list[Sent]]:
    """Offer each batch once, while something fails; those that were not taken whole. What was
    acknowledged is noted in `kept`. Nothing is told but 503, or nothing at all."""
    left = []
    for batch in batches:
        status, content = offer(port, batch)
        assert status in (0, 200, 202, 503), content
        known = acknowledged(content) if status in (200, 202) else set()
        kept |= {each.sop_uid: each for each in batch if each.sop_uid in known}
        if len(known) < len(batch):
            left.append(list(batch))
    return left


def offer_again(port: int, batches: Sequence[Sequence[Sent]], kept: dict[str, Sent]) -> None:
    """The fault has passed: each is taken within three attempts."""
    for batch in batches:
        answers = (offer(port, batch)[0] for _ in range(RETRIES))
        assert any(status in (200, 202) for status in answers)
        kept |= {each.sop_uid: each for each in batch}
