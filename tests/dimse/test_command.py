"""Command sets against pynetdicom's, and against bytes that are none."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pynetdicom.dsutils import decode as their_decode
from pynetdicom.dsutils import encode as their_encode

from dimse import command
from dimse.command import Command, Field, MalformedCommand, Value, decode, encode, response

uids = st.lists(st.integers(0, 9999), min_size=1, max_size=8).map(lambda p: ".".join(map(str, p)))
numbers = st.integers(0, 0xFFFF)
texts = st.text("ABC xyz-09", min_size=1, max_size=16).map(str.strip).filter(bool)
values = st.fixed_dictionaries(
    {command.COMMAND_FIELD: st.sampled_from([int(each) for each in Field])},
    optional={
        command.MESSAGE_ID: numbers,
        command.AFFECTED_CLASS: uids,
        command.REQUESTED_INSTANCE: uids,
        command.STATUS: numbers,
        command.COMMENT: texts,
        command.OFFENDING: st.integers(0, 2**32 - 1),
        command.MOVE_DESTINATION: texts,
        command.FAILED: numbers,
    },
)


@given(values, st.booleans())
def test_what_was_encoded_is_decoded(sent: dict[int, Value], data_set: bool) -> None:
    found = decode(encode(sent, data_set=data_set))
    assert {key: found.values[key] for key in sent} == sent
    assert found.has_data_set is data_set


@given(values)
def test_pynetdicom_reads_the_same_and_writes_the_same_bytes(sent: dict[int, Value]) -> None:
    data = encode(sent)
    theirs = their_decode(BytesIO(data), True, True)
    for element, value in sent.items():
        assert theirs[0, element].value == value
    assert theirs[0, 0].value == len(data) - 12
    del theirs[0, 0]
    assert their_encode(theirs, True, True) == data[12:]


@given(st.binary(max_size=200))
def test_bytes_that_are_no_command_are_told_as_such(data: bytes) -> None:
    with suppress(MalformedCommand):
        assert command.COMMAND_FIELD in decode(data).values


def test_a_command_without_its_field_is_none() -> None:
    made = Dataset()
    made.MessageID = 1
    encoded = their_encode(made, True, True)
    assert encoded is not None
    with pytest.raises(MalformedCommand, match="without Command Field"):
        decode(encoded)


def test_a_response_names_what_it_answers_and_says_why_in_64_plain_characters() -> None:
    request = Command(
        {
            command.COMMAND_FIELD: Field.STORE,
            command.MESSAGE_ID: 7,
            command.AFFECTED_CLASS: "1.2",
            command.AFFECTED_INSTANCE: "1.2.3",
        }
    )
    answer = decode(encode(response(request, 0xA700, comment="ñ\\" + "x" * 90)))
    assert answer.field == Field.STORE | command.RESPONSE
    assert answer.number(command.RESPONDED_TO) == 7
    assert answer.text(command.AFFECTED_INSTANCE) == "1.2.3"
    assert answer.text(command.COMMENT) == "??" + "x" * 62
