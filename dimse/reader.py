"""PDUs out of a stream of bytes, without copying them (sans-IO)."""

from __future__ import annotations

from struct import unpack_from

from dimse.pdu import HEAD, INVALID_PARAMETER, UNRECOGNISED_PDU, Kind, MalformedPdu

FIRST_BUFFER = 16 << 10  # bytes: an idle association holds no more
LONGEST_CONTROL = 1 << 20  # bytes; 128 contexts of 45 transfer syntaxes are 200 KiB
_KINDS = frozenset(Kind)


class PduReader:
    """A buffer that bytes are received into and PDUs are read out of.

    `longest`: bytes of the largest body of a P-DATA-TF, which we told the peer.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._buffer = bytearray(FIRST_BUFFER)
        self._view = memoryview(self._buffer)
        self._start = self._end = 0

    @property
    def begun(self) -> bool:
        """Whether a part of a PDU is there."""
        return self._end > self._start

    def room(self) -> memoryview:
        """Where the next bytes go. What `next` gave before is no longer valid."""
        left = self._end - self._start
        if self._start and (not left or self._end == len(self._buffer)):
            self._buffer[:left] = self._buffer[self._start : self._end]
            self._start, self._end = 0, left
        if self._end == len(self._buffer):
            self._grow(2 * len(self._buffer))
        return self._view[self._end :]

    def filled(self, count: int) -> None:
        """`count` bytes were received into `room`."""
        self._end += count

    def next(self) -> tuple[int, memoryview] | None:
        """(type, body) of the next PDU, None while it is not complete. The body is valid until
        `room` is called. Raises `MalformedPdu` as soon as the head shows it."""
        left = self._end - self._start
        if left < HEAD:
            return None
        kind, length = unpack_from(">BxI", self._buffer, self._start)
        if kind not in _KINDS:
            raise MalformedPdu(f"there is no PDU of type {kind:02X}", UNRECOGNISED_PDU)
        if length > (self._longest if kind == Kind.DATA else LONGEST_CONTROL):
            raise MalformedPdu(f"a PDU of {length} bytes is too long", INVALID_PARAMETER)
        if left < HEAD + length:
            if HEAD + length > len(self._buffer):
                self._grow(2 * (HEAD + length))
            return None
        begin = self._start + HEAD
        self._start = begin + length
        return kind, self._view[begin : begin + length]

    def _grow(self, size: int) -> None:
        """A new buffer, because views of the old one may be out."""
        left = self._end - self._start
        grown = bytearray(size)
        grown[:left] = self._buffer[self._start : self._end]
        self._buffer, self._view = grown, memoryview(grown)
        self._start, self._end = 0, left
