"""Structured reports: bundled ones, and generated trees of every value type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import count
from pathlib import Path

from hypothesis import strategies as st
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from tests.dicom.objects import identified
from vna.dicom.elements import read_elements
from vna.dicom.item import Item
from vna.dicom.scan import scan
from vna.dicom.source import BytesSource

BUNDLED = ("test-SR.dcm", "reportsi.dcm", "reportsi_with_empty_number_tags.dcm")
CT = "1.2.840.10008.5.1.4.1.1.2"


def bundled(name: str) -> bytes:
    """A report of pydicom's."""
    path = get_testdata_file(name)
    assert isinstance(path, str)
    return Path(path).read_bytes()


def document(data: bytes) -> Item:
    """The data set of a small file."""
    return Item.of(read_elements(scan(BytesSource(data)).header))


def code(meaning: str, value: str = "1") -> Dataset:
    """A code sequence item."""
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = value, "99TEST", meaning
    return made


def item(value_type: str, meaning: str, relationship: str = "CONTAINS") -> Dataset:
    """A content item without its value."""
    made = Dataset()
    made.RelationshipType, made.ValueType = relationship, value_type
    made.ConceptNameCodeSequence = [code(meaning)]
    return made


def referenced(sop_uid: str, **more: object) -> Dataset:
    """An item of a Referenced SOP Sequence."""
    made = Dataset()
    made.ReferencedSOPClassUID, made.ReferencedSOPInstanceUID = CT, sop_uid
    for keyword, value in more.items():
        setattr(made, keyword, value)
    return made


def root(*children: Dataset, **attributes: object) -> Dataset:
    """A document."""
    made = identified(**attributes)
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    made.SpecificCharacterSet = "ISO_IR 192"
    made.ValueType, made.ContinuityOfContent = "CONTAINER", "SEPARATE"
    made.ConceptNameCodeSequence = [code("Report")]
    made.CompletionFlag, made.VerificationFlag = "COMPLETE", "UNVERIFIED"
    made.ContentSequence = list(children)
    return made


def _num(made: Dataset, mark: str) -> str:
    measured = Dataset()
    measured.NumericValue = mark
    measured.MeasurementUnitsCodeSequence = [code("millimeter", "mm")]
    made.MeasuredValueSequence = [measured]
    made.NumericValueQualifierCodeSequence = [code("Not a number")]
    return f"{mark} mm"


def _table(made: Dataset, mark: str) -> str:
    column, cell, whole = Dataset(), Dataset(), Dataset()
    column.TableColumnNumber, column.ConceptNameCodeSequence = 1, [code("Column")]
    cell.TableRowNumber, cell.TableColumnNumber, cell.TextValue = 1, 1, f"cell {mark}"
    whole.NumberOfTableRows = whole.NumberOfTableColumns = 1
    whole.TableColumnDefinitionSequence, whole.CellValuesSequence = [column], [cell]
    made.TabulatedValuesSequence = [whole]
    return f"cell {mark}"


def _set(keyword: str, form: str = "{}", shown: str = "{}") -> Callable[[Dataset, str], str]:
    def apply(made: Dataset, mark: str) -> str:
        setattr(made, keyword, form.format(mark))
        return shown.format(mark)

    return apply


def _reference(made: Dataset, mark: str) -> str:
    made.ReferencedSOPSequence = [referenced(f"1.9.{mark}")]
    return f"1.9.{mark}"


def _code(made: Dataset, mark: str) -> str:
    made.ConceptCodeSequence = [code(f"meaning {mark}")]
    return f"meaning {mark}"


def _graphic(*more: float) -> Callable[[Dataset, str], str]:
    def apply(made: Dataset, mark: str) -> str:
        made.GraphicType, made.GraphicData = "POINT", [float(mark), *more]
        return f"({mark}, " + ", ".join(f"{each:g}" for each in more) + ")"

    return apply


def _temporal(made: Dataset, mark: str) -> str:
    made.TemporalRangeType, made.ReferencedSamplePositions = "POINT", int(mark)
    return f"samples {mark}"


# How each value type gets a value that holds a number, and how the page shows it.
VALUES: dict[str, Callable[[Dataset, str], str]] = {
    "CONTAINER": lambda made, mark: "",
    "TEXT": _set("TextValue", "text {}\r\nnext line", "text {}\nnext line"),
    "CODE": _code,
    "NUM": _num,
    "PNAME": _set("PersonName", "NAME{}^GIVEN", "NAME{} GIVEN"),
    "DATE": _set("Date", "2{:0>3}0102", "2{:0>3}-01-02"),
    "TIME": _set("Time", "101112.{:0>6}", "10:11:12.{:0>6}"),
    "DATETIME": _set("DateTime", "2{:0>3}0102030405+0200", "2{:0>3}-01-02 03:04:05 +0200"),
    "UIDREF": _set("UID", "1.2.{}", "1.2.{}"),
    "IMAGE": _reference,
    "COMPOSITE": _reference,
    "WAVEFORM": _reference,
    "SCOORD": _graphic(2.5),
    "SCOORD3D": _graphic(2.5, -3),
    "TCOORD": _temporal,
    "TABLE": _table,
}
RELATIONSHIPS = ("CONTAINS", "HAS PROPERTIES", "HAS OBS CONTEXT", "INFERRED FROM")


@dataclass
class Tree:
    """A generated document and what each of its items must show, by position."""

    document: Dataset
    shown: dict[str, tuple[str, str]] = field(default_factory=dict)  # concept, value


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Documents up to four levels deep, in which every item has its own number."""
    numbers = count(10)
    shown: dict[str, tuple[str, str]] = {}

    def below(position: str, depth: int) -> list[Dataset]:
        made = []
        types = st.lists(st.sampled_from(sorted(VALUES)), max_size=5 if depth else 6)
        for at, value_type in enumerate(draw(types), start=1):
            here, mark = f"{position}-{at}", str(next(numbers))
            each = item(value_type, f"concept <{mark}>", draw(st.sampled_from(RELATIONSHIPS)))
            value = VALUES[value_type](each, mark)
            shown[here] = (f"concept <{mark}>", value)
            children = below(here, depth + 1) if depth < 3 else []
            if children:
                each.ContentSequence = children
            made.append(each)
        return made

    children = below("1", 0)
    return Tree(root(*children), shown)


@dataclass
class Shown:
    """One element of the page that is a content item: its own text, not that of items below."""

    place: str
    kind: str
    text: str = ""


class Page(HTMLParser):
    """The content items of a page in order, all elements and attributes, and all text."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.items: list[Shown] = []
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self._open: list[Shown | None] = []
        self.feed(html.decode("utf-8"))
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        found = dict(attrs)
        item = None
        if "data-type" in found:
            item = Shown((found["id"] or "").removeprefix("item-"), found["data-type"] or "")
            self.items.append(item)
        self._open.append(item)

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self.text += data
        inner = next((each for each in reversed(self._open) if each is not None), None)
        if inner is not None:
            inner.text += data


def items_of(data_set: Dataset, position: str = "1") -> Iterator[tuple[str, Dataset]]:
    """Every content item of a document as pydicom reads it, with its position."""
    yield position, data_set
    for at, each in enumerate(data_set.get("ContentSequence", ()), start=1):
        yield from items_of(each, f"{position}-{at}")
