"""Records are JSON lines for programs, tables and lines for people."""

from __future__ import annotations

import json

import pytest

from vna.cli.attributes import keys_of, text_of
from vna.cli.output import Output
from vna.errors import BadRequest, UnknownName
from vna.model.query import Empty, Exact, Fuzzy, Key, Range, Universal, Wildcard

ROWS: list[dict[str, object]] = [
    {"uid": "1.2", "title": "Añade", "sha256": b"\x01\xff"},
    {"uid": "1.22", "title": None},
]


def test_a_list_is_a_line_of_json_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert Output(as_json=True).table(iter(ROWS), {"uid": "UID"}) == 2
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {"uid": "1.2", "title": "Añade", "sha256": "01ff"}


def test_a_list_for_people_has_headings_and_aligned_columns(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert Output(as_json=False).table(ROWS, {"uid": "UID", "title": "title"}) == 2
    assert capsys.readouterr().out == "UID   title\n1.2   Añade\n1.22\n"


def test_an_empty_list_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert Output(as_json=False).table([], {"uid": "UID"}) == 0
    assert capsys.readouterr().out == ""


def test_a_record_for_people_is_lines_with_nested_ones_indented(
    capsys: pytest.CaptureFixture[str],
) -> None:
    record = {"a": 1, "long": True, "rows": [{"x": 1}, {"x": 2}], "one": ["y"]}
    Output(as_json=False).record(record)
    assert capsys.readouterr().out == "a:    1\nlong: yes\nrows:\n  x=1\n  x=2\none:  y\n"


def test_notes_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=False).note("next: vna serve")
    assert capsys.readouterr() == ("", "next: vna serve\n")


@pytest.mark.parametrize(
    ("word", "key"),
    [
        ("PatientID=4711", Key((0x00100020,), "LO", Exact("4711"))),
        ("00100010=GAR*", Key((0x00100010,), "PN", Wildcard("GAR*"))),
        ("StudyDate=20260101-", Key((0x00080020,), "DA", Range("20260101", None))),
        ("Modality=", Key((0x00080060,), "CS", Universal())),
        ('PatientID=""', Key((0x00100020,), "LO", Empty())),
    ],
)
def test_a_filter_means_what_it_means_in_qido(word: str, key: Key) -> None:
    assert keys_of([word], fuzzy=False) == (key,)


def test_fuzzy_concerns_names() -> None:
    (key,) = keys_of(["PatientName=munoz"], fuzzy=True)
    assert key.match == Fuzzy("munoz")


def test_a_word_that_is_no_filter_is_refused() -> None:
    with pytest.raises(BadRequest, match="PatientID=VALUE"):
        keys_of(["PatientID"], fuzzy=False)
    with pytest.raises(UnknownName, match="did you mean 'PatientID'"):
        keys_of(["PatientId=1"], fuzzy=False)


def test_values_are_read_as_people_write_them() -> None:
    attributes = {
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Muñoz^B"}]},
        "00080061": {"vr": "CS", "Value": ["CT", "SR"]},
        "00080090": {"vr": "PN"},
    }
    assert text_of(attributes, "00100010") == "Muñoz^B"
    assert text_of(attributes, "00080061") == "CT\\SR"
    assert text_of(attributes, "00080090") == ""
    assert text_of(attributes, "00080050") == ""
