"""Synthetic Part 10 files made from bytes alone: small ones by the thousand, large ones as streams.

Written by hand (PS3.5 §7.1.2, PS3.10 §7.1) and not with the archive's own code.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
MULTIFRAME_GRAY = "1.2.840.10008.5.1.4.1.1.7.2"
EXPLICIT_LE = "1.2.840.10008.1.2.1"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
ROOT = "1.2.826.0.1.3680043.10.1554"
LONG_VRS = {b"OB", b"OW", b"OV", b"SQ", b"UN", b"UT"}


def element(tag: int, vr: bytes, value: bytes | str | int) -> bytes:
    """One explicit VR little endian element, padded to even length."""
    if isinstance(value, int):
        value = struct.pack("<H", value)
    data = value.encode("latin-1") if isinstance(value, str) else value
    if len(data) % 2:
        data += b"\0" if vr in (b"UI", b"OB") else b" "
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
    if vr in LONG_VRS:
        return head + b"\0\0" + struct.pack("<L", len(data)) + data
    return head + struct.pack("<H", len(data)) + data


def file_meta(sop_class: str, sop_uid: str, transfer_syntax: str) -> bytes:
    """Preamble, prefix and group 0002."""
    group = (
        element(0x00020001, b"OB", b"\0\1")
        + element(0x00020002, b"UI", sop_class)
        + element(0x00020003, b"UI", sop_uid)
        + element(0x00020010, b"UI", transfer_syntax)
        + element(0x00020012, b"UI", ROOT)
    )
    length = element(0x00020000, b"UL", struct.pack("<L", len(group)))
    return b"\0" * 128 + b"DICM" + length + group


@dataclass(frozen=True, slots=True)
class Sent:
    """What a client sends and later compares."""

    study_uid: str
    series_uid: str
    sop_uid: str
    data: bytes

    @property
    def sha256(self) -> str:
        """The digest that `?original` must have."""
        return hashlib.sha256(self.data).hexdigest()


def header(
    study_uid: str,
    series_uid: str,
    sop_uid: str,
    *,
    number: int,
    frames: int = 1,
    rows: int = 64,
    columns: int = 64,
    bits: int = 8,
    sop_class: str = SECONDARY_CAPTURE,
    patient: str = "P1",
) -> bytes:
    """The data set up to Pixel Data."""
    return b"".join(
        (
            element(0x00080005, b"CS", "ISO_IR 100"),
            element(0x00080016, b"UI", sop_class),
            element(0x00080018, b"UI", sop_uid),
            element(0x00080020, b"DA", "20260105"),
            element(0x00080030, b"TM", "101112"),
            element(0x00080050, b"SH", "A1"),
            element(0x00080060, b"CS", "OT"),
            element(0x00080090, b"PN", ""),
            element(0x00100010, b"PN", "PRUEBA^PACIENTE"),
            element(0x00100020, b"LO", patient),
            element(0x00100030, b"DA", ""),
            element(0x00100040, b"CS", ""),
            element(0x0020000D, b"UI", study_uid),
            element(0x0020000E, b"UI", series_uid),
            element(0x00200010, b"SH", "1"),
            element(0x00200011, b"IS", "1"),
            element(0x00200013, b"IS", str(number)),
            element(0x00280002, b"US", 1),
            element(0x00280004, b"CS", "MONOCHROME2"),
            element(0x00280008, b"IS", str(frames)),
            element(0x00280010, b"US", rows),
            element(0x00280011, b"US", columns),
            element(0x00280100, b"US", bits),
            element(0x00280101, b"US", bits),
            element(0x00280102, b"US", bits - 1),
            element(0x00280103, b"US", 0),
        )
    )


def small(study: int, number: int, *, salt: int = 0, rows: int = 64, columns: int = 64) -> Sent:
    """An image whose pixels depend on every argument; one patient per study."""
    study_uid = f"{ROOT}.1.{salt}.{study}"
    series_uid, sop_uid = f"{study_uid}.1", f"{study_uid}.1.{number}"
    seed = f"{salt}/{study}/{number}".encode()
    pixels = b"".join(
        hashlib.sha256(seed + b"%d" % i).digest() for i in range(rows * columns // 32)
    )
    dataset = header(
        study_uid,
        series_uid,
        sop_uid,
        number=number,
        patient=f"P{salt}-{study}",
        rows=rows,
        columns=columns,
    )
    dataset += element(0x7FE00010, b"OW", pixels)
    meta = file_meta(SECONDARY_CAPTURE, sop_uid, EXPLICIT_LE)
    return Sent(study_uid, series_uid, sop_uid, meta + dataset)


@dataclass(frozen=True, slots=True)
class Large:
    """A large multi-frame object that is never whole in memory."""

    study_uid: str
    series_uid: str
    sop_uid: str
    frames: int
    frame_bytes: int
    size: int
    encapsulated: bool
    head: bytes
    tail: bytes

    def chunks(self) -> Iterator[bytes]:
        """The file, a frame at a time."""
        yield self.head
        for number in range(1, self.frames + 1):
            if self.encapsulated:
                yield struct.pack("<HHL", 0xFFFE, 0xE000, self.frame_bytes)
            yield self.frame(number)
        yield self.tail

    def frame(self, number: int) -> bytes:
        """The bytes of frame `number` (from 1); no two are equal."""
        mark = b"\xff\xd8" + struct.pack("<Q", number) if self.encapsulated else b""
        pattern = struct.pack("<Q", number * 0x9E3779B97F4A7C15 % 2**64)
        body = pattern * (self.frame_bytes // 8 + 1)
        end = b"\xff\xd9" if self.encapsulated else b""
        return (mark + body)[: self.frame_bytes - len(end)] + end


def native(size: int, *, name: int = 1) -> Large:
    """A native 8-bit multi-frame of about `size` bytes, below 4 GiB: frames of 2048 × 2048."""
    frame_bytes = 2048 * 2048
    frames = min(size // frame_bytes, (2**32 - 2) // frame_bytes)
    uid = f"{ROOT}.2.{name}"
    dataset = header(
        uid, f"{uid}.1", f"{uid}.1.1", number=1, frames=frames, rows=2048, columns=2048,
        sop_class=MULTIFRAME_GRAY, patient=f"L{name}",
    )  # fmt: skip
    pixel = struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, frames * frame_bytes)
    head = file_meta(MULTIFRAME_GRAY, f"{uid}.1.1", EXPLICIT_LE) + dataset + pixel
    total = len(head) + frames * frame_bytes
    return Large(uid, f"{uid}.1", f"{uid}.1.1", frames, frame_bytes, total, False, head, b"")


def encapsulated(size: int, *, name: int = 2) -> Large:
    """An encapsulated multi-frame of at least `size` bytes with an Extended Offset Table."""
    frame_bytes = 1 << 20
    frames = size // frame_bytes + 1
    uid = f"{ROOT}.2.{name}"
    dataset = header(
        uid, f"{uid}.1", f"{uid}.1.1", number=1, frames=frames, rows=2048, columns=2048,
        sop_class=MULTIFRAME_GRAY, patient=f"L{name}",
    )  # fmt: skip
    offsets = struct.pack(f"<{frames}Q", *(i * (frame_bytes + 8) for i in range(frames)))
    lengths = struct.pack(f"<{frames}Q", *[frame_bytes] * frames)
    dataset += element(0x7FE00001, b"OV", offsets) + element(0x7FE00002, b"OV", lengths)
    pixel = struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
    table = struct.pack("<HHL", 0xFFFE, 0xE000, 0)
    head = file_meta(MULTIFRAME_GRAY, f"{uid}.1.1", JPEG_BASELINE) + dataset + pixel + table
    tail = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    total = len(head) + frames * (frame_bytes + 8) + len(tail)
    return Large(uid, f"{uid}.1", f"{uid}.1.1", frames, frame_bytes, total, True, head, tail)
