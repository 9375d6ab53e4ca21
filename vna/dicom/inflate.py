"""A deflated data set (PS3.5 §A.5) as a source of its inflated bytes, in bounded memory."""

from __future__ import annotations

import zlib

from vna.dicom.source import Source

_CHUNK = 256 * 1024
# Inflated bytes beyond this are not looked at: 8 MiB of zeros deflate to 8 KiB, and time is finite.
INFLATED_LIMIT = 16 << 30


class InflatedSource:
    """The data set that begins at `offset` of `source`; offset 0 here is its first byte.

    Reading forward costs one pass; reading backward starts again.  Where the stream is broken the
    data set ends, and `damaged` is true.
    """

    def __init__(self, source: Source, offset: int) -> None:
        self._source, self._offset = source, offset
        self._size: int | None = None
        self.damaged = False
        self._restart()

    def _restart(self) -> None:
        self._inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        self._next = self._offset  # first deflated byte not read yet
        self._start = 0  # where `_chunk` begins among the inflated bytes
        self._chunk = b""

    def _advance(self) -> bool:
        """Make `_chunk` the bytes after it; false at the end."""
        self._start += len(self._chunk)
        self._chunk = b""
        while not self._chunk and not self._inflater.eof and self._start < INFLATED_LIMIT:
            deflated = self._inflater.unconsumed_tail
            if not deflated:
                deflated = self._source.read(self._next, _CHUNK)
                self._next += len(deflated)
            try:
                self._chunk = self._inflater.decompress(deflated, _CHUNK)
                if not deflated and not self._chunk:
                    self._chunk = self._inflater.flush()
                    self.damaged |= not self._inflater.eof
                    break
            except zlib.error:
                self.damaged = True
                break
        if not self._chunk:
            self._size = self._start
        return bool(self._chunk)

    @property
    def size(self) -> int:
        """Inflated length in bytes; the first question may cost a pass over the whole stream."""
        while self._size is None:
            self._advance()
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """See `Source.read`."""
        if offset < self._start:
            self._restart()
        pieces = []
        while length > 0:
            inside = offset - self._start
            if inside < len(self._chunk):
                piece = self._chunk[inside : inside + length]
                pieces.append(piece)
                offset += len(piece)
                length -= len(piece)
            elif (self._size is not None and offset >= self._size) or not self._advance():
                break
        return b"".join(pieces)
