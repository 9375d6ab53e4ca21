"""Rows brought in line with the overlays that stand: attributes and the columns made of them.

`received` keeps what the objects say for as long as an overlay makes the row differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import RowMapping, Table, bindparam, literal_column, select, update

from vna.dicom.edit import Edit, apply_json
from vna.dicom.levels import TAGS
from vna.index import columns, requests
from vna.index.engine import Session
from vna.index.fixed import Fixed
from vna.index.overlays import StudyEdits, Target, bump, edits_of_study
from vna.index.recount import lock, total
from vna.index.tables import instance, overlay_head, series, study
from vna.model.query import Level

PORTION = 1000  # rows rewritten by one statement


@dataclass(frozen=True)
class _Kind:
    table: Table
    columns: Callable[[Mapping[str, Any]], dict[str, Any]]


_KINDS = {
    Level.STUDY: _Kind(study, columns.study),
    Level.SERIES: _Kind(series, columns.series),
    Level.INSTANCE: _Kind(instance, columns.instance),
}


def refresh(session: Session, study_fk: int, changed: Mapping[Target, Iterable[str]]) -> None:
    """Bring a study and what lies below it in line after overlays changed.

    `changed`: the paths that changed at each target. Raises the overlay version of the study and of
    every series that is touched.
    """
    lock(session, study_fk)
    bump(session, [(Level.STUDY, study_fk)])
    standing = edits_of_study(session, study_fk)
    below = {
        int(row.pk)
        for row in session.execute(select(series.c.pk).where(series.c.study_fk == study_fk))
    }
    touched: set[int] = set()
    for (scope, key), paths in changed.items():
        levels = {level for path in paths for level in Level if int(path[:8], 16) in TAGS[level]}
        within = below if scope is Level.STUDY else {_series_of(session, scope, key)}
        touched |= within
        if scope is Level.STUDY and Level.STUDY in levels:
            _rewrite(session, Level.STUDY, [study_fk], lambda row: standing.of())
        if scope <= Level.SERIES and Level.SERIES in levels:
            _rewrite(session, Level.SERIES, within, _of_series(standing))
            total(session, study_fk)
        if Level.INSTANCE in levels:
            leaves = [key] if scope is Level.INSTANCE else _instances(session, within)
            _rewrite(session, Level.INSTANCE, leaves, _of_instance(standing))
    bump(session, [(Level.SERIES, key) for key in touched])
    _raise_versions(session, study_fk, touched)


@dataclass(frozen=True, slots=True)
class Added:
    """An instance that has been added, or shows another version, and its series."""

    series_fk: int
    instance_fk: int


_TOUCHED = Fixed(
    select(overlay_head.c.target_fk).where(
        overlay_head.c.scope == literal_column(str(int(Level.STUDY))),
        overlay_head.c.target_fk.in_(bindparam("keys", expanding=True)),
    )
)


def catch_up(session: Session, added: Mapping[int, Sequence[Added]]) -> None:
    """Bring what was added to studies (by key, locked by the caller) in line with what stands over
    them. One statement where no study was ever corrected."""
    if not added:
        return
    touched = session.fetch(_TOUCHED, {"keys": list(added)})
    for study_fk in [int(row.target_fk) for row in touched]:
        standing = edits_of_study(session, study_fk)
        if not standing.standing:
            continue
        within = {each.series_fk for each in added[study_fk]}
        leaves = [each.instance_fk for each in added[study_fk]]
        _rewrite(session, Level.SERIES, within, _of_series(standing))
        _rewrite(session, Level.INSTANCE, leaves, _of_instance(standing))
        total(session, study_fk)


def _of_series(standing: StudyEdits) -> Callable[[RowMapping], list[Edit]]:
    return lambda row: standing.of(row["pk"])


def _of_instance(standing: StudyEdits) -> Callable[[RowMapping], list[Edit]]:
    return lambda row: standing.of(row["series_fk"], row["pk"])


def _rewrite(
    session: Session,
    level: Level,
    keys: Iterable[int],
    edits_of: Callable[[RowMapping], list[Edit]],
) -> None:
    """Make `attributes`, `received` and the search columns of rows what the edits say."""
    table, wanted = _KINDS[level].table, sorted(keys)
    for first in range(0, len(wanted), PORTION):
        some = wanted[first : first + PORTION]
        rows = session.execute(select(table).where(table.c.pk.in_(some))).mappings().all()
        if not rows:  # purged meanwhile
            continue
        made = [(row["pk"], *_corrected(level, row, edits_of(row))) for row in rows]
        changes = [{"key": key, **values} for key, values, _ in made]
        changed: dict[str, Any] = {name: bindparam(name) for name in changes[0] if name != "key"}
        session.execute(
            update(table).where(table.c.pk == bindparam("key")).values(changed), changes
        )
        if level is Level.SERIES:
            requests.replace(session, [(key, attributes) for key, _, attributes in made])


def _corrected(
    level: Level, row: RowMapping, edits: Iterable[Edit]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """New values of a row's columns, and its attributes in force."""
    said = row["received"] if row["received"] is not None else row["attributes"]
    own = [edit for edit in edits if int(edit.path[:8], 16) in TAGS[level]]
    attributes = apply_json(own, orjson.loads(said))
    kept = {"attributes": orjson.dumps(attributes), "received": said}
    if not own:
        kept = {"attributes": said, "received": None}
    return {**kept, **_KINDS[level].columns(attributes)}, attributes


def _series_of(session: Session, scope: Level, key: int) -> int:
    if scope is Level.SERIES:
        return key
    return int(
        session.execute(select(instance.c.series_fk).where(instance.c.pk == key)).scalar_one()
    )


def _instances(session: Session, within: Iterable[int]) -> list[int]:
    found = session.execute(select(instance.c.pk).where(instance.c.series_fk.in_(list(within))))
    return [int(row.pk) for row in found]


def _raise_versions(session: Session, study_fk: int, touched: Iterable[int]) -> None:
    session.execute(update(study).where(study.c.pk == study_fk).values(version=study.c.version + 1))
    session.execute(
        update(series).where(series.c.pk.in_(list(touched))).values(version=series.c.version + 1)
    )
