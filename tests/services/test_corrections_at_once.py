"""Corrections, deletions and arrivals at the same time, from two processes' worth of services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.services.desk import Desk, image
from tests.services.house import CALLER, House
from vna.errors import Conflict, Gone
from vna.model.patient import PatientIdentifier
from vna.services.corrections import Correction, Scope

STUDY = "1.2.7"


@pytest.fixture
def desks(house: House) -> Iterator[list[Desk]]:
    """Two of them over one index and one store, each with a committer of its own."""
    second = House(house.index, house.folder / "second", house.backend)
    second.folder.mkdir()
    made = [Desk(house), Desk(second)]
    yield made
    for desk in made:
        desk.close()
    second.close()


def at_once(*calls: Callable[[], object]) -> list[object]:
    """What each returns, or the `Conflict` or `Gone` it raises."""

    def outcome(call: Callable[[], object]) -> object:
        try:
            return call()
        except (Conflict, Gone) as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(outcome, calls))


def test_what_arrives_while_a_study_is_corrected_is_corrected(desks: list[Desk]) -> None:
    desks[0].house.send(image("1.2.7.1.1"))
    scope, modality = Scope(STUDY), [Correction("Modality", ["MR"])]
    at_once(
        *(
            partial(desks[n % 2].house.send, image(f"1.2.7.{n}.{m}"))
            for n in range(2, 6)
            for m in (1, 2)
        ),
        *(
            partial(desks[n % 2].corrections.correct, CALLER, scope, modality, "r")
            for n in range(3)
        ),
        partial(
            desks[0].corrections.correct,
            CALLER,
            Scope(STUDY, f"{STUDY}.1"),
            [Correction("SeriesDescription", ["AXIAL"])],
            "r",
        ),
    )
    assert len(desks[1].instances(Modality="MR")) == 9
    assert desks[1].studies(ModalitiesInStudy="CT") == []
    assert {each["00080060"]["Value"][0] for each in desks[0].json(STUDY)} == {"MR"}
    row = desks[0].house.rows("study")[0]
    assert (row["series_count"], row["instance_count"], row["modalities"]) == (5, 9, "MR")


def test_counts_are_right_when_series_are_put_away_while_others_arrive(desks: list[Desk]) -> None:
    desks[0].house.send(*(image(f"1.2.7.{n}.1") for n in range(1, 5)))
    at_once(
        *(partial(desks[n % 2].trash.put, CALLER, "r", series_uid=f"1.2.7.{n}") for n in (1, 2)),
        *(partial(desks[n % 2].house.send, image(f"1.2.7.{n}.2")) for n in range(1, 7)),
    )
    row = desks[0].house.rows("study")[0]
    assert (row["series_count"], row["instance_count"]) == (4, 6)
    assert len(desks[0].instances()) == 6


def test_only_one_of_many_deletions_and_decisions_wins(desks: list[Desk]) -> None:
    desks[0].house.send(image("1.2.7.1.1", "PA"), image("1.2.8.1.1", "PA"))
    desks[0].house.send(image("1.2.7.1.2", "PB"))
    (held,) = desks[0].held.find(CALLER)
    outcomes = at_once(
        *(
            partial(desks[n % 2].held.release, CALLER, held.id, "new" if n % 3 else "existing", "r")
            for n in range(6)
        )
    )
    assert sum(not isinstance(each, Conflict) for each in outcomes) == 1
    assert len(desks[0].instances()) == 3
    outcomes = at_once(
        *(partial(desks[n % 2].trash.put, CALLER, "r", study_uid="1.2.8") for n in range(6))
    )
    assert sum(not isinstance(each, (Conflict, Gone)) for each in outcomes) == 1
    (entry,) = desks[0].trash.find(CALLER)
    outcomes = at_once(
        *(partial(desks[n % 2].trash.restore, CALLER, entry.id) for n in range(3)),
        *(
            partial(desks[n % 2].trash.purge, CALLER, dry_run=False, ignore_grace=True, id=entry.id)
            for n in range(3)
        ),
    )
    assert sum(not isinstance(each, Conflict) for each in outcomes) == 1


def test_merges_from_two_processes_never_make_a_circle(desks: list[Desk]) -> None:
    people = [PatientIdentifier("", f"P{n}") for n in range(4)]
    desks[0].house.send(*(image(f"1.2.{n}.1.1", f"P{n}") for n in range(4)))
    pairs = [(0, 1), (1, 2), (2, 0), (3, 0), (0, 3), (2, 3)]
    outcomes = at_once(
        *(
            partial(desks[n % 2].patients.merge, CALLER, people[a], people[b], "r")
            for n, (a, b) in enumerate(pairs)
        )
    )
    merged = [each for each in outcomes if isinstance(each, str)]
    groups = {frozenset(desks[0].patients.find(CALLER, each).identifiers) for each in people}
    assert len(groups) == len(people) - len(merged)
    for operation in merged:
        desks[1].patients.unmerge(CALLER, operation, "r")
    assert all(desks[0].patients.find(CALLER, each).identifiers == (each,) for each in people)
