"""A report as HTML and text: every content item once, nothing else that acts."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dicom.bundled import by_pydicom
from tests.dicom.objects import to_bytes
from tests.peers.require import require
from tests.render.report.documents import (
    BUNDLED,
    RELATIONSHIPS,
    VALUES,
    Page,
    Tree,
    bundled,
    code,
    document,
    item,
    items_of,
    referenced,
    root,
    trees,
)
from vna.render.report.content import VALUE_TYPES
from vna.render.report.page import CSP, STYLE, page
from vna.render.report.plain import plain
from vna.render.report.references import Place, Reference, places

ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "header", "dl", "dt", "dd", "main"),
    *("section", "h1", "h2", "h3", "h4", "h5", "h6", "div", "span", "a", "p"),
    *("table", "tr", "th", "td"),
}
# Words of dsr2html itself.
THEIR_WORDS = set(
    re.findall(
        r"\S+",
        "Patient Study Series Completion Flag Predecessor Docs Verification Verifying Observers "
        "Content Date/Time Observation Context Footnote Annex Concept Modifier Inferred from "
        "Properties Selected Acquisition Item by-reference observed Manufacturer Referring "
        "Physician other with unknown",
    )
)


def unlinked(_: Reference) -> None:
    return None


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_every_value_type_of_the_standard_is_known_and_generated() -> None:
    assert set(VALUES) == VALUE_TYPES


@pytest.mark.parametrize("name", BUNDLED)
def test_every_content_item_of_a_bundled_report_is_shown_once(name: str) -> None:
    data = bundled(name)
    found = Page(page(document(data), unlinked))
    theirs = list(items_of(by_pydicom(data)))
    assert [each.place for each in found.items] == [position for position, _ in theirs]
    for shown, (_, expected) in zip(found.items, theirs, strict=True):
        for each in expected.get("ConceptNameCodeSequence", ()):
            assert each.CodeMeaning in shown.text
        for each in expected.get("ConceptCodeSequence", ()):
            assert f"{each.CodeMeaning} ({each.CodeValue}, " in shown.text
        if "TextValue" in expected:
            assert squeezed(expected.TextValue) in squeezed(shown.text)
        for each in expected.get("ReferencedSOPSequence", ()):
            assert each.ReferencedSOPInstanceUID in shown.text


@given(trees())
@settings(max_examples=60, deadline=None)
def test_every_content_item_of_a_generated_report_is_shown_once_with_its_value(tree: Tree) -> None:
    read = document(to_bytes(tree.document))
    found = Page(page(read, unlinked))
    assert [each.place for each in found.items] == ["1", *tree.shown]
    text = squeezed(plain(read).decode())
    for each in found.items[1:]:
        concept, value = tree.shown[each.place]
        assert each.text.count(concept) == 1
        assert value in each.text
        assert f"{concept}" in text
        assert squeezed(value) in text


@given(
    st.lists(st.text(st.characters(codec="utf-8"), max_size=40), min_size=1, max_size=4),
    st.sampled_from(sorted(VALUES)),
    st.sampled_from(RELATIONSHIPS),
)
@settings(max_examples=60, deadline=None)
def test_no_text_becomes_markup(texts: list[str], value_type: str, relationship: str) -> None:
    hostile = [
        *texts,
        "<script>alert(1)</script>",
        "\"'><img src=x onerror=alert(1)>",
        "</style></title></main>&lt;b&gt;",
        "javascript:alert(1)",
    ]
    made = root(PatientName=hostile[-2][:60], StudyDescription="</dd><script>"[:60])
    for each in hostile:
        text = item("TEXT", each.replace("\\", "/")[:60], relationship)
        text.TextValue = each
        made.ContentSequence.append(text)
    odd = item(value_type, "odd")
    odd.ValueType = "ODD"
    odd.TextValue = hostile[0]
    made.ContentSequence.append(odd)
    found = Page(page(document(to_bytes(made)), unlinked))
    assert set(found.elements) <= ELEMENTS
    assert not [name for name, _ in found.attributes if name.startswith("on")]
    assert "<script>alert(1)</script>" in found.text
    assert len(found.items) == len(hostile) + 2


def test_all_value_types_together() -> None:
    children = []
    for at, (value_type, give) in enumerate(sorted(VALUES.items()), start=10):
        each = item(value_type, f"a {value_type}")
        give(each, str(at))
        children.append(each)
    found = Page(page(document(to_bytes(root(*children))), unlinked))
    assert [each.kind for each in found.items[1:]] == sorted(VALUES)
    number = next(each for each in found.items if each.kind == "NUM")
    assert "millimeter" in number.text
    assert "Not a number" in number.text
    assert not [each for each in found.items if "no value" in each.text]


def test_a_value_that_is_absent_is_said_to_be() -> None:
    found = Page(page(document(to_bytes(root(item("TEXT", "Finding")))), unlinked))
    assert "(no value)" in found.items[1].text


def test_a_relationship_by_reference_is_a_link_to_the_item_it_means() -> None:
    finding = item("TEXT", "Finding")
    finding.TextValue = "seen"
    pointer = item("", "", "INFERRED FROM")
    del pointer.ValueType, pointer.ConceptNameCodeSequence
    pointer.ReferencedContentItemIdentifier = [1, 1]
    finding.ContentSequence = [pointer]
    found = Page(page(document(to_bytes(root(finding))), unlinked))
    assert found.items[2].kind == "by-reference"
    assert "inferred from" in found.items[2].text
    assert ("href", "#item-1-1") in found.attributes
    assert ("id", "item-1-1") in found.attributes


def test_references_become_links_where_they_can_be_shown() -> None:
    image = item("IMAGE", "Key image")
    state = referenced("1.2.8")
    image.ReferencedSOPSequence = [
        referenced("1.2.7", ReferencedFrameNumber=[3, 4], ReferencedSOPSequence=[state])
    ]
    html = page(
        document(to_bytes(root(image))),
        lambda each: f"/r?x=1&f={each.frames[0]}" if each.frames else None,
    )
    found = Page(html)
    assert [value for name, value in found.attributes if name == "href"] == ["/r?x=1&f=3"]
    assert "frames 3, 4" in found.items[1].text
    assert "1.2.8" in found.items[1].text


def test_the_evidence_says_where_references_are() -> None:
    made = root()
    study, series = code("unused"), code("unused")
    del study[0x00080100], series[0x00080100]
    series.SeriesInstanceUID, series.ReferencedSOPSequence = "1.5", [referenced("1.6")]
    study.StudyInstanceUID, study.ReferencedSeriesSequence = "1.4", [series]
    made.CurrentRequestedProcedureEvidenceSequence = [study]
    assert places(document(to_bytes(made))) == {"1.6": Place("1.4", "1.5")}


def test_the_only_style_is_the_one_the_policy_allows() -> None:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in CSP
    assert "default-src 'none'" in CSP
    assert "sandbox" in CSP
    assert f"<style>{STYLE}</style>" in page(document(to_bytes(root())), unlinked).decode()


def test_text_of_another_character_set_is_utf_8_on_the_page() -> None:
    made = root(PatientName="Люкceмбypг")
    made.SpecificCharacterSet = "ISO_IR 144"
    finding = item("TEXT", "Вывод")
    finding.TextValue = "Норма"
    made.ContentSequence = [finding]
    read = document(to_bytes(made))
    for html in (page(read, unlinked), plain(read)):
        for text in ("Люкceмбypг", "Вывод", "Норма"):
            assert text in html.decode()


def test_a_key_object_selection_is_a_report_of_images() -> None:
    image = item("IMAGE", "x")
    del image.ConceptNameCodeSequence
    image.ReferencedSOPSequence = [referenced("1.2.7")]
    made = root(image)
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.59"
    made.ConceptNameCodeSequence = [code("Of Interest", "113000")]
    found = Page(page(document(to_bytes(made)), unlinked))
    assert "Of Interest" in found.items[0].text
    assert "CT Image, 1.2.7" in found.items[1].text


@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize("name", BUNDLED)
def test_dsr2html_finds_no_word_that_the_page_has_not(name: str, tmp_path: Path) -> None:
    require(None if shutil.which("dsr2html") else "apt-get install dcmtk")
    file = tmp_path / "report.dcm"
    file.write_bytes(bundled(name))
    made = subprocess.run(
        ["dsr2html", "-Ee", "-Er", "-Ec", "+U8", file], capture_output=True, check=True
    ).stdout
    body = re.sub(r"(?s)<head>.*?</head>|<div class=\"footnote\">.*", "", made.decode())
    theirs = unescape(re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<br>", "\n", body)))
    ours = Page(page(document(bundled(name)), unlinked)).text
    words = {word.strip('(),:[]=-#"') for word in theirs.split()}
    missing = {
        word for word in words - THEIR_WORDS
        if word and word not in ours and word.lower() not in ours.lower()
        and not re.fullmatch(r"\d{1,2}|\w+Storage", word)
    }  # fmt: skip
    assert not missing
