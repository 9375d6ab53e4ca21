"""What stands for the SOP Instance UIDs of a batch: versions, held objects, and where they lie."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, literal, select, union_all

from vna.index.candidate import Standing
from vna.index.engine import Session
from vna.index.fixed import Fixed
from vna.index.keys import sop_key
from vna.index.tables import (
    held,
    instance,
    instance_version,
    item,
    object_,
    segment,
    series,
    sop,
    study,
)
from vna.model.archive import Place, Visibility

RAW_SEGMENT = 2  # segment.kind

_OBJECT = (
    object_.c.pk.label("object_fk"),
    object_.c.sha256,
    object_.c.xxh3,
    object_.c.size,
    object_.c.offset,
    object_.c.length,
    segment.c.name.label("segment"),
    segment.c.kind.label("segment_kind"),
)

# Nearly every object that arrives is new, and this is all that has to be asked then.
_PRESENT = Fixed(
    union_all(
        select(sop.c.key).where(sop.c.key.in_(bindparam("keys", expanding=True))),
        select(held.c.sop_key).where(
            held.c.partition == bindparam("partition"),
            held.c.sop_key.in_(bindparam("keys", expanding=True)),
        ),
    )
)
_VERSIONS = (
    select(
        sop.c.key,
        instance.c.pk.label("instance_fk"),
        instance.c.state.label("instance_state"),
        series.c.uid.label("series_uid"),
        series.c.state.label("series_state"),
        study.c.uid.label("study_uid"),
        study.c.state.label("study_state"),
        item.c.state.label("item_state"),
        instance_version.c.number,
        instance_version.c.current,
        instance_version.c.dataset_xxh3,
        instance_version.c.pixel_xxh3,
        instance_version.c.transfer_syntax,
        instance_version.c.patient_id,
        instance_version.c.anatomy,
        *_OBJECT,
    )
    .select_from(sop)
    .join(instance, instance.c.pk == sop.c.instance_fk)
    .join(series, series.c.pk == instance.c.series_fk)
    .join(study, study.c.pk == series.c.study_fk)
    .join(item, item.c.pk == study.c.item_fk)
    .join(instance_version, instance_version.c.instance_fk == instance.c.pk)
    .join(object_, object_.c.pk == instance_version.c.object_fk)
    .join(segment, segment.c.pk == object_.c.segment_fk)
    .where(sop.c.key.in_(bindparam("keys", expanding=True)))
    .order_by(instance_version.c.number)
)
_HELD = (
    select(
        held.c.sop_key,
        held.c.series_uid,
        held.c.study_uid,
        held.c.dataset_xxh3,
        held.c.resolution,
        literal(0).label("number"),
        *_OBJECT,
    )
    .select_from(held)
    .join(object_, object_.c.pk == held.c.object_fk)
    .join(segment, segment.c.pk == object_.c.segment_fk)
    .where(
        held.c.partition == bindparam("partition"),
        held.c.sop_key.in_(bindparam("keys", expanding=True)),
    )
    .order_by(held.c.pk)
)


def known(session: Session, partition: int, sop_uids: Iterable[str]) -> dict[str, list[Standing]]:
    """SOP Instance UID → its versions in order, then what is held; unknown ones are absent.

    One statement for any number of UIDs where all are new, three otherwise.
    """
    keys = {sop_key(partition, uid): uid for uid in sop_uids}
    asked = {"partition": partition, "keys": list(keys)}
    present = {key for (key,) in session.fetch(_PRESENT, asked)}
    if not present:
        return {}
    keys = {key: uid for key, uid in keys.items() if key in present}
    found: dict[str, list[Standing]] = defaultdict(list)
    for row in session.execute(_VERSIONS, {"keys": list(keys)}):
        found[keys[row.key]].append(_version(row))
    for row in session.execute(_HELD, {"partition": partition, "keys": list(keys)}):
        found[keys[row.sop_key]].append(_held(row))
    return dict(found)


def _version(row: Any) -> Standing:
    states = (row.instance_state, row.series_state, row.study_state, row.item_state)
    return Standing(
        series_uid=row.series_uid,
        study_uid=row.study_uid,
        dataset_xxh3=row.dataset_xxh3,
        pixel_xxh3=row.pixel_xxh3,
        transfer_syntax=row.transfer_syntax,
        patient_id=row.patient_id,
        version=row.number,
        current=bool(row.current),
        hidden=any(state != Visibility.SHOWN for state in states),
        instance_fk=row.instance_fk,
        anatomy=row.anatomy,
        **_place(row),
    )


def _held(row: Any) -> Standing:
    return Standing(
        series_uid=row.series_uid,
        study_uid=row.study_uid,
        dataset_xxh3=row.dataset_xxh3,
        pixel_xxh3=b"",
        transfer_syntax="",
        patient_id="",
        version=0,
        current=False,
        hidden=False,
        instance_fk=0,
        anatomy=b"",
        released=row.resolution in ("existing", "new"),
        **_place(row),
    )


def _place(row: Any) -> dict[str, Any]:
    raw = row.segment_kind == RAW_SEGMENT
    return {
        "object_fk": row.object_fk,
        "place": Place(row.segment, row.offset, row.length, raw),
        "sha256": row.sha256,
        "xxh3": row.xxh3,
        "size": row.size,
    }
