"""Rules of routing: what they match is queued once; what is wrong with one harms nothing else."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pydicom
import pytest
from sqlalchemy import update

from tests.services.house import CALLER, House
from tests.services.objects import image, uids
from vna.errors import Forbidden, InvalidValue, NotFound, UnknownName
from vna.index import routing as rows
from vna.index.jobs import Job
from vna.index.tables import routing_rule
from vna.model.caller import Caller, Right
from vna.model.outgoing import Sending
from vna.model.peer import Peer
from vna.model.routing import Occasion, Rule
from vna.services.corrections import Correction, Corrections, Scope
from vna.services.jobs import Jobs
from vna.services.journal import Journal
from vna.services.outgoing import Outgoing
from vna.services.peers import Peers
from vna.services.routing import ROUTE, Routing
from vna.services.settle import SETTLE, Settle

ARRIVAL, SETTLED = Occasion.ARRIVAL, Occasion.SETTLED


@dataclass
class Office:
    """What routing is made of, over one house."""

    house: House

    def __post_init__(self) -> None:
        index = self.house.index
        self.routing, self.queue, self.peers = Routing(index), Outgoing(index), Peers(index)
        self.settle = Jobs(index, {SETTLE: Settle(index, base_url="http://x/dicomweb")})

    def rule(self, name: str, to: str = "ae:PACS", on: Occasion = ARRIVAL, **where: Any) -> Rule:
        """A rule that was put."""
        conditions = {
            key: tuple(value) if isinstance(value, list) else (str(value),)
            for key, value in where.items()
        }
        return self.routing.put(CALLER, Rule(name, to, on, conditions)).rule

    def follow(self) -> None:
        """Run the job as if it were due."""
        self.routing(Job(1, ROUTE, "", 1, 0))

    def queued(self, to: str = "ae:PACS") -> list[str]:
        """SOP Instance UIDs on their way."""
        self.follow()
        return sorted(each.sop_uid for each in self.queue.find(CALLER, destination=to))


@pytest.fixture
def office(house: House) -> Office:
    made = Office(house)
    made.peers.put(CALLER, Peer("PACS", "10.0.0.9", 104))
    return made


def sops(*objects: bytes) -> list[str]:
    return sorted(uids(each)[2] for each in objects)


def test_what_arrives_after_a_rule_was_made_is_queued_once(office: Office) -> None:
    office.house.send(image(Modality="CT"))
    office.rule("ct", Modality="CT")
    ct, mr = image(Modality="CT"), image(Modality="MR")
    office.house.send(ct, mr, ct)

    assert office.queued() == sops(ct)
    assert office.queued() == sops(ct)
    (found,) = office.queue.find(CALLER)
    assert (found.rule, found.state, found.study_uid) == ("ct", Sending.WAITING, uids(ct)[0])
    (kept,) = office.routing.all(CALLER)
    assert (kept.behind, kept.error) == (0, "")


@pytest.mark.parametrize(
    ("where", "matching"),
    [
        ({}, "ABC"),
        ({"Modality": ["CT", "MR"]}, "AB"),
        ({"StationName": "CT0*"}, "A"),
        ({"InstitutionName": "Hospital N?rte"}, "AC"),
        ({"Modality": "CT", "InstitutionName": "Hospital Sur"}, ""),
        ({"ProtocolName": "BRAIN"}, "B"),
        ({"AnatomicRegionSequence.CodeValue": "T-D1100"}, "C"),
        ({"Organisation": "n*"}, "C"),
        ({"Organisation": "default"}, "AB"),
        ({"SourceAE": "*"}, "ABC"),
        ({"SourceAE": "CT1"}, ""),
        ({"StudyDescription": "*RAX"}, "A"),
        ({"PatientSex": "F"}, "B"),
    ],
)
def test_conditions_are_those_of_a_search(
    office: Office, where: dict[str, Any], matching: str
) -> None:
    code = pydicom.Dataset()
    code.CodeValue = "T-D1100"
    objects = {
        "A": image(
            Modality="CT",
            StationName="CT01",
            InstitutionName="Hospital Norte",
            StudyDescription="TORAX",
        ),
        "B": image(
            Modality="MR", InstitutionName="Hospital Sur", ProtocolName="BRAIN", PatientSex="F"
        ),
        "C": image(Modality="US", InstitutionName="Hospital Norte", AnatomicRegionSequence=[code]),
    }
    office.rule("r", **where)
    office.house.send(objects["A"], objects["B"])
    office.house.send(objects["C"], organisation="north")
    assert office.queued() == sops(*(objects[name] for name in matching))


def test_what_an_ae_sent_is_known_and_never_goes_back_to_it(office: Office) -> None:
    office.peers.put(CALLER, Peer("CT1", "10.0.0.5", 104))
    office.rule("from CT1", SourceAE="CT1")
    office.rule("to CT1", to="ae:CT1")
    data = image()
    ae = Caller("CT1", "10.0.0.5", None, frozenset({Right.SEND}))
    with office.house.ingest.reception(ae, "dimse") as reception:
        incoming = reception.incoming()
        incoming.write(data)
        done = incoming.finish()
    done.result(60)

    assert office.queued() == sops(data)
    assert office.queued("ae:CT1") == []


def test_a_settled_study_is_queued_as_a_whole_and_later_only_what_is_new(office: Office) -> None:
    office.rule("settled", on=SETTLED, Modality=["CT", "SR"])
    first = image(Modality="CT")
    study = uids(first)[0]
    report = image(study, f"{study}.2", Modality="SR")
    other = image(study, f"{study}.3", Modality="OT")
    office.house.send(first, report, other)
    assert office.queued() == []
    while office.settle.run_once():
        pass
    assert office.queued() == sops(first, report)

    office.queue.done(office.queue.claim("ae:PACS", 9))
    late = image(study, f"{study}.2", Modality="SR")
    office.house.send(late)
    while office.settle.run_once():
        pass
    office.follow()
    assert sorted(each.sop_uid for each in office.queue.claim("ae:PACS", 9)) == sops(late)


def test_a_new_version_that_became_current_is_sent_again(office: Office) -> None:
    office.rule("all")
    data = image(ImageComments="A")
    office.house.send(data)
    office.follow()
    office.queue.done(office.queue.claim("ae:PACS", 9))
    other = pydicom.dcmread(io.BytesIO(data))
    other.ImageComments = "B"
    file = io.BytesIO()
    other.save_as(file)
    office.house.send(file.getvalue())
    office.follow()
    assert [each.sop_uid for each in office.queue.claim("ae:PACS", 9)] == sops(data)


def test_a_correction_counts_for_rules_that_are_asked_later(office: Office) -> None:
    office.rule("settled", on=SETTLED, StationName="B")
    data = image(StationName="A")
    office.house.send(data)
    study, series, _ = uids(data)
    journal = Journal(office.house.index, office.house.ingest.committer.submit)
    Corrections(office.house.index, journal).correct(
        CALLER, Scope(study, series), [Correction("StationName", ["B"])], "mistyped"
    )
    while office.settle.run_once():
        pass
    assert office.queued() == sops(data)


def test_a_rule_to_an_unknown_ae_waits_and_loses_nothing(office: Office) -> None:
    waiting = office.routing.put(CALLER, Rule("w", "ae:LATER", ARRIVAL))
    assert "LATER" in waiting.error
    assert "vna ae add" in waiting.error
    office.rule("works")
    data = image()
    office.house.send(data)

    assert office.queued() == sops(data)
    assert office.queued("ae:LATER") == []
    assert office.routing.get(CALLER, "w").behind > 0
    office.peers.put(CALLER, Peer("LATER"))
    office.follow()
    assert "no address" in office.routing.get(CALLER, "w").error
    office.peers.put(CALLER, Peer("LATER", "10.0.0.8", 104))
    assert office.queued("ae:LATER") == sops(data)
    assert office.routing.get(CALLER, "w").error == ""


def test_a_broken_condition_is_told_and_harms_neither_storing_nor_other_rules(
    office: Office,
) -> None:
    office.rule("broken", Modality="CT")
    office.rule("works", Modality="CT")
    conditions = orjson.dumps({"Modalitie": ["CT"]})
    with office.house.index.writing() as session:
        session.execute(
            update(routing_rule)
            .where(routing_rule.c.name == "broken")
            .values(conditions=conditions, destination="https://x.example/dicomweb")
        )
    data = image(Modality="CT")
    office.house.send(data)

    assert office.queued() == sops(data)
    assert "did you mean 'Modality'?" in office.routing.get(CALLER, "broken").error
    office.rule("broken", to="https://x.example/dicomweb", Modality="CT")  # mended
    assert office.queued("https://x.example/dicomweb") == sops(data)


def test_a_disabled_rule_rests_and_begins_anew(office: Office) -> None:
    office.rule("r")
    office.routing.disable(CALLER, "r")
    office.house.send(image())
    assert office.queued() == []
    assert office.routing.enable(CALLER, "r").rule.enabled
    data = image()
    office.house.send(data)
    assert office.queued() == sops(data)
    office.routing.put(CALLER, Rule("r", "ae:PACS", ARRIVAL, enabled=False))
    assert not office.routing.get(CALLER, "r").rule.enabled
    office.routing.remove(CALLER, "r")
    for again in (office.routing.remove, office.routing.enable):
        with pytest.raises(NotFound):
            again(CALLER, "r")


def test_a_step_is_not_written_for_a_rule_that_was_edited_meanwhile(office: Office) -> None:
    office.rule("edited")
    office.rule("left alone", to="https://x.example/dicomweb")
    data = image()
    office.house.send(data)
    rules = office.routing.all(CALLER)
    with office.house.index.reading() as session:
        step = rows.read(session, rules, {each.id: () for each in rules})
    assert step is not None
    office.rule("edited", Modality="MR")
    for _ in range(2):  # the second time both have moved
        office.house.index.transact(lambda session: rows.write(session, step))

    assert office.queued() == []
    assert office.queued("https://x.example/dicomweb") == sops(data)


def test_several_processes_follow_at_once_and_nothing_is_missed_or_doubled(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "CHANGES", 4)
    office.rule("all")
    stored: list[bytes] = []
    over = threading.Event()

    def follow() -> None:
        other = Office(office.house)
        while not over.is_set():
            other.follow()

    threads = [threading.Thread(target=follow) for _ in range(3)]
    for each in threads:
        each.start()
    try:
        for _ in range(10):
            some = [image() for _ in range(4)]
            office.house.send(*some)
            stored += some
    finally:
        over.set()
        for each in threads:
            each.join()
    assert office.queued() == sops(*stored)


def test_many_changes_and_rules_are_followed_in_steps(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "CHANGES", 3)
    office.rule("arrival")
    office.rule("settled", to="https://x.example/dicomweb", on=SETTLED)
    objects = [image() for _ in range(8)]
    office.house.send(*objects)
    while office.settle.run_once():
        pass
    assert office.queued() == sops(*objects)
    assert office.queued("https://x.example/dicomweb") == sops(*objects)


def test_two_rules_for_one_destination_send_once_by_the_most_urgent(office: Office) -> None:
    office.routing.put(CALLER, Rule("calm", "ae:PACS", ARRIVAL))
    office.routing.put(CALLER, Rule("urgent", "ae:PACS", ARRIVAL, priority=5))
    office.house.send(image())
    office.follow()
    assert [each.rule for each in office.queue.find(CALLER)] == ["urgent"]
    assert [each.rule.name for each in office.routing.all(CALLER)] == ["urgent", "calm"]


def test_a_trial_tells_what_would_be_sent_and_sends_nothing(office: Office) -> None:
    ct = image(Modality="CT")
    study = uids(ct)[0]
    office.house.send(ct, image(study, f"{study}.2", Modality="SR"))
    rule = Rule("t", "ae:LATER", where={"Modality": ("CT",)})
    trial = office.routing.try_(CALLER, rule, study)
    assert (trial.matched, trial.instances) == (tuple(sops(ct)), 2)
    assert "LATER" in trial.error
    assert office.routing.try_(CALLER, replace(rule, to="ae:PACS"), study).error == ""
    assert office.queue.find(CALLER) == []
    with pytest.raises(NotFound):
        office.routing.try_(CALLER, rule, "1.2.3")


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        (Rule("", "ae:PACS"), InvalidValue),
        (Rule("a/b", "ae:PACS"), InvalidValue),
        (Rule("r", "PACS"), InvalidValue),
        (Rule("r", "ae:PACS", where={"Modalitie": ("CT",)}), UnknownName),
        (Rule("r", "ae:PACS", where={"Modality": ()}), InvalidValue),
        (Rule("r", "ae:PACS", where={"Modality": ("",)}), InvalidValue),
        (Rule("r", "ae:PACS", where={"StudyDate": ("May",)}), InvalidValue),
    ],
)
def test_what_is_no_rule_is_refused(office: Office, rule: Rule, error: type[Exception]) -> None:
    with pytest.raises(error):
        office.routing.put(CALLER, rule)
    assert office.routing.all(CALLER) == []


def test_the_job_comes_again_as_long_as_there_is_a_rule(office: Office) -> None:
    jobs = Jobs(office.house.index, {ROUTE: office.routing})
    office.routing.wake()
    assert jobs.run_once() == 1
    assert jobs.run_once() == 0
    office.rule("r")
    data = image()
    office.house.send(data)
    jobs.run_once()
    assert [each.sop_uid for each in office.queue.find(CALLER)] == sops(data)
    assert [each["kind"] for each in office.house.rows("job") if each["kind"] == ROUTE] == [ROUTE]


def test_it_is_for_administrators(office: Office) -> None:
    reader = Caller("reader", "here", None, frozenset({Right.READ}))
    rule = Rule("r", "ae:PACS")
    calls: list[Callable[[], object]] = [
        lambda: office.routing.all(reader),
        lambda: office.routing.put(reader, rule),
        lambda: office.routing.remove(reader, "r"),
        lambda: office.routing.enable(reader, "r"),
        lambda: office.routing.try_(reader, rule, "1.2.3"),
    ]
    for call in calls:
        with pytest.raises(Forbidden):
            call()
