"""Many sources into the archive at once, with a ledger that lets a second run continue.

A source is written to the ledger after its object was acknowledged. What a killed run has stored
without writing so is sent again by the next one and found to be the same.
"""

from __future__ import annotations

import queue
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from vna.cli.sources import Source, Unreadable, is_candidate
from vna.errors import Unavailable, VnaError

if TYPE_CHECKING:
    from vna.index.imports import ImportLedger
    from vna.model.archive import Outcome
    from vna.services.reception import Reception

CHUNK = 1 << 20  # bytes read at once
HEAD = 1024  # bytes in which a media directory names itself
LOOK_AHEAD = 256  # sources looked up in the ledger with one question
WRITE_AFTER = 256  # sources written to the ledger in one transaction
PER_JOB = 16  # objects under way for each reading thread: they share one sync

FAILED, IGNORED, SKIPPED = "failed", "ignored", "skipped"


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one source. `outcome`: a `Disposition`, "failed", "ignored" (not DICOM) or
    "skipped" (an earlier run did it); `detail` says why."""

    source: Source | Unreadable
    outcome: str
    detail: str = ""
    stored: Outcome | None = None


class Importer:
    """Reads with `jobs` threads and hands objects to one reception."""

    def __init__(self, reception: Reception, ledger: ImportLedger, *, jobs: int) -> None:
        self._reception, self._ledger, self._jobs = reception, ledger, jobs
        self._done: queue.SimpleQueue[Imported | BaseException] = queue.SimpleQueue()
        self._unwritten: list[Imported] = []

    def run(self, found: Iterable[Source | Unreadable], *, again: bool) -> Iterator[Imported]:
        """Yield what became of each source, as it is known. `again`: look at known ones too.

        Raises `Unavailable` when the store or the database fails; what was acknowledged until
        then is in the ledger.
        """
        under_way = 0
        rest = self._unknown(found, again=again)
        try:
            with ThreadPoolExecutor(self._jobs, "import") as pool:
                exhausted = False
                while under_way or not exhausted:
                    while not exhausted and under_way < self._jobs * PER_JOB:
                        following = next(rest, None)
                        if following is None:
                            exhausted = True
                        elif isinstance(following, Source):
                            pool.submit(self._one, following)
                            under_way += 1
                        else:
                            yield following
                    if under_way:
                        under_way -= 1
                        yield self._result()
        finally:
            self._write()

    def _unknown(
        self, found: Iterable[Source | Unreadable], *, again: bool
    ) -> Iterator[Source | Imported]:
        rest = iter(found)
        while batch := list(islice(rest, LOOK_AHEAD)):
            sources = [each for each in batch if isinstance(each, Source)]
            known = set() if again else self._ledger.done(sources)
            for each in batch:
                if isinstance(each, Unreadable):
                    yield Imported(each, FAILED, each.reason)
                elif each.name in known:
                    each.done()
                    yield Imported(each, SKIPPED)
                else:
                    yield each

    def _one(self, source: Source) -> None:
        """On a reading thread: hand one source over, and say what becomes of it."""
        try:
            try:
                future = self._hand_over(source)
            finally:
                source.done()
        except (VnaError, *UNREADABLE) as error:
            self._done.put(self._said(source, error))
            return
        except BaseException as error:
            self._done.put(error)
            return
        if future is None:
            self._done.put(Imported(source, IGNORED, "not DICOM"))
        else:
            future.add_done_callback(lambda done: self._done.put(self._settled(source, done)))

    def _hand_over(self, source: Source) -> Future[Outcome] | None:
        with source.open() as stream:
            head = stream.read(HEAD)
            if not is_candidate(head):
                return None
            incoming = self._reception.incoming()
            try:
                incoming.write(head)
                while chunk := stream.read(CHUNK):
                    incoming.write(chunk)
            except BaseException:
                incoming.abort()
                raise
            return incoming.finish()

    def _settled(self, source: Source, done: Future[Outcome]) -> Imported | BaseException:
        error = done.exception()
        if error is not None:
            return self._said(source, error)
        stored = done.result()
        return Imported(source, stored.disposition.value, stored.warning or "", stored)

    def _said(self, source: Source, error: BaseException) -> Imported | BaseException:
        if isinstance(error, Unavailable) or not isinstance(error, (VnaError, *UNREADABLE)):
            return error
        return Imported(source, FAILED, str(error) or type(error).__name__)

    def _result(self) -> Imported:
        result = self._done.get()
        if isinstance(result, BaseException):
            raise result
        self._unwritten.append(result)
        if len(self._unwritten) >= WRITE_AFTER:
            self._write()
        return result

    def _write(self) -> None:
        rows = [
            (each.source, each.outcome, each.detail)
            for each in self._unwritten
            if isinstance(each.source, Source)
        ]
        self._unwritten = []
        if rows:
            self._ledger.write(rows)


# What opening or reading a file or a member of a damaged or encrypted ZIP file raises.
UNREADABLE = (OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError)
