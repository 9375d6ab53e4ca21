"""What stands above a report: whose it is, whether it is complete and who answers for it."""

from __future__ import annotations

from collections.abc import Iterator

from vna.dicom.item import Item
from vna.render.report.references import sop_class_name
from vna.render.report.wording import code, moment, name

Line = tuple[str, str]  # what it is, and its text


def heading(document: Item) -> list[Line]:
    """The lines that have a text."""
    return [line for line in _lines(document) if line[1]]


def _lines(document: Item) -> Iterator[Line]:
    text, first = document.text, document.first
    yield "Patient", name(text(0x00100010))
    yield "Patient ID", first(0x00100020)
    yield "Birth date", moment(first(0x00100030))
    yield "Sex", first(0x00100040)
    yield "Study", text(0x00081030)
    yield "Study date", moment(first(0x00080020), first(0x00080030))
    yield "Accession number", first(0x00080050)
    yield "Referring physician", name(text(0x00080090))
    yield "Series", text(0x0008103E)
    yield "Institution", text(0x00080080)
    yield "Manufacturer", text(0x00080070)
    yield "Document date", moment(first(0x00080023), first(0x00080033))
    yield "Completion", first(0x0040A491).lower()
    yield "", text(0x0040A492)
    yield "Preliminary", first(0x0040A496).lower()
    yield "Verification", first(0x0040A493).lower()
    for each in document.items(0x0040A073):
        yield (
            "Verified by",
            _joined(
                name(each.text(0x0040A075)), each.text(0x0040A027), moment(each.first(0x0040A030))
            ),
        )
    for each in document.items(0x0040A078):
        yield "Author", _joined(name(each.text(0x0040A123)), each.text(0x00080080))
    for each in document.items(0x0040A07A):
        yield "Participant", _joined(name(each.text(0x0040A123)), each.first(0x0040A080))
    for each in document.items(0x0040A372):
        yield "Procedure", code(each)
    for study in document.items(0x0040A360):
        for series in study.items(0x00081115):
            for each in series.items(0x00081199):
                yield (
                    "Follows",
                    _joined(sop_class_name(each.first(0x00081150)), each.first(0x00081155)),
                )


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)
