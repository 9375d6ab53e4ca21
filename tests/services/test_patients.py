"""A merge is seen by everyone, rewrites nothing, and can be taken back to the last row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.dicom.objects import written
from tests.services.desk import PIXELS, Desk, image
from tests.services.house import CALLER, House
from tests.size import size
from vna.errors import Conflict, Forbidden, InvalidValue, NotFound, UnknownName
from vna.index import feed
from vna.model.archive import Disposition, IdentifierKind
from vna.model.caller import Right
from vna.model.patient import PatientIdentifier, parse_identifier
from vna.objects import RecordType

A, B, C = (PatientIdentifier("", value) for value in ("PA", "PB", "PC"))
ROWS = ("item", "study", "series", "instance", "instance_version", "object", "overlay")


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    """Three patients with a study each; a second one of PA."""
    made = Desk(house)
    house.send(
        image("1.2.1.1.1", "PA", "GARCÍA^ANA", PatientSex="F", PatientBirthDate="19700101"),
        image("1.2.1.1.2", "PA", "GARCIA^ANA", PatientSex="F"),
        image("1.2.2.1.1", "PB", "GARCÍA LÓPEZ^ANA", PatientBirthDate="19700102"),
        image("1.2.3.1.1", "PC", "LOPEZ^ANA"),
        image("1.2.4.1.1", "PA", "GARCÍA^ANA"),
    )
    yield made
    made.close()


def rows(desk: Desk) -> dict[str, list[dict[str, Any]]]:
    return {table: desk.house.rows(table) for table in ROWS}


def shown(desk: Desk) -> list[tuple[Any, ...]]:
    """What says what is shown: for each identifier its patient, and the demographics."""
    links = desk.house.rows("patient_link")
    return sorted(
        (row["identifier_fk"], row["patient_fk"], row["shown_fk"] or 0)
        for row in links
        if not row["until"]
    )


def test_a_merge_is_shown_by_search_metadata_and_retrieval(desk: Desk) -> None:
    desk.patients.merge(CALLER, A, B, "duplicate")
    assert sorted(desk.studies(PatientID="PB")) == ["1.2.1", "1.2.2", "1.2.4"]
    assert desk.studies(PatientID="PA") == []
    assert sorted(desk.studies(PatientName="garcia lopez^ana")) == ["1.2.1", "1.2.2", "1.2.4"]
    for attributes in desk.json("1.2.1"):
        assert attributes["00100020"]["Value"] == ["PB"]
        assert attributes["00100010"]["Value"] == [{"Alphabetic": "GARCÍA LÓPEZ^ANA"}]
        assert attributes["00100030"]["Value"] == ["19700102"]
        assert "00100040" not in attributes, "the target says nothing of the sex"
    for file in desk.files("1.2.1"):
        assert (file.PatientID, file.PatientName) == ("PB", "GARCÍA LÓPEZ^ANA")
        assert file.OriginalAttributesSequence[0].ModifiedAttributesSequence[0].PatientID == "PA"
    assert {file.PatientID for file in desk.files("1.2.1", original=True)} == {"PA"}


def test_unmerging_shows_what_was_shown_before(desk: Desk) -> None:
    before = shown(desk), desk.json("1.2.1"), desk.bytes_of("1.2.1", original=False)
    operation = desk.patients.merge(CALLER, A, B, "duplicate")
    desk.patients.unmerge(CALLER, operation, "they are two")
    assert before == (shown(desk), desk.json("1.2.1"), desk.bytes_of("1.2.1", original=False))
    desk.patients.merge(CALLER, A, B, "duplicate")
    desk.patients.unmerge(CALLER, A, "they are two")
    assert before == (shown(desk), desk.json("1.2.1"), desk.bytes_of("1.2.1", original=False))


def test_a_chain_is_taken_apart_in_any_order(desk: Desk) -> None:
    before = shown(desk)
    first = desk.patients.merge(CALLER, A, B, "r")
    desk.patients.merge(CALLER, B, C, "r")
    assert len(desk.studies(PatientID="PC")) == 4
    record = desk.patients.find(CALLER, A)
    assert set(record.identifiers) == {A, B, C}
    assert record.studies == 4
    assert record.shown["00100020"]["Value"] == ["PC"]
    desk.patients.unmerge(CALLER, first, "r")
    assert sorted(desk.studies(PatientID="PA")) == ["1.2.1", "1.2.4"]
    assert sorted(desk.studies(PatientID="PC")) == ["1.2.2", "1.2.3"]
    desk.patients.unmerge(CALLER, B, "r")
    assert shown(desk) == before


def test_a_patient_is_corrected_and_the_correction_withdrawn(desk: Desk) -> None:
    before = shown(desk)
    operation = desk.patients.correct(
        CALLER, A, {"PatientName": "GARCÍA^ANA MARÍA", "PatientSex": None}, "typing error"
    )
    assert sorted(desk.studies(PatientName="GARCIA^ANA MARIA")) == ["1.2.1", "1.2.4"]
    (one, two) = desk.files("1.2.1")
    assert one.PatientName == two.PatientName == "GARCÍA^ANA MARÍA"
    assert "PatientSex" not in one
    (listed,) = desk.patients.find(CALLER, A).operations
    assert (listed.kind, listed.values["PatientSex"]) == ("correction", None)
    desk.patients.withdraw(CALLER, operation, "it was right")
    assert shown(desk) == before


def test_what_cannot_be_is_refused_before_anything_is_recorded(desk: Desk) -> None:
    nobody = PatientIdentifier("", "nobody")
    with pytest.raises(Conflict):
        desk.patients.merge(CALLER, A, A, "r")
    for source, target in ((A, nobody), (nobody, A)):
        with pytest.raises(NotFound):
            desk.patients.merge(CALLER, source, target, "r")
    with pytest.raises(Conflict):
        desk.patients.unmerge(CALLER, A, "r")
    with pytest.raises(NotFound):
        desk.patients.unmerge(CALLER, "01HF000000000000000000000A", "r")
    with pytest.raises(UnknownName):
        desk.patients.correct(CALLER, A, {"PatientNam": "X"}, "r")
    with pytest.raises(InvalidValue):
        desk.patients.correct(CALLER, A, {"PatientBirthDate": "1970"}, "r")
    assert desk.events() == []
    desk.patients.merge(CALLER, A, B, "r")
    for source, target in ((A, B), (A, C), (B, A)):
        with pytest.raises(Conflict):
            desk.patients.merge(CALLER, source, target, "r")
    with pytest.raises(Conflict):
        desk.patients.correct(CALLER, A, {"PatientSex": "F"}, "r")
    assert [event["kind"] for event in desk.events()][:1] == ["patient-merge"]


def test_rights_and_organisations_are_respected(desk: Desk) -> None:
    reader = replace(CALLER, rights=frozenset({Right.READ}))
    other = replace(CALLER, organisations=frozenset({999}))
    operation = desk.patients.merge(CALLER, A, B, "r")
    with pytest.raises(Forbidden):
        desk.patients.merge(reader, A, C, "r")
    for call in (
        lambda: desk.patients.find(other, A),
        lambda: desk.patients.merge(other, B, C, "r"),
        lambda: desk.patients.unmerge(other, operation, "r"),
        lambda: desk.patients.correct(other, B, {"PatientSex": "F"}, "r"),
    ):
        with pytest.raises(NotFound):
            call()


def test_a_merge_is_an_event_an_audit_row_and_a_change_of_each_study(desk: Desk) -> None:
    operation = desk.patients.merge(CALLER, A, B, "duplicate")
    (event,) = desk.events()
    assert (event["kind"], event["operation"]) == ("patient-merge", operation)
    assert event["data"]["source"] == {"kind": "patient", "authority": "", "value": "PA"}
    assert event["data"]["shown"]["00100020"]["Value"] == ["PB"]
    assert not any("_fk" in key for key in event["data"])
    audited = desk.house.rows("audit")[-1]
    assert (audited["action"], audited["target"]) == ("patient-merge", "")
    with desk.house.index.reading() as session:
        changes = feed.read(session, CALLER, after=0, limit=1000)
    told = [each.study_uid for each in changes if each.kind == "patient changed"]
    assert told == ["1.2.1", "1.2.2", "1.2.4"]


def test_an_identifier_without_its_authority_is_found_if_there_is_only_one(house: House) -> None:
    desk = Desk(house)
    house.send(
        image("1.2.1.1.1", "77", IssuerOfPatientID="HRU"),
        image("1.2.2.1.1", "77", IssuerOfPatientID="HOSPITAL NORTE"),
        image("1.2.3.1.1", "78", IssuerOfPatientID="HRU"),
        image("1.2.4.1.1", ""),
    )
    assert desk.patients.find(CALLER, parse_identifier("78")).identifiers == (
        PatientIdentifier("HRU", "78"),
    )
    assert desk.patients.find(CALLER, parse_identifier("HOSPITAL NORTE|77")).studies == 1
    with pytest.raises(Conflict, match="HOSPITAL NORTE, HRU"):
        desk.patients.find(CALLER, parse_identifier("77"))
    unnamed = parse_identifier("study:1.2.4")
    assert unnamed.kind is IdentifierKind.STUDY_BOUND
    desk.patients.merge(CALLER, unnamed, PatientIdentifier("HRU", "78"), "the card was forgotten")
    assert sorted(desk.studies(PatientID="78")) == ["1.2.3", "1.2.4"]
    desk.close()


def test_after_a_merge_a_study_takes_objects_of_either_identifier(desk: Desk) -> None:
    desk.patients.merge(CALLER, A, B, "the card was found")
    other, stranger = desk.house.send(
        image("1.2.1.1.7", "PB", "GARCÍA LÓPEZ^ANA"), image("1.2.1.1.8", "PC", "LOPEZ^ANA")
    )
    assert (other.disposition, stranger.disposition) == (Disposition.NEW, Disposition.HELD)
    assert {each["00100020"]["Value"][0] for each in desk.json("1.2.1")} == {"PB"}


def test_a_nameless_study_that_was_given_a_patient_keeps_it(desk: Desk) -> None:
    desk.house.send(image("1.2.9.1.1", ""))
    unnamed = parse_identifier("study:1.2.9")
    desk.patients.merge(CALLER, unnamed, A, "the card was forgotten")
    stranger, same = desk.house.send(
        image("1.2.9.1.2", "PC", "LOPEZ^ANA"), image("1.2.9.1.3", "PA", "GARCÍA^ANA")
    )
    assert (stranger.disposition, same.disposition) == (Disposition.HELD, Disposition.NEW)
    assert desk.studies(PatientID="PC") == ["1.2.3"]
    assert {each["00100020"]["Value"][0] for each in desk.json("1.2.9")} == {"PA"}


def test_a_merge_over_many_instances_rewrites_no_row_and_no_byte(house: House) -> None:
    desk = Desk(house)
    many = size(500, 5000)
    uids = [f"1.2.1.{number // 250}.{number}" for number in range(many)]
    pixels: dict[str, Any] = {
        **PIXELS,
        "StudyInstanceUID": "1.2.1",
        "PatientID": "PA",
        "PatientName": "A^A",
    }
    house.send(
        *(
            written(SOPInstanceUID=uid, SeriesInstanceUID=uid.rpartition(".")[0], **pixels)
            for uid in uids
        ),
        image("1.2.2.1.1", "PB", "B^B"),
    )
    assert house.count("instance") == many + 1
    before, links, files = rows(desk), shown(desk), house.files
    digests = _originals(desk)
    operation = desk.patients.merge(CALLER, A, B, "duplicate")
    assert rows(desk) == before
    assert sorted(desk.studies(PatientID="PB")) == ["1.2.1", "1.2.2"]
    assert {each["00100020"]["Value"][0] for each in desk.json("1.2.1", "1.2.1.0")} == {"PB"}
    desk.patients.unmerge(CALLER, operation, "two people")
    assert rows(desk) == before
    assert shown(desk) == links
    assert _originals(desk) == digests
    for key, data in files.items():
        assert house.files[key].startswith(data)
    assert [each["kind"] for each in desk.events()] == ["patient-merge", "patient-unmerge"]
    assert desk.records().count(RecordType.OBJECT) == many + 1
    desk.close()


def _originals(desk: Desk) -> dict[str, str]:
    return {
        stored.sop_uid: hashlib.sha256(
            b"".join(desk.retrieve.original(stored).chunks())
        ).hexdigest()
        for stored in desk.retrieve.instances(CALLER, "1.2.1")
    }
