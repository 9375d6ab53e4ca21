"""A QIDO-RS request becomes a query, or a 400 that says which name or value is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dicomweb.question import NO_MULTIPLE_VALUES, instances, question_of, series, studies
from tests.http.requests import get
from vna.errors import InvalidValue, UnknownName
from vna.model.query import (
    Empty,
    Exact,
    Fuzzy,
    Key,
    Level,
    Match,
    Query,
    Range,
    Universal,
    Wildcard,
)


def ask(query: str, template: Query | None = None, **parameters: str) -> Query:
    """The query of a request."""
    request = replace(get(query), parameters=parameters)
    return question_of(request, template or studies(), max_results=1000).query


@pytest.mark.parametrize(
    ("query", "path", "vr", "match"),
    [
        ("PatientID=P1", (0x00100020,), "LO", Exact("P1")),
        ("00100020=P1", (0x00100020,), "LO", Exact("P1")),
        ("PatientName=*verdi*", (0x00100010,), "PN", Wildcard("*verdi*")),
        ("PatientName=ver&fuzzymatching=true", (0x00100010,), "PN", Fuzzy("ver")),
        ("StudyDate=20240101-20241231", (0x00080020,), "DA", Range("20240101", "20241231")),
        ("StudyDate=20240101-", (0x00080020,), "DA", Range("20240101", None)),
        ("AccessionNumber=", (0x00080050,), "SH", Universal()),
        ("AccessionNumber=%22%22&emptyvaluematching=true", (0x00080050,), "SH", Empty()),
        (
            "OtherPatientIDsSequence.00100020=X",
            (0x00101002, 0x00100020),
            "LO",
            Exact("X"),
        ),
        (
            "00400275.RequestedProcedureID=X",
            (0x00400275, 0x00401001),
            "SH",
            Exact("X"),
        ),
    ],
)
def test_keywords_tags_and_paths_name_keys(
    query: str, path: tuple[int, ...], vr: str, match: Match
) -> None:
    assert ask(query).keys == (Key(path, vr, match),)


@pytest.mark.parametrize(
    "query",
    [
        "includefield=00081030%2C00080060",
        "includefield=StudyDescription,Modality",
        "includefield=StudyDescription&includefield=00080060&includefield=Modality",
    ],
)
def test_includefield_takes_lists_and_repetition(query: str) -> None:
    assert ask(query).include == ((0x00081030,), (0x00080060,))


def test_everything_can_be_included_but_not_everything_and_more() -> None:
    assert ask("includefield=all").include == "all"
    with pytest.raises(InvalidValue, match="includefield"):
        ask("includefield=all,Modality")


@pytest.mark.parametrize(
    ("query", "nearest"),
    [
        ("PatientNam=x", "PatientName"),
        ("patientname=x", "PatientName"),
        ("includefield=StudyDescripton", "StudyDescription"),
        ("limt=3", "limit"),
        ("fuzzymatch=true", "fuzzymatching"),
        ("OtherPatientIDsSequence.PatientId=x", "PatientID"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(query: str, nearest: str) -> None:
    with pytest.raises(UnknownName) as raised:
        ask(query)

    assert raised.value.nearest == nearest


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("PatientID=a&PatientID=b", "PatientID"),
        ("PatientID=a&00100020=b", "00100020"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("limit=1&limit=2", "limit"),
        ("offset=1.5", "offset"),
        ("offset=99999999999999999999", "offset"),
        ("fuzzymatching=yes", "fuzzymatching"),
        ("StudyDate=2024-01-01", "StudyDate"),
        ("StudyInstanceUID=x", "StudyInstanceUID"),
    ],
)
def test_a_wrong_value_is_refused_by_name(query: str, name: str) -> None:
    with pytest.raises(InvalidValue) as raised:
        ask(query)

    assert raised.value.name == name


def test_a_page_is_at_most_what_the_server_gives() -> None:
    assert ask("").limit == 1000
    assert ask("limit=5000").limit == 1000
    assert (ask("limit=10&offset=20").limit, ask("limit=10&offset=20").offset) == (10, 20)
    assert ask("limit=0").limit == 0


def test_the_path_names_keys_that_cannot_be_repeated() -> None:
    found = ask("Modality=CT", series(of_study=True), study="1.2")

    assert found.keys[0] == Key((0x0020000D,), "UI", Exact("1.2"))
    with pytest.raises(InvalidValue, match="StudyInstanceUID"):
        ask("StudyInstanceUID=1.3", series(of_study=True), study="1.2")


def test_rows_tell_of_what_is_above_the_resource() -> None:
    """Table 10.6.1-5: IE levels of each resource."""
    study, of_series, instance = Level.STUDY, Level.SERIES, Level.INSTANCE

    assert studies().levels == frozenset({study})
    assert series(of_study=False).levels == frozenset({study, of_series})
    assert series(of_study=True).levels == frozenset({of_series})
    assert instances(of=None).levels == frozenset({study, of_series, instance})
    assert instances(of=study).levels == frozenset({of_series, instance})
    assert instances(of=of_series).levels == frozenset({instance})


def test_what_is_not_supported_is_said() -> None:
    asked = question_of(get("multiplevaluematching=true"), studies(), max_results=1)
    unasked = question_of(get("multiplevaluematching=false"), studies(), max_results=1)

    assert asked.warnings == (NO_MULTIPLE_VALUES,)
    assert unasked.warnings == ()


def test_configured_names_are_ignored_with_a_warning() -> None:
    found = question_of(get("_=17"), studies(), max_results=1, ignored=("_",))

    assert found.query.keys == ()
    assert found.warnings == ("The _ parameter is not supported and has been ignored.",)
