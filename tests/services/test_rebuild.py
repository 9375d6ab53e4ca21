"""The index is lost, or behind: the stores alone give it back, row by row and key by key."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select, text

from storage_backends.base import BackendError, Buffer
from storage_backends.memory import MemoryBackend
from tests.index.test_move import dump
from tests.services.desk import Desk, image
from tests.services.house import CALLER, House, opened
from tests.services.test_documents import store as store_document
from tests.size import size
from vna.errors import Conflict, Damaged, InvalidConfiguration, StorageUnavailable
from vna.index import jobs, row_log
from vna.index.engine import Index
from vna.index.row_load import ADOPT
from vna.index.row_log import LOGGED, NOT_LOGGED
from vna.index.tables import attention
from vna.model.patient import PatientIdentifier
from vna.objects import log_files
from vna.objects.layout import LOG
from vna.services.corrections import Correction, Scope
from vna.services.lost_decisions import lost_decisions
from vna.services.rebuild import catch_up, is_behind, rebuild
from vna.services.row_log import RowLog

OBJECTS = size(2_000, 100_000)


@pytest.fixture
def second_url(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Another empty database of the same kind."""
    if database_url.startswith("sqlite"):
        path = tmp_path / "second.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    cluster = request.getfixturevalue("postgresql")
    url = cluster.database("template_vna")
    yield url
    cluster.drop(url)


@pytest.fixture
def house(index: Index, tmp_path: Path) -> Iterator[House]:
    with opened(index, tmp_path, further={"far": MemoryBackend()}) as made:
        yield made


def log_of(house: House) -> RowLog:
    """Of another process each time; the last one is gone."""
    lease_is_over(house.index)
    return RowLog(house.index, house.objects)


def stores(house: House) -> list[Any]:
    return list(house.objects.stores.values())


def facts(index: Index) -> dict[str, list[Any]]:
    """Everything that is kept, but for who works on a job or is filling a tag, and for what an
    index that was made again has yet to do."""
    found = dump(index)
    for table in NOT_LOGGED:
        del found[table.name]
    found["job"] = [(row[1], row[2]) for row in found["job"] if row[1] != ADOPT]
    return found


@contextmanager
def rebuilt(url: str, house: House) -> Iterator[Index]:
    rebuild(url, stores(house), house.folder)
    index = Index.open(url)
    try:
        yield index
    finally:
        index.close()


def lived_in(house: House) -> None:
    """Something of everything: corrections, merges, held, trash, versions, documents."""
    desk = Desk(house)
    house.send(*[image(f"1.2.{study}.1.{n}", f"P{study}") for study in range(9) for n in range(3)])
    house.send(image("1.2.1.1.1", "P1", PatientComments="another version"))
    house.send(image("1.2.1.1.9", "SOMEBODY ELSE"), image("1.2.2.1.9", "AGAIN"))
    first, second = desk.held.find(CALLER)
    desk.held.release(CALLER, first.id, "existing", "it is theirs")
    assert second.id
    desk.corrections.correct(
        CALLER, Scope("1.2.3"), [Correction("StudyDescription", ["TÓRAX"])], "wrong region"
    )
    withdrawn = desk.corrections.correct(
        CALLER, Scope("1.2.4"), [Correction("StudyDescription", None)], "by mistake"
    )
    desk.corrections.withdraw(CALLER, withdrawn, "it was right")
    a, b = PatientIdentifier("", "P5"), PatientIdentifier("", "P6")
    desk.patients.merge(CALLER, a, b, "the same person")
    store_document(desk)
    desk.trash.put(CALLER, "not ours", study_uid="1.2.7")
    desk.trash.put(CALLER, "sent twice", study_uid="1.2.8")
    desk.close()


def test_every_table_that_is_logged_notes_its_rows(index: Index) -> None:
    with index.reading() as session:
        if session.postgresql:
            rows = session.execute(
                text("SELECT event_object_table FROM information_schema.triggers")
            )
            found = {row[0] for row in rows}
        else:
            rows = session.execute(text("SELECT tbl_name FROM sqlite_master WHERE type='trigger'"))
            found = {row[0] for row in rows}
        assert found == {table.name for table in LOGGED}
        every = set(inspect(session.connection).get_table_names()) - {"alembic_version"}
    assert every == {table.name for table in (*LOGGED, *NOT_LOGGED)}


def test_what_an_archive_did_is_there_again_from_its_stores_alone(
    house: House, second_url: str
) -> None:
    log_of(house).write()
    lived_in(house)
    log_of(house).write()
    with rebuilt(second_url, house) as again:
        assert facts(again) == facts(house.index)
        with again.reading() as session, house.index.reading() as before:
            assert row_log.head(session) == row_log.head(before)
            assert not is_behind(session, stores(house))


