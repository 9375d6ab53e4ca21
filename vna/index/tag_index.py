"""Attributes that were made searchable: which, how far they are filled, and the filling.

A study's values are read as a search reads them, from rows and stored headers with corrections in
force; pixel data are never touched. First every study is read once, then, in the order of the
change feed, each study that changed. Who fills makes no difference: a step is read outside of any
write transaction, and written only where nobody else has taken it (`position`, `feed`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import delete, func, insert, select, update

from vna.dicom.dictionary import keyword_of
from vna.index import fetch
from vna.index.compile import Compiled, source_of
from vna.index.engine import Session
from vna.index.feed import last
from vna.index.insertion import keys_of
from vna.index.rows import beside, entity_of
from vna.index.tables import change, study, tag_index, tag_value
from vna.index.tag_values import values_of
from vna.index.wanted import entity_of as level_of_tag
from vna.index.wanted import needs_of
from vna.model.query import Level, Path, Query

T = TypeVar("T")
FILLED = -1  # position of a tag whose studies were all read
STUDIES = 50  # read in one step
CHANGES = 500
_ROWS = 500  # entities read at once
_VALUES = 5000  # rows written by one statement


@dataclass(frozen=True, slots=True)
class IndexedTag:
    """One of them. `filled` of `total` studies were read, `behind`: changes not yet looked at."""

    id: int
    path: Path
    level: Level
    complete: bool
    filled: int
    total: int
    behind: int
    created_at: int
    actor: str

    @property
    def name(self) -> str:
        """Keywords, or tags where there are none, joined by dots."""
        return ".".join(keyword_of(tag) or f"{tag:08X}" for tag in self.path)


def path_text(path: Path) -> str:
    """A path as it is kept."""
    return ".".join(f"{tag:08X}" for tag in path)


def level_of(path: Path) -> Level:
    """The level of the entity that values are kept for; what describes the patient is the study's,
    as it shows its patient."""
    return max(Level.STUDY, level_of_tag(path[0]))


def all_tags(session: Session) -> list[IndexedTag]:
    """Every tag, in the order of their paths."""
    newest = last(session)
    rows = session.execute(select(tag_index).order_by(tag_index.c.path))
    return [
        IndexedTag(
            row.pk,
            tuple(int(part, 16) for part in row.path.split(".")),
            Level(row.level),
            row.position == FILLED,
            row.filled,
            max(row.total, row.filled),
            newest - row.feed,
            row.created_at,
            row.actor,
        )
        for row in rows
    ]


def add(session: Session, path: Path, actor: str) -> bool:
    """Begin with a tag; False where it is one already."""
    known = select(tag_index.c.pk).where(tag_index.c.path == path_text(path))
    if session.execute(known).first() is not None:
        return False
    total = int(session.execute(select(func.count()).select_from(study)).scalar_one())
    keys_of(
        session,
        tag_index,
        [
            {
                "path": path_text(path),
                "level": int(level_of(path)),
                "feed": last(session),
                "total": total,
                "created_at": session.now(),
                "actor": actor,
            }
        ],
    )
    return True


def remove(session: Session, path: Path) -> int | None:
    """Forget a tag; its key, with which `forget_values` is called until it has nothing to do."""
    found = session.execute(
        select(tag_index.c.pk).where(tag_index.c.path == path_text(path))
    ).first()
    if found is None:
        return None
    session.execute(delete(tag_index).where(tag_index.c.pk == found.pk))
    return int(found.pk)


def forget_values(session: Session, tag: int) -> bool:
    """Remove some values of a tag that is no more; False where there were none. What an
    interruption leaves is in nobody's way: a tag that gets the key writes over it."""
    some = select(tag_value.c.study_fk).where(tag_value.c.tag_fk == tag).distinct().limit(STUDIES)
    done = session.execute(
        delete(tag_value).where(tag_value.c.tag_fk == tag, tag_value.c.study_fk.in_(some))
    )
    return done.rowcount > 0


