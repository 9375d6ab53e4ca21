"""Bodies as clients write and read them, made here by hand."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from tests.faults.synthetic import MULTIFRAME_GRAY, ROOT, Sent, element, file_meta, header

BOUNDARY = "by-hand"
MULTIPART_DICOM = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
ANY_SYNTAX = 'multipart/related; type="application/dicom"; transfer-syntax=*'
OCTETS = 'multipart/related; type="application/octet-stream"'

EXPLICIT_LE = "1.2.840.10008.1.2.1"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"


def body(*files: bytes) -> bytes:
    """A multipart/related body."""
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return b"".join(head + file + b"\r\n" for file in files) + f"--{BOUNDARY}--\r\n".encode()


def store(client: httpx.Client, *files: bytes, study: str | None = None) -> httpx.Response:
    """Store files in one request."""
    path = f"/studies/{study}" if study else "/studies"
    return client.post(path, content=body(*files), headers={"Content-Type": MULTIPART_DICOM})


def path_of(sent: Sent) -> str:
    """The path of an instance."""
    return f"/studies/{sent.study_uid}/series/{sent.series_uid}/instances/{sent.sop_uid}"


@dataclass(frozen=True)
class Part:
    """One part of an answer. Header names in lower case."""

    headers: dict[str, str]
    data: bytes


def parts(answer: httpx.Response) -> list[Part]:
    """The parts of a multipart answer, split the slow way."""
    assert answer.status_code == 200, answer.text
    kind = answer.headers["content-type"]
    assert kind.startswith("multipart/related; type=")
    boundary = kind.split("boundary=")[1].strip('"').encode()
    pieces = (b"\r\n" + answer.content).split(b"\r\n--" + boundary)
    assert pieces[0] == b""
    assert pieces[-1] in (b"--", b"--\r\n")
    found = []
    for piece in pieces[1:-1]:
        head, _, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        found.append(Part({name.lower(): value for name, value in lines}, data))
    return found


def encapsulated(name: str, frames: list[bytes], syntax: str) -> Sent:
    """A multi-frame whose frames are fragments; `name` makes its UIDs."""
    study = f"{ROOT}.7.{name}"
    series, sop = f"{study}.1", f"{study}.1.1"
    items = [b"", *frames]
    pixels = b"".join(
        b"\xfe\xff\x00\xe0" + len(item).to_bytes(4, "little") + item for item in items
    )
    undefined = b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff"
    data = (
        file_meta(MULTIFRAME_GRAY, sop, syntax)
        + header(
            study,
            series,
            sop,
            number=1,
            frames=len(frames),
            patient=f"E{name}",
            sop_class=MULTIFRAME_GRAY,
        )
        + undefined
        + pixels
        + b"\xfe\xff\xdd\xe0\0\0\0\0"
    )
    return Sent(study, series, sop, data)


def changed(sent: Sent, tag: int, vr: bytes, old: str, new: str) -> bytes:
    """The same object with another value of one attribute."""
    before, after = element(tag, vr, old), element(tag, vr, new)
    assert sent.data.count(before) == 1
    return sent.data.replace(before, after)
