"""Where the visible versions of a study, series or instance lie, with all that reading needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, bindparam, literal_column, select

from vna.dicom.edit import Edit
from vna.dicom.header import PackedHeader
from vna.errors import Gone
from vna.index import overlays
from vna.index.engine import Session
from vna.index.fixed import Fixed
from vna.index.locate import LOCATION, Located, asked, locate, located
from vna.index.segments import RAW_SEGMENT
from vna.index.tables import instance, instance_version, object_, segment, series
from vna.model.archive import Place, Visibility
from vna.model.caller import Caller
from vna.model.query import Level

_SHOWN: ColumnElement[int] = literal_column(str(int(Visibility.SHOWN)))


_OF_VERSION = (
    series.c.uid.label("series_uid"),
    series.c.version.label("series_version"),
    instance.c.uid.label("sop_uid"),
    instance.c.sop_class,
    instance_version.c.number,
    instance_version.c.current,
    instance_version.c.transfer_syntax,
    instance_version.c.anatomy,
    instance_version.c.header,
    instance_version.c.dictionary,
    instance_version.c.oddities,
    object_.c.size,
    object_.c.sha256,
    object_.c.xxh3,
    object_.c.offset,
    object_.c.length,
    segment.c.name.label("segment"),
    segment.c.kind.label("segment_kind"),
)
_ALL = (
    select(series.c.pk.label("series_fk"), instance.c.pk.label("instance_fk"), *_OF_VERSION)
    .select_from(instance)
    .join(series, series.c.pk == instance.c.series_fk)
    .join(instance_version, instance_version.c.instance_fk == instance.c.pk)
    .join(object_, object_.c.pk == instance_version.c.object_fk)
    .join(segment, segment.c.pk == object_.c.segment_fk)
    .where(series.c.state == _SHOWN, instance.c.state == _SHOWN)
    .order_by(
        series.c.number_order,
        series.c.uid,
        instance.c.number_order,
        instance.c.uid,
        instance_version.c.number,
    )
)
_OF = {
    Level.STUDY: _ALL.where(series.c.study_fk == bindparam("key")),
    Level.SERIES: _ALL.where(series.c.pk == bindparam("key")),
    Level.INSTANCE: _ALL.where(instance.c.pk == bindparam("key")),
}
_IS_CURRENT = instance_version.c.current == literal_column("1")
_EVERY_OF = {level: Fixed(statement) for level, statement in _OF.items()}
_CURRENT_OF = {level: Fixed(statement.where(_IS_CURRENT)) for level, statement in _OF.items()}
# The current version of one instance, with where it stands: what viewers ask for one by one.
_THE_CURRENT = Fixed(
    LOCATION.add_columns(*_OF_VERSION, series.c.dictionary.label("series_dictionary"))
    .outerjoin(instance_version, and_(instance_version.c.instance_fk == instance.c.pk, _IS_CURRENT))
    .outerjoin(object_, object_.c.pk == instance_version.c.object_fk)
    .outerjoin(segment, segment.c.pk == object_.c.segment_fk)
)
_SERIES_OF_STUDY = Fixed(
    select(series.c.pk, series.c.uid, series.c.version)
    .where(
        series.c.study_fk == bindparam("study_fk"),
        series.c.state == _SHOWN,
        series.c.instance_count > literal_column("0"),
    )
    .order_by(series.c.number_order, series.c.uid)
)
_DICTIONARIES = Fixed(
    select(series.c.pk, series.c.dictionary).where(
        series.c.pk.in_(bindparam("keys", expanding=True))
    )
)


@dataclass(frozen=True, slots=True)
class Holding:
    """One version of one instance. `anatomy`: encoded (docs/formats.md).

    `edits`: overlays in force, in order of application; `edited_at`: when the latest was made, ms
    since 1970 UTC, 0 without any. `stamp` differs whenever the version would be shown otherwise.
    """

    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class: str
    version: int
    current: bool
    transfer_syntax: str
    size: int
    sha256: bytes
    xxh3: bytes
    place: Place
    anatomy: bytes
    header: PackedHeader
    oddities: tuple[str, ...]
    edits: tuple[Edit, ...]
    edited_at: int
    stamp: str
    item_fk: int
    series_fk: int


@dataclass(frozen=True, slots=True)
class SeriesStamp:
    """A visible series of a study. `stamp` differs whenever its metadata would."""

    key: int
    uid: str
    stamp: str


def shown(
    session: Session,
    caller: Caller,
    study_uid: str,
    series_uid: str | None = None,
    sop_uid: str | None = None,
    *,
    version: int | Literal["all"] | None = None,
) -> list[Holding]:
    """The visible instances by series and instance number; the current version of each.

    `version`: that one of each, or all. Raises `NotFound`; `Gone` for what lies in the trash.
    """
    if sop_uid is not None and version is None:
        return _the_current(session, caller, study_uid, series_uid, sop_uid)
    found = _visible(locate(session, caller, study_uid, series_uid, sop_uid))
    edits = overlays.edits_of_study(session, found.study_fk)
    statement = (_CURRENT_OF if version is None else _EVERY_OF)[found.level]
    rows = session.fetch(statement, {"key": found.key})
    if isinstance(version, int):
        rows = [row for row in rows if row.number == version]
    dictionaries = _dictionaries(session, {row.series_fk for row in rows if row.dictionary})
    return [_holding(row, study_uid, found, edits, dictionaries) for row in rows]


def series_stamps(
    session: Session, caller: Caller, study_uid: str, series_uid: str | None = None
) -> list[SeriesStamp]:
    """The visible series of a study, or the one, in the order of `shown`, without their instances.

    Raises as `shown` does.
    """
    found = _visible(locate(session, caller, study_uid, series_uid))
    edits = overlays.edits_of_study(session, found.study_fk)
    rows = session.fetch(_SERIES_OF_STUDY, {"study_fk": found.study_fk})
    return [
        SeriesStamp(row.pk, row.uid, f"{row.version}-{edits.stamp(row.pk)}")
        for row in rows
        if found.series_fk in (None, row.pk)
    ]


def _the_current(
    session: Session, caller: Caller, study_uid: str, series_uid: str | None, sop_uid: str
) -> list[Holding]:
    rows = session.fetch(_THE_CURRENT, asked(caller, study_uid, series_uid, sop_uid))
    found = _visible(located(session, caller, (study_uid, series_uid, sop_uid), rows))
    edits = overlays.edits_of_study(session, found.study_fk)
    return [
        _holding(row, study_uid, found, edits, {row.series_fk: row.series_dictionary})
        for row in rows
        if row.number is not None
    ]


def _visible(found: Located) -> Located:
    if not found.shown:
        raise Gone("it lies in the trash")
    return found


def _dictionaries(session: Session, keys: Iterable[int]) -> dict[int, bytes]:
    wanted = list(keys)
    if not wanted:
        return {}
    rows = session.fetch(_DICTIONARIES, {"keys": wanted})
    return {row.pk: row.dictionary for row in rows}


def _holding(
    row: Any,
    study_uid: str,
    found: Located,
    edits: overlays.StudyEdits,
    dictionaries: dict[int, bytes],
) -> Holding:
    dictionary = dictionaries[row.series_fk] if row.dictionary else None
    raw = row.segment_kind == RAW_SEGMENT
    return Holding(
        study_uid=study_uid,
        series_uid=row.series_uid,
        sop_uid=row.sop_uid,
        sop_class=row.sop_class,
        version=row.number,
        current=bool(row.current),
        transfer_syntax=row.transfer_syntax,
        size=row.size,
        sha256=row.sha256,
        xxh3=row.xxh3,
        place=Place(row.segment, row.offset, row.length, raw),
        anatomy=row.anatomy,
        header=PackedHeader(row.header, dictionary),
        oddities=tuple(row.oddities.split()),
        edits=tuple(edits.of(row.series_fk, row.instance_fk)),
        edited_at=edits.at(row.series_fk, row.instance_fk),
        stamp=f"{row.series_version}-{edits.stamp(row.series_fk)}",
        item_fk=found.item_fk,
        series_fk=row.series_fk,
    )
