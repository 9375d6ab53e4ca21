"""However bytes arrive, the same PDUs come out."""

from __future__ import annotations

from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dimse.pdu import Kind, MalformedPdu
from dimse.reader import FIRST_BUFFER, LONGEST_CONTROL, PduReader

LONGEST = 128 << 10
lengths = st.integers(0, 2000) | st.just(20_000)
shapes = st.lists(st.tuples(st.sampled_from(sorted(Kind)), lengths), min_size=1, max_size=6)


@settings(deadline=None)
@given(shapes, st.lists(st.integers(1, 40_000), min_size=1, max_size=20))
def test_pieces_of_any_size_give_the_same_pdus(
    shapes: list[tuple[Kind, int]], steps: list[int]
) -> None:
    sent = [(kind, bytes([place]) * length) for place, (kind, length) in enumerate(shapes, 1)]
    stream = b"".join(pack(">BxI", kind, len(body)) + body for kind, body in sent)
    reader, found, at, turn = PduReader(LONGEST), [], 0, 0
    while True:
        while (pdu := reader.next()) is not None:
            found.append((Kind(pdu[0]), bytes(pdu[1])))
        if at == len(stream):
            break
        room = reader.room()
        assert len(room) > 0
        piece = stream[at : at + min(len(room), steps[turn % len(steps)])]
        room[: len(piece)] = piece
        reader.filled(len(piece))
        at, turn = at + len(piece), turn + 1
    assert found == sent
    assert not reader.begun


def test_an_idle_reader_holds_little() -> None:
    assert len(PduReader(LONGEST).room()) == FIRST_BUFFER


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (pack(">BxI", 9, 4), 1),
        (pack(">BxI", Kind.DATA, LONGEST + 1), 6),
        (pack(">BxI", Kind.ASSOCIATE_RQ, LONGEST_CONTROL + 1), 6),
    ],
    ids=["unknown type", "data too long", "request too long"],
)
def test_a_head_that_cannot_be_is_refused_at_once(head: bytes, reason: int) -> None:
    reader = PduReader(LONGEST)
    reader.room()[: len(head)] = head
    reader.filled(len(head))
    with pytest.raises(MalformedPdu) as caught:
        reader.next()
    assert caught.value.reason == reason
