"""Several processes' worth of ingest over one index and one store."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.services.house import House, opened
from tests.services.test_ingest import image
from vna.errors import MalformedObject
from vna.model.archive import Disposition

WORKERS = 4


@pytest.fixture
def houses(house: House) -> Iterator[list[House]]:
    """Four committers beside each other."""
    with ExitStack() as stack:
        others = [
            stack.enter_context(opened(house.index, house.folder, house.backend))
            for _ in range(WORKERS - 1)
        ]
        yield [house, *others]


def at_once(houses: list[House], objects: list[bytes]) -> list[Disposition]:
    """Send object n by worker n modulo their number, all at the same time."""
    with ThreadPoolExecutor(16) as pool:
        sent = [pool.submit(houses[n % len(houses)].send, data) for n, data in enumerate(objects)]
        return [each.result()[0].disposition for each in sent]


def test_one_object_by_all_of_them_is_one_instance(houses: list[House]) -> None:
    found = at_once(houses, [image()] * 60)
    assert (found.count(Disposition.NEW), found.count(Disposition.SAME)) == (1, 59)
    tables = ("item", "study", "series", "instance", "sop", "instance_version", "object")
    assert [houses[0].count(table) for table in tables] == [1] * len(tables)


def test_first_objects_of_studies_of_one_new_patient_are_one_patient(houses: list[House]) -> None:
    objects = [
        image(StudyInstanceUID=f"1.{n}", SeriesInstanceUID=f"1.{n}.1", SOPInstanceUID=f"1.{n}.1.1")
        for n in range(32)
    ]
    assert set(at_once(houses, objects)) == {Disposition.NEW}
    tables = ("patient", "identifier", "patient_link", "demographics")
    assert [houses[0].count(table) for table in tables] == [1] * len(tables)
    assert houses[0].count("study") == 32


def test_instances_of_one_series_by_all_of_them_are_counted_once_each(houses: list[House]) -> None:
    objects = [image(SOPInstanceUID=f"1.2.3.4.{n}") for n in range(60)]
    assert set(at_once(houses, objects)) == {Disposition.NEW}
    house = houses[0]
    assert [row["instance_count"] for row in house.rows("study")] == [60]
    assert [row["instance_count"] for row in house.rows("series")] == [60]
    numbers = sorted(row["seq"] for row in house.rows("change"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_different_objects_of_one_uid_are_versions_and_one_is_current(houses: list[House]) -> None:
    objects = [image(ImageComments=f"number {n}") for n in range(12)]
    found = at_once(houses, objects)
    assert sorted(each.value for each in found) == ["new"] + ["version"] * 11
    versions = houses[0].rows("instance_version")
    assert sorted(each["number"] for each in versions) == list(range(1, 13))
    assert sum(each["current"] for each in versions) == 1


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    cuts=st.lists(st.tuples(st.integers(0, 700), st.binary(min_size=1, max_size=4)), max_size=5),
    end=st.integers(0, 700) | st.none(),
)
def test_an_object_with_any_bytes_changed_is_kept_or_refused_and_harms_no_other(
    house: House, cuts: list[tuple[int, bytes]], end: int | None
) -> None:
    data = bytearray(image(StudyDescription="x", AccessionNumber="A1", InstanceNumber="5"))
    for at, value in cuts:
        data[132 + at : 132 + at + len(value)] = value
    sent, well = house.hand_in(bytes(data[: None if end is None else 132 + end]), WELL)
    assert well.exception() is None
    error = sent.exception()
    assert error is None or isinstance(error, MalformedObject)


WELL = image(StudyInstanceUID="5", SeriesInstanceUID="5.1", SOPInstanceUID="5.1.1")
