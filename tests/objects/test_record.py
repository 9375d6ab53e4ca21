from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vna.objects import ulid
from vna.objects.record import (
    LONGEST_HEADER,
    LONGEST_NAME,
    BadRecord,
    RecordHeader,
    RecordNames,
    RecordType,
    decode,
    decode_before,
)

uids = st.text(max_size=80) | st.from_regex(r"[0-9]+(\.[0-9]+)*", fullmatch=True)
names = st.builds(RecordNames, st.integers(0, 2**32 - 1), uids, uids, uids)
numbers = st.integers(0, 2**64 - 1)
headers = st.builds(
    RecordHeader,
    st.sampled_from(RecordType),
    st.binary(min_size=16, max_size=16).map(ulid.encode),
    numbers,
    numbers,
    numbers,
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=16, max_size=16),
    names,
)
HEADER = RecordHeader(
    RecordType.OBJECT,
    "01JD0000000000000000000000",
    1_700_000_000_000_000,
    4096,
    4096,
    bytes(range(32)),
    bytes(range(16)),
    RecordNames(1, "2.25.3", "2.25.22", "2.25.111"),
)


@given(header=headers, before=st.binary(max_size=600), after=st.binary(max_size=600))
def test_a_header_is_read_from_either_end(
    header: RecordHeader, before: bytes, after: bytes
) -> None:
    data = header.encode()
    assert decode(before + data + after, len(before)) == (header, len(data))
    assert decode_before(before + data) == (header, len(data))


@given(position=st.integers(0), bit=st.integers(0, 7))
def test_no_changed_bit_goes_unseen(position: int, bit: int) -> None:
    data = bytearray(HEADER.encode())
    data[position % len(data)] ^= 1 << bit
    with pytest.raises(BadRecord):
        decode(bytes(data))
    with pytest.raises(BadRecord):
        decode_before(bytes(data))


@given(st.integers(0, 1000))
def test_no_torn_header_is_taken_for_a_whole_one(length: int) -> None:
    data = HEADER.encode()
    torn = data[: length % len(data)]
    for tail in (b"", bytes(LONGEST_HEADER)):
        with pytest.raises(BadRecord):
            decode(torn + tail)


@given(st.binary(max_size=400))
def test_any_other_bytes_are_refused_and_not_a_fault(data: bytes) -> None:
    with pytest.raises(BadRecord):
        decode(data)
    with pytest.raises(BadRecord):
        decode_before(data)


def test_the_header_has_the_documented_form() -> None:
    """docs/formats.md, "Record": the offsets of the fixed part, little endian."""
    data = HEADER.encode()
    assert data[0:4] == b"VNAR"
    assert (data[4], data[5], data[6:8], data[8], data[9:12]) == (1, 1, b"\0\0", 1, b"\0\0\0")
    assert data[12:20] == data[20:28] == (4096).to_bytes(8, "little")
    assert data[28:60] == bytes(range(32))
    assert data[60:76] == bytes(range(16))
    assert data[76:92] == ulid.decode(HEADER.segment)
    assert int.from_bytes(data[92:100], "little") == HEADER.sequence
    assert data[100:104] == (1).to_bytes(4, "little")
    assert data[104:110] == bytes([8, 0, 7, 0, 6, 0])
    assert data[110:131] == b"2.25.1112.25.222.25.3"
    assert int.from_bytes(data[131:133], "little") == len(data) == 137


def test_a_uid_that_breaks_every_rule_is_kept_as_it_is() -> None:
    odd = RecordNames(1, " 1.2 ", "1.2\0", "caf\udce9" + "9" * 900)
    header = RecordHeader(RecordType.OBJECT, HEADER.segment, 1, 0, 0, bytes(32), bytes(16), odd)
    assert decode(header.encode())[0].names == odd


@pytest.mark.parametrize("partition", [-1, 1 << 32])
def test_a_partition_that_does_not_fit_is_refused(partition: int) -> None:
    with pytest.raises(ValueError, match="partition"):
        RecordNames(partition)


def test_a_name_that_does_not_fit_is_refused() -> None:
    RecordNames(1, "1" * LONGEST_NAME)
    with pytest.raises(ValueError, match="more than 1024 bytes"):
        RecordNames(1, "é" * LONGEST_NAME)


@pytest.mark.parametrize(("position", "value"), [(4, 2), (5, 99), (6, 1), (8, 2)])
def test_a_record_of_a_later_version_is_refused(position: int, value: int) -> None:
    data = bytearray(HEADER.encode())
    data[position] = value
    data[-4:] = zlib.crc32(data[:-4]).to_bytes(4, "little")
    with pytest.raises(BadRecord, match="later version"):
        decode(bytes(data))