def test_the_archive_goes_on_where_it_was_and_can_be_rebuilt_again(
    house: House, second_url: str, database_url: str, tmp_path: Path
) -> None:
    house.send(*[image(f"1.2.{n}.1.1") for n in range(5)])
    log_of(house).write()
    with (
        rebuilt(second_url, house) as again,
        opened(again, tmp_path, house.backend, house.further) as next_house,
    ):
        next_house.send(*[image(f"1.3.{n}.1.1") for n in range(5)])
        assert next_house.count("instance") == 10
        assert log_of(next_house).write() == 1
        frames = [each.frame.epoch for each in log_files.chain(stores(next_house))]
        assert frames == list(range(1, len(frames) + 1))
        assert is_behind_of(house)
        assert not is_behind_of(next_house)


def test_many_objects(
    house: House, second_url: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    log = log_of(house)
    for first in range(0, OBJECTS, 200):
        house.send(*[image(f"1.2.{(first + n) // 100}.{n % 3}.{first + n}") for n in range(200)])
        log.write()
    log.tidy()
    began = time.monotonic()
    done = rebuild(second_url, stores(house), tmp_path)
    seconds = time.monotonic() - began
    record_property("objects", OBJECTS)
    record_property("rows", done.rows)
    record_property("rows a second", round(done.rows / seconds))
    again = Index.open(second_url)
    try:
        assert facts(again) == facts(house.index)
    finally:
        again.close()


def test_nothing_is_missed_while_others_write(house: House, second_url: str) -> None:
    """Several processes write the log at once, and commits come in any order."""
    stop = threading.Event()
    logs = [log_of(house) for _ in range(3)]

    def write(log: RowLog) -> None:
        while not stop.is_set():
            log.write()
            lease_is_over(house.index)

    def send(number: int) -> None:
        for n in range(20):
            house.send(image(f"1.2.{number}.1.{n}", f"P{number}"))

    writers = [threading.Thread(target=write, args=(log,)) for log in logs]
    senders = [threading.Thread(target=send, args=(number,)) for number in range(4)]
    for each in (*writers, *senders):
        each.start()
    for each in senders:
        each.join()
    stop.set()
    for each in writers:
        each.join()
    log_of(house).write()
    with rebuilt(second_url, house) as again:
        assert facts(again) == facts(house.index)


def test_a_log_of_many_frames_is_complete_at_its_last(
    house: House, second_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vna.services.row_log.NOTES_AT_ONCE", 25)
    house.send(*[image(f"1.2.{n}.1.1", f"P{n}") for n in range(10)])
    log = log_of(house)
    assert log.write(most=3) == 3
    with pytest.raises(InvalidConfiguration, match="no log"):
        rebuild(second_url, stores(house), house.folder)
    assert log.write() > 3
    with rebuilt(second_url, house) as again:
        assert facts(again) == facts(house.index)


def test_decisions_after_the_last_frame_are_named(
    house: House, second_url: str, tmp_path: Path
) -> None:
    lived_in(house)
    log_of(house).write()
    with house.index.reading() as session:
        at = session.now()
    desk = Desk(house)
    lost = desk.corrections.correct(
        CALLER, Scope("1.2.3"), [Correction("StudyID", ["7"])], "it is the seventh"
    )
    desk.corrections.withdraw(CALLER, lost, "it is not")
    with pytest.raises(Conflict):
        desk.corrections.withdraw(CALLER, lost, "once more")
    desk.close()
    with rebuilt(second_url, house) as again:
        found = lost_decisions(again, stores(house), at)
        assert [each.kind for each in found] == ["correct", "correct-withdraw"]
        assert (found[0].operation, found[0].reason) == (lost, "it is the seventh")
        with again.reading() as session:
            raised = session.execute(
                select(attention.c.study_uid).where(attention.c.kind == "decision-lost")
            ).scalars()
            assert list(raised) == ["1.2.3", "1.2.3"]
    assert lost_decisions(house.index, stores(house), at) == []


def test_an_index_that_holds_something_is_not_written_over(house: House, second_url: str) -> None:
    house.send(image("1.2.1.1.1"))
    log_of(house).write()
    with rebuilt(second_url, house) as again:
        before = dump(again)
        with pytest.raises(Conflict):
            rebuild(second_url, stores(house), house.folder)
        assert dump(again) == before


def test_a_log_with_a_gap_is_named_and_the_index_stays_empty(house: House, second_url: str) -> None:
    log = log_of(house)
    for n in range(3):
        house.send(image(f"1.2.{n}.1.1"))
        log.write()
    for store in stores(house):
        store.backend.delete(log_files.files(store.backend)[1].key)
    empty = Index.open(second_url)
    try:
        before = dump(empty)
        with pytest.raises(Damaged, match="lacks what was before frame 3"):
            rebuild(second_url, stores(house), house.folder)
        assert dump(empty) == before
    finally:
        empty.close()


def test_an_index_that_was_put_back_catches_up(
    house: House, second_url: str, tmp_path: Path
) -> None:
    """As a standby that lagged, or last night's copy of the database."""
    lived_in(house)
    log_of(house).write()
    rebuild(second_url, stores(house), tmp_path)  # a copy of the index as it is now
    house.send(*[image(f"1.5.{n}.1.1", "P5") for n in range(5)])
    desk = Desk(house)
    desk.patients.unmerge(CALLER, PatientIdentifier("", "P5"), "they are two")
    desk.trash.restore(CALLER, desk.trash.find(CALLER)[0].id)
    desk.close()
    log_of(house).write()
    house.send(image("1.5.9.1.1"))
    log_of(house).write()
    again = Index.open(second_url)
    try:
        with again.reading() as session:
            assert is_behind(session, stores(house))
            head = row_log.head(session)
        catch_up(second_url, head, stores(house), tmp_path)
        assert facts(again) == facts(house.index)
        with again.reading() as session:
            assert not is_behind(session, stores(house))
        with opened(again, tmp_path, house.backend, house.further) as next_house:
            next_house.send(image("1.5.10.1.1"))
    finally:
        again.close()


def test_an_index_of_another_history_is_refused(
    house: House, second_url: str, tmp_path: Path
) -> None:
    house.send(image("1.2.1.1.1"))
    log_of(house).write()
    log_of(house).write()
    with pytest.raises(Conflict, match="different histories"):
        catch_up(second_url, row_log.Head(1, "01AAAAAAAAAAAAAAAAAAAAAAAA"), stores(house), tmp_path)


def test_an_index_made_again_remembers_that_something_is_yet_to_be_taken_in(
    house: House, second_url: str
) -> None:
    house.send(image("1.2.1.1.1"))
    log_of(house).write()
    done = rebuild(second_url, stores(house), house.folder)
    index = Index.open(second_url)
    with index.reading() as session:
        assert jobs.waiting(session, ADOPT) == [str(done.at)]
    index.transact(lambda session: jobs.forget(session, ADOPT))
    with index.reading() as session:
        assert jobs.waiting(session, ADOPT) == []
    index.close()


def test_a_log_with_a_gap_begins_anew_by_itself(house: House, second_url: str) -> None:
    for n in range(3):
        house.send(image(f"1.2.{n}.1.1"))
        log_of(house).write()
    for store in stores(house):
        store.backend.delete(log_files.files(store.backend)[1].key)
    log = log_of(house)
    log.tidy()
    log.write()
    with rebuilt(second_url, house) as again:
        assert facts(again) == facts(house.index)


def test_an_index_that_is_being_written_is_not_laid_over(
    house: House, tmp_path: Path, database_url: str
) -> None:
    house.send(image("1.2.1.1.1"))
    log_of(house).write()
    with house.index.reading() as session:
        stale = row_log.head(session)
    house.send(image("1.2.2.1.1"))
    log_of(house).write()
    before = facts(house.index)
    with pytest.raises(Conflict, match="in use"):
        catch_up(database_url, stale, stores(house), tmp_path)
    assert facts(house.index) == before


class Dying(MemoryBackend):
    """Takes files of the log, and then its process is gone."""

    dead = False

    def put_new(self, key: str, buffers: list[Buffer]) -> None:  # type: ignore[override]
        super().put_new(key, buffers)
        if self.dead and key.startswith(LOG):
            raise SystemExit


def test_who_dies_between_the_stores_and_the_index_harms_nothing(
    index: Index, second_url: str, tmp_path: Path
) -> None:
    backend = Dying()
    with opened(index, tmp_path, backend) as house:
        house.send(image("1.2.1.1.1"))
        log_of(house).write()
        house.send(image("1.2.2.1.1"))
        backend.dead = True
        with pytest.raises(SystemExit):
            log_of(house).write()
        backend.dead = False
        assert not is_behind_of(house), "the index knows what that frame says"
        house.send(image("1.2.3.1.1"))
        log_of(house).write()
        house.send(image("1.2.4.1.1"))
        log_of(house).write()
        with rebuilt(second_url, house) as again:
            assert facts(again) == facts(house.index)


class Full(MemoryBackend):
    """Takes nothing of the log."""

    full = False

    def put_new(self, key: str, buffers: list[Buffer]) -> None:  # type: ignore[override]
        if self.full:
            raise BackendError(key, "no space left")
        super().put_new(key, buffers)


def test_a_store_that_takes_nothing_delays_the_log_and_loses_none_of_it(
    index: Index, second_url: str, tmp_path: Path
) -> None:
    backend = Full()
    with opened(index, tmp_path, backend) as house:
        house.send(image("1.2.1.1.1"))
        backend.full = True
        with pytest.raises(StorageUnavailable):
            log_of(house).write()
        backend.full = False
        log_of(house).write()
        with rebuilt(second_url, house) as again:
            assert facts(again) == facts(house.index)


def is_behind_of(house: House) -> bool:
    with house.index.reading() as session:
        return is_behind(session, stores(house))


def lease_is_over(index: Index) -> None:
    index.transact(lambda session: session.execute(text("UPDATE log_head SET lease_until = 0")))
