"""From what was fetched to the attributes of a row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import RowMapping

from vna.dicom import json as dicom_json
from vna.dicom.edit import apply_json
from vna.dicom.header import Header, decompress
from vna.dicom.levels import LEVEL_OF, level_of
from vna.index import wanted
from vna.index.engine import Session
from vna.index.fetch import Needs, sop_classes
from vna.index.overlays import StudyEdits, edits_of_study
from vna.index.patient_shown import NAMING_TAGS
from vna.index.residual import matching_items
from vna.index.wanted import Answer, Attributes, hexadecimal
from vna.model.answer import Row
from vna.model.query import Level, Path

_AVAILABLE: Attributes = {"vr": "CS", "Value": ["ONLINE"]}


@dataclass(frozen=True)
class Beside:
    """What some answers need besides their rows, by study: its SOP classes, its corrections."""

    sop_classes: Mapping[int, Sequence[str]]
    edits: Mapping[int, StudyEdits]


def beside(session: Session, needs: Needs, found: Iterable[RowMapping]) -> Beside:
    """Look up what `needs` asks for besides the rows that were found; mostly nothing."""
    if not needs.sop_classes and not needs.header:
        return Beside({}, {})
    studies = {row["study_pk"] for row in found}
    return Beside(
        sop_classes(session, studies) if needs.sop_classes else {},
        {key: edits_of_study(session, key) for key in studies} if needs.header else {},
    )


def row_of(answer: Answer, found: RowMapping, beside: Beside) -> Row:
    """One row as its client sees it."""
    entity = entity_of(answer.level, found, answer.needs, beside)
    tags = answer.tags
    if answer.everything:
        more = {tag: None for tag in entity if level_of(int(tag, 16)) in answer.everything}
        tags = dict(sorted({**more, **tags}.items()))
    attributes: Attributes = {}
    for tag, default in tags.items():
        value = entity.get(tag, default)
        if value is not None:
            attributes[tag] = _pruned(answer, tag, value) if tag in answer.nested else value
    return Row(*uids_of(answer.level, found), attributes)


def uids_of(level: Level, found: RowMapping) -> tuple[str, str, str]:
    """Study, series and instance UID, which are part of every sort key (vna/index/order.py)."""
    series_uid = found["k4"] if level >= Level.SERIES else ""
    return found["k2"], series_uid, found["k6"] if level >= Level.INSTANCE else ""


def entity_of(
    level: Level,
    found: RowMapping,
    needs: Needs,
    beside: Beside,
) -> Attributes:
    """All that was fetched of an entity and of those above it, and what the archive says of it."""
    made = _made(found, uids_of(level, found), needs)
    if needs.sop_classes:
        made[wanted.SOP_CLASSES] = _values("UI", beside.sop_classes[found["study_pk"]])
    header = _of_header(found, beside.edits[found["study_pk"]]) if needs.header else {}
    return header | _stored(found, needs) | made


def _of_header(found: RowMapping, edits: StudyEdits) -> Attributes:
    """What no row holds, from the header of the instance, as corrected."""
    dictionary = found["dictionary"] if found["needs_dictionary"] else None
    header = Header.decode(decompress(found["header"], dictionary))
    tree = dicom_json.to_dict(header, "")
    in_force = apply_json(edits.of(found["series_pk"], found["instance_pk"]), tree)
    return {tag: value for tag, value in in_force.items() if int(tag, 16) not in LEVEL_OF}


def _stored(found: RowMapping, needs: Needs) -> Attributes:
    attributes: Attributes = {}
    if Level.PATIENT in needs.levels:
        attributes |= patient_of(found["PATIENT"], found["shown"])
    for level in (Level.STUDY, Level.SERIES, Level.INSTANCE):
        if level in needs.levels:
            attributes |= orjson.loads(found[level.name])
    return attributes


def patient_of(own: bytes, shown: bytes | None) -> Attributes:
    """What is shown of a patient: what objects said, named as a link says, if it does."""
    attributes: Attributes = orjson.loads(own)
    if shown is None:
        return attributes
    named = orjson.loads(shown)
    attributes = {tag: value for tag, value in attributes.items() if tag not in NAMING_TAGS}
    return attributes | {tag: named[tag] for tag in NAMING_TAGS if tag in named}


def _made(found: RowMapping, uids: tuple[str, str, str], needs: Needs) -> Attributes:
    made: Attributes = {wanted.AVAILABILITY: _AVAILABLE}
    tags = (wanted.STUDY_UID, wanted.SERIES_UID, wanted.SOP_UID)
    made |= {tag: _values("UI", [uid]) for tag, uid in zip(tags, uids, strict=True) if uid}
    for tag in needs.computed:
        made[tag] = _computed(tag, found[tag])
    return made


def _computed(tag: str, value: Any) -> Attributes:
    if tag == "00080061":
        return _values("CS", [each for each in value.split("\\") if each])
    return {"vr": "UI" if tag == wanted.TRANSFER_SYNTAX else "IS", "Value": [value]}


def _values(vr: str, values: Sequence[Any]) -> Attributes:
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}


def _pruned(answer: Answer, tag: str, sequence: Attributes) -> Attributes:
    """Of a sequence the items that match the keys, and of them what was asked for."""
    items = matching_items(sequence, int(tag, 16), answer.inside, combined=answer.combined)
    return _values("SQ", [_part(item or {}, answer.nested[tag]) for item in items])


def _part(item: Attributes, paths: Sequence[Path]) -> Attributes:
    """Of one item what is at `paths`; the empty path is all of it."""
    if () in paths:
        return item
    below: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        below[hexadecimal(path[0])].append(path[1:])
    part: Attributes = {}
    for tag in sorted(below.keys() & item.keys()):
        part[tag] = value = item[tag]
        if () not in below[tag] and "Value" in value:
            items = [_part(inner or {}, below[tag]) for inner in value["Value"]]
            part[tag] = _values("SQ", items)
    return part
