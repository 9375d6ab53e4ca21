"""What one store request brings: its parts on their way into the archive."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future

from dicomweb.negotiation import DICOM, OCTETS
from dicomweb.received_parts import ReceivedParts
from vna.errors import InvalidValue, MalformedBody, UnsupportedMedia, VnaError
from vna.model.archive import Outcome
from vna.services.reception import Incoming, Reception
from vna.wire.media_type import parse_media_type
from vna.wire.multipart_reader import MultipartReader


class Delivery(ReceivedParts):
    """Parts in their order, each a future or the error that ended it. Blocks; one thread at a time.

    `reader` is None where the body is one object alone. At most `limit` bytes of complete parts
    wait for their commit; the oldest is awaited before another begins.
    """

    def __init__(self, reception: Reception, reader: MultipartReader | None, limit: int) -> None:
        super().__init__(reader)
        self._reception, self._limit = reception, limit
        self._incoming: Incoming | None = None
        self._size = 0
        self._waiting: deque[tuple[Future[Outcome], int]] = deque()
        self._waiting_bytes = 0

    def take(self, chunks: Sequence[bytes]) -> None:
        """Take the next bytes of the body."""
        try:
            for chunk in chunks:
                if self._reader is None:
                    self._take_alone(chunk)
                elif self.broken is None:
                    self._take_events(self._reader, chunk)
        except MalformedBody as error:
            self._break(error)

    def take_last(self, chunks: Sequence[bytes]) -> None:
        """Take the last bytes of a body that is complete."""
        self.take(chunks)
        try:
            if self._reader is not None and self.broken is None:
                self._reader.close()
            elif self._incoming is not None:
                self._end()
        except MalformedBody as error:
            self._break(error)

    def abort(self) -> None:
        """The body will not be complete: what is not complete of it leaves nothing behind."""
        if self._incoming is not None:
            self._incoming.abort()
            self._incoming = None

    def _take_alone(self, chunk: bytes) -> None:
        if not self.parts and self._incoming is None:
            self._incoming = self._reception.incoming()
        self._write(chunk)

    def _begin(self, headers: Mapping[str, str]) -> None:
        refused = _refused(headers)
        if refused is not None:
            self.parts.append(refused)
            return
        while self._waiting_bytes > self._limit:
            future, size = self._waiting.popleft()
            future.exception()  # waits; the answer asks again what became of it
            self._waiting_bytes -= size
        self._incoming = self._reception.incoming()

    def _write(self, data: bytes | memoryview) -> None:
        if self._incoming is None:
            return  # of a part that has failed already
        try:
            self._incoming.write(data)
            self._size += len(data)
        except VnaError as error:
            self._fail(error)

    def _end(self) -> None:
        if self._incoming is None:
            return
        try:
            future = self._incoming.finish()
        except VnaError as error:
            self._fail(error)
            return
        self.parts.append(future)
        self._waiting.append((future, self._size))
        self._waiting_bytes += self._size
        self._incoming, self._size = None, 0

    def _fail(self, error: VnaError) -> None:
        self.abort()
        self._size = 0
        self.parts.append(error)

    def _break(self, error: MalformedBody) -> None:
        self.broken = error
        if self._incoming is not None:
            self._fail(error)


def _refused(headers: Mapping[str, str]) -> UnsupportedMedia | None:
    """Why a part cannot be a DICOM file, going by what it says of itself."""
    text = headers.get("content-type")
    if text is None:
        return None
    try:
        essence = parse_media_type(text).essence
    except InvalidValue:
        essence = text
    if essence in (DICOM, OCTETS):
        return None
    return UnsupportedMedia(f"a part is {essence[:80]}, not {DICOM}")
