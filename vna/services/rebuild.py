"""The index made again, or brought up to date, from the stores alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vna.errors import Conflict, Damaged, InvalidConfiguration
from vna.index import row_log
from vna.index.bulk import filled_table
from vna.index.copies import KnownStore
from vna.index.engine import Session
from vna.index.migrate import newest
from vna.index.row_load import Folded, lay_over, load
from vna.index.row_log import Head
from vna.objects import MountedStore
from vna.objects.log_files import BrokenLog, Located, chain, newest_frame
from vna.objects.log_frame import Frame

Tell = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was done: frames read, rows written, and the state that they give: number of its last
    change, ms since 1970 UTC."""

    frames: int
    rows: int
    feed: int
    at: int


def rebuild(
    url: str,
    stores: Sequence[MountedStore],
    spool: Path,
    tell: Tell = lambda table, rows: None,
    only_in: KnownStore | None = None,
) -> Rebuilt:
    """Fill an empty index with what the log in the stores says.

    The index is as it was when the last complete frame was written, key by key; objects stored
    after it lie in the stores and are for `Adoption`. `spool`: a folder for a temporary file of
    about the size of the index. `only_in`: the one store that everything lies in now, whatever the
    log says. Raises `Conflict` for an index that holds something, `Damaged` for a log with gaps,
    `InvalidConfiguration` where there is none or a newer release wrote it.
    """
    with _translated():
        frames = _complete(chain(stores))
        if not frames:
            raise InvalidConfiguration(
                "the stores hold no log of an index: are they the right ones, and was the archive "
                "ever run by a release that writes one?"
            )
        with Folded(spool / "rebuild.tmp") as folded:
            _fold(folded, frames, tell)
            rows = load(url, folded, _head(frames), frames[-1].frame.at, tell, only_in)
    return _done(frames, rows)


def is_behind(session: Session, stores: Sequence[MountedStore]) -> bool:
    """Whether the log knows more than the index: a standby that lagged took over, or an old copy of
    the database was put back."""
    found = newest_frame(stores)
    mine = row_log.head(session)  # afterwards: others may be writing frames
    if found is None or found.epoch <= mine.epoch:
        return False
    if not mine.epoch and filled_table(session.connection) is None:
        return True
    if found.epoch > mine.epoch + 1:
        return True
    # One more may be what a process wrote just before it died: then the index knows it.
    return found.feed > row_log.feed_position(session)


def catch_up(url: str, mine: Head, stores: Sequence[MountedStore], spool: Path) -> Rebuilt:
    """Bring an index that is behind up to the log, while nobody uses it.

    Raises `Conflict` where the index was never in a state that the log knows, or somebody writes to
    it, else as `rebuild`.
    """
    with _translated():
        frames = _complete(chain(stores))
        at = [each.frame.frame for each in frames]
        if mine.frame and mine.frame not in at:
            raise Conflict("the log in the stores and this index tell different histories")
        new = frames[at.index(mine.frame) + 1 :] if mine.frame else frames
        with Folded(spool / "catch-up.tmp") as folded:
            _fold(folded, new, lambda table, rows: None)
            rows = lay_over(url, folded, mine, _head(frames), frames[-1].frame.at)
    return _done(new, rows)


def _fold(folded: Folded, frames: Sequence[Located], tell: Tell) -> None:
    _refuse_newer(frames[-1].frame)
    for each in frames:
        folded.add(each.lines())
        tell("frames", each.frame.epoch)


def _refuse_newer(last: Frame) -> None:
    if last.schema > newest():
        raise InvalidConfiguration(
            f"the log was written by a newer release (schema {last.schema}); this one knows up to "
            f"{newest()}"
        )


def _complete(frames: list[Located]) -> list[Located]:
    """Without what is left of a state that was not written to its end."""
    while frames and not frames[-1].frame.complete:
        frames.pop()
    return frames


def _head(frames: Sequence[Located]) -> Head:
    return Head(frames[-1].frame.epoch, frames[-1].frame.frame)


def _done(frames: Sequence[Located], rows: int) -> Rebuilt:
    last = frames[-1].frame
    return Rebuilt(len(frames), rows, last.feed, last.at)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except BrokenLog as error:
        raise Damaged("the log", str(error)) from error
