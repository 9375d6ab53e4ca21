"""Command sets: group 0000 in Implicit VR Little Endian (PS3.7 §6.3, §E.1). Sans-IO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from struct import error as out_of_data
from struct import pack, unpack_from

LONGEST = 64 << 10  # bytes of a command set; real ones have a few hundred


class Field(IntEnum):
    """Command Field (0000,0100) of requests; a response has the bit RESPONSE too."""

    STORE = 0x0001
    GET = 0x0010
    FIND = 0x0020
    MOVE = 0x0021
    ECHO = 0x0030
    EVENT_REPORT = 0x0100
    N_GET = 0x0110
    N_SET = 0x0120
    ACTION = 0x0130
    CREATE = 0x0140
    DELETE = 0x0150
    CANCEL = 0x0FFF


RESPONSE = 0x8000
NO_DATA_SET = 0x0101  # Command Data Set Type (0000,0800)

AFFECTED_CLASS, REQUESTED_CLASS = 0x0002, 0x0003
COMMAND_FIELD, MESSAGE_ID, RESPONDED_TO = 0x0100, 0x0110, 0x0120
MOVE_DESTINATION, PRIORITY, DATA_SET_TYPE = 0x0600, 0x0700, 0x0800
STATUS, OFFENDING, COMMENT, ERROR_ID = 0x0900, 0x0901, 0x0902, 0x0903
AFFECTED_INSTANCE, REQUESTED_INSTANCE = 0x1000, 0x1001
EVENT_TYPE, ACTION_TYPE = 0x1002, 0x1008
REMAINING, COMPLETED, FAILED, WARNED = 0x1020, 0x1021, 0x1022, 0x1023
MOVE_ORIGINATOR, MOVE_ORIGINATOR_ID = 0x1030, 0x1031

_UIDS = frozenset((AFFECTED_CLASS, REQUESTED_CLASS, AFFECTED_INSTANCE, REQUESTED_INSTANCE))
_TEXTS = frozenset((MOVE_DESTINATION, COMMENT, MOVE_ORIGINATOR))
_TAGS = frozenset((OFFENDING,))
_LONGEST_COMMENT = 64  # characters of an LO value

Value = int | str


class MalformedCommand(Exception):
    """Bytes that are no command set."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command set. `values`: element number of group 0000 → number, UID or text."""

    values: Mapping[int, Value]

    @property
    def field(self) -> int:
        """Command Field."""
        return self.number(COMMAND_FIELD)

    @property
    def has_data_set(self) -> bool:
        """Whether a data set follows."""
        return self.number(DATA_SET_TYPE) != NO_DATA_SET

    def number(self, element: int, default: int = 0) -> int:
        """A numeric value."""
        value = self.values.get(element, default)
        return value if isinstance(value, int) else default

    def text(self, element: int) -> str:
        """A UID or text, '' where it is absent."""
        value = self.values.get(element, "")
        return value if isinstance(value, str) else ""


def decode(data: bytes) -> Command:
    """The command set in `data`; elements nobody needs are skipped. Raises `MalformedCommand`."""
    values: dict[int, Value] = {}
    at = 0
    try:
        while at < len(data):
            group, element, length = unpack_from("<HHI", data, at)
            at += 8
            if group or at + length > len(data):
                raise MalformedCommand("a command element is longer than its command")
            raw = data[at : at + length]
            at += length
            if element in _UIDS:
                values[element] = raw.decode("latin-1").strip("\0 ")
            elif element in _TEXTS:
                values[element] = raw.decode("latin-1").strip(" \0")
            elif element in _TAGS and length >= 4:
                first, second = unpack_from("<HH", raw)
                values[element] = first << 16 | second
            elif length == 2:
                values[element] = int.from_bytes(raw, "little")
    except out_of_data:
        raise MalformedCommand("a command ends within an element") from None
    if COMMAND_FIELD not in values:
        raise MalformedCommand("a command without Command Field (0000,0100)")
    return Command(values)


def encode(values: Mapping[int, Value], *, data_set: bool = False) -> bytes:
    """A command set with its group length. `data_set`: whether one follows."""
    body = b""
    for element, value in sorted({**values, DATA_SET_TYPE: 1 if data_set else NO_DATA_SET}.items()):
        raw = _raw(element, value)
        body += pack("<HHI", 0, element, len(raw)) + raw
    return pack("<HHII", 0, 0, 4, len(body)) + body


def response(
    request: Command, status: int, *, comment: str = "", offending: int = 0
) -> dict[int, Value]:
    """The values of the response to `request`, which names what it answers (PS3.7 §9.3, §10.3).

    `comment`: Error Comment, cut to 64 characters of the default repertoire; `offending`: a tag.
    """
    values: dict[int, Value] = {
        COMMAND_FIELD: request.field | RESPONSE,
        RESPONDED_TO: request.number(MESSAGE_ID),
        STATUS: status,
    }
    if sop_class := request.text(AFFECTED_CLASS) or request.text(REQUESTED_CLASS):
        values[AFFECTED_CLASS] = sop_class
    if sop_uid := request.text(AFFECTED_INSTANCE) or request.text(REQUESTED_INSTANCE):
        values[AFFECTED_INSTANCE] = sop_uid
    if comment:
        values[COMMENT] = comment
    if offending:
        values[OFFENDING] = offending
    return values


def _raw(element: int, value: Value) -> bytes:
    if isinstance(value, str):
        if element == COMMENT:
            value = "".join(c if " " <= c <= "~" and c != "\\" else "?" for c in value)
            value = value[:_LONGEST_COMMENT]
        raw = value.encode("latin-1", "replace")
        return raw + (b"\0" if element in _UIDS else b" ") * (len(raw) % 2)
    if element in _TAGS:
        return pack("<HH", value >> 16, value & 0xFFFF)
    return pack("<H", value)
