"""One request that brings objects, and each object while its bytes arrive."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

import xxhash

from vna.errors import Conflict, VnaError
from vna.index.organisations import Organisation
from vna.model.archive import DuplicatePolicy, Outcome
from vna.model.caller import Caller
from vna.model.peer import Coercion
from vna.objects.raw import RawObject

COUNTED_SECONDS = 1.0  # between writing what a long reception brought so far
IN_MEMORY = 8 << 20  # bytes; beyond it an object is a raw file of its own (docs/formats.md)


@dataclass(frozen=True, slots=True)
class InMemory:
    """A complete object of at most 8 MiB, not yet digested: that costs more than receiving it, and
    whoever receives may be a thread that many connections share."""

    data: bytes
    named: str | None = None  # the SOP Instance UID that the sender gave it, where it gave one

    @property
    def size(self) -> int:
        """Bytes received."""
        return len(self.data)


@dataclass(frozen=True, slots=True)
class Spilled:
    """A complete object in a raw file that is not durable yet."""

    raw: RawObject
    size: int
    sha256: bytes
    xxh3: bytes
    named: str | None = None  # as of `InMemory`


Received = InMemory | Spilled


class Door(Protocol):
    """What an object needs of the archive while it arrives."""

    def raw(self) -> RawObject:
        """Open a raw file for an object that outgrew memory."""

    def accept(self, reception: Reception, received: Received) -> Future[Outcome]:
        """Take over a complete object."""

    def finished(self, reception: Reception) -> None:
        """Every object of the reception has its outcome."""


class Incoming:
    """One object while it is received. Use from one thread at a time.

    The first 8 MiB stay in memory and `write` returns at once; what goes beyond is digested and
    written to a raw file of the store, so `write` may then wait for the disk (`spilled` tells).
    Exactly one of `finish` and `abort` ends it.
    """

    def __init__(self, door: Door, reception: Reception, named: str | None = None) -> None:
        self._door, self._reception, self._named = door, reception, named
        self._chunks: list[bytes] = []
        self._size = 0
        self._raw: RawObject | None = None
        self._sha256 = hashlib.sha256()
        self._xxh3 = xxhash.xxh3_128()

    @property
    def spilled(self) -> bool:
        """Whether it outgrew memory."""
        return self._raw is not None

    def write(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes. Raises `StorageUnavailable`."""
        self._size += len(chunk)
        if self._raw is not None:
            self._spill(chunk)
            return
        self._chunks.append(bytes(chunk))
        if self._size > IN_MEMORY:
            self._raw = self._door.raw()
            for each in self._chunks:
                self._spill(each)
            self._chunks.clear()

    def finish(self) -> Future[Outcome]:
        """The object is complete. Waits only while too many bytes are already in flight.

        The future is done when the object is durable and indexed, or with `MalformedObject`
        (nothing kept), `Refused`, `OtherInstance`, `Unavailable`.
        """
        received: Received
        if self._raw is None:
            received = InMemory(b"".join(self._chunks), self._named)
            self._chunks.clear()
        else:
            digests = self._sha256.digest(), self._xxh3.digest()
            received = Spilled(self._raw, self._size, *digests, self._named)
        future = self._door.accept(self._reception, received)
        self._reception.expect(future, self._size)
        return future

    def abort(self) -> None:
        """The sender gave up: keep nothing."""
        self._chunks.clear()
        if self._raw is not None:
            self._raw.abort()
        self._reception.drop()

    def _spill(self, chunk: bytes | memoryview) -> None:
        assert self._raw is not None
        self._sha256.update(chunk)
        self._xxh3.update(chunk)
        self._raw.write(chunk)


@dataclass(frozen=True, slots=True)
class Counts:
    """What a reception brought so far. `outcomes`: disposition or error code → objects."""

    objects: int
    bytes: int
    outcomes: dict[str, int]
    running: bool


class Reception:
    """One request, association or import run: the row that says who sent what, and its counts.

    The row is written together with its first object, the counts once a second and at `finish`.
    """

    def __init__(
        self,
        door: Door,
        *,
        caller: Caller,
        source: str,
        peer: str,
        path: str,
        organisation: Organisation,
        policy: DuplicatePolicy,
        study_uid: str | None,
        authority: str = "",
        coercions: Sequence[Coercion] = (),
        lasting: bool = False,
    ) -> None:
        self.caller, self.source, self.peer, self.path = caller, source, peer, path
        self.organisation, self.policy, self.study_uid = organisation, policy, study_uid
        self.authority, self.coercions, self._lasting = authority, coercions, lasting
        self.key: int | None = None  # of the row, once it is committed
        self.written: Counts | None = None  # what the row says
        self._written_at = 0.0
        self._door = door
        self._lock = threading.Condition()
        self._open = 0  # being received
        self._pending = 0  # received, not yet decided
        self._outcomes: Counter[str] = Counter()
        self._bytes = 0
        self._finished = False

    def incoming(self, named: str | None = None) -> Incoming:
        """Begin one object. Several may be under way at once.

        `named`: its SOP Instance UID as the sender says it; a different object is refused.
        """
        with self._lock:
            if self._finished:
                raise Conflict("the reception is finished")
            self._open += 1
        return Incoming(self._door, self, named)

    def raw(self) -> RawObject:
        """Open a raw file in which a part of the request may wait; whoever does so aborts it."""
        return self._door.raw()

    def counts(self, settling: Sequence[tuple[str, int]] = ()) -> Counts:
        """What it brought, with the outcomes and sizes that are about to be committed."""
        with self._lock:
            outcomes = self._outcomes + Counter(name for name, _ in settling)
            left = self._open + self._pending - len(settling)
            return Counts(
                outcomes.total(),
                self._bytes + sum(size for _, size in settling),
                dict(outcomes),
                running=left > 0 or (self._lasting and not self._finished),
            )

    def written_as(self, key: int, counts: Counts) -> None:
        """The row `key` says `counts` now."""
        self.key, self.written, self._written_at = key, counts, time.monotonic()

    def is_stale(self) -> bool:
        """Whether it is time to have the counts written again."""
        return time.monotonic() - self._written_at >= COUNTED_SECONDS

    def finish(self) -> None:
        """Wait for every complete object, then have the counts and the end time written.

        They are written with the next batch of this process, at the latest when ingest closes.
        """
        with self._lock:
            if self._finished:
                return
            self._finished = True
            self._lock.wait_for(lambda: not self._pending)
        self._door.finished(self)

    def expect(self, future: Future[Outcome], size: int) -> None:
        """Count an object of `size` bytes when its future is done."""

        def count(future: Future[Outcome]) -> None:
            name = outcome_name(future)
            with self._lock:
                self._pending -= 1
                self._outcomes[name] += 1
                self._bytes += size
                self._lock.notify_all()

        with self._lock:
            self._open -= 1
            self._pending += 1
        future.add_done_callback(count)

    def drop(self) -> None:
        """Forget an object that was aborted."""
        with self._lock:
            self._open -= 1

    def __enter__(self) -> Reception:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.finish()


def outcome_name(future: Future[Outcome]) -> str:
    """The disposition of a finished object, or the code of its error."""
    error = future.exception()
    if error is None:
        return future.result().disposition.value
    return error.code if isinstance(error, VnaError) else "error"
