"""Plain documents are stored, found, read, put away and shown for a patient like studies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from tests.services.desk import Desk, image
from tests.services.house import CALLER, WAIT_SECONDS, House
from vna.errors import Conflict, Forbidden, Gone, InvalidValue, NotFound, RangeNotSatisfiable
from vna.index import organisations
from vna.model.caller import Caller, Right
from vna.model.patient import PatientIdentifier
from vna.objects import RAW_BYTES
from vna.services.documents import Document, DocumentFacts, DocumentQuery

PDF = b"%PDF-1.7 synthetic"
ANA = PatientIdentifier("", "PA")
FACTS = DocumentFacts(
    title="Informe de alta: CIRUGÍA",
    type_code="18842-5",
    media_type="application/pdf",
    patient=ANA,
    patient_name="GARCÍA^ANA",
    birth_date="19700101",
    author="Dr. Núñez",
    created="20240115",
)


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    made = Desk(house)
    yield made
    made.close()


def store(
    desk: Desk,
    data: bytes = PDF,
    *,
    caller: Caller = CALLER,
    organisation: str | None = None,
    **facts: Any,
) -> Document:
    incoming = desk.documents.receive(caller, replace(FACTS, **facts), organisation=organisation)
    for first in range(0, len(data), 1 << 20):
        incoming.write(data[first : first + (1 << 20)])
    return incoming.finish().result(WAIT_SECONDS)


def find(desk: Desk, caller: Caller = CALLER, **wanted: Any) -> list[str]:
    return [each.uid for each in desk.documents.find(caller, DocumentQuery(**wanted)).documents]


def test_a_document_comes_back_as_it_was_given(desk: Desk) -> None:
    stored = store(desk)
    assert stored.uid.startswith("2.25.")
    assert stored.sha256 == hashlib.sha256(PDF).digest()
    assert (stored.title, stored.author, stored.size) == (FACTS.title, FACTS.author, len(PDF))
    assert (stored.patient, stored.patient_id, stored.patient_name) == (ANA, "PA", "GARCÍA^ANA")
    assert desk.documents.get(CALLER, stored.uid) == stored
    assert b"".join(desk.documents.chunks(CALLER, stored.uid)) == PDF
    assert b"".join(desk.documents.chunks(CALLER, stored.uid, 5, 3)) == PDF[5:8]
    assert b"".join(desk.documents.chunks(CALLER, stored.uid, 5)) == PDF[5:]
    with pytest.raises(RangeNotSatisfiable):
        desk.documents.chunks(CALLER, stored.uid, len(PDF))


def test_a_large_document_is_a_file_of_its_own(desk: Desk) -> None:
    data = bytes(range(256)) * (RAW_BYTES // 256) + b"end"
    stored = store(desk, data)
    assert b"".join(desk.documents.chunks(CALLER, stored.uid)) == data
    assert any(key.endswith(".bin") for key in desk.house.files)
    desk.trash.put(CALLER, "r", document_uid=stored.uid)
    desk.trash.purge(CALLER, dry_run=False, ignore_grace=True)
    assert not any(key.endswith(".bin") for key in desk.house.files)


def test_an_empty_document_is_a_document(desk: Desk) -> None:
    stored = store(desk, b"")
    assert b"".join(desk.documents.chunks(CALLER, stored.uid)) == b""


def test_the_same_bytes_under_a_uid_are_the_same_document_and_others_a_conflict(
    desk: Desk,
) -> None:
    first = store(desk, uid="1.2.3")
    assert store(desk, uid="1.2.3") == first
    assert desk.house.count("document") == desk.house.count("object") == 1
    with pytest.raises(Conflict, match=r"1\.2\.3"):
        store(desk, b"other", uid="1.2.3")
    with pytest.raises(Conflict):
        store(desk, bytes(RAW_BYTES), uid="1.2.3")
    assert not any(key.startswith("big/") for key in desk.house.files)
    assert len(desk.events()) == 1


def test_documents_are_found_by_what_was_said_of_them(desk: Desk) -> None:
    store(desk, uid="1.1")
    store(desk, uid="1.2", title="Consentimiento", type_code="59284-0", created="20240220101500")
    store(desk, uid="1.3", patient=None, patient_name="", birth_date="", created="")
    assert find(desk) == ["1.3", "1.2", "1.1"]
    assert find(desk, title="cirugia alta") == ["1.3", "1.1"]
    assert find(desk, title="inf") == ["1.3", "1.1"]
    assert find(desk, title="forme") == []
    assert find(desk, type_code="59284-0") == ["1.2"]
    assert find(desk, patient=ANA) == ["1.2", "1.1"]
    assert find(desk, patient=PatientIdentifier("", "nobody")) == []
    assert find(desk, uid="1.2") == ["1.2"]
    assert find(desk, created_from="20240116") == ["1.2"]
    assert find(desk, created_to="20240115") == ["1.1"]
    assert find(desk, created_from="20240115", created_to="202402") == ["1.2", "1.1"]


def test_pages_follow_each_other(desk: Desk) -> None:
    uids = [store(desk).uid for _ in range(5)]
    seen: list[str] = []
    cursor = None
    for _ in range(4):
        page = desk.documents.find(CALLER, DocumentQuery(limit=2, after=cursor))
        seen += [each.uid for each in page.documents]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == uids[::-1]


def test_a_merge_of_patients_is_shown_on_documents_too(desk: Desk) -> None:
    stored = store(desk)
    desk.house.send(image("1.2.1.1.1", "PB", "GARCÍA LÓPEZ^ANA"))
    operation = desk.patients.merge(CALLER, ANA, PatientIdentifier("", "PB"), "duplicate")
    shown = desk.documents.get(CALLER, stored.uid)
    assert (shown.patient, shown.patient_id) == (ANA, "PB")
    assert shown.patient_name == "GARCÍA LÓPEZ^ANA"
    assert find(desk, patient=PatientIdentifier("", "PB")) == [stored.uid]
    desk.patients.unmerge(CALLER, operation, "two people")
    assert desk.documents.get(CALLER, stored.uid) == stored
    assert desk.patients.find(CALLER, ANA).shown["00100030"]["Value"] == ["19700101"]


def test_the_trash_takes_documents(desk: Desk) -> None:
    stored = store(desk, uid="1.1")
    entry = desk.trash.put(CALLER, "wrong patient", document_uid="1.1")
    assert find(desk) == []
    for call in (
        lambda: desk.documents.get(CALLER, "1.1"),
        lambda: desk.documents.chunks(CALLER, "1.1"),
        lambda: desk.trash.put(CALLER, "again", document_uid="1.1"),
    ):
        with pytest.raises(Gone):
            call()
    assert store(desk, uid="1.1").hidden, "it is acknowledged and stays hidden"
    assert find(desk) == []
    desk.trash.restore(CALLER, entry.id)
    assert desk.documents.get(CALLER, "1.1") == stored
    desk.trash.put(CALLER, "r", document_uid="1.1")
    (plan,) = desk.trash.purge(CALLER, dry_run=False, ignore_grace=True)
    assert (plan.instances, plan.objects, plan.size, plan.purged) == (0, 1, len(PDF), True)
    with pytest.raises(Gone):
        desk.documents.get(CALLER, "1.1")
    store(desk, b"another", uid="1.1")
    assert find(desk) == ["1.1"]


@pytest.mark.parametrize(
    "facts",
    [
        {"title": " "},
        {"title": "two\nlines"},
        {"title": "x" * 1025},
        {"media_type": "pdf"},
        {"created": "yesterday"},
        {"birth_date": "1970"},
        {"uid": "1.02"},
        {"patient": None},
        {"patient": PatientIdentifier("", " ")},
        {"patient_name": "A=B=C=D"},
    ],
)
def test_wrong_facts_are_refused_before_a_byte_is_taken(desk: Desk, facts: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        desk.documents.receive(CALLER, replace(FACTS, **facts))


@pytest.mark.parametrize(
    "wanted", [{"title": "…"}, {"created_from": "soon"}, {"limit": -1}, {"limit": 1001}]
)
def test_a_question_that_means_nothing_is_refused(desk: Desk, wanted: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        find(desk, **wanted)


def test_rights_and_organisations_are_respected(desk: Desk) -> None:
    desk.house.index.transact(lambda session: organisations.ensure(session, "HRU"))
    with desk.house.index.reading() as session:
        hru = organisations.get(session, "HRU")
    assert hru is not None
    store(desk, uid="1.1", organisation="HRU")
    store(desk, uid="1.2", organisation="NORTE")
    mine = replace(CALLER, organisations=frozenset({hru.key}))
    assert find(desk, mine) == ["1.1"]
    with pytest.raises(NotFound):
        desk.documents.get(mine, "1.2")
    with pytest.raises(NotFound):
        desk.trash.put(mine, "r", document_uid="1.2")
    with pytest.raises(Conflict):
        store(desk, uid="1.2", caller=mine, organisation="HRU")
    with pytest.raises(Forbidden):
        store(desk, caller=mine, organisation="NORTE")
    reader = replace(CALLER, rights=frozenset({Right.READ}))
    with pytest.raises(Forbidden):
        desk.documents.receive(reader, FACTS)
    with pytest.raises(Forbidden):
        find(desk, replace(CALLER, rights=frozenset({Right.SEND})))


def test_what_bytes_do_not_tell_is_an_event_in_the_store(desk: Desk) -> None:
    stored = store(desk)
    (event,) = desk.events()
    assert event["kind"] == "document"
    data = event["data"]
    assert (data["uid"], data["title"], data["facts"]) == (
        stored.uid,
        FACTS.title,
        {"author": FACTS.author},
    )
    assert data["sha256"] == stored.sha256.hex()
    assert data["organisation"] == "default"
    assert data["identifier"] == {"kind": "patient", "authority": "", "value": "PA"}
    (reception,) = desk.house.rows("reception")
    assert (reception["source"], reception["objects"], reception["bytes"]) == (
        "document",
        1,
        len(PDF),
    )
    assert reception["finished_at"] > 0


def test_a_document_sent_many_times_at_once_is_one_document(desk: Desk) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: store(desk, uid="1.1"), range(16)))
    assert len({each.received_at for each in found}) == 1
    assert desk.house.count("document") == desk.house.count("object") == 1


def test_a_document_that_is_given_up_leaves_nothing(desk: Desk) -> None:
    incoming = desk.documents.receive(CALLER, FACTS)
    incoming.write(bytes(RAW_BYTES + 1))
    incoming.abort()
    assert not any(key.startswith("big/") for key in desk.house.files)
    assert desk.house.count("document") == 0
