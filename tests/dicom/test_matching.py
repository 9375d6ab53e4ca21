from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vna.dicom import temporal
from vna.dicom.matching import match_of
from vna.errors import InvalidValue
from vna.model.query import AnyOf, Empty, Exact, Fuzzy, Match, Range, Universal, Wildcard

TEXT = ("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT")
NUMBERS = ("DS", "FL", "FD", "IS", "SS", "US", "SL", "UL", "SV", "UV")
VRS = (*TEXT, *NUMBERS, "DA", "TM", "DT", "UI", "AS", "AT", "SQ", "OB", "UN")


@pytest.mark.parametrize(
    ("vr", "text", "match"),
    [
        ("LO", "HGU", Exact("HGU")),
        ("LO", " HGU ", Exact("HGU")),
        ("LO", "50%_x", Exact("50%_x")),
        ("LO", "H*U", Wildcard("H*U")),
        ("CS", "C?", Wildcard("C?")),
        ("CS", "CT\\MR", AnyOf(("CT", "MR"))),
        ("CS", "CT,MR", AnyOf(("CT", "MR"))),
        ("LT", "a\\b", Exact("a\\b")),
        ("PN", "Peña^*", Wildcard("Peña^*")),
        ("UI", "1.2.3", Exact("1.2.3")),
        ("UI", "1.2.3,1.2.4", AnyOf(("1.2.3", "1.2.4"))),
        ("UI", "1.2.3\\1.2.4\\1.2.3", AnyOf(("1.2.3", "1.2.4"))),
        ("IS", "007", Exact("007")),
        ("IS", "-3", Exact("-3")),
        ("DS", "1.5E2", Exact("1.5E2")),
        ("AS", "045Y", Exact("045Y")),
        ("AT", "7FE00010", Exact("7FE00010")),
        ("DA", "20240229", Exact("20240229")),
        ("DA", "2024.02.29", Exact("2024.02.29")),
        ("DA", "20240101-20240131", Range("20240101", "20240131")),
        ("DA", "-20240131", Range(None, "20240131")),
        ("DA", "20240101 - ", Range("20240101", None)),
        ("TM", "2230", Exact("2230")),
        ("TM", "10-1830", Range("10", "1830")),
        ("DT", "2024", Exact("2024")),
        ("DT", "20240101120000+0100", Exact("20240101120000+0100")),
        ("DT", "2023-2024", Range("2023", "2024")),
        ("DT", "20230101-0500-", Range("20230101-0500", None)),
        ("DT", "-20230101-0500", Range(None, "20230101-0500")),
        ("DT", "20230101-0500-20240101", Range("20230101-0500", "20240101")),
        ("DT", "20230101-20240101-0500", Range("20230101", "20240101-0500")),
        ("DT", "20230101-0500-20240101-0600", Range("20230101-0500", "20240101-0600")),
    ],
)
def test_a_key_is_read_by_its_vr(vr: str, text: str, match: Match) -> None:
    assert match_of(vr, text) == match


@pytest.mark.parametrize(
    ("vr", "text"),
    [
        ("DA", "2024"),
        ("DA", "20240230"),
        ("DA", "*"),
        ("DA", "20240101-20240102-20240103"),
        ("DA", "-"),
        ("DA", "٢٠٢٤٠١٠١"),
        ("TM", "25"),
        ("TM", "12?"),
        ("TM", "1"),
        ("DT", "20230101120000-0099"),
        ("DT", "20230101120000+1500"),
        ("DT", "202"),
        ("UI", "1.2.*"),
        ("UI", "1.2.3,"),
        ("UI", "1.2.3a"),
        ("UI", "1." * 40 + "1"),
        ("IS", "1.5"),
        ("IS", "2147483648"),
        ("IS", "*"),
        ("IS", "1-3"),
        ("US", "-1"),
        ("DS", "NaN"),
        ("DS", "1,5"),
        ("FD", "x"),
        ("AS", "45Y"),
        ("AT", "7FE0"),
        ("SQ", "x"),
        ("OB", "x"),
        ("UN", "x"),
        ("LO", "a\\b"),
        ("LO", "a\x00b"),
        ("LO", "\ud800"),
        ("LO", "x" * 1025),
        ("CS", "CT,M*"),
        ("CS", "CT,,MR"),
        ("PN", "^^"),
        ("PN", "x " * 129),
    ],
)
def test_a_key_outside_its_vr_is_refused_by_name(vr: str, text: str) -> None:
    with pytest.raises(InvalidValue, match="StudyKey is '"):
        match_of(vr, text, name="StudyKey")


@pytest.mark.parametrize("vr", VRS)
def test_an_empty_key_is_universal_and_two_quotes_mean_empty_for_every_vr(vr: str) -> None:
    assert match_of(vr, "") == match_of(vr, "  ") == Universal()
    assert match_of(vr, '""') == Empty()


@pytest.mark.parametrize("vr", TEXT)
def test_asterisks_alone_are_universal_where_wildcards_apply(vr: str) -> None:
    assert match_of(vr, "*") == match_of(vr, "**") == Universal()


def test_only_person_names_are_fuzzy() -> None:
    assert match_of("PN", "garcia ana", fuzzy=True) == Fuzzy("garcia ana")
    assert match_of("LO", "garcia ana", fuzzy=True) == Exact("garcia ana")


@given(st.sampled_from(VRS), st.text(), st.booleans())
def test_any_text_is_a_match_or_an_invalid_value(vr: str, text: str, fuzzy: bool) -> None:
    try:
        match = match_of(vr, text, fuzzy=fuzzy)
    except InvalidValue:
        return
    assert isinstance(match, Exact | AnyOf | Wildcard | Range | Fuzzy | Empty | Universal)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("2230", "223000.000000"),
        ("22", "220000.000000"),
        ("223000.0", "223000.000000"),
        ("22:30:15.5", "223015.500000"),
        ("235960", "235960.000000"),
        ("24", None),
        ("", None),
    ],
)
def test_a_time_is_compared_by_its_meaning(text: str, meaning: str | None) -> None:
    assert temporal.time(text) == meaning


def test_a_range_end_without_month_or_day_reaches_to_the_end_of_its_period() -> None:
    year, month = temporal.moment("2022", end=True), temporal.moment("202402", end=True)
    assert year == temporal.Moment("20221231235959.999999", None)
    assert month == temporal.Moment("20240229235959.999999", None)
    assert temporal.moment("2022") == temporal.moment("20220101000000")


def test_moments_with_offsets_are_equal_in_utc() -> None:
    madrid, canaries = temporal.moment("20240101003000+0100"), temporal.moment("202312312330+0000")
    assert madrid is not None
    assert canaries is not None
    assert madrid.utc == canaries.utc == "20231231233000.000000"
