"""What a search finds, returns and refuses, case by case; generated queries: test_search_oracle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from tests.index import corpus
from tests.index.corpus import Attributes, Instance, Patient, Series, Study, attribute
from tests.index.fill import fill
from vna.dicom.dictionary import parse_path, vr_of
from vna.dicom.matching import match_of
from vna.errors import InvalidValue, KeyNotIndexed
from vna.index.engine import Index
from vna.index.search import find
from vna.model.answer import Page
from vna.model.caller import Caller, Right
from vna.model.query import Cursor, Exact, Key, Level, Query

EVERYBODY = Caller("test", "here", None, frozenset(Right))


def key(path: str, text: str, *, fuzzy: bool = False) -> Key:
    tags = parse_path(path)
    return Key(tags, vr_of(tags[-1]), match_of(vr_of(tags[-1]), text, fuzzy=fuzzy))


def ask(index: Index, query: Query, caller: Caller = EVERYBODY, **limits: int) -> Page:
    with index.reading() as session:
        return find(session, query, caller, **limits)


def study(number: int, patient: Patient | None = None, /, **values: Any) -> Study:
    """A study with one series of one instance; `values` by keyword."""
    uid = f"1.2.{number}"
    said: Attributes = {"0020000D": attribute("UI", uid), **attributes(values)}
    series = Series(f"{uid}.1", {"0020000E": attribute("UI", f"{uid}.1")}, False)
    sop_uid = f"{uid}.1.1"
    series.instances.append(Instance(sop_uid, {"00080018": attribute("UI", sop_uid)}, False))
    return Study(uid, said, False, 1, patient or Patient(number, {}), [series])


def attributes(values: dict[str, Any]) -> Attributes:
    found: Attributes = {}
    for keyword, value in values.items():
        (tag,) = parse_path(keyword)
        vr = vr_of(tag)
        if vr == "PN":
            found[f"{tag:08X}"] = corpus.name(value)
        else:
            found[f"{tag:08X}"] = attribute(vr, *(value if isinstance(value, list) else [value]))
    return dict(sorted(found.items()))


def found(index: Index, *keys: Key, level: Level = Level.STUDY, **options: Any) -> list[str]:
    page = ask(index, Query(level, keys, **options))
    return [row.sop_uid or row.series_uid or row.study_uid for row in page.rows]


def test_wildcards_stand_for_themselves_alone(index: Index) -> None:
    said = ("50%", "50%_X", "50A", "tc", "TC", "Ñandú", "A*B")
    fill(index, [study(at, StudyDescription=value) for at, value in enumerate(said, 1)])
    for text, numbers in {
        "50%": [1],
        "50%*": [1, 2],
        "50?": [1, 3],
        "*_*": [2],
        "5*%": [1],
        "tc*": [4],
        "T?": [5],
        "Ñ*": [6],
        "**_**": [2],
        "?????": [2, 6],
    }.items():
        uids = found(index, key("StudyDescription", text))
        assert sorted(uids) == [f"1.2.{number}" for number in numbers], text


NAMES = (
    ("Muñoz^José", "MUNOZ^JOSE", False),
    ("MUNOZ^PEPE", "muñoz^p*", False),
    ("García^Mª Luisa", "garcia^maría*", False),
    ("Gala^Maria", "gala^mª", False),
    ("Sanz", "Sanz^*", False),
    ("Soria^^", "SORIA", False),
    ("Yamada^Tarou=山田^太郎=やまだ^たろう", "山*", False),
    ("Sato^Tarou=佐藤^太郎=さとう^たろう", "Sato^Tarou=佐藤^太郎", False),
    ("Díez Pérez^Ana", "ana per", True),
    ("Gil^Mª Rosa", "ros gi", True),
    ("Abe^Tarou=安倍^太郎", "太郎 ab", True),
    ("Lugo^Ana", "lug*", True),
)


def test_names_are_found_without_case_accents_and_abbreviations(index: Index) -> None:
    patients = [
        Patient(number, attributes({"PatientName": name}))
        for number, (name, _, _) in enumerate(NAMES, 1)
    ]
    fill(index, [*(study(each.identifier, each) for each in patients), study(99)])
    for number, (_, text, fuzzy) in enumerate(NAMES, 1):
        uids = found(index, key("PatientName", text, fuzzy=fuzzy))
        assert uids == [f"1.2.{number}"], text


def test_one_id_under_two_issuers_is_told_apart_by_the_issuer(index: Index) -> None:
    patients = [
        Patient(number, attributes({"PatientID": "H1", "IssuerOfPatientID": issuer}))
        for number, issuer in ((1, "SACYL"), (2, "OSAKIDETZA"))
    ]
    fill(index, [study(each.identifier, each) for each in patients])
    assert found(index, key("PatientID", "H1")) == ["1.2.2", "1.2.1"]
    issuer = key("IssuerOfPatientID", "SACYL")
    assert found(index, key("PatientID", "H1"), issuer) == ["1.2.1"]


def test_a_merged_patient_is_found_and_shown_under_the_new_name_only(index: Index) -> None:
    old = attributes({"PatientID": "OLD", "PatientName": "Vieja^Ana", "PatientComments": "x"})
    new = attributes({"PatientID": "NEW", "PatientName": "Nueva^Ana"})
    fill(index, [study(1, Patient(1, old, shown=new)), study(2, Patient(2, new))])
    assert found(index, key("PatientID", "OLD")) == []
    assert found(index, key("PatientID", "NEW")) == ["1.2.2", "1.2.1"]
    assert found(index, key("PatientID", "NEW"), key("PatientName", "vieja*")) == []
    page = ask(index, Query(Level.STUDY, (key("StudyInstanceUID", "1.2.1"),), include="all"))
    row = page.rows[0].attributes
    assert row["00100020"]["Value"] == ["NEW"]
    assert row["00100010"]["Value"] == [{"Alphabetic": "Nueva^Ana"}]
    assert row["00104000"]["Value"] == ["x"]


def test_a_range_of_dates_and_of_times_is_one_interval(index: Index) -> None:
    moments = (
        ("20240705", "095959"),
        ("20240705", "100000"),
        ("20240706", "230000"),
        ("20240706", ""),
        ("20240707", "180000.1"),
    )
    studies = [study(at, StudyDate=day, StudyTime=clock) for at, (day, clock) in enumerate(moments)]
    fill(index, studies)
    for days, hours, combined, numbers in (
        ("20240705-20240707", "1000-1800", True, [1, 2, 3]),
        ("20240705-20240707", "1000-1800", False, [1]),
        ("20240705-", "1000-", True, [1, 2, 3, 4]),
        ("-20240706", "-1200", True, [0, 1]),
        ("20240705-", "1000-1800", True, [1]),  # no day for the end of the interval to fall on
        ("20240706", "1000-1800", True, []),
    ):
        asked = key("StudyDate", days), key("StudyTime", hours)
        uids = found(index, *asked, combined_datetime=combined)
        assert sorted(uids) == [f"1.2.{number}" for number in numbers], (days, hours)


def test_keys_of_one_sequence_match_within_one_item(index: Index) -> None:
    items = {
        1: [("S1", "P1"), ("S2", "P2")],
        2: [("S1", "P2")],
        3: [],
    }
    studies = [study(number) for number in items]
    for each, pairs in zip(studies, items.values(), strict=True):
        values = [
            {"00400009": attribute("SH", step), "00401001": attribute("SH", procedure)}
            for step, procedure in pairs
        ]
        each.series[0].attributes["00400275"] = attribute("SQ", *values)
    fill(index, studies)
    step, procedure = "RequestAttributesSequence.00400009", "00400275.RequestedProcedureID"
    both = (key(step, "S1"), key(procedure, "P2"))
    assert found(index, *both, level=Level.SERIES) == ["1.2.2.1"]
    assert found(index, key(step, "S2"), level=Level.SERIES) == ["1.2.1.1"]
    assert found(index, key(step, '""'), level=Level.SERIES) == ["1.2.3.1"]
    row = ask(index, Query(Level.SERIES, (key(step, "S2"),))).rows[0].attributes
    assert [item["00401001"]["Value"] for item in row["00400275"]["Value"]] == [["P2"]]


def test_a_key_below_the_level_is_refused(index: Index) -> None:
    for level, keyword in ((Level.STUDY, "Modality"), (Level.SERIES, "SOPInstanceUID")):
        with pytest.raises(InvalidValue, match=keyword):
            ask(index, Query(level, (key(keyword, ""),)))
    with pytest.raises(InvalidValue, match="Rows"):
        ask(index, Query(Level.STUDY, (key("Rows", "512"),)))


def test_a_key_without_an_index_is_honoured_beside_one_that_narrows_or_refused(
    index: Index,
) -> None:
    fill(index, [study(at, PatientAge="045Y", StudyDate=f"2024070{at}") for at in range(1, 6)])
    age = key("PatientAge", "045Y")
    narrow = Query(Level.STUDY, (age, key("StudyDate", "20240702-20240704")))
    assert len(ask(index, narrow, candidates=3).rows) == 3
    with pytest.raises(KeyNotIndexed, match="PatientAge"):
        ask(index, Query(Level.STUDY, (age,)), candidates=4)


def test_a_uid_that_cannot_be_one_names_nothing(index: Index) -> None:
    for uid in ("1.2\0", "\ud800", "../etc"):
        for path in ((0x0020000D,), (0x0020000E,), (0x00080018,)):
            query = Query(Level.INSTANCE, (Key(path, "UI", Exact(uid)),))
            assert ask(index, query).rows == []


def test_without_any_organisation_nothing_is_seen(index: Index) -> None:
    fill(index, [study(1)])
    nobody = Caller("test", "here", frozenset(), frozenset(Right))
    assert ask(index, Query(Level.STUDY), nobody).rows == []


# ── what rows carry ──────────────────────────────────────────────────────────────────────────────


def rich() -> Study:
    patient = Patient(
        1, attributes({"PatientID": "H1", "PatientName": "Muñoz^Ana", "PatientComments": "x"})
    )
    made = study(
        1, patient, StudyDate="20240705", StudyDescription="TC", AccessionNumber="A1",
        PatientAge="045Y",
    )  # fmt: skip
    made.series[0].attributes |= attributes({"Modality": "CT", "BodyPartExamined": "HEAD"})
    more = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2", "Rows": 512, "InstanceNumber": "7"}
    made.series[0].instances[0].attributes |= attributes(more)
    return made


STUDY = (
    *("00080020", "00080030", "00080050", "00080056", "00080061", "00080090", "00100010"),
    *("00100020", "00100030", "00100040", "0020000D", "00200010", "00201206", "00201208"),
)
SERIES = ("00080060", "0020000E", "00200011", "00201209")
INSTANCE = ("00080016", "00080018", "00080056", "00200013", "00280010")


def test_a_row_carries_the_required_attributes_of_its_levels_in_ascending_order(
    index: Index,
) -> None:
    fill(index, [rich()])
    cases: tuple[tuple[Level, set[Level] | None, Sequence[str]], ...] = (
        (Level.STUDY, None, STUDY),
        (Level.SERIES, None, STUDY + SERIES),
        (Level.SERIES, {Level.SERIES}, SERIES),
        (Level.INSTANCE, None, STUDY + SERIES + INSTANCE),
        (Level.INSTANCE, {Level.SERIES, Level.INSTANCE}, SERIES + INSTANCE),
        (Level.INSTANCE, {Level.INSTANCE}, INSTANCE),
        (Level.STUDY, set(), ()),
    )
    for level, levels, tags in cases:
        carried = None if levels is None else frozenset(levels)
        row = ask(index, Query(level, levels=carried)).rows[0]
        assert list(row.attributes) == sorted(set(tags))


def test_values_come_from_every_level_and_what_is_absent_is_empty(index: Index) -> None:
    fill(index, [rich()])
    row = ask(index, Query(Level.INSTANCE)).rows[0].attributes
    assert row["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "Muñoz^Ana"}]}
    assert row["00080061"] == {"vr": "CS", "Value": ["CT"]}
    assert row["00201208"] == {"vr": "IS", "Value": [1]}
    assert row["00200013"] == {"vr": "IS", "Value": ["7"]}
    assert row["00080030"] == {"vr": "TM"}


def test_keys_and_included_attributes_are_returned_and_lower_ones_are_not(index: Index) -> None:
    fill(index, [rich()])
    query = Query(
        Level.STUDY,
        (key("StudyDescription", ""), key("StudyID", '""')),
        include=(parse_path("PatientAge"), parse_path("BodyPartExamined")),
    )
    row = ask(index, query).rows[0].attributes
    assert row["00081030"]["Value"] == ["TC"]
    assert row["00101010"]["Value"] == ["045Y"]
    assert row["00200010"] == {"vr": "SH"}
    assert "00180015" not in row


def test_all_that_is_stored_of_the_levels_can_be_included(index: Index) -> None:
    fill(index, [rich()])
    study_row = ask(index, Query(Level.STUDY, include="all")).rows[0].attributes
    assert set(STUDY) | {"00081030", "00101010", "00104000"} == set(study_row)
    own = frozenset((Level.SERIES,))
    series_row = ask(index, Query(Level.SERIES, include="all", levels=own)).rows[0].attributes
    assert set(SERIES) | {"00180015"} == set(series_row)


def test_sop_classes_and_the_like_are_given_when_asked_for(index: Index) -> None:
    fill(index, [rich()])
    row = ask(index, Query(Level.STUDY, include=(parse_path("SOPClassesInStudy"),))).rows[0]
    assert row.attributes["00080062"]["Value"] == ["1.2.840.10008.5.1.4.1.1.2"]


def test_the_retrieve_url_has_its_place_in_the_json(index: Index) -> None:
    fill(index, [rich()])
    row = ask(index, Query(Level.STUDY)).rows[0]
    body = orjson.loads(row.json("http://here/studies/1.2.1"))
    assert list(body) == sorted(body)
    assert body["00081190"] == {"vr": "UR", "Value": ["http://here/studies/1.2.1"]}
    assert (row.study_uid, row.series_uid, row.sop_uid) == ("1.2.1", "", "")


# ── pages ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("keys", [(), (key("PatientAge", '""'),)])
def test_pages_by_cursor_and_by_offset_are_the_whole_answer_in_order(
    index: Index, keys: tuple[Key, ...]
) -> None:
    fill(index, corpus.made(7, 25))
    for level in (Level.STUDY, Level.SERIES, Level.INSTANCE):
        _pages_are_the_whole_answer(index, level, keys)


def _pages_are_the_whole_answer(index: Index, level: Level, keys: tuple[Key, ...]) -> None:
    whole = ask(index, Query(level, keys))
    assert whole.remaining is None
    uids = [(row.study_uid, row.series_uid, row.sop_uid) for row in whole.rows]
    assert len(set(uids)) == len(uids) > 5
    by_offset, by_cursor = [], []
    cursor: Cursor | None = None
    for start in range(0, len(uids), 3):
        page = ask(index, Query(level, keys, limit=3, offset=start))
        by_offset += [(row.study_uid, row.series_uid, row.sop_uid) for row in page.rows]
        page = ask(index, Query(level, keys, limit=3, after=cursor))
        by_cursor += [(row.study_uid, row.series_uid, row.sop_uid) for row in page.rows]
        left = len(uids) - start - len(page.rows)
        assert (page.remaining or 0) == left
        cursor = page.cursor
    assert by_offset == by_cursor == uids


@pytest.mark.parametrize("keys", [(), (key("PatientAge", '""'),)])
def test_what_remains_is_counted_up_to_a_cap_and_only_on_overflow(
    index: Index, keys: tuple[Key, ...]
) -> None:
    fill(index, [study(number) for number in range(1, 9)])
    page = ask(index, Query(Level.STUDY, keys, limit=2), countable=6)
    assert (page.remaining, page.remaining_capped) == (6, True)
    page = ask(index, Query(Level.STUDY, keys, limit=2), countable=7)
    assert (page.remaining, page.remaining_capped) == (6, False)
    page = ask(index, Query(Level.STUDY, keys, limit=8), countable=7)
    assert (page.remaining, page.remaining_capped) == (None, False)
    page = ask(index, Query(Level.STUDY, keys, limit=0, offset=3))
    assert (page.rows, page.remaining, page.cursor) == ([], 5, None)
    assert ask(index, Query(Level.STUDY, keys, limit=2, offset=9)).rows == []


def test_a_cursor_of_another_level_is_refused(index: Index) -> None:
    with pytest.raises(InvalidValue, match="cursor"):
        ask(index, Query(Level.SERIES, after=Cursor(("20240701", "", "1.2"))))


def test_a_limited_caller_sees_the_archive_as_if_the_rest_were_not_there(
    sqlite_url: str, postgresql_url: str
) -> None:
    studies = corpus.made(11, 30)
    of_one = [each for each in studies if each.organisation == 2]
    whole, part = Index.open(sqlite_url), Index.open(postgresql_url)
    limited = Caller("test", "here", frozenset({fill(whole, studies)[2]}), frozenset(Right))
    fill(part, of_one)
    for level in (Level.STUDY, Level.SERIES, Level.INSTANCE):
        query = Query(level, include="all", limit=20)
        seen, alone = ask(whole, query, limited), ask(part, query)
        assert len(seen.rows) > 5
        assert seen == alone
    whole.close()
    part.close()
