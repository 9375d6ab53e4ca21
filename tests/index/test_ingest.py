"""Architecture decision 4, case by case, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.index.candidates import candidate, placed, with_policy
from vna.errors import Refused, VnaError
from vna.index import ingest
from vna.index.candidate import Candidate, Finding
from vna.index.engine import Index, Session
from vna.index.tables import (
    attention,
    change,
    held,
    instance,
    instance_version,
    object_,
    patient,
    patient_link,
    series,
    study,
)
from vna.model.archive import Disposition, DuplicatePolicy, Outcome, Visibility


def send(index: Index, *changes: dict[str, Any]) -> list[Outcome | VnaError]:
    """Each in a batch of its own, as if sent one after another."""
    return [store(index, [change])[0] for change in changes]


def store(index: Index, changes: Sequence[dict[str, Any]]) -> list[Outcome | VnaError]:
    """All in one batch."""

    def work(session: Session) -> list[Outcome | VnaError]:
        return ingest.store(
            session, [placed(_made(session, dict(each)), n * 100) for n, each in enumerate(changes)]
        )

    return index.transact(work)


def _made(session: Session, changes: dict[str, Any]) -> Candidate:
    fields = {name: changes.pop(name) for name in ("policy", "finding") if name in changes}
    return with_policy(candidate(session, **changes), **fields)


def count(index: Index, table: Any, *where: Any) -> int:
    with index.reading() as session:
        statement = select(func.count()).select_from(table).where(*where)
        return int(session.execute(statement).scalar_one())


def dispositions(results: Sequence[Outcome | VnaError]) -> list[str]:
    return [each.disposition.value for each in results if isinstance(each, Outcome)]


def test_a_first_object_makes_study_series_instance_and_patient(index: Index) -> None:
    (outcome,) = send(index, {})

    assert isinstance(outcome, Outcome)
    assert (outcome.disposition, outcome.version, outcome.current) == (Disposition.NEW, 1, True)
    for table in (study, series, instance, instance_version, object_, patient, patient_link):
        assert count(index, table) == 1
    with index.reading() as session:
        row = session.execute(select(study)).one()
    assert (row.modalities, row.series_count, row.instance_count) == ("CT", 1, 1)


def test_an_equal_data_set_adds_nothing(index: Index) -> None:
    assert dispositions(send(index, {}, {})) == ["new", "same"]
    assert count(index, object_) == count(index, instance_version) == 1


def test_two_objects_of_one_uid_in_one_batch_are_decided_in_order(index: Index) -> None:
    results = store(index, [{}, {}, {"content": "b"}])

    assert dispositions(results) == ["new", "same", "version"]
    assert count(index, object_) == 2


def test_another_content_with_equal_pixels_becomes_the_current_version(index: Index) -> None:
    first, second = send(index, {}, {"content": "b"})

    assert isinstance(second, Outcome)
    assert (second.version, second.current, second.warning) == (2, True, "version")
    assert count(index, instance_version, instance_version.c.current == 1) == 1
    assert count(index, attention) == 0
    assert isinstance(first, Outcome)


@pytest.mark.parametrize(
    "changes",
    [
        {"content": "b", "pixels": "q"},
        {"content": "b", "patient": "P2"},
        {"content": "b", "policy": DuplicatePolicy.FIRST_WINS},
    ],
    ids=["other-pixels", "other-patient-id", "first-wins"],
)
def test_other_versions_are_kept_and_pointed_at_but_not_shown(
    index: Index, changes: dict[str, Any]
) -> None:
    _, second = send(index, {}, changes)

    assert isinstance(second, Outcome)
    assert (second.disposition, second.version, second.current) == (Disposition.VERSION, 2, False)
    assert count(index, attention, attention.c.kind == "different-content") == 1


def test_the_policy_reject_keeps_nothing(index: Index) -> None:
    _, second = send(index, {}, {"content": "b", "policy": DuplicatePolicy.REJECT})

    assert isinstance(second, Refused)
    assert count(index, object_) == 1


def test_equal_content_in_another_transfer_syntax_keeps_the_first(index: Index) -> None:
    results = send(index, {}, {"content": "b", "finding": Finding.EQUIVALENT})

    assert dispositions(results) == ["new", "equivalent"]
    assert count(index, object_) == 1


def test_a_sent_copy_heals_a_damaged_one(index: Index) -> None:
    results = send(index, {}, {"finding": Finding.HEALS})

    assert dispositions(results) == ["new", "healed"]
    assert count(index, object_) == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"series": "1.2.1.2", "content": "b"}, "instance-uid-in-another-series"),
        ({"study": "1.2.2", "sop": "1.9"}, "series-uid-in-another-study"),
        ({"patient": "P2", "sop": "1.9"}, "study-of-another-patient"),
        ({"authority": "H2", "sop": "1.9"}, "study-of-another-patient"),
    ],
)
def test_a_conflict_is_held_once_and_changes_no_row_that_stands(
    index: Index, changes: dict[str, Any], reason: str
) -> None:
    send(index, {})
    before = _dump(index)

    results = send(index, changes, changes)

    assert dispositions(results) == ["held", "held"]
    with index.reading() as session:
        rows = session.execute(select(held)).all()
    assert [row.reason for row in rows] == [reason]
    assert _dump(index) == before


def test_an_empty_patient_id_means_a_patient_for_each_study(index: Index) -> None:
    send(
        index, {"patient": ""}, {"patient": "", "study": "1.3", "series": "1.3.1", "sop": "1.3.1.1"}
    )

    assert count(index, patient) == 2


def test_an_empty_patient_id_joins_a_study_that_has_one_and_is_pointed_at(index: Index) -> None:
    results = send(index, {}, {"patient": "", "sop": "1.9"})

    assert dispositions(results) == ["new", "new"]
    assert count(index, attention, attention.c.kind == "patient-id-missing") == 1


def test_a_patient_id_fills_a_study_that_had_none(index: Index) -> None:
    results = send(index, {"patient": ""}, {"sop": "1.9"}, {"patient": "P2", "sop": "1.10"})

    assert dispositions(results) == ["new", "new", "held"]


def test_a_later_value_fills_an_empty_one_and_a_different_one_is_pointed_at_once(
    index: Index,
) -> None:
    send(index, {"description": ""}, {"sop": "1.9"})
    with index.reading() as session:
        assert session.execute(select(study.c.description)).scalar_one() == "TORAX"

    send(index, {"sop": "1.10", "description": "OTRA"}, {"sop": "1.11", "description": "OTRA"})

    with index.reading() as session:
        assert session.execute(select(study.c.description)).scalar_one() == "TORAX"
    assert count(index, attention, attention.c.kind == "study-differs:00081030") == 1


def test_what_is_sent_below_the_trash_stays_hidden(index: Index) -> None:
    send(index, {})
    index.transact(
        lambda session: session.execute(study.update().values(state=Visibility.TRASHED)).rowcount
    )

    results = send(index, {}, {"sop": "1.9"})

    assert dispositions(results) == ["hidden", "hidden"]
    assert all(isinstance(each, Outcome) and each.warning == "hidden" for each in results)


def test_one_refusal_does_not_touch_the_others_of_its_batch(index: Index) -> None:
    send(index, {})

    results = store(
        index, [{"sop": "1.9"}, {"content": "b", "policy": DuplicatePolicy.REJECT}, {"sop": "1.10"}]
    )

    assert isinstance(results[1], Refused)
    assert dispositions(results) == ["new", "new"]


def test_first_objects_of_one_new_patient_from_many_threads_make_one_patient(index: Index) -> None:
    def send_first(number: int) -> None:
        uid = f"1.4.{number}"
        send(index, {"study": uid, "series": f"{uid}.1", "sop": f"{uid}.1.1", "patient": "NEW"})

    _together(send_first, 32 if index.postgresql else 16)

    assert count(index, patient) == 1
    assert count(index, patient_link) == 1


def test_one_object_sent_from_many_threads_is_one_instance(index: Index) -> None:
    _together(lambda _: send(index, {}), 16)

    assert count(index, instance) == count(index, instance_version) == count(index, object_) == 1
    with index.reading() as session:
        numbers = [row.seq for row in session.execute(select(change).order_by(change.c.seq))]
    assert numbers == list(range(1, len(numbers) + 1))


def _together(call: Any, number: int) -> None:
    failures: list[BaseException] = []

    def run(mine: int) -> None:
        try:
            call(mine)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(mine,)) for mine in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def _dump(index: Index) -> list[Any]:
    with index.reading() as session:
        return [
            session.execute(select(table).order_by(table.c.pk)).all()
            for table in (study, series, instance, instance_version)
        ]
