"""multipart/related is read the same however it is cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vna.errors import MalformedBody
from vna.wire.multipart_reader import (
    HEADER_BYTES,
    PADDING_BYTES,
    End,
    MultipartReader,
    PartData,
    PartEnd,
    PartStart,
)
from vna.wire.multipart_writer import MultipartWriter

Part = tuple[dict[str, str], bytes]

# Content that looks like a delimiter, and nearly so.
PIECES = [
    b"\r",
    b"\n",
    b"\r\n",
    b"-",
    b"--",
    b"--b",
    b"\r\n--",
    b"\r\n--bb",
    b"\r\n--b-",
    b"x",
    b"\0",
]
contents = st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join)
names = st.sampled_from(["content-type", "content-location", "x"])
values = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=12)
headers = st.dictionaries(names, values.map(str.strip), max_size=3)
parts = st.lists(st.tuples(headers, contents), min_size=1, max_size=4)
cuts = st.lists(st.integers(0, 400), max_size=12)


def read(*chunks: bytes, boundary: str = "b") -> list[Part]:
    """The parts of a complete body; every part was begun, filled and ended in turn."""
    reader = MultipartReader(boundary)
    found: list[Part] = []
    content = bytearray()
    ended = False
    for chunk in chunks:
        for event in reader.feed(chunk):
            match event:
                case PartStart(headers):
                    found.append((dict(headers), b""))
                    content.clear()
                case PartData(data):
                    assert data
                    content += data
                case PartEnd():
                    found[-1] = (found[-1][0], bytes(content))
                case End():
                    assert not ended
                    ended = True
    reader.close()
    assert ended
    return found


def pieces(body: bytes, cuts: list[int]) -> list[bytes]:
    """`body` cut at each of `cuts` that lies inside it."""
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    return [body[a:b] for a, b in pairwise(edges)]


def write(parts: list[Part]) -> bytes:
    """A body with boundary "b"."""
    writer = MultipartWriter("b")
    chunks = [
        writer.head(list(headers.items()), first=number == 0) + content
        for number, (headers, content) in enumerate(parts)
    ]
    return b"".join(chunks) + writer.tail


def holds_a_delimiter(content: bytes) -> bool:
    """Whether content would end its own part."""
    return any(line.startswith(b"--b") for line in (b"\r\n" + content).split(b"\r\n")[1:])


@given(parts=parts, cuts=cuts)
def test_what_is_written_is_read_however_it_is_cut(parts: list[Part], cuts: list[int]) -> None:
    clean = [(headers, b"" if holds_a_delimiter(body) else body) for headers, body in parts]
    body = write(clean)

    assert read(body) == clean
    assert read(*pieces(body, cuts)) == clean
    assert read(*(body[n : n + 1] for n in range(len(body)))) == clean


@given(body=st.lists(st.sampled_from([*PIECES, b"--b\r\n", b"\r\n\r\n", b"\r\n--b--", b"A: b"])),
       cuts=cuts)  # fmt: skip
def test_any_bytes_give_the_same_events_or_the_same_error(
    body: list[bytes], cuts: list[int]
) -> None:
    whole = b"".join(body)

    assert outcome([whole]) == outcome(pieces(whole, cuts))


def outcome(chunks: list[bytes]) -> list[Part] | str:
    """The parts of a body, or why it is refused."""
    try:
        return read(*chunks)
    except MalformedBody as error:
        return str(error)


BODY = b"--b\r\nContent-Type: application/dicom\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(BODY, id="nothing around it"),
        pytest.param(b"This is MIME.\r\n--bogus\r\n" + BODY, id="a preamble"),
        pytest.param(BODY + b"\r\n--b\r\nignored: yes\r\n\r\n", id="an epilogue"),
        pytest.param(BODY.replace(b"--b\r\n", b"--b \t\r\n"), id="padded boundaries"),
        pytest.param(b"\r\n" + BODY, id="an empty preamble"),
    ],
)
def test_preamble_padding_and_epilogue_are_no_content(body: bytes) -> None:
    assert read(body) == [({"content-type": "application/dicom"}, b"one"), ({}, b"two")]


def test_a_boundary_inside_a_longer_line_is_content() -> None:
    assert read(b"--b\r\n\r\n\r\n--bb\r\n--b--") == [({}, b"\r\n--bb")]
    padded = b"\r\n--b" + b" " * PADDING_BYTES
    assert read(b"--b\r\n\r\n" + padded + b"\r\n--b--") == [({}, padded)]


def test_folded_header_lines_are_joined() -> None:
    body = b"--b\r\nContent-Type: application/dicom;\r\n\ttransfer-syntax=1.2\r\n\r\n\r\n--b--"

    assert read(body) == [({"content-type": "application/dicom; transfer-syntax=1.2"}, b"")]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "does not occur"),
        (b"--other\r\n\r\n--other--", "does not occur"),
        (b"--b\r\nA: b", "without its closing"),
        (b"--b\r\n\r\ncontent", "without its closing"),
        (b"--b\r\n\r\ncontent\r\n--b", "without its closing"),
        (b"--b\r\n\r\ncontent\r\n--b\r\n", "without its closing"),
        (b"--b\r\nno colon\r\n\r\n\r\n--b--", "without a name"),
        (b"--b\r\n: no name\r\n\r\n\r\n--b--", "without a name"),
    ],
)
def test_a_broken_body_is_malformed(body: bytes, reason: str) -> None:
    with pytest.raises(MalformedBody, match=reason):
        read(body)


@pytest.mark.parametrize("chunk", [1 << 20, 100])
def test_headers_have_a_limit(chunk: int) -> None:
    def body(size: int) -> list[bytes]:
        head = b"--b\r\n" + b"A: " + b"a" * (size - 5) + b"\r\n\r\n\r\n--b--"
        return pieces(head, list(range(0, len(head), chunk)))

    assert len(read(*body(HEADER_BYTES))) == 1
    with pytest.raises(MalformedBody, match="bytes of headers"):
        read(*body(HEADER_BYTES + 1))


@pytest.mark.parametrize("boundary", ["", "a\r\nb", "a" * 201])
def test_an_unusable_boundary_is_refused(boundary: str) -> None:
    with pytest.raises(MalformedBody, match="boundary"):
        MultipartReader(boundary)


def test_a_reader_keeps_no_content_between_chunks() -> None:
    reader = MultipartReader("b")
    reader.feed(b"--b\r\n\r\n")

    (event,) = reader.feed(b"x" * 100_000 + b"\r\n--")

    assert isinstance(event, PartData)
    assert len(event.data) == 100_000
