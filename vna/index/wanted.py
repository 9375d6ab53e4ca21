"""Which attributes the rows of a query carry, by QIDO-RS (PS3.18 §10.6.3.3), decided once for all.

They are the required ones of the query's levels, its keys, and what it includes; nothing that
describes an entity below its level. Timezone Offset From UTC is kept, and given, with instances.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from vna.dicom.dictionary import vr_of
from vna.dicom.levels import LEVEL_OF, level_of
from vna.index.fetch import COMPUTED, Needs
from vna.index.searchable import INDEXED
from vna.model.query import Key, Level, Path, Query, Tag

Attributes = dict[str, Any]

# Tables 10.6.3-3 to -5, without the Retrieve URL, which the edges know.
REQUIRED: dict[Level, tuple[Tag, ...]] = {
    Level.PATIENT: (),
    Level.STUDY: (
        *(0x00080020, 0x00080030, 0x00080050, 0x00080061, 0x00080090),
        *(0x00100010, 0x00100020, 0x00100030, 0x00100040),
        *(0x0020000D, 0x00200010, 0x00201206, 0x00201208),
    ),
    Level.SERIES: (0x00080060, 0x0020000E, 0x00200011, 0x00201209),
    Level.INSTANCE: (0x00080016, 0x00080018, 0x00200013),
}
CONDITIONAL: dict[Level, tuple[Path, ...]] = {
    Level.PATIENT: (),
    Level.STUDY: ((0x00080056,),),
    Level.SERIES: (
        *((0x0008103E,), (0x00400244,), (0x00400245,)),
        *((0x00400275, 0x00400009), (0x00400275, 0x00401001)),
    ),
    Level.INSTANCE: (
        *((0x00080056,), (0x00080201,)),
        *((0x00280008,), (0x00280010,), (0x00280011,), (0x00280100,)),
    ),
}

STUDY_UID, SERIES_UID, SOP_UID = "0020000D", "0020000E", "00080018"
SOP_CLASSES, AVAILABILITY, TRANSFER_SYNTAX = "00080062", "00080056", "00083002"
RETRIEVE_URL = "00081190"
MADE = frozenset(
    (*COMPUTED, STUDY_UID, SERIES_UID, SOP_UID, SOP_CLASSES, AVAILABILITY, RETRIEVE_URL)
)


@dataclass(frozen=True)
class Answer:
    """What each row of one query carries.

    `tags`: in ascending order, with what stands where an entity has no such attribute (None: it is
    left out). `nested`: of these sequences only what is at these paths. `everything`: also all that
    the rows of these levels hold. `inside`: the keys inside sequences, which choose items.
    """

    level: Level
    tags: dict[str, Attributes | None]
    nested: dict[str, tuple[Path, ...]]
    everything: frozenset[Level]
    inside: tuple[Key, ...]
    combined: bool
    needs: Needs


def answer_of(query: Query) -> Answer:
    """What the rows of `query` carry."""
    levels = _levels(query)
    tags: dict[Tag, Attributes | None] = {}
    paths: list[Path] = []
    for level in sorted(levels):
        tags |= {tag: {"vr": vr_of(tag)} for tag in REQUIRED[level]}
        paths += CONDITIONAL[level]
    everything = levels if query.include == "all" else frozenset()
    paths += () if query.include == "all" else query.include
    for key in query.keys:
        tags[key.path[0]] = {"vr": key.vr if len(key.path) == 1 else "SQ"}
        paths.append(key.path)
    tags |= {path[0]: None for path in paths if path[0] not in tags}
    tags = {tag: tags[tag] for tag in sorted(tags) if entity_of(tag) <= query.level}
    inside = tuple(key for key in query.keys if len(key.path) > 1)
    return Answer(
        level=query.level,
        tags={hexadecimal(tag): default for tag, default in tags.items()},
        nested=_nested(paths, everything, {key.path[0] for key in inside}),
        everything=everything,
        inside=inside,
        combined=query.combined_datetime,
        needs=needs_of(tags, query.level, everything),
    )


def needs_of(
    tags: Iterable[Tag], level: Level, everything: frozenset[Level] = frozenset()
) -> Needs:
    """What has to be fetched to know these attributes of entities of `level`."""
    stored = [tag for tag in tags if hexadecimal(tag) not in MADE]
    levels = everything | {entity_of(tag) for tag in stored}
    return Needs(
        levels=frozenset(each for each in levels if each <= level),
        computed=frozenset(map(hexadecimal, tags)) & COMPUTED.keys(),
        sop_classes=int(SOP_CLASSES, 16) in set(tags),
        header=any(tag not in LEVEL_OF for tag in stored),
    )


def entity_of(tag: Tag) -> Level:
    """The level whose entity has the attribute."""
    if hexadecimal(tag) == TRANSFER_SYNTAX:
        return Level.INSTANCE
    found = INDEXED.get((tag,))
    return found.level if found else level_of(tag)


def hexadecimal(tag: Tag) -> str:
    """`tag` as DICOM JSON writes it."""
    return f"{tag:08X}"


def _levels(query: Query) -> frozenset[Level]:
    asked = frozenset(Level) if query.levels is None else query.levels
    levels = frozenset(level for level in asked if level <= query.level)
    return levels | {Level.PATIENT} if Level.STUDY in levels else levels


def _nested(
    paths: Iterable[Path], everything: frozenset[Level], chosen: set[Tag]
) -> dict[str, tuple[Path, ...]]:
    """Sequences to be cut to some of their attributes, or whose items the keys choose."""
    found: dict[Tag, set[Path]] = defaultdict(set)
    for path in paths:
        found[path[0]].add(path[1:])
    return {
        hexadecimal(tag): ((),) if () in below or level_of(tag) in everything else tuple(below)
        for tag, below in found.items()
        if tag in chosen or not (() in below or level_of(tag) in everything)
    }
