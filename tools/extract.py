#!/usr/bin/env python3
"""Take every object out of segments and raw files, with nothing but Python 3.11.

    python3 extract.py SEGMENT-or-RAW-or-FOLDER... DIR      write the objects to DIR
    python3 extract.py --list SEGMENT-or-RAW-or-FOLDER...   only say what is there

No index, no database, no library is needed, and nothing of the store is changed. The byte formats
are described in docs/formats.md. Each object is checked against its SHA-256. A damaged stretch is
skipped to the next record that can be read. Objects go to
DIR/<study>/<series>/<instance>.<first 16 digits of the SHA-256>.dcm, those without such names to
DIR/<SHA-256>.bin, event records to DIR/events/<sequence>.<segment>.json. DIR/manifest.tsv lists
them all.

Exit codes: 0 all there is was taken; 4 some of it could not be read or written, or a segment ends
in the middle of a record (what lies there was never acknowledged); 5 something is damaged.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO

MAGIC = b"VNAR"
FIXED = struct.Struct("<4sBBHB3xQQ32s16s16sQIHHH")
TAIL = struct.Struct("<HI")
LONGEST_HEADER = FIXED.size + 3 * 1024 + TAIL.size
OBJECT, EVENT, FRAMES, SEGMENT, FOOTER = 1, 2, 3, 16, 17
TYPES = {OBJECT: "object", EVENT: "event", FRAMES: "frames", SEGMENT: "segment", FOOTER: "footer"}
CHUNK = 1024 * 1024
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PARTIAL, DAMAGED = 4, 5
COLUMNS = ("sha256", "type", "length", "sequence", "study", "series", "instance", "file", "offset")


class Header(NamedTuple):
    """What a record says of its payload."""

    type: int
    size: int  # of the header itself
    length: int
    sha256: str
    segment: str
    sequence: int
    sop: str
    series: str
    study: str


class Found(NamedTuple):
    """A record of `path` whose payload begins at `offset`."""

    header: Header
    path: Path
    offset: int


class Report:
    """What went wrong, said at once on standard error."""

    def __init__(self) -> None:
        self.code = 0
        self.objects = 0

    def partial(self, path: Path, text: str) -> None:
        self._say(path, text, PARTIAL)

    def damaged(self, path: Path, text: str) -> None:
        self._say(path, text, DAMAGED)

    def _say(self, path: Path, text: str, code: int) -> None:
        self.code = max(self.code, code)
        print(f"{path}: {text}", file=sys.stderr)


def header_at(file: BinaryIO, offset: int) -> Header | None:
    """The header at `offset`, if there is a whole and undamaged one."""
    file.seek(offset)
    data = file.read(LONGEST_HEADER)
    if len(data) < FIXED.size + TAIL.size or data[:4] != MAGIC:
        return None
    fields = FIXED.unpack_from(data)
    _, version, kind, flags, algorithm, length, _, sha256, _, segment, sequence, _ = fields[:12]
    lengths = fields[12:]
    size = FIXED.size + sum(lengths) + TAIL.size
    if size > len(data) or TAIL.unpack_from(data, size - TAIL.size) != (
        size,
        zlib.crc32(data[: size - 4]),
    ):
        return None
    if (version, flags, algorithm) != (1, 0, 1) or kind not in TYPES:
        return None
    names, start = [], FIXED.size
    for name_length in lengths:
        names.append(data[start : start + name_length].decode("utf-8", "replace"))
        start += name_length
    number = int.from_bytes(segment, "big")
    ulid = "".join(CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
    return Header(kind, size, length, sha256.hex(), ulid, sequence, *names)


def next_record(file: BinaryIO, start: int, size: int) -> int | None:
    """The offset of the first readable header at or behind `start`."""
    while start < size:
        file.seek(start)
        data = file.read(CHUNK + len(MAGIC) - 1)
        at = data.find(MAGIC)
        while at >= 0:
            if header_at(file, start + at):
                return start + at
            at = data.find(MAGIC, at + 1)
        start += CHUNK
    return None


def is_whole(file: BinaryIO, offset: int, header: Header) -> bool:
    """Whether the payload is all there and has its SHA-256."""
    digest = hashlib.sha256()
    file.seek(offset)
    missing = header.length
    while missing and (data := file.read(min(CHUNK, missing))):
        digest.update(data)
        missing -= len(data)
    return not missing and digest.hexdigest() == header.sha256


def segment_records(path: Path, report: Report) -> Iterator[Found]:
    """The good records of a segment."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        offset, sealed, segment = 0, False, ""
        while offset < size and not sealed:
            header = header_at(file, offset)
            segment = segment or (header.segment if header else "")  # the file may be renamed
            if header is None or header.segment != segment:
                found = next_record(file, offset + 1, size)
                if found is None:
                    report.partial(path, f"what begins at byte {offset} of {size} is no record")
                    return
                report.damaged(path, f"bytes {offset} to {found} are no record; skipped")
                offset = found
                continue
            payload = offset + header.size
            if is_whole(file, payload, header):
                yield Found(header, path, payload)
                sealed = header.type == FOOTER
                offset = payload + header.length
                continue
            found = next_record(file, payload, size)
            if found is None:
                report.partial(path, f"its last record, at byte {offset} of {size}, is torn")
                return
            report.damaged(path, f"{TYPES[header.type]} {header.sha256} is damaged")
            offset = found


