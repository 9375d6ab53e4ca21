"""multipart/related while it arrives (RFC 2046 §5.1, RFC 2387): bytes in, events out.

A body is `preamble delimiter part delimiter part … close-delimiter epilogue`. Before the first byte
the reader puts the CRLF that a delimiter begins with, so that a body may begin with its boundary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from vna.errors import MalformedBody

HEADER_BYTES = 16 * 1024  # of one part; h11 and nginx draw the line of a whole request there
PADDING_BYTES = 256  # white space a sender may put behind a boundary (RFC 2046: transport padding)
BOUNDARY_BYTES = 200  # RFC 2046 says 70; longer ones harm nobody


@dataclass(frozen=True, slots=True)
class PartStart:
    """A part begins. Header names in lower case; of a repeated header the last counts."""

    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PartData:
    """Some bytes of the part, at least one; a view into memory that is never written again."""

    data: memoryview


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The part is complete."""


@dataclass(frozen=True, slots=True)
class End:
    """The closing delimiter was read; whatever follows is ignored."""


Event = PartStart | PartData | PartEnd | End


class _State(Enum):
    PREAMBLE = auto()
    HEADERS = auto()
    DATA = auto()
    EPILOGUE = auto()


class _Line(Enum):
    """What follows a delimiter on its line."""

    PART = auto()
    CLOSE = auto()
    DATA = auto()  # the delimiter was the beginning of a longer line of content
    MORE = auto()  # too little has arrived to tell


class MultipartReader:
    """Feed chunks of any size; get the events each one completes.

    The events do not depend on how the body was cut, except that `PartData` may be split. Holds at
    most a delimiter, its padding and one part's headers. Not to be used after an error.
    """

    def __init__(self, boundary: str) -> None:
        raw = boundary.encode("latin-1", "replace")
        if not 0 < len(raw) <= BOUNDARY_BYTES or b"\r" in raw or b"\n" in raw:
            raise MalformedBody("the boundary of the multipart body is missing or unusable")
        self._delimiter = b"\r\n--" + raw
        self._buffer = b"\r\n"
        self._state = _State.PREAMBLE

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the next bytes. Raises `MalformedBody`."""
        if self._state is _State.EPILOGUE:
            return []
        self._buffer = self._buffer + chunk if self._buffer else chunk
        events: list[Event] = []
        position: int | None = 0
        start = 0
        while position is not None:
            start = position
            match self._state:
                case _State.PREAMBLE | _State.DATA:
                    position, start = self._content(start, events)
                case _State.HEADERS:
                    position = self._headers(start, events)
                case _State.EPILOGUE:
                    position, start = None, len(self._buffer)
        self._buffer = self._buffer[start:]
        return events

    def close(self) -> None:
        """The body has ended. Raises `MalformedBody` unless its closing delimiter was read."""
        if self._state is _State.PREAMBLE:
            raise MalformedBody("the boundary does not occur in the multipart body")
        if self._state is not _State.EPILOGUE:
            raise MalformedBody("the multipart body ends without its closing delimiter")

    def _content(self, start: int, events: list[Event]) -> tuple[int | None, int]:
        """Content up to the next delimiter: (where to go on, or None; first byte to keep)."""
        buffer, search = self._buffer, start
        while (found := buffer.find(self._delimiter, search)) >= 0:
            after = found + len(self._delimiter)
            line, end = self._line(after)
            if line is _Line.DATA:
                search = found + 1
                continue
            self._emit(start, found, events)
            if line is _Line.MORE:
                return None, found
            if self._state is _State.DATA:
                events.append(PartEnd())
            if line is _Line.CLOSE:
                events.append(End())
                self._state = _State.EPILOGUE
            else:
                self._state = _State.HEADERS
            return end, end
        keep = self._unfinished_delimiter(start)
        self._emit(start, keep, events)
        return None, keep

    def _unfinished_delimiter(self, start: int) -> int:
        """Where a delimiter that has not wholly arrived may begin: the end, if nowhere."""
        buffer = self._buffer
        first = max(start, len(buffer) - len(self._delimiter) + 1)
        while (cr := buffer.find(b"\r", first)) >= 0:
            if self._delimiter.startswith(buffer[cr:]):
                return cr
            first = cr + 1
        return len(buffer)

    def _line(self, position: int) -> tuple[_Line, int]:
        """What stands behind a delimiter, and where the next step begins: a part's first step
        begins at the CRLF of the delimiter's own line, so that a part may have no headers."""
        rest = self._buffer[position : position + PADDING_BYTES]
        if rest.startswith(b"--"):
            return _Line.CLOSE, position + 2
        text = rest.lstrip(b" \t")
        if text.startswith(b"\r\n"):
            return _Line.PART, position + len(rest) - len(text)
        if text in (b"", b"\r") and len(rest) < PADDING_BYTES:
            return _Line.MORE, position
        if rest == b"-":
            return _Line.MORE, position
        return _Line.DATA, position

    def _headers(self, start: int, events: list[Event]) -> int | None:
        end = self._buffer.find(b"\r\n\r\n", start)
        # three bytes of the blank line may have arrived without the fourth
        if (end if end >= 0 else len(self._buffer) - 3) - start > HEADER_BYTES:
            raise MalformedBody(f"a part has more than {HEADER_BYTES} bytes of headers")
        if end < 0:
            return None
        events.append(PartStart(_parse_headers(self._buffer[start:end])))
        self._state = _State.DATA
        return end + 4

    def _emit(self, start: int, end: int, events: list[Event]) -> None:
        if end > start and self._state is _State.DATA:
            events.append(PartData(memoryview(self._buffer)[start:end]))


def _parse_headers(block: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    name = ""
    for line in block.decode("latin-1").split("\r\n"):
        if not line:
            continue
        if line[0] in " \t" and name:  # RFC 822 folding, as e-mail libraries write it
            headers[name] += " " + line.strip()
            continue
        key, colon, value = line.partition(":")
        name = key.strip().lower()
        if not colon or not name:
            raise MalformedBody("a part has a header line without a name")
        headers[name] = value.strip()
    return headers
