"""Bits of H.264 syntax: fixed width and Exp-Golomb numbers (ISO/IEC 14496-10 §7.2, §9.1)."""

from __future__ import annotations

from vna.errors import Undecodable


class Bits:
    """Reads a raw byte sequence payload from its first bit; raises `Undecodable` behind its end."""

    def __init__(self, payload: bytes) -> None:
        self._number = int.from_bytes(payload, "big")
        self._left = len(payload) * 8

    def take(self, count: int) -> int:
        """The next `count` bits as a number."""
        self._left -= count
        if self._left < 0:
            raise Undecodable("the H.264 stream breaks off in a header")
        return self._number >> self._left & ((1 << count) - 1)

    def flag(self) -> bool:
        """One bit."""
        return bool(self.take(1))

    def unsigned(self) -> int:
        """ue(v)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise Undecodable("the H.264 stream has a number that is too large")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """se(v)."""
        code = self.unsigned()
        return (code + 1) // 2 if code & 1 else -(code // 2)


def payload_of(unit: bytes) -> bytes:
    """A NAL unit without its header byte and emulation prevention (§7.3.1)."""
    return unit[1:].replace(b"\0\0\3", b"\0\0")
