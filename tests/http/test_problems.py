"""Every error of the archive has a status, a stable code and no patient data."""

from __future__ import annotations

import json

import pytest

from vna import errors
from vna.errors import InvalidValue, RangeNotSatisfiable, UnknownName, VnaError
from vna.http.answer import Answer
from vna.http.problems import STATUS, BodyTooLarge, SlowBody, problem_of


def tree(kind: type[VnaError]) -> list[type[VnaError]]:
    """A class of errors and all below it."""
    return [kind, *(found for each in kind.__subclasses__() for found in tree(each))]


def body(answer: Answer) -> dict[str, object]:
    """The problem document."""
    assert isinstance(answer.body, bytes)
    found: dict[str, object] = json.loads(answer.body)
    return found


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in tree(VnaError)]

    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.BadRequest, 400),
        (errors.MalformedBody, 400),
        (errors.UnsupportedMedia, 415),
        (BodyTooLarge, 413),
        (SlowBody, 408),
        (errors.Forbidden, 403),
        (errors.NotFound, 404),
        (errors.Gone, 410),
        (errors.NotAcceptable, 406),
        (errors.Conflict, 409),
        (errors.Overloaded, 503),
        (errors.StorageUnavailable, 503),
        (errors.IndexUnavailable, 503),
    ],
)
def test_a_decision_has_its_status(kind: type[VnaError], status: int) -> None:
    answer = problem_of(kind("why"))

    assert answer.status == status
    assert body(answer)["code"] == kind.code
    assert body(answer)["detail"] == "why"
    assert (status == 503) == ("Retry-After" in dict(answer.headers))


def test_every_error_of_the_tree_finds_a_status() -> None:
    assert all(any(each in STATUS for each in kind.__mro__) for kind in tree(VnaError))


def test_a_wrong_value_is_not_repeated() -> None:
    answer = problem_of(InvalidValue("PatientName", "García^Ana", "be one value"))

    assert body(answer)["detail"] == "PatientName must be one value"
    assert b"Garc" not in answer.body if isinstance(answer.body, bytes) else False


def test_an_unknown_name_comes_with_the_nearest() -> None:
    answer = problem_of(UnknownName("attribute", "PatientNme", ["PatientName", "PatientID"]))

    assert body(answer)["nearest"] == "PatientName"


def test_a_range_outside_says_how_long_it_is() -> None:
    answer = problem_of(RangeNotSatisfiable(10))

    assert answer.status == 416
    assert ("Content-Range", "bytes */10") in answer.headers
