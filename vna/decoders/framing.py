"""Messages between the pool and its processes: JSON facts and blobs over a stream socket.

Message: bytes of the facts, u32; number of blobs, u32; length of each blob, u64; facts; blobs. All
little endian.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

_HEAD = struct.Struct("<II")
_LONGEST_FACTS = 16 << 20
_MOST_BLOBS = 1 << 16

Message = tuple[dict[str, Any], list[bytes]]


class Broken(Exception):
    """The other side is gone, or what it says is no message."""


def send(connection: socket.socket, facts: Mapping[str, Any], blobs: Sequence[bytes]) -> None:
    """Send one message. Raises OSError."""
    said = orjson.dumps(facts)
    lengths = struct.pack(f"<{len(blobs)}Q", *map(len, blobs))
    connection.sendall(_HEAD.pack(len(said), len(blobs)) + lengths + said)
    for blob in blobs:
        connection.sendall(blob)


def receive(connection: socket.socket, largest: int) -> Message:
    """The next message, its blobs together at most `largest` bytes. Raises `Broken`, OSError."""
    size, count = _HEAD.unpack(_exactly(connection, _HEAD.size))
    if size > _LONGEST_FACTS or count > _MOST_BLOBS:
        raise Broken("no message")
    lengths = struct.unpack(f"<{count}Q", _exactly(connection, count * 8))
    if sum(lengths) > largest:
        raise Broken("the message is too large")
    try:
        facts = orjson.loads(_exactly(connection, size))
    except orjson.JSONDecodeError as error:
        raise Broken("no message") from error
    if not isinstance(facts, dict):
        raise Broken("no message")
    return facts, [bytes(_exactly(connection, length)) for length in lengths]


def _exactly(connection: socket.socket, length: int) -> bytearray:
    data = bytearray(length)
    view = memoryview(data)
    at = 0
    while at < length:
        count = connection.recv_into(view[at:])
        if not count:
            raise Broken("the other side is gone")
        at += count
    return data
