"""Any attribute made searchable later: what is found is what was found before, only sooner."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from sqlalchemy import select

from tests.services.house import CALLER, House, opened
from tests.services.objects import image
from vna.dicom.dictionary import matching_vr_of, parse_path
from vna.dicom.matching import match_of
from vna.errors import Forbidden, InvalidValue, KeyNotIndexed, NotFound, UnknownName
from vna.index import tag_index
from vna.index.engine import Index
from vna.index.search import find
from vna.index.tables import tag_value
from vna.index.tag_index import IndexedTag
from vna.model.caller import Caller, Right
from vna.model.query import Key, Level, Query
from vna.services.corrections import Correction, Corrections, Scope
from vna.services.index_tags import FOLLOW_MILLISECONDS, INDEX_TAGS, IndexTags
from vna.services.jobs import Jobs
from vna.services.journal import Journal
from vna.services.trash import Trash

FEW = 3  # candidates that a search without an index may read here


@pytest.fixture
def house(index: Index, tmp_path: Path) -> Iterator[House]:
    with opened(index, tmp_path) as made:
        yield made


@pytest.fixture
def tags(house: House) -> IndexTags:
    return IndexTags(house.index)


def uids(data: bytes) -> tuple[str, str]:
    """Study and instance UID."""
    made = pydicom.dcmread(io.BytesIO(data))
    return made.StudyInstanceUID, made.SOPInstanceUID


def ask(
    house: House, name: str, text: str, level: Level = Level.INSTANCE, candidates: int = 1000
) -> set[str]:
    """UIDs of what the key finds."""
    path = parse_path(name)
    vr = matching_vr_of(path[-1])
    query = Query(level, (Key(path, vr, match_of(vr, text, name=name)),))
    with house.index.reading() as session:
        page = find(session, query, CALLER, candidates=candidates)
    uid = {Level.STUDY: "study_uid", Level.INSTANCE: "sop_uid"}[level]
    return {getattr(row, uid) for row in page.rows}


def filled(tags: IndexTags, name: str) -> IndexedTag:
    return tags.fill(CALLER, tags.add(CALLER, name), lambda done, total: None)


def step(house: House, tag: IndexedTag) -> None:
    """One step, read and written."""
    with house.index.reading() as session:
        found = tag_index.read(session, tag.id)
    assert found is not None
    assert house.index.transact(lambda session: tag_index.write(session, found))


def test_what_was_too_much_to_read_is_found_at_once(house: House, tags: IndexTags) -> None:
    objects = [image(ProtocolName=f"PROTOCOLO {n % 4}") for n in range(20)]
    house.send(*objects)
    wanted = {uids(data)[1] for data in objects[1::4]}
    assert ask(house, "ProtocolName", "PROTOCOLO 1") == wanted
    with pytest.raises(KeyNotIndexed, match="vna index-tag add ProtocolName"):
        ask(house, "ProtocolName", "PROTOCOLO 1", candidates=FEW)

    found = filled(tags, "ProtocolName")

    assert (found.complete, found.filled, found.total) == (True, 20, 20)
    assert ask(house, "ProtocolName", "PROTOCOLO 1", candidates=len(wanted)) == wanted
    assert ask(house, "ProtocolName", "PROT* 1", candidates=len(wanted)) == wanted
    assert ask(house, "ProtocolName", "PROTOCOLO 9", candidates=FEW) == set()


def test_what_comes_later_is_found_before_and_after_it_is_followed(
    house: House, tags: IndexTags
) -> None:
    old = image(BodyPartExamined="HEAD")
    house.send(old)
    filled(tags, "BodyPartExamined")
    new, other = image(BodyPartExamined="KNEE"), image(BodyPartExamined="HEAD")
    house.send(new, other)

    assert ask(house, "BodyPartExamined", "KNEE") == {uids(new)[1]}
    assert tags.all(CALLER)[0].behind > 0
    Jobs(house.index, {INDEX_TAGS: tags}).run_once()

    assert tags.all(CALLER)[0].behind == 0
    assert ask(house, "BodyPartExamined", "KNEE", candidates=1) == {uids(new)[1]}
    assert ask(house, "BodyPartExamined", "HEAD") == {uids(old)[1], uids(other)[1]}


def test_a_correction_is_found_and_what_it_replaced_is_not(house: House, tags: IndexTags) -> None:
    one, two = image(StudyDescription="A", ProtocolName="X"), image(ProtocolName="X")
    house.send(one, two)
    filled(tags, "ProtocolName")
    corrections = Corrections(house.index, Journal(house.index, house.ingest.committer.submit))
    study, sop = uids(one)

    corrections.correct(
        CALLER, Scope(study, f"{study}.1"), [Correction("ProtocolName", ["Y"])], "mistyped"
    )

    for _ in range(2):  # before it is followed, and after
        assert ask(house, "ProtocolName", "Y") == {sop}
        assert ask(house, "ProtocolName", "X") == {uids(two)[1]}
        tags.fill(CALLER, tags.all(CALLER)[0], lambda done, total: None)


def test_what_lies_in_the_trash_is_not_found_and_is_again_once_restored(
    house: House, tags: IndexTags
) -> None:
    one, two = image(ProtocolName="X"), image(ProtocolName="X")
    house.send(one, two)
    tag = filled(tags, "ProtocolName")
    trash = Trash(house.index, Journal(house.index, house.ingest.committer.submit), lambda _: None)

    entry = trash.put(CALLER, "a mistake", study_uid=uids(one)[0])
    assert ask(house, "ProtocolName", "X") == {uids(two)[1]}
    tags.fill(CALLER, tag, lambda done, total: None)
    trash.restore(CALLER, entry.id)

    assert ask(house, "ProtocolName", "X") == {uids(one)[1], uids(two)[1]}


def test_sequences_private_attributes_numbers_and_times(house: House, tags: IndexTags) -> None:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "T-D1100", "SRT"
    one = image(
        AnatomicRegionSequence=[code], EchoTime="2.50", AcquisitionDateTime="20260301101500+0100"
    )
    made = pydicom.dcmread(io.BytesIO(one))
    block = made.private_block(0x0009, "HERE 1.0", create=True)
    block.add_new(0x02, "LO", "CABINA 3")
    file = io.BytesIO()
    made.save_as(file)
    one, two = file.getvalue(), image(EchoTime="3")
    house.send(one, two, *(image() for _ in range(5)))
    sop = {uids(one)[1]}
    asked = {
        "AnatomicRegionSequence.CodeValue": "T-D1100",
        "00091002": "CABINA*",
        "EchoTime": "2.5",
        "AcquisitionDateTime": "20260301-20260301",
    }
    before = {name: ask(house, name, text) for name, text in asked.items()}
    for name in asked:
        filled(tags, name)

    assert before == dict.fromkeys(asked, sop)
    assert {name: ask(house, name, text, candidates=1) for name, text in asked.items()} == before
    assert ask(house, "EchoTime", '""') == ask(house, "EchoTime", '""', candidates=1000)


def test_a_study_level_attribute_finds_studies(house: House, tags: IndexTags) -> None:
    house.send(*(image(PatientComments=f"N {n}", AdditionalPatientHistory="si") for n in range(9)))
    for name, text in (("PatientComments", "N 3"), ("AdditionalPatientHistory", "no")):
        before = ask(house, name, text, Level.STUDY)
        assert filled(tags, name).level is Level.STUDY
        assert ask(house, name, text, Level.STUDY, candidates=1) == before


def test_filling_that_was_stopped_goes_on_and_none_is_read_twice(
    house: House, tags: IndexTags
) -> None:
    house.send(*(image(ProtocolName=f"N{n}") for n in range(tag_index.STUDIES + 10)))
    tag = tags.add(CALLER, "ProtocolName")
    step(house, tag)
    (half,) = tags.all(CALLER)
    assert (half.complete, half.filled) == (False, tag_index.STUDIES)
    assert ask(house, "ProtocolName", "N55")  # nothing is missed meanwhile

    with suppress(KeyboardInterrupt), house.index.writing() as session:
        found = tag_index.read(session, tag.id)
        assert found is not None
        assert tag_index.write(session, found)
        raise KeyboardInterrupt  # the process dies

    assert filled(IndexTags(house.index), "ProtocolName").filled == tag_index.STUDIES + 10
    assert ask(house, "ProtocolName", "N55", candidates=1)


def test_a_step_that_somebody_else_took_is_not_taken_again(house: House, tags: IndexTags) -> None:
    house.send(image(ProtocolName="A"))
    tag = tags.add(CALLER, "ProtocolName")
    with house.index.reading() as session:
        slow = tag_index.read(session, tag.id)
    step(house, tag)
    house.send(image(ProtocolName="B"))
    step(house, tag)
    assert slow is not None
    assert not house.index.transact(lambda session: tag_index.write(session, slow))
    assert ask(house, "ProtocolName", "B", candidates=1)


def test_what_changes_while_a_step_is_read_is_read_again(house: House, tags: IndexTags) -> None:
    one = image(ImageComments="A")
    house.send(one)
    tag = tags.add(CALLER, "ImageComments")
    with house.index.reading() as session:
        slow = tag_index.read(session, tag.id)
    other = image(uids(one)[0], ImageComments="B")
    house.send(other)
    assert slow is not None
    assert house.index.transact(lambda session: tag_index.write(session, slow))

    assert ask(house, "ImageComments", "B") == {uids(other)[1]}
    step(house, tag)
    assert ask(house, "ImageComments", "B", candidates=1) == {uids(other)[1]}


def test_the_job_comes_again_until_there_is_no_tag(house: House, tags: IndexTags) -> None:
    house.send(image(ProtocolName="A"))
    tags.add(CALLER, "ProtocolName")
    jobs = Jobs(house.index, {INDEX_TAGS: tags})
    jobs.run_once()
    assert tags.all(CALLER)[0].complete
    tags.remove(CALLER, "ProtocolName")
    assert FOLLOW_MILLISECONDS > 0
    tags.add(CALLER, "EchoTime")  # puts it at once
    tags.remove(CALLER, "EchoTime")
    assert jobs.run_once() == 1
    assert jobs.run_once() == 0


def test_removing_gives_back_what_was(house: House, tags: IndexTags) -> None:
    objects = [image(ProtocolName="A") for _ in range(5)]
    house.send(*objects)
    filled(tags, "ProtocolName")
    tags.remove(CALLER, "ProtocolName")

    assert tags.all(CALLER) == []
    with house.index.reading() as session:
        assert not session.execute(select(tag_value)).all()
    assert len(ask(house, "ProtocolName", "A")) == 5
    with pytest.raises(KeyNotIndexed):
        ask(house, "ProtocolName", "A", candidates=FEW)
    with pytest.raises(NotFound):
        tags.remove(CALLER, "ProtocolName")


def test_adding_again_changes_nothing(house: House, tags: IndexTags) -> None:
    house.send(image(ProtocolName="A"))
    first = filled(tags, "ProtocolName")
    assert tags.add(CALLER, "00181030") == first


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("ProtocolNam", UnknownName),
        ("PatientID", InvalidValue),
        ("PixelData", InvalidValue),
        ("AnatomicRegionSequence", InvalidValue),
        ("ProtocolName.CodeValue", InvalidValue),
        ("", UnknownName),
    ],
)
def test_what_cannot_be_indexed_is_refused(
    tags: IndexTags, name: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        tags.add(CALLER, name)
    assert tags.all(CALLER) == []


def test_it_is_for_administrators(tags: IndexTags) -> None:
    reader = Caller("reader", "here", None, frozenset({Right.READ}))
    with pytest.raises(Forbidden):
        tags.add(reader, "ProtocolName")
    with pytest.raises(Forbidden):
        tags.all(reader)
