"""What lies in the trash is hidden, comes back as it was, and leaves a tombstone when purged."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select, update

from tests.index.standing import (
    ADMINISTRATOR,
    STAMP,
    add,
    dump,
    limited,
    organisation,
    patient,
    person,
    study,
)
from vna.errors import Conflict, Gone, NotFound
from vna.index import purge, trash
from vna.index import tables as t
from vna.index.engine import Index, Session
from vna.index.locate import locate, locate_shown, parents
from vna.model.archive import TrashKind
from vna.model.caller import DEFAULT_PARTITION
from vna.model.patient import PatientIdentifier

ROWS = ("item", "study", "series", "instance", "sop")


@pytest.fixture
def archive(index: Index) -> Index:
    """Two studies of two series of two instances, each with an object."""

    def work(session: Session) -> None:
        said = patient(session, PatientIdentifier("", "A"), person("A^B", "A"))
        study(session, "1.2", said, series=2, instances=2)
        study(session, "1.3", said, series=2, instances=2, owner="OTHER")
        _objects(session)

    index.transact(work)
    return index


def _objects(session: Session) -> None:
    """One object of 100 bytes for each instance; those of study 1.3 are raw files."""
    owner = organisation(session, "HRU")
    reception = add(session, t.reception, organisation_fk=owner)
    shared = add(session, t.segment, name="SHARED", kind=1)
    for row in session.execute(select(t.instance.c.pk, t.instance.c.uid)).all():
        raw = row.uid.startswith("1.3")
        segment = add(session, t.segment, name=f"RAW{row.uid}", kind=2) if raw else shared
        object_fk = add(
            session,
            t.object_,
            sha256=bytes(32),
            sha256_head=0,
            xxh3=bytes(16),
            size=100,
            segment_fk=segment,
            length=100,
        )
        add(
            session,
            t.instance_version,
            instance_fk=row.pk,
            number=1,
            current=1,
            object_fk=object_fk,
            reception_fk=reception,
            dataset_xxh3=bytes(16),
            pixel_xxh3=bytes(16),
            anatomy=b"",
            header=b"",
        )


def put(
    index: Index, study_uid: str, series_uid: str | None = None, sop_uid: str | None = None
) -> trash.Entry:
    kinds = {1: TrashKind.STUDY, 2: TrashKind.SERIES, 3: TrashKind.INSTANCE}

    def work(session: Session) -> trash.Entry:
        found = locate_shown(session, ADMINISTRATOR, study_uid, series_uid, sop_uid)
        uid = sop_uid or series_uid or study_uid
        kind = kinds[found.level]
        return trash.put(session, DEFAULT_PARTITION, kind, found.key, uid, **STAMP)

    return index.transact(work)


def restore(index: Index, id: int) -> trash.Entry:
    return index.transact(lambda session: trash.restore(session, id, at=5))


def purged(index: Index, entry: trash.Entry) -> None:
    index.transact(lambda session: purge.purge(session, entry, at=6))


def counts(index: Index, uid: str) -> tuple[str, int, int]:
    with index.reading() as session:
        row = session.execute(select(t.study).where(t.study.c.uid == uid)).one()
    return row.modalities, row.series_count, row.instance_count


@pytest.mark.parametrize(
    ("uids", "left"),
    [
        (("1.2",), ("CT", 2, 4)),
        (("1.2", "1.2.1"), ("CT", 1, 2)),
        (("1.2", "1.2.1", "1.2.1.1"), ("CT", 2, 3)),
    ],
)
def test_what_is_put_away_comes_back_as_it_was(
    archive: Index, uids: tuple[str, ...], left: tuple[str, int, int]
) -> None:
    before = dump(archive, *ROWS, without=("version",))
    entry = put(archive, *uids)
    assert counts(archive, "1.2") == left
    with archive.reading() as session:
        with pytest.raises(Gone):
            locate_shown(session, ADMINISTRATOR, *uids)
        assert not locate(session, ADMINISTRATOR, *uids).shown
        assert [each.id for each in trash.entries(session, ADMINISTRATOR)] == [entry.id]
    restore(archive, entry.id)
    assert dump(archive, *ROWS, without=("version",)) == before
    with archive.reading() as session:
        assert trash.entries(session, ADMINISTRATOR) == []


def test_restoring_a_study_leaves_the_series_that_was_put_away_before(archive: Index) -> None:
    first = put(archive, "1.2", "1.2.1")
    second = put(archive, "1.2")
    restore(archive, second.id)
    assert counts(archive, "1.2") == ("CT", 1, 2)
    restore(archive, first.id)
    assert counts(archive, "1.2") == ("CT", 2, 4)


def test_a_study_of_which_nothing_is_left_counts_nothing(archive: Index) -> None:
    for uid in ("1.2.1", "1.2.2"):
        put(archive, "1.2", uid)
    assert counts(archive, "1.2") == ("", 0, 0)


def test_nothing_is_restored_twice(archive: Index) -> None:
    entry = put(archive, "1.2")
    restore(archive, entry.id)
    with pytest.raises(Conflict):
        restore(archive, entry.id)


def test_a_limited_caller_sees_its_own_trash_only(archive: Index) -> None:
    ids = {uid: put(archive, uid).id for uid in ("1.2", "1.3")}
    with archive.reading() as session:
        mine = limited(organisation(session, "HRU"))
        assert [each.uid for each in trash.entries(session, mine)] == ["1.2"]
        assert trash.require_visible(session, mine, ids["1.2"]).uid == "1.2"
        with pytest.raises(NotFound):
            trash.require_visible(session, mine, ids["1.3"])
        with pytest.raises(NotFound) as refused:
            locate(session, mine, "1.3")
        assert not isinstance(refused.value, Gone)


def test_uids_that_do_not_belong_together_are_not_found(archive: Index) -> None:
    with archive.reading() as session:
        for uids in (("9",), ("1.2", "1.3.1"), ("1.2", "1.2.1", "1.2.2.1"), ("1.2", "1.2.1", "9")):
            with pytest.raises(NotFound):
                locate(session, ADMINISTRATOR, *uids)
        assert parents(session, DEFAULT_PARTITION, None, "1.3.2.1") == ("1.3", "1.3.2")
        assert parents(session, DEFAULT_PARTITION, "1.3.2", None) == ("1.3", "1.3.2")


def _left(index: Index) -> dict[str, int]:
    tables: tuple[Any, ...] = (t.study, t.series, t.instance, t.sop, t.instance_version)
    with index.reading() as session:
        return {
            table.name: session.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables
        }


def test_a_purged_study_leaves_a_tombstone_and_frees_its_uids(archive: Index) -> None:
    nested = put(archive, "1.3", "1.3.1")
    entry = put(archive, "1.3")
    with archive.reading() as session:
        assert purge.extent(session, entry) == purge.Extent(4, 4, 400, "")
    purged(archive, entry)
    assert _left(archive) == {
        "study": 1,
        "series": 2,
        "instance": 4,
        "sop": 4,
        "instance_version": 4,
    }
    with archive.reading() as session:
        with pytest.raises(Gone):
            locate(session, ADMINISTRATOR, "1.3")
        assert trash.entry(session, nested.id).purged_at == 6
        assert len(purge.released_raw(session)) == 4
    with pytest.raises(Conflict):
        restore(archive, entry.id)
    archive.transact(lambda session: purge.forget_raw(session, "RAW1.3.1.1"))
    with archive.reading() as session:
        assert "RAW1.3.1.1" not in purge.released_raw(session)

    def anew(session: Session) -> None:
        said = session.execute(select(t.demographics.c.pk)).scalars().first()
        assert said is not None
        study(session, "1.3", said)

    archive.transact(anew)
    with archive.reading() as session:
        assert locate(session, ADMINISTRATOR, "1.3").shown


def test_a_purged_instance_leaves_its_siblings(archive: Index) -> None:
    entry = put(archive, "1.2", "1.2.1", "1.2.1.1")
    purged(archive, entry)
    assert _left(archive)["instance"] == 7
    assert counts(archive, "1.2") == ("CT", 2, 3)
    with archive.reading() as session:
        with pytest.raises(Gone):
            locate(session, ADMINISTRATOR, "1.2", "1.2.1", "1.2.1.1")
        assert purge.released_raw(session) == []
        states = session.execute(select(t.object_.c.state)).scalars().all()
    assert sorted(states) == [0] * 7 + [2]


def test_an_object_that_another_instance_needs_is_not_released(archive: Index) -> None:
    def share(session: Session) -> None:
        keys = session.execute(
            select(t.instance_version.c.pk, t.instance_version.c.object_fk)
        ).all()
        session.execute(
            update(t.instance_version)
            .where(t.instance_version.c.pk == keys[1].pk)
            .values(object_fk=keys[0].object_fk)
        )

    archive.transact(share)
    purged(archive, put(archive, "1.2", "1.2.1", "1.2.1.1"))
    with archive.reading() as session:
        assert set(session.execute(select(t.object_.c.state)).scalars()) == {0}


@pytest.mark.parametrize(
    ("column", "value", "refused"),
    [("legal_hold", 1, "legal-hold"), ("retention_class", "clinical-15y", "retention")],
)
def test_a_hold_or_a_retention_class_refuses_a_purge(
    archive: Index, column: str, value: object, refused: str
) -> None:
    entry = put(archive, "1.2", "1.2.1")
    archive.transact(lambda session: session.execute(update(t.item).values({column: value})))
    with archive.reading() as session:
        assert purge.extent(session, entry).refused == refused
    with pytest.raises(Conflict):
        purged(archive, entry)
    assert _left(archive)["instance"] == 8


def test_every_step_is_in_the_change_feed(archive: Index) -> None:
    restore(archive, put(archive, "1.2", "1.2.1").id)
    purged(archive, put(archive, "1.2"))
    rows = dump(archive, "change")["change"]
    assert [(row["kind"], row["study_uid"], row["series_uid"]) for row in rows] == [
        ("series trashed", "1.2", "1.2.1"),
        ("series restored", "1.2", "1.2.1"),
        ("study trashed", "1.2", ""),
        ("study purged", "1.2", ""),
    ]
