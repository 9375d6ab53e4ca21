"""One request that brings objects, and each object while its bytes arrive."""

from __future__ import annotations

from concurrent.futures import Future
from types import TracebackType

from vna.model.archive import Outcome


class Incoming:
    """One object while it is received. Use from one thread at a time.

    The first 8 MiB stay in memory; what goes beyond is written to a raw file of the store, so
    `write` may then wait for the disk. Exactly one of `finish` and `abort` ends it.
    """

    def write(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes. Raises `StorageUnavailable`."""
        raise NotImplementedError

    def finish(self) -> Future[Outcome]:
        """The object is complete. Waits only while too many bytes are already in flight.

        The future is done when the object is durable and indexed, or with `MalformedObject`
        (nothing kept), `Refused`, `Unavailable`.
        """
        raise NotImplementedError

    def abort(self) -> None:
        """The sender gave up: keep nothing."""
        raise NotImplementedError


class Reception:
    """One request, association or import run: the row that says who sent what, and its counts."""

    key: int  # of the reception row

    def incoming(self) -> Incoming:
        """Begin one object."""
        raise NotImplementedError

    def finish(self) -> None:
        """Wait for every object begun here, then write the counts and the end time."""
        raise NotImplementedError

    def __enter__(self) -> Reception:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.finish()
