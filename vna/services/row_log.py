"""What the index says is kept in the stores too, a few seconds behind (ADR 23)."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from storage_backends.base import BackendError
from vna.errors import Unavailable
from vna.index import row_log
from vna.index.engine import Index, Session
from vna.index.migrate import newest
from vna.index.row_log import Head
from vna.objects import MountedStore, ObjectStore, log_files
from vna.objects.log_frame import BadFrame, Frame, encode
from vna.objects.ulid import new_ulid

log = logging.getLogger("vna.log")

NOTES_AT_ONCE = 5000  # a few MB in memory
WRITE_SECONDS = 2.0
LEASE_MILLISECONDS = 60_000
TIDY_SECONDS = 600.0
FRAMES_AT_END = 20
JOIN_FILES = 64
JOINED_BYTES = 16 << 20


class RowLog:
    """Writes the log. Any number of processes have one; a lease makes one of them write."""

    def __init__(self, index: Index, objects: ObjectStore) -> None:
        self._index, self._objects = index, objects
        self._owner = f"{socket.gethostname()}/{os.getpid()}/{new_ulid()}"
        self._leased = False

    def write(self, most: int | None = None) -> int:
        """Write what the stores do not know yet; how many frames.

        When it returns, everything that was committed when it was called is in the stores, unless
        `most` frames were not enough or another process has the lease. Raises `Unavailable`.
        """
        frames = 0
        with self._index.reading() as session:
            if row_log.is_up_to_date(session):
                return 0
        while frames != most and self._lease():
            frame = self._frame()
            frames += frame is not None
            if frame is None or frame.complete:
                break
        return frames

    def run(self, stop: threading.Event) -> None:
        """Write every few seconds until `stop` is set, and keep the files tidy."""
        due = time.monotonic()
        while not stop.wait(WRITE_SECONDS):
            try:
                self.write()
                if time.monotonic() >= due:
                    due = time.monotonic() + TIDY_SECONDS
                    self.tidy()
            except Unavailable as error:
                log.warning("the log waits: %s", error)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Do so on a thread until the block ends."""
        stop = threading.Event()
        thread = threading.Thread(target=self.run, args=(stop,), name="log", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def close(self) -> None:
        """Write what is left, unless it is too much or another process does; give up the lease."""
        try:
            self.write(most=FRAMES_AT_END)
            if self._leased:
                self._index.transact(lambda session: row_log.release(session, self._owner))
        except Unavailable as error:
            log.warning("the log waits: %s", error)

    def tidy(self) -> int:
        """Give every store the same files, and put small ones together; see `log_files.tidy`.

        Where no store has what is before some frame, the log begins anew with every row. Nothing is
        done where another process writes the log. Raises `Unavailable`.
        """
        if not self._lease():
            return 0
        stores = [each for each in self._stores() if each.is_here()]
        with self._index.reading() as session:
            head = row_log.head(session)
        try:
            done = log_files.tidy(
                stores, head.frame, head.epoch, least=JOIN_FILES, most=JOINED_BYTES
            )
        except (BadFrame, BackendError) as error:
            log.error("the log cannot be tidied", extra={"reason": str(error)})
            return 0
        if done.broken and len(stores) == len(self._stores()):
            log.error("the log has a gap and begins anew", extra={"before_epoch": done.broken})
            self._index.transact(row_log.begin_anew)
        return done.joined

    def _lease(self) -> bool:
        self._leased = self._index.transact(
            lambda session: row_log.lease(session, self._owner, LEASE_MILLISECONDS)
        )
        return self._leased

    def _frame(self) -> Frame | None:
        with self._index.snapshot() as session:
            head = row_log.head(session)
            seqs, keys = row_log.noted(session, NOTES_AT_ONCE + 1)
            complete = len(seqs) <= NOTES_AT_ONCE
            lines, rows = _lines(session, keys)
            if not seqs:
                return None
            frame = Frame(
                frame=new_ulid(),
                previous=head.frame,
                epoch=head.epoch + 1,
                schema=newest(),
                at=session.now(),
                feed=row_log.feed_position(session),
                complete=complete,
                rows=rows,
            )
        stores = self._stores()
        log_files.put(stores, frame, encode(frame, lines))
        new = Head(frame.epoch, frame.frame)
        if not self._index.transact(lambda session: row_log.advance(session, head, new, seqs)):
            log_files.remove(stores, frame)
            return None
        return frame

    def _stores(self) -> list[MountedStore]:
        return list(self._objects.stores.values())


def _lines(session: Session, keys: dict[str, list[str]]) -> tuple[list[bytes], int]:
    lines, rows = [], 0
    for name, some in keys.items():
        for each in row_log.read(session, name, some):
            rows += len(each.rows) + len(each.gone)
            lines.append(orjson.dumps(each))
    return lines, rows
