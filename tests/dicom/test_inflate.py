"""Deflated data sets as sources."""

from __future__ import annotations

import zlib

from hypothesis import given
from hypothesis import strategies as st

from vna.dicom.inflate import InflatedSource
from vna.dicom.source import BytesSource, chunks

PLAIN = b"".join(n.to_bytes(4, "big") for n in range(300_000))


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKED = b"meta" + deflated(PLAIN)


@given(
    st.lists(
        st.tuples(st.integers(0, len(PLAIN) + 10), st.integers(0, 300_000)), min_size=1, max_size=6
    )
)
def test_any_order_of_reads_gives_the_inflated_bytes(reads: list[tuple[int, int]]) -> None:
    source = InflatedSource(BytesSource(PACKED), 4)
    for offset, length in reads:
        assert source.read(offset, length) == PLAIN[offset : offset + length]
    assert source.size == len(PLAIN)
    assert not source.damaged


def test_a_padding_byte_after_the_stream_is_not_read() -> None:
    source = InflatedSource(BytesSource(PACKED + b"\0"), 4)
    assert b"".join(chunks(source, 0, 1 << 40, 100_000)) == PLAIN
    assert not source.damaged


def test_where_the_stream_breaks_the_source_ends() -> None:
    for broken in (PACKED[:-100], PACKED[:200_000] + b"\xff" * 100):
        source = InflatedSource(BytesSource(broken), 4)
        assert PLAIN.startswith(source.read(0, source.size)[: source.size - 1000])
        assert source.damaged
    empty = InflatedSource(BytesSource(b""), 0)
    assert (empty.read(0, 10), empty.size) == (b"", 0)
