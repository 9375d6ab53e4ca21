"""The content tree of a structured report (PS3.3 §C.17.3), each item with its value as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vna.dicom.item import Item
from vna.render.report.references import Reference, reference
from vna.render.report.tables import Table, table
from vna.render.report.wording import code, coded, moment, name


@dataclass(frozen=True, slots=True)
class Content:
    """One content item.

    `position`: from (1,) for the document, as by-reference relationships count; `target` is the
    position of the item that one of them means, else empty. `observed`: date and time, if said.
    `lines`: the value, in words. `unknown`: the value type is none of the standard's.
    """

    position: tuple[int, ...]
    relationship: str
    value_type: str
    concept: str
    lines: tuple[str, ...]
    references: tuple[Reference, ...]
    table: Table | None
    observed: str
    target: tuple[int, ...]
    children: tuple[Content, ...]
    unknown: bool = False

    def all(self) -> Iterator[Content]:
        """This item and everything below, in order."""
        yield self
        for child in self.children:
            yield from child.all()


def content(item: Item, position: tuple[int, ...] = (1,)) -> Content:
    """The tree of which `item`, a data set or an item of a Content Sequence, is the root."""
    value_type = item.first(0x0040A040)
    target = tuple(int(each) for each in item.numbers(0x0040DB73))
    reader = _VALUES.get(value_type)
    lines = [line for line in (reader or _nothing)(item) if line]
    return Content(
        position,
        item.first(0x0040A010),
        value_type,
        code(item.item(0x0040A043)),
        tuple(lines),
        tuple(reference(each) for each in item.items(0x00081199)),
        table(item) if value_type == "TABLE" else None,
        moment(item.first(0x0040A032)),
        target,
        tuple(
            content(child, (*position, number))
            for number, child in enumerate(item.items(0x0040A730), start=1)
        ),
        unknown=reader is None and not target,
    )


def _nothing(item: Item) -> Iterator[str]:
    """Of a value type that is not known, every value that the standard has."""
    for known in (_text, _coded, _number, _named, _dated, _timed, _at, _uid):
        yield from known(item)


def _container(item: Item) -> Iterator[str]:
    return iter(())


def _text(item: Item) -> Iterator[str]:
    yield item.text(0x0040A160)


def _coded(item: Item) -> Iterator[str]:
    for each in item.items(0x0040A168):
        yield coded(each)


def _number(item: Item) -> Iterator[str]:
    for measured in item.items(0x0040A300):
        value = measured.text(0x0040A30A).replace("\\", ", ")
        value = value or ", ".join(f"{each:g}" for each in measured.numbers(0x0040A161))
        if not value:
            over = zip(measured.numbers(0x0040A162), measured.numbers(0x0040A163), strict=False)
            value = ", ".join(f"{above:.0f}/{below:.0f}" for above, below in over)
        yield f"{value} {_unit(measured.item(0x004008EA))}".strip()
    for qualifier in item.items(0x0040A301):
        yield code(qualifier)


def _unit(unit: Item | None) -> str:
    if unit is None:
        return ""
    short, long = unit.first(0x00080100), unit.text(0x00080104)
    return short if not long or long == short else f"{short} ({long})" if short else long


def _named(item: Item) -> Iterator[str]:
    yield name(item.text(0x0040A123))


def _dated(item: Item) -> Iterator[str]:
    yield moment(item.first(0x0040A121))


def _timed(item: Item) -> Iterator[str]:
    yield moment("", item.first(0x0040A122))


def _at(item: Item) -> Iterator[str]:
    yield moment(item.first(0x0040A120))


def _uid(item: Item) -> Iterator[str]:
    yield from item.texts(0x0040A124)


def _referenced(item: Item) -> Iterator[str]:
    return iter(())  # the references say it


def _coordinates(item: Item) -> Iterator[str]:
    kind = item.first(0x00700023).lower().replace("_", " ")
    numbers = [f"{each:.7g}" for each in item.numbers(0x00700022)]
    width = 3 if item.first(0x0040A040) == "SCOORD3D" else 2
    points = [numbers[at : at + width] for at in range(0, len(numbers), width)]
    yield f"{kind}: " + " ".join(f"({', '.join(point)})" for point in points)
    yield from (f"fiducial {uid}" for uid in item.texts(0x0070031A))
    yield from (f"frame of reference {uid}" for uid in item.texts(0x30060024))
    yield from (f"origin of pixels: {each.lower()}" for each in item.texts(0x00480301))


def _temporal(item: Item) -> Iterator[str]:
    yield item.first(0x0040A130).lower().replace("_", " ")
    samples = item.numbers(0x0040A132)
    if samples:
        yield "samples " + ", ".join(f"{each:.0f}" for each in samples)
    offsets = item.texts(0x0040A138)
    if offsets:
        yield "at " + ", ".join(f"{each} s" for each in offsets)
    moments = item.texts(0x0040A13A)
    if moments:
        yield "at " + ", ".join(map(moment, moments))


_VALUES = {
    "CONTAINER": _container,
    "TEXT": _text,
    "CODE": _coded,
    "NUM": _number,
    "PNAME": _named,
    "DATE": _dated,
    "TIME": _timed,
    "DATETIME": _at,
    "UIDREF": _uid,
    "IMAGE": _referenced,
    "COMPOSITE": _referenced,
    "WAVEFORM": _referenced,
    "SCOORD": _coordinates,
    "SCOORD3D": _coordinates,
    "TCOORD": _temporal,
    "TABLE": _referenced,
}
VALUE_TYPES = frozenset(_VALUES)
