"""PDUs against pynetdicom's, and against bytes that are none."""

from __future__ import annotations

from contextlib import suppress
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynetdicom import pdu as oracle

from dimse.pdu import (
    HEAD,
    Abort,
    Answered,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    CommonExtended,
    Identity,
    Kind,
    MalformedPdu,
    Pdu,
    Proposed,
    ReleaseReply,
    ReleaseRequest,
    Role,
    User,
    data_head,
    decode,
    encode,
    fragments,
)

uids = st.lists(st.integers(0, 99999), min_size=1, max_size=8).map(
    lambda parts: ".".join(map(str, (1, *parts)))
)
titles = st.text("ABCXYZ019_ ", min_size=1, max_size=16).map(str.strip).filter(bool)
texts = st.binary(min_size=1, max_size=40)
users = st.builds(
    User,
    longest=st.integers(0, 2**32 - 1),
    implementation=uids,
    version=titles,
    roles=st.lists(
        st.builds(Role, uids, st.booleans(), st.booleans()),
        max_size=4,
        unique_by=lambda r: r.sop_class,
    ).map(tuple),
    extended=st.lists(st.tuples(uids, st.binary(min_size=1, max_size=8)), max_size=4).map(tuple),
    common=st.lists(
        st.builds(CommonExtended, uids, uids, st.lists(uids, max_size=3).map(tuple)), max_size=2
    ).map(tuple),
    window=st.none() | st.tuples(st.integers(0, 65535), st.integers(0, 65535)),
    identity=st.none() | st.builds(Identity, st.integers(1, 5), st.booleans(), texts, st.just(b"")),
)
ids = st.integers(0, 127).map(lambda number: 2 * number + 1)
requests = st.builds(
    AssociateRequest,
    titles,
    titles,
    st.lists(
        st.builds(Proposed, ids, uids, st.lists(uids, min_size=1, max_size=5).map(tuple)),
        max_size=8,
        unique_by=lambda each: each.id,
    ).map(tuple),
    users,
)
accepts = st.builds(
    AssociateAccept,
    titles,
    titles,
    st.lists(
        st.builds(Answered, ids, st.integers(0, 4), uids),
        max_size=8,
        unique_by=lambda each: each.id,
    ).map(tuple),
    users,
)
bytes_ = st.integers(0, 255)
others = (
    st.builds(AssociateReject, bytes_, bytes_, bytes_)
    | st.builds(Abort, bytes_, bytes_)
    | st.just(ReleaseRequest())
    | st.just(ReleaseReply())
)


@given(requests | accepts | others)
def test_what_was_encoded_is_decoded(one: Pdu) -> None:
    data = encode(one)
    assert decode(data[0], data[HEAD:]) == one
    assert int.from_bytes(data[2:6], "big") == len(data) - HEAD


@given(requests)
def test_pynetdicom_reads_our_requests_and_writes_them_alike(one: AssociateRequest) -> None:
    theirs = oracle.A_ASSOCIATE_RQ()
    theirs.decode(encode(one))
    assert theirs.called_ae_title.strip() == one.called
    assert [each.context_id for each in theirs.presentation_context] == [c.id for c in one.contexts]
    again = decode(Kind.ASSOCIATE_RQ, theirs.encode()[HEAD:])
    assert again == one


@given(st.sampled_from(list(Kind)), st.binary(max_size=400))
def test_bytes_that_are_no_pdu_are_told_as_such(kind: Kind, body: bytes) -> None:
    with suppress(MalformedPdu):
        assert decode(kind, body) is not None
    with suppress(MalformedPdu):
        assert sum(6 + len(data) for _, _, data in fragments(memoryview(body))) == len(body)


@given(requests, st.data())
def test_a_request_that_is_damaged_is_read_or_refused(
    one: AssociateRequest, data: st.DataObject
) -> None:
    body = bytearray(encode(one)[HEAD:])
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(bytes_)
    with suppress(MalformedPdu):
        cut = data.draw(st.integers(0, len(body)))
        assert isinstance(decode(Kind.ASSOCIATE_RQ, bytes(body[:cut])), AssociateRequest)


@given(st.lists(st.tuples(ids, st.integers(0, 3), st.binary(max_size=50)), max_size=6))
def test_fragments_of_a_data_pdu_lie_in_it(parts: list[tuple[int, int, bytes]]) -> None:
    body = b"".join(pack(">IBB", len(data) + 2, id, control) + data for id, control, data in parts)
    assert [
        (id, control, bytes(data)) for id, control, data in fragments(memoryview(body))
    ] == parts


def test_the_head_of_a_data_pdu_is_what_pynetdicom_reads() -> None:
    theirs = oracle.P_DATA_TF()
    theirs.decode(data_head(5, 3, 4) + b"\1\2\3\4")
    (item,) = theirs.presentation_data_value_items
    assert (item.presentation_context_id, item.presentation_data_value) == (5, b"\3\1\2\3\4")


def test_ids_of_contexts_are_odd_and_different() -> None:
    for ids_ in ((2,), (1, 1)):
        bad = AssociateRequest(
            "A", "B", tuple(Proposed(id, "1.2", ("1.2",)) for id in ids_), User()
        )
        with pytest.raises(MalformedPdu, match="odd and different"):
            decode(Kind.ASSOCIATE_RQ, encode(bad)[HEAD:])
