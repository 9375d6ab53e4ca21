from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.objects.archive import content_of
from vna.objects.blocks import BLOCK_BYTES, SUM_BYTES, BlockSums, decode_blocks, is_block


def table_of(content: bytes, step: int) -> bytes:
    sums = BlockSums()
    for start in range(0, len(content), step):
        sums.update(content[start : start + step])
    return sums.encode()


@settings(deadline=None, max_examples=30)
@given(step=st.integers(1000, 3 * BLOCK_BYTES), length=st.integers(0, 3 * BLOCK_BYTES))
@example(step=BLOCK_BYTES, length=2 * BLOCK_BYTES)
@example(step=7, length=1)
@example(step=1000, length=0)
def test_each_block_has_its_sum_however_the_bytes_came(step: int, length: int) -> None:
    content = content_of(1, length)
    sums = decode_blocks(table_of(content, step), length)
    assert sums is not None
    assert len(sums) == SUM_BYTES * -(-length // BLOCK_BYTES)
    for number in range(len(sums) // SUM_BYTES):
        block = content[number * BLOCK_BYTES :][:BLOCK_BYTES]
        assert is_block(block, sums, number)
        assert not is_block(block[:-1], sums, number)


def test_a_damaged_or_foreign_table_is_none() -> None:
    table = table_of(content_of(1, 2 * BLOCK_BYTES), BLOCK_BYTES)
    for position in range(len(table)):
        damaged = bytearray(table)
        damaged[position] ^= 1
        assert decode_blocks(bytes(damaged), 2 * BLOCK_BYTES) is None
    for length in range(len(table)):
        assert decode_blocks(table[:length], 2 * BLOCK_BYTES) is None
    assert decode_blocks(table, BLOCK_BYTES) is None
