"""The transfer syntax, size and count of a video by its headers (PS3.5 §8.2.5 to §8.2.8)."""

from __future__ import annotations

import struct
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.render.video.streams import REORDERED, SLICED
from vna.dicom.source import BytesSource
from vna.errors import Undecodable
from vna.render.video.facts import VideoFacts, video_facts
from vna.render.video.remux import to_mp4

ROOT = "1.2.840.10008.1.2.4."


def facts(data: bytes) -> VideoFacts:
    return video_facts(BytesSource(data))


def mp4(stream: bytes) -> bytes:
    source = BytesSource(stream)
    return b"".join(to_mp4(source, Fraction(25)).read(source, 0))


def with_profile(profile: int, level: int) -> bytes:
    """A film that says another profile and level wherever it says one."""
    film, said = (SLICED, b"\x67\x42\xc0\x0a") if profile < 100 else (REORDERED, b"\x67\x64\0\x0a")
    assert said in film
    return mp4(film.replace(said, bytes((0x67, profile, 0, level))))


@pytest.mark.parametrize(("stream", "count"), [(REORDERED, 12), (SLICED, 5)])
def test_mpeg_4_counts_its_pictures(stream: bytes, count: int) -> None:
    found = facts(mp4(stream))
    assert (found.rows, found.columns, found.bits, found.frames) == (48, 64, 8, count)
    assert (found.syntaxes[0], found.method) == (ROOT + "102", "ISO_14496_10")


def test_a_bare_stream_says_all_but_its_count() -> None:
    found = facts(REORDERED)
    assert (found.rows, found.columns, found.frames) == (48, 64, None)
    assert found.syntaxes[0] == ROOT + "102"


@pytest.mark.parametrize(
    ("profile", "level", "syntax"),
    [(66, 30, "102"), (77, 41, "102"), (100, 41, "102"), (100, 42, "104"), (100, 51, None),
     (128, 41, "106"), (118, 41, "105")],
)  # fmt: skip
def test_profile_and_level_name_the_transfer_syntax(
    profile: int, level: int, syntax: str | None
) -> None:
    found = facts(with_profile(profile, level)).syntaxes
    assert (found[0] if found else None) == (ROOT + syntax if syntax else None)


def hevc(profile: int, level: int, bits: int) -> bytes:
    """An MPEG-4 file with a track of H.265 and nothing in it."""

    def box(kind: bytes, *content: bytes) -> bytes:
        body = b"".join(content)
        return struct.pack(">I4s", 8 + len(body), kind) + body

    record = bytearray(23)
    record[1], record[12], record[17] = profile, level, 0xF8 | bits - 8
    entry = struct.pack(">24xHH50x", 1920, 1080) + box(b"hvcC", bytes(record))
    table = box(
        b"stbl",
        box(b"stsd", struct.pack(">II", 0, 1), box(b"hvc1", entry)),
        box(b"stsz", struct.pack(">III", 0, 4, 90)),
    )
    movie = box(b"moov", box(b"trak", box(b"mdia", box(b"minf", table))))
    return box(b"ftyp", b"isom", bytes(4)) + box(b"mdat", bytes(16)) + movie


@pytest.mark.parametrize(
    ("profile", "level", "bits", "syntax"),
    [(1, 153, 8, "107"), (2, 153, 10, "108"), (1, 156, 8, None), (4, 120, 12, None)],
)
def test_h265(profile: int, level: int, bits: int, syntax: str | None) -> None:
    found = facts(hevc(profile, level, bits))
    assert (found.rows, found.columns, found.bits, found.frames) == (1080, 1920, bits, 90)
    assert (found.syntaxes[0] if found.syntaxes else None) == (ROOT + syntax if syntax else None)


def mpeg2(columns: int, rows: int, level: int) -> bytes:
    """A sequence header and its extension (ISO/IEC 13818-2 §6.2.2)."""
    size = (columns & 0xFFF) << 12 | rows & 0xFFF
    head = b"\0\0\1\xb3" + size.to_bytes(3, "big") + b"\x23\xff\xff\xe0\x18"
    word = 1 << 28 | 4 << 24 | level << 20 | (columns >> 12) << 15 | (rows >> 12) << 13
    return head + b"\0\0\1\xb5" + word.to_bytes(4, "big") + bytes(64)


@pytest.mark.parametrize(("level", "syntax"), [(8, "100"), (6, "101"), (4, "101")])
def test_mpeg_2(level: int, syntax: str) -> None:
    found = facts(mpeg2(1920, 1080, level))
    assert (found.rows, found.columns, found.syntaxes[0]) == (1080, 1920, ROOT + syntax)
    assert found.method == "ISO_13818_2"


@given(
    st.integers(0, 900), st.binary(max_size=4), st.sampled_from((mp4(REORDERED), hevc(1, 90, 8)))
)
def test_what_is_broken_is_refused_and_nothing_else_happens(
    at: int, junk: bytes, film: bytes
) -> None:
    at = min(at, len(film))
    try:
        facts(film[:at] + junk + film[at + len(junk) :])
        facts(film[:at])
    except Undecodable:
        pass
