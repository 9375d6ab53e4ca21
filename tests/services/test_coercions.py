"""What an AE sends is shown as its rules have it, from the moment it is there; the bytes stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.services.desk import Desk, image
from tests.services.house import CALLER, House, opened
from tests.services.test_adoption import in_a_new_index, rowless
from vna.errors import Conflict, InvalidValue, UnknownName, VnaError
from vna.index.engine import Index
from vna.model.archive import Disposition, Outcome, Rank
from vna.model.peer import Coercion, Peer
from vna.services.adoption import Adoption
from vna.services.coercions import coercion, name_of, values_of
from vna.services.corrections import Correction, Scope
from vna.services.peers import Peers

STUDY = "1.2.7"
FIRST, SECOND, OTHER = "1.2.7.1.1", "1.2.7.1.2", "1.2.7.2.1"
RULES = (
    coercion("StudyDescription", ["TÓRAX"]),
    coercion("InstitutionName", ["Hospital Sud"]),
    coercion("StationName", None),
)


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    made = Desk(house)
    yield made
    made.close()


def send(house: House, *objects: bytes, rules: Sequence[Coercion] = RULES) -> list[Outcome]:
    with house.ingest.reception(CALLER, "dimse", peer="CT1@10.0.0.5", coercions=rules) as reception:
        futures = []
        for each in objects:
            incoming = reception.incoming()
            incoming.write(each)
            futures.append(incoming.finish())
    return [each.result() for each in futures]


def test_it_is_found_read_and_retrieved_as_the_rules_have_it(desk: Desk) -> None:
    sent = image(FIRST, StationName="internal"), image(OTHER, InstitutionName="Norte")
    outcomes = send(desk.house, *sent)
    assert [each.warning for each in outcomes] == ["coerced", "coerced"]
    assert desk.studies(StudyDescription="TÓRAX") == [STUDY]
    assert desk.studies(StudyDescription="CRANEO") == []
    assert sorted(desk.instances(InstitutionName="Hospital Sud")) == [FIRST, OTHER]
    first, other = desk.files(STUDY)
    for file in (first, other):
        assert (file.StudyDescription, file.InstitutionName) == ("TÓRAX", "Hospital Sud")
        assert "StationName" not in file
    (was,) = first.OriginalAttributesSequence
    assert was.ModifiedAttributesSequence[0].StudyDescription == "CRANEO"
    assert was.ModifiedAttributesSequence[0].StationName == "internal"
    assert sorted(desk.bytes_of(STUDY, original=True)) == sorted(sent)


def test_each_rule_is_laid_once_where_its_attribute_belongs(desk: Desk) -> None:
    send(desk.house, image(FIRST), image(SECOND))
    send(desk.house, image("1.2.7.1.3"))
    other = (coercion("StudyDescription", ["PIERNA"]), coercion("InstitutionName", ["Oeste"]))
    send(desk.house, image("1.2.7.1.4"), rules=other)
    found = desk.corrections.find(CALLER, Scope(STUDY))
    assert [(each.keyword, each.scope.level.name, each.rank) for each in found] == [
        ("StudyDescription", "STUDY", Rank.RULE),
        ("InstitutionName", "SERIES", Rank.RULE),
    ]
    assert {each.reason for each in found} == {"rule of CT1"}
    assert {file.InstitutionName for file in desk.files(STUDY)} == {"Hospital Sud"}


def test_a_correction_by_hand_wins_and_a_rule_can_be_taken_back(desk: Desk) -> None:
    send(desk.house, image(FIRST))
    by_hand = [Correction("StudyDescription", ["PIERNA"])]
    operation = desk.corrections.correct(CALLER, Scope(STUDY), by_hand, "looked at it")
    send(desk.house, image(SECOND))
    assert desk.studies(StudyDescription="PIERNA") == [STUDY]
    desk.corrections.withdraw(CALLER, operation, "no")
    assert desk.studies(StudyDescription="TÓRAX") == [STUDY]
    for each in desk.corrections.find(CALLER, Scope(STUDY)):
        if not each.withdrawn_at:
            desk.corrections.withdraw(CALLER, each.operation, "the rule is wrong")
    assert desk.studies(StudyDescription="CRANEO") == [STUDY]
    assert "InstitutionName" not in desk.files(STUDY)[0]
    send(desk.house, image("1.2.7.1.9"))
    assert desk.studies(StudyDescription="CRANEO") == [STUDY]  # for good


def test_what_the_rules_do_not_change_is_left_alone(desk: Desk) -> None:
    said = {"StudyDescription": "TÓRAX", "InstitutionName": "Hospital Sud"}
    (outcome,) = send(desk.house, image(FIRST, **said))
    assert outcome.warning is None
    assert desk.corrections.find(CALLER, Scope(STUDY)) == []
    (again,) = send(desk.house, image(FIRST, **said))
    assert (again.disposition, again.warning) == (Disposition.SAME, None)


def test_what_is_taken_in_again_without_its_index_has_its_rules(
    index: Index, tmp_path: Path
) -> None:
    with opened(index, tmp_path) as house:
        send(house, image(FIRST))
        for again in in_a_new_index(house, tmp_path):
            desk = Desk(again)
            adoption = Adoption(again.objects, again.ingest, desk.documents)
            (what,) = [what for _, what in adoption.adopt(CALLER, rowless(again))]
            assert what == Disposition.NEW.value
            assert desk.studies(StudyDescription="TÓRAX") == [STUDY]
            desk.close()


@pytest.mark.parametrize(
    ("attribute", "values", "error"),
    [
        ("PatientName", ["X"], Conflict),
        ("PatientComments", ["X"], Conflict),
        ("ImageComments", ["X"], Conflict),
        ("StudyInstanceUID", ["1.2"], Conflict),
        ("Rows", ["2"], Conflict),
        ("StudyDate", ["yesterday"], InvalidValue),
        ("RequestAttributesSequence.ScheduledProcedureStepID", ["1"], InvalidValue),
        ("StudyDescriptio", ["X"], UnknownName),
    ],
)
def test_what_may_not_be_coerced_is_refused(
    attribute: str, values: list[str] | None, error: type[VnaError]
) -> None:
    with pytest.raises(error):
        coercion(attribute, values)


@pytest.mark.parametrize(
    ("attribute", "values"),
    [
        ("StudyDescription", ["TÓRAX"]),
        ("StudyDescription", []),
        ("StudyDescription", None),
        ("OperatorsName", ["A^B", "C"]),
        ("ReferringPhysicianName", ["A^B=C^D"]),
    ],
)
def test_a_rule_is_kept_and_said_as_it_was_given(
    index: Index, attribute: str, values: list[str] | None
) -> None:
    made = Peers(index).put(CALLER, Peer("CT1", coercions=(coercion(attribute, values),)))
    (kept,) = Peers(index).get(CALLER, "CT1").coercions
    assert made.coercions == (kept,)
    assert (name_of(kept), values_of(kept)) == (attribute, values)


def test_an_attribute_has_one_rule(index: Index) -> None:
    twice: Any = (coercion("StudyDescription", ["A"]), coercion("00081030", ["B"]))
    with pytest.raises(InvalidValue):
        Peers(index).put(CALLER, Peer("CT1", coercions=twice))
