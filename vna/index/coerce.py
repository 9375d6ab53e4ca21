"""Rules of senders laid over what they sent, in the transaction that takes it in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vna.dicom.levels import level_of
from vna.index import overlays
from vna.index.engine import Change, Session
from vna.index.overlays import Target
from vna.index.refresh import refresh
from vna.model.archive import Rank
from vna.model.query import Level

ACTOR = "rule"


@dataclass(frozen=True, slots=True)
class Coerced:
    """What a rule changes of one object. `values`: DICOM JSON attributes by path, None removes.

    `source`: whose rule it is. `operations`: the operation of each level, by which it can be taken
    back.
    """

    values: Mapping[str, Mapping[str, Any] | None]
    source: str
    operations: Mapping[Level, str]


@dataclass(frozen=True, slots=True)
class Sent:
    """An object that a rule changes, and the keys of its levels."""

    coerced: Coerced
    item_fk: int
    keys: Mapping[Level, int]
    study_uid: str
    series_uid: str


def lay(session: Session, sent: Sequence[Sent]) -> None:
    """Lay what rules change over studies and series, each where its attribute belongs. The first
    rule that changes an attribute of one counts: no other is laid, nor that one again after it was
    taken back.

    The caller has locked the studies.
    """
    wanted: dict[Target, dict[str, Sent]] = defaultdict(dict)
    for each in sent:
        for path in each.coerced.values:
            level = level_of(int(path, 16))
            wanted[level, each.keys[level]].setdefault(path, each)
    laid = overlays.laid(session, wanted)
    changed: dict[int, dict[Target, list[str]]] = defaultdict(dict)
    for target, paths in wanted.items():
        have = {row.path for row in laid.get(target, ()) if row.rank is Rank.RULE}
        for path, each in paths.items():
            if path in have:
                continue
            _lay(session, target, {path: each.coerced.values[path]}, each)
            changed[each.keys[Level.STUDY]].setdefault(target, []).append(path)
    for study_fk, targets in changed.items():
        refresh(session, study_fk, targets)


def _lay(
    session: Session, target: Target, values: Mapping[str, Mapping[str, Any] | None], of: Sent
) -> None:
    level, _ = target
    operation = of.coerced.operations[level]
    overlays.lay(
        session,
        target,
        values,
        Rank.RULE,
        operation=operation,
        at=session.now(),
        actor=ACTOR,
        reason=f"rule of {of.coerced.source}",
    )
    session.changes.append(
        Change(
            f"{level.name.lower()} corrected",
            of.item_fk,
            of.study_uid,
            of.series_uid if level is Level.SERIES else "",
            "",
            {"operation": operation},
        )
    )