def raw_records(path: Path, report: Report) -> Iterator[Found]:
    """The object of a raw file, if its header is there and it is whole."""
    meta = path.with_suffix(".meta")
    if not meta.exists():
        report.partial(path, "has no .meta beside it: it was never finished")
        return
    with meta.open("rb") as file:
        header = header_at(file, 0)
    if header is None:
        report.damaged(meta, "is no record header")
        return
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size != header.length or not is_whole(file, 0, header):
            report.damaged(path, f"object {header.sha256} is damaged")
            return
    yield Found(header, path, 0)


def records(path: Path, report: Report) -> Iterator[Found]:
    """The good records of a file, or of every segment and raw file below a folder."""
    try:
        if path.is_dir():
            for child in sorted(path.iterdir()):
                if child.is_dir() or child.suffix in (".vseg", ".bin", ".meta"):
                    yield from records(child, report)
        elif path.suffix == ".meta":
            if not path.with_suffix(".bin").exists():
                report.damaged(path, "the .bin beside it is missing")
        elif path.suffix == ".bin":
            yield from raw_records(path, report)
        else:
            yield from segment_records(path, report)
    except OSError as error:
        report.partial(path, f"cannot be read: {error.strerror}")


def name_of(found: Found) -> Path:
    """Where the payload goes, below the target folder."""
    header = found.header
    if header.type == EVENT:
        return Path("events", f"{header.sequence}.{header.segment}.json")
    uids = (header.study, header.series, header.sop)
    if all(re.fullmatch(r"[0-9][0-9.]{0,127}", uid) for uid in uids):
        return Path(header.study, header.series, f"{header.sop}.{header.sha256[:16]}.dcm")
    return Path(f"{header.sha256}.bin")


def write_out(found: Found, target: Path) -> None:
    """Copy a payload, whole or not at all; the same object is not copied twice."""
    path = target / name_of(found)
    if path.exists() and path.stat().st_size == found.header.length:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    with found.path.open("rb") as source, unfinished.open("wb") as copy:
        source.seek(found.offset)
        missing = found.header.length
        while missing:
            data = source.read(min(CHUNK, missing))
            if not data:
                raise OSError(0, "the file became shorter while it was read")
            copy.write(data)
            missing -= len(data)
    unfinished.replace(path)


def line_of(found: Found) -> str:
    """One line of the list."""
    header = found.header
    fields = (
        header.sha256,
        TYPES[header.type],
        header.length,
        header.sequence,
        header.study,
        header.series,
        header.sop,
        found.path,
        found.offset,
    )
    return "\t".join(str(field).replace("\t", " ").replace("\n", " ") for field in fields)


def extract(paths: list[Path], target: Path | None, listing: TextIO, report: Report) -> None:
    """List every object and event of `paths`, and write them below `target` if there is one."""
    print("\t".join(COLUMNS), file=listing)
    for path in paths:
        for found in records(path, report):
            if found.header.type not in (OBJECT, EVENT):
                continue
            if target is not None:
                try:
                    write_out(found, target)
                except OSError as error:
                    report.partial(target / name_of(found), f"not written: {error.strerror}")
                    continue
            report.objects += 1
            print(line_of(found), file=listing)


def main(arguments: list[str]) -> int:
    """Run as a command; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="only list, write nothing")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    options = parser.parse_args(arguments)
    paths: list[Path] = options.paths
    report = Report()
    if options.list:
        extract(paths, None, sys.stdout, report)
    elif len(paths) < 2:
        parser.error("a segment, raw file or folder, and the folder to write to")
    else:
        *sources, target = paths
        target.mkdir(parents=True, exist_ok=True)
        with (target / "manifest.tsv").open("w", encoding="utf-8") as listing:
            extract(sources, target, listing, report)
    print(f"{report.objects} objects and events", file=sys.stderr)
    return report.code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
