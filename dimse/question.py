"""A C-FIND identifier as a `Query` (PS3.4 §C.4.1). A filter is never ignored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dimse.identifier import LEVEL, NOT_KEYS, Identifier, Mismatch, text_in
from dimse.sop_classes import PATIENT_STUDY_ONLY, STUDY_ROOT
from vna.dicom.dictionary import matching_vr_of, vr_of
from vna.dicom.elements import Elements
from vna.dicom.levels import level_of
from vna.dicom.matching import match_of
from vna.model.query import Exact, Key, Level, Path, Query, Universal

LEVELS = {
    "PATIENT": Level.PATIENT,
    "STUDY": Level.STUDY,
    "SERIES": Level.SERIES,
    "IMAGE": Level.INSTANCE,
}
_MODALITY, _MODALITIES = 0x00080060, 0x00080061
UNIQUE = {
    Level.PATIENT: 0x00100020,
    Level.STUDY: 0x0020000D,
    Level.SERIES: 0x0020000E,
    Level.INSTANCE: 0x00080018,
}
# Counts and lists of what lies below, which belong to the level above it (PS3.4 §C.3.4).
_OF_LEVEL = {
    **dict.fromkeys((0x00201200, 0x00201202, 0x00201204), Level.PATIENT),
    **dict.fromkeys((0x00080061, 0x00080062, 0x00201206, 0x00201208), Level.STUDY),
    **dict.fromkeys((0x00201209,), Level.SERIES),
    **dict.fromkeys((0x00083001, 0x00083002), Level.INSTANCE),
}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked. `returned`: tags of the answer; `unsupported`: those of them that the level
    does not have, which are answered empty."""

    query: Query
    returned: tuple[int, ...]
    unsupported: frozenset[int]


def level_asked(identifier: Identifier, root: str) -> Level:
    """The level of a request to an information model. Raises `Mismatch`."""
    level = LEVELS.get(identifier.text(LEVEL))
    if level is None:
        raise Mismatch(LEVEL, f"be one of {', '.join(LEVELS)}")
    if root == STUDY_ROOT and level is Level.PATIENT:
        raise Mismatch(LEVEL, "not be PATIENT in the Study Root model")
    if root == PATIENT_STUDY_ONLY and level > Level.STUDY:
        raise Mismatch(LEVEL, "be PATIENT or STUDY in the Patient/Study Only model")
    return level


def question_of(identifier: Identifier, root: str, *, combined: bool, fuzzy: bool) -> Question:
    """Read a C-FIND identifier. Keys of the levels above are always taken, as if relational queries
    were negotiated. Raises `Mismatch` and `InvalidValue`."""
    level = level_asked(identifier, root)
    keys: list[Key] = []
    include: list[Path] = []
    returned: list[int] = []
    unsupported: set[int] = set()
    for each in identifier.elements:
        tag = each.tag
        if not tag & 0xFFFF or tag in NOT_KEYS - {0x00080056}:
            continue
        returned.append(tag)
        found = list(_keys(identifier, [each], (), fuzzy=fuzzy))
        if all(isinstance(key.match, Universal) for key in found):
            if _level(tag) > level:
                unsupported.add(tag)
            else:
                include += [key.path for key in found]
            continue
        for key in found:
            keys.append(_at(level, key))
    query = Query(
        level,
        tuple(keys),
        include=tuple(dict.fromkeys(include)),
        combined_datetime=combined,
        levels=frozenset(),
    )
    return Question(query, tuple(returned), frozenset(unsupported))


def _at(level: Level, key: Key) -> Key:
    """A key at the level of the query. Modality, which many ask of studies, means that one of the
    study's modalities is it."""
    if key.path == (_MODALITY,) and level is Level.STUDY and isinstance(key.match, Exact):
        return Key((_MODALITIES,), "CS", key.match)
    if _level(key.path[0]) > level:
        raise Mismatch(key.path[0], "be a key of the level that is asked, or of one above")
    return key


def _level(tag: int) -> Level:
    return _OF_LEVEL.get(tag, level_of(tag))


def _keys(identifier: Identifier, elements: Elements, above: Path, *, fuzzy: bool) -> Iterator[Key]:
    for each in elements:
        path = (*above, each.tag)
        if vr_of(each.tag) == "SQ" or each.items is not None:
            items = each.items or []
            if len(items) > 1:
                raise Mismatch(each.tag, "have one item")
            if not items or not items[0]:
                yield Key(path, "SQ", Universal())
            else:
                yield from _keys(identifier, items[0], path, fuzzy=fuzzy)
            continue
        vr = matching_vr_of(each.tag)
        text = text_in(each, identifier.charset)
        yield Key(path, vr, match_of(vr, text, fuzzy=fuzzy, name=f"{each.tag:08X}"))
