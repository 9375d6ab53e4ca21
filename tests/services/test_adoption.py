"""Objects that no row names are taken in as their senders meant them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage_backends.memory import MemoryBackend
from tests.services.desk import Desk
from tests.services.house import CALLER, House, opened
from tests.services.objects import image
from tests.services.test_copies import flip, segments_of
from tests.services.test_documents import FACTS
from tests.services.test_documents import store as store_document
from tests.services.test_fsck import forget, large, sha256
from vna.index.engine import Index
from vna.index.migrate import migrate
from vna.model.archive import Disposition, DuplicatePolicy
from vna.objects import RAW_BYTES
from vna.services.adoption import Adoption
from vna.services.fsck import Finding, Fsck, Problem


@pytest.fixture
def house(index: Index, tmp_path: Path) -> Iterator[House]:
    with opened(index, tmp_path, further={"far": MemoryBackend()}) as made:
        yield made


def rowless(house: House) -> list[Finding]:
    found = Fsck(house.index, house.objects, wait=lambda seconds: None).run(CALLER)
    return [each for each in found if each.problem is Problem.ROWLESS]


def adopted(house: House) -> list[str]:
    """What became of each that has no row."""
    desk = Desk(house)
    try:
        adoption = Adoption(house.objects, house.ingest, desk.documents)
        return [outcome for _, outcome in adoption.adopt(CALLER, rowless(house))]
    finally:
        desk.close()


def test_they_are_stored_as_if_they_were_sent_again(house: House) -> None:
    data, also_large = image(), large(7)
    house.send(image(), data, also_large)
    for each in (data, also_large):
        forget(house, each)
    assert {each.name for each in rowless(house)} == {sha256(data), sha256(also_large)}
    assert adopted(house) == [Disposition.NEW.value] * 2
    assert house.count("instance") == 3
    assert rowless(house) == []


def in_a_new_index(house: House, folder: Path) -> Iterator[House]:
    url = f"sqlite:///{folder}/another.db"
    migrate(url)
    index = Index.open(url)
    try:
        with opened(index, folder, house.backend, house.further) as made:
            yield made
    finally:
        index.close()


def test_they_keep_their_organisation_issuer_policy_and_reception(
    house: House, tmp_path: Path
) -> None:
    """Or else one hospital would see what another one sent."""
    first = image(study="1.2.1", SOPInstanceUID="1.2.1.1.1", PatientComments="first")
    other = image(study="1.2.1", SOPInstanceUID="1.2.1.1.1", PatientComments="other")
    house.send(first, large(7), organisation="north")
    house.send(other, organisation="north", policy=DuplicatePolicy.FIRST_WINS)
    with house.ingest.reception(CALLER, "dimse", peer="CT1", authority="NORTH-IDS") as reception:
        incoming = reception.incoming()
        incoming.write(image(study="1.2.2"))
        incoming.finish().result()
    for again in in_a_new_index(house, tmp_path):
        assert again.count("instance") == 0
        assert sorted(adopted(again)) == ["new", "new", "new", "version"]
        codes = {row["pk"]: row["code"] for row in again.rows("organisation")}
        owners = [codes[row["organisation_fk"]] for row in again.rows("item")]
        assert sorted(owners) == ["default", "north", "north"]
        (kept, _) = [
            row for row in again.rows("instance_version") if row["instance_fk"] == first_of(again)
        ]
        assert kept["current"] == 1
        issuers = {row["pk"]: row["name"] for row in again.rows("authority")}
        assert "NORTH-IDS" in issuers.values()
        receptions = {(row["source"], row["peer"]) for row in again.rows("reception")}
        assert receptions == {("test", ""), ("dimse", "CT1")}


def first_of(house: House) -> int:
    (row,) = [row for row in house.rows("instance") if row["uid"] == "1.2.1.1.1"]
    return int(row["pk"])


def test_documents_are_documents_again(house: House, tmp_path: Path) -> None:
    desk = Desk(house)
    small = store_document(desk, organisation="north")
    long = store_document(desk, b"%PDF" + bytes(RAW_BYTES))
    desk.close()
    for again in in_a_new_index(house, tmp_path):
        assert adopted(again) == ["stored", "stored"]
        desk = Desk(again)
        for each in (small, long):
            found = desk.documents.get(CALLER, each.uid)
            assert (found.title, found.author, found.sha256) == (
                FACTS.title,
                FACTS.author,
                each.sha256,
            )
            assert (found.patient, found.patient_name) == (each.patient, each.patient_name)
            assert b"".join(desk.documents.chunks(CALLER, each.uid))[:4] == b"%PDF"
        desk.close()


def test_what_nobody_said_anything_about_is_taken_in_like_an_import(house: House) -> None:
    """As a release that wrote no events left it."""
    data = image()
    house.send(data)
    forget(house, data)
    desk = Desk(house)
    adoption = Adoption(house.objects, house.ingest, desk.documents)
    adoption._said = lambda found: {}  # type: ignore[method-assign]
    assert [outcome for _, outcome in adoption.adopt(CALLER, rowless(house))] == ["new"]
    assert house.rows("reception")[-1]["source"] == "fsck"
    desk.close()


def test_what_lies_behind_a_damaged_object_of_an_open_segment_is_taken_in(
    house: House, tmp_path: Path
) -> None:
    first, second = image(PatientComments="the middle of it"), image(study="1.2.9")
    house.send(first)
    house.send(second)
    for segment in segments_of(house.backend):
        flip(house.backend, segment, b"the middle of it")
    full = Fsck(house.index, house.objects, wait=lambda seconds: None).run(CALLER, full=True)
    assert [(each.problem, each.name) for each in full] == [(Problem.MISSING, sha256(first))]
    for again in in_a_new_index(house, tmp_path):
        assert {each.name for each in rowless(again)} == {sha256(second)}
        assert adopted(again) == [Disposition.NEW.value]
