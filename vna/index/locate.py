"""Studies, series and instances by UID, within what a caller may see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import FromClause, and_, bindparam, select

from vna.errors import Gone, NotFound
from vna.index.engine import Session
from vna.index.fixed import Fixed
from vna.index.keys import sop_key
from vna.index.tables import instance, item, series, sop, study, trash
from vna.model.archive import TrashKind, Visibility
from vna.model.caller import Caller
from vna.model.query import Level

# What `located` reads. Others add columns of what hangs on the instance.
LOCATION = (
    select(
        item.c.pk.label("item_fk"),
        study.c.pk.label("study_fk"),
        series.c.pk.label("series_fk"),
        instance.c.pk.label("instance_fk"),
        item.c.organisation_fk,
        item.c.state.label("item_state"),
        study.c.state.label("study_state"),
        series.c.state.label("series_state"),
        instance.c.state.label("instance_state"),
    )
    .select_from(
        study.join(item, item.c.pk == study.c.item_fk)
        .outerjoin(
            series, and_(series.c.study_fk == study.c.pk, series.c.uid == bindparam("series_uid"))
        )
        .outerjoin(sop, sop.c.key == bindparam("sop_key"))
        .outerjoin(
            instance,
            and_(instance.c.pk == sop.c.instance_fk, instance.c.series_fk == series.c.pk),
        )
    )
    .where(study.c.partition == bindparam("partition"), study.c.uid == bindparam("study_uid"))
)
_LOCATION = Fixed(LOCATION)


@dataclass(frozen=True, slots=True)
class Located:
    """Where something stands. Keys below its level are None; `states`, of the item and down, are
    values of `Visibility`."""

    level: Level
    item_fk: int
    study_fk: int
    series_fk: int | None
    instance_fk: int | None
    states: tuple[int, ...]

    @property
    def key(self) -> int:
        """The key at its own level."""
        found = (self.study_fk, self.series_fk, self.instance_fk)[self.level - 1]
        assert found is not None
        return found

    @property
    def shown(self) -> bool:
        """Whether it and all that it belongs to is shown."""
        return all(state == Visibility.SHOWN for state in self.states)


def locate(
    session: Session,
    caller: Caller,
    study_uid: str,
    series_uid: str | None = None,
    sop_uid: str | None = None,
) -> Located:
    """The study, the series of it or the instance of that, whatever its state.

    Raises `NotFound`, also where the UIDs do not belong together or the caller may not see the
    item; `Gone` where a tombstone stands.
    """
    rows = session.fetch(_LOCATION, asked(caller, study_uid, series_uid, sop_uid))
    return located(session, caller, (study_uid, series_uid, sop_uid), rows)


def asked(
    caller: Caller, study_uid: str, series_uid: str | None = None, sop_uid: str | None = None
) -> dict[str, Any]:
    """The parameters of `LOCATION`."""
    return {
        "partition": caller.partition,
        "study_uid": study_uid,
        "series_uid": series_uid or "",
        "sop_key": sop_key(caller.partition, sop_uid or ""),
    }


def located(
    session: Session,
    caller: Caller,
    named: tuple[str, str | None, str | None],
    rows: Sequence[Any],
) -> Located:
    """What the rows of `LOCATION` say of the UIDs that were `named`; raises as `locate` does."""
    study_uid, series_uid, sop_uid = named
    found = rows[0] if rows else None
    level = Level.INSTANCE if sop_uid else Level.SERIES if series_uid else Level.STUDY
    uids = [uid for uid in (study_uid, series_uid, sop_uid) if uid]
    if found is None or (
        caller.organisations is not None and found.organisation_fk not in caller.organisations
    ):
        raise _missing(session, caller, uids[: 1 if found is None else 0], level)
    keys = (found.study_fk, found.series_fk, found.instance_fk)[:level]
    if keys[-1] is None:
        raise _missing(session, caller, uids, level)
    states = (found.item_state, found.study_state, found.series_state, found.instance_state)
    return Located(
        level,
        found.item_fk,
        found.study_fk,
        keys[1] if level >= Level.SERIES else None,
        keys[2] if level >= Level.INSTANCE else None,
        states[: level + 1],
    )


def parents(
    session: Session, partition: int, series_uid: str | None, sop_uid: str | None
) -> tuple[str, str]:
    """The Study and Series Instance UID of a series or an instance; raises `NotFound`."""
    statement = select(study.c.uid, series.c.uid.label("series_uid")).join(
        series, series.c.study_fk == study.c.pk
    )
    if sop_uid:
        statement = (
            statement.join(instance, instance.c.series_fk == series.c.pk)
            .join(sop, sop.c.instance_fk == instance.c.pk)
            .where(sop.c.key == sop_key(partition, sop_uid))
        )
    else:
        statement = statement.where(series.c.partition == partition, series.c.uid == series_uid)
    found = session.execute(statement).one_or_none()
    if found is None:
        raise NotFound(f"there is no such {'instance' if sop_uid else 'series'}")
    return found.uid, found.series_uid


def locate_shown(
    session: Session,
    caller: Caller,
    study_uid: str,
    series_uid: str | None = None,
    sop_uid: str | None = None,
) -> Located:
    """As `locate`; raises `Gone` for what lies in the trash."""
    found = locate(session, caller, study_uid, series_uid, sop_uid)
    if not found.shown:
        raise Gone(f"the {found.level.name.lower()} has been deleted")
    return found


def describe(
    session: Session, targets: Iterable[tuple[Level, int]]
) -> dict[tuple[Level, int], tuple[str, str | None, str | None]]:
    """The Study, Series and SOP Instance UID of each target, None below its level."""
    found: dict[tuple[Level, int], tuple[str, str | None, str | None]] = {}
    for level, key in set(targets):
        joined: FromClause = study
        columns = [study.c.uid.label("study_uid")]
        owner = study.c.pk
        if level >= Level.SERIES:
            joined = joined.join(series, series.c.study_fk == study.c.pk)
            columns.append(series.c.uid.label("series_uid"))
            owner = series.c.pk
        if level is Level.INSTANCE:
            joined = joined.join(instance, instance.c.series_fk == series.c.pk)
            columns.append(instance.c.uid.label("sop_uid"))
            owner = instance.c.pk
        row = session.execute(select(*columns).select_from(joined).where(owner == key)).one()
        uids = [*row, None, None]
        found[level, key] = (uids[0], uids[1], uids[2])
    return found


def _missing(session: Session, caller: Caller, uids: Sequence[str], level: Level) -> NotFound:
    """`Gone` where one of `uids` was purged, else `NotFound`.

    A tombstone has no organisation: whoever may not see all of them is not told of any.
    """
    if caller.organisations is not None:
        return NotFound(f"there is no such {level.name.lower()}")
    kinds = (TrashKind.STUDY, TrashKind.SERIES, TrashKind.INSTANCE)
    purged = session.execute(
        select(trash.c.pk)
        .where(
            trash.c.partition == caller.partition,
            trash.c.uid.in_(uids),
            trash.c.kind.in_(kinds),
            trash.c.purged_at > 0,
        )
        .limit(1)
    ).scalar()
    if purged is not None:
        return Gone(f"the {level.name.lower()} has been deleted")
    return NotFound(f"there is no such {level.name.lower()}")
