"""Corrections of attributes: overlays at study, series or instance scope; the bytes stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vna.dicom.dictionary import keyword_of
from vna.dicom.levels import level_of
from vna.errors import Conflict, InvalidValue, NotFound
from vna.index import overlays
from vna.index.engine import Change, Index, Session
from vna.index.locate import Located, describe, locate_shown
from vna.index.overlays import OverlayRow
from vna.index.refresh import refresh
from vna.model.archive import Rank
from vna.model.caller import Caller, Right
from vna.model.query import Level
from vna.services.correctable import path_of, value_of
from vna.services.journal import Journal, Stamp
from vna.services.rights import require

UID_PATHS = frozenset(("0020000D", "0020000E", "00080018"))


@dataclass(frozen=True, slots=True)
class Scope:
    """What a correction applies to: a study, one series of it, or one instance."""

    study_uid: str
    series_uid: str | None = None
    sop_uid: str | None = None

    def __post_init__(self) -> None:
        if self.sop_uid and not self.series_uid:
            raise InvalidValue("scope", self.sop_uid, "name the series of the instance")

    @property
    def level(self) -> Level:
        """The level of what it names."""
        return Level.INSTANCE if self.sop_uid else Level.SERIES if self.series_uid else Level.STUDY

    @property
    def uid(self) -> str:
        """The UID of what it names."""
        return self.sop_uid or self.series_uid or self.study_uid

    def covers(self, other: Scope) -> bool:
        """Whether `other` is this scope or lies below it."""
        mine = [uid for uid in (self.study_uid, self.series_uid, self.sop_uid) if uid]
        return mine == [other.study_uid, other.series_uid, other.sop_uid][: len(mine)]


@dataclass(frozen=True, slots=True)
class Correction:
    """One attribute to correct. `attribute`: keyword, tag or dotted path ("StudyDescription",
    "00081030", "RequestAttributesSequence[2].00400009"; the first item where none is named).
    `values`: DICOM text values; None removes the attribute, an empty list empties it."""

    attribute: str
    values: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class Overlay:
    """A correction as it stands. `value`: DICOM JSON attribute, None removes it. Times in ms."""

    operation: str
    scope: Scope
    path: str  # '00081030' or '00400275/1/00400009'
    keyword: str
    rank: Rank
    value: Mapping[str, Any] | None
    at: int
    actor: str
    reason: str
    withdrawn_at: int  # 0: stands
    in_force: bool  # stands, and none of higher rank or later at the same scope hides it


class Corrections:
    """Overlays. Search, metadata and retrieval show them; `?original` never does.

    The highest rank wins, then the latest. Raises `NotFound`, `Gone`, `Forbidden`, `InvalidValue`
    for a value its VR does not allow, `UnknownName`, and `Conflict` for what may not be corrected
    by hand (UIDs, pixel description, file meta, patient attributes: see `Patients.correct`).
    """

    def __init__(self, index: Index, journal: Journal) -> None:
        self._index = index
        self._journal = journal

    def correct(
        self,
        caller: Caller,
        scope: Scope,
        corrections: Sequence[Correction],
        reason: str,
        *,
        rank: Rank = Rank.HAND,
    ) -> str:
        """Lay corrections over `scope`; returns the operation (ULID) that `withdraw` takes."""
        require(caller, Right.CORRECT)
        values = _values(scope, corrections)
        with self._index.reading() as session:
            _locate(session, caller, scope)

        def apply(session: Session, stamp: Stamp) -> str:
            found = _locate(session, caller, scope)
            target = (found.level, found.key)
            overlays.lay(session, target, values, rank, **stamp.columns())
            refresh(session, found.study_fk, {target: values})
            _announce(session, found, scope, stamp)
            return stamp.operation

        data = {"rank": rank.name.lower(), "values": values, **_named(scope)}
        return self._journal.record(caller, "correct", data, apply, reason=reason, target=scope.uid)

    def withdraw(self, caller: Caller, operation: str, reason: str) -> str:
        """Take back what `correct` laid with that operation."""
        require(caller, Right.CORRECT)
        with self._index.reading() as session:
            scope = _scope_of(session, operation)
            _locate(session, caller, scope)

        def apply(session: Session, stamp: Stamp) -> str:
            found = _locate(session, caller, scope)
            withdrawn = overlays.withdraw(session, operation, stamp.at)
            if not withdrawn:
                raise Conflict(f"correction {operation} has been taken back already")
            refresh(
                session, found.study_fk, {(found.level, found.key): [row.path for row in withdrawn]}
            )
            _announce(session, found, scope, stamp)
            return stamp.operation

        data = {"withdrawn": operation, **_named(scope)}
        return self._journal.record(
            caller, "correct-withdraw", data, apply, reason=reason, target=scope.uid
        )

    def find(self, caller: Caller, scope: Scope) -> list[Overlay]:
        """Every overlay at `scope` and below, withdrawn ones too, oldest first."""
        require(caller, Right.READ)
        with self._index.reading() as session:
            found = _locate(session, caller, scope)
            rows = overlays.of_study(session, found.study_fk)
            uids = describe(session, {(row.scope, row.target) for row in rows})
        scopes = {target: Scope(*named) for target, named in uids.items()}
        rows = [row for row in rows if scope.covers(scopes[row.scope, row.target])]
        standing: dict[tuple[Level, int], list[OverlayRow]] = {}
        for row in rows:
            if not row.withdrawn_at:
                standing.setdefault((row.scope, row.target), []).append(row)
        winners = [row for each in standing.values() for row in overlays.in_force(each)]
        return [_overlay(row, scopes[row.scope, row.target], winners) for row in rows]


def _values(scope: Scope, corrections: Sequence[Correction]) -> dict[str, dict[str, Any] | None]:
    """DICOM JSON attributes by path, checked against the scope and against each other."""
    if not corrections:
        raise InvalidValue("corrections", "", "name at least one attribute")
    values: dict[str, dict[str, Any] | None] = {}
    for each in corrections:
        path = path_of(each.attribute)
        level = level_of(int(path[:8], 16))
        if level < scope.level:
            raise Conflict(f"{each.attribute} describes the {level.name.lower()}: correct it there")
        if path in values:
            raise InvalidValue("corrections", each.attribute, "name each attribute once")
        values[path] = value_of(path, each.values)
    return values


def _locate(session: Session, caller: Caller, scope: Scope) -> Located:
    return locate_shown(session, caller, scope.study_uid, scope.series_uid, scope.sop_uid)


def _scope_of(session: Session, operation: str) -> Scope:
    rows = overlays.of_operation(session, operation)
    if not rows:
        raise NotFound(f"there is no correction {operation}")
    if all(row.withdrawn_at for row in rows):
        raise Conflict(f"correction {operation} has been taken back already")
    if any(row.path in UID_PATHS for row in rows):
        raise Conflict("the UIDs of a released object are not taken back")
    target = (rows[0].scope, rows[0].target)
    return Scope(*describe(session, [target])[target])


def _named(scope: Scope) -> dict[str, str]:
    uids = {"study": scope.study_uid, "series": scope.series_uid, "instance": scope.sop_uid}
    return {name: uid for name, uid in uids.items() if uid}


def _announce(session: Session, found: Located, scope: Scope, stamp: Stamp) -> None:
    session.changes.append(
        Change(
            f"{scope.level.name.lower()} corrected",
            found.item_fk,
            scope.study_uid,
            scope.series_uid or "",
            scope.sop_uid or "",
            {"operation": stamp.operation},
        )
    )


def _overlay(row: OverlayRow, scope: Scope, winners: Iterable[OverlayRow]) -> Overlay:
    return Overlay(
        row.operation,
        scope,
        row.path,
        keyword_of(int(row.path[-8:], 16)),
        row.rank,
        row.value,
        row.at,
        row.actor,
        row.reason,
        row.withdrawn_at,
        any(row is each for each in winners),
    )