@dataclass(frozen=True)
class Step:
    """Studies that were read, and their values; nothing of it is written yet.

    `tag`: its row as it was. `to`: what changes in it.
    """

    tag: Any
    to: Mapping[str, int]
    studies: Sequence[int]
    values: Sequence[Mapping[str, Any]]


def read(session: Session, tag: int) -> Step | None:
    """Read the next studies of a tag, or those of the next changes; None where there are none.

    It may take long: let it be a read, so that nobody waits for it.
    """
    row = session.execute(select(tag_index).where(tag_index.c.pk == tag)).first()
    if row is None:
        return None
    if row.position == FILLED:
        return _following(session, row)
    following = select(study.c.pk).where(study.c.pk > row.position).order_by(study.c.pk)
    keys = [int(each.pk) for each in session.execute(following.limit(STUDIES))]
    position = keys[-1] if len(keys) == STUDIES else FILLED
    to = {"position": position, "filled": row.filled + len(keys)}
    return Step(row, to, keys, _values(session, row, keys))


def _following(session: Session, row: Any) -> Step | None:
    later = select(change.c.seq, change.c.item_fk, change.c.study_uid).where(
        change.c.seq > row.feed
    )
    changes = session.execute(later.order_by(change.c.seq).limit(CHANGES)).all()
    if not changes:
        return None
    items = {each.item_fk for each in changes if each.item_fk is not None}
    uids = {each.study_uid for each in changes if each.item_fk is None and each.study_uid}
    keys: set[int] = set()
    for column, wanted in ((study.c.item_fk, items), (study.c.uid, uids)):
        if wanted:
            found = session.execute(select(study.c.pk).where(column.in_(wanted)))
            keys |= {int(each.pk) for each in found}
    read_again = sorted(keys)
    return Step(row, {"feed": changes[-1].seq}, read_again, _values(session, row, read_again))


def write(session: Session, step: Step) -> bool:
    """Write what was read; False, and nothing is written, where somebody else took the step.

    What changed since it was read has a later number in the feed, and is read again.
    """
    row = step.tag
    done = session.execute(
        update(tag_index)
        .where(
            tag_index.c.pk == row.pk,
            tag_index.c.position == row.position,
            tag_index.c.feed == row.feed,
        )
        .values(**step.to)
    )
    if done.rowcount != 1:
        return False
    for some in _portions(step.studies, STUDIES):
        session.execute(
            delete(tag_value).where(tag_value.c.study_fk.in_(some), tag_value.c.tag_fk == row.pk)
        )
    for portion in _portions(step.values, _VALUES):
        session.execute(insert(tag_value), portion)
    return True


def _values(session: Session, row: Any, studies: Sequence[int]) -> list[dict[str, Any]]:
    path, level = tuple(int(part, 16) for part in row.path.split(".")), Level(row.level)
    return [
        {"tag_fk": row.pk, "value": value, "entity_fk": entity, "study_fk": of}
        for some in _portions(studies, STUDIES)
        for entity, of, found in _entities(session, path, level, some)
        for value in sorted(found)
    ]


def _entities(
    session: Session, path: Path, level: Level, studies: Sequence[int]
) -> Iterable[tuple[int, int, set[str]]]:
    """(entity, study, forms) of every entity with a value."""
    query = Query(level)
    compiled = Compiled(source_of(query), (study.c.pk.in_(studies),), ())
    needs = needs_of([path[0]], level)
    after = None
    while True:
        batch = fetch.page(session, level, compiled, needs, after=after, limit=_ROWS, offset=0)
        more = beside(session, needs, batch)
        for row in batch:
            found = values_of(entity_of(level, row, needs, more), path)
            if found:
                yield row[f"{level.name.lower()}_pk"], row["study_pk"], found
        if len(batch) < _ROWS:
            return
        after = fetch.cursor_of(level, batch[-1])


def _portions(found: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    for first in range(0, len(found), size):
        yield found[first : first + size]
