"""The Store Instances Response Module says what became of each part (PS3.18 §10.5.3, Annex I)."""

from __future__ import annotations

import json
from concurrent.futures import Future
from typing import Any

import pytest

from dicomweb.links import Links
from dicomweb.store_response import answer_of
from vna.errors import (
    Forbidden,
    MalformedBody,
    MalformedObject,
    OtherStudy,
    Refused,
    StorageUnavailable,
    UnsupportedMedia,
    VnaError,
)
from vna.http.answer import Answer
from vna.model.archive import Disposition, Outcome

LINKS = Links("http://here/dicomweb")
CLASS = "1.2.840.10008.5.1.4.1.1.7"

Part = Future[Outcome] | VnaError


def stored(sop_uid: str, warning: str | None = None, study_uid: str = "1.2") -> Future[Outcome]:
    """A part that was stored."""
    future: Future[Outcome] = Future()
    future.set_result(
        Outcome(Disposition.NEW, CLASS, sop_uid, "1.2.3", study_uid, b"", 1, warning=warning)
    )
    return future


def failed(error: BaseException) -> Future[Outcome]:
    """A part that was not."""
    future: Future[Outcome] = Future()
    future.set_exception(error)
    return future


def answered(*parts: Part, broken: MalformedBody | None = None) -> tuple[Answer, dict[str, Any]]:
    """Answer and body."""
    answer = answer_of(parts, broken, LINKS, None)
    assert isinstance(answer.body, bytes)
    body: dict[str, Any] = json.loads(answer.body)
    return answer, body


@pytest.mark.parametrize(
    ("error", "tag", "reason"),
    [
        (Refused("r", sop_class=CLASS, sop_uid="1.9"), "00081198", 0x0110),
        (OtherStudy("r", sop_class=CLASS, sop_uid="1.9"), "00081198", 0xA900),
        (StorageUnavailable("r"), "0008119A", 0xA700),
        (MalformedObject("r"), "0008119A", 0xC000),
        (UnsupportedMedia("r"), "0008119A", 0xC000),
        (Forbidden("r"), "0008119A", 0x0110),
        (KeyError("a mistake of ours"), "0008119A", 0x0110),
    ],
)
def test_a_failure_beside_a_success_has_its_reason(
    error: BaseException, tag: str, reason: int
) -> None:
    answer, body = answered(stored("1.8"), failed(error))

    assert answer.status == 202
    assert len(body["00081199"]["Value"]) == 1
    (item,) = body[tag]["Value"]
    assert item["00081197"] == {"vr": "US", "Value": [reason]}
    if tag == "00081198":
        assert item["00081150"]["Value"] == [CLASS]
        assert item["00081155"]["Value"] == ["1.9"]


def test_our_own_mistakes_are_not_told_in_words() -> None:
    answer, _ = answered(stored("1.8"), failed(KeyError("internals")))

    (warning,) = [value for name, value in answer.headers if name == "Warning"]
    assert warning == "299 http://here/dicomweb: part 2: the server failed"


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([stored("1")], 200),
        ([stored("1", "held")], 202),
        ([stored("1"), MalformedObject("r")], 202),
        ([MalformedObject("r"), UnsupportedMedia("r")], 400),
        ([failed(Refused("r", sop_class=CLASS, sop_uid="1"))], 409),
        ([failed(OtherStudy("r", sop_class=CLASS, sop_uid="1")), MalformedObject("r")], 409),
        ([failed(StorageUnavailable("r")), MalformedObject("r")], 503),
        ([], 400),
    ],
)
def test_the_status_sums_up_the_parts(parts: list[Part], status: int) -> None:
    answer, _ = answered(*parts)

    assert answer.status == status
    assert (status == 503) == ("Retry-After" in dict(answer.headers))


def test_a_broken_body_is_the_answer_only_where_nothing_was_stored() -> None:
    broken = MalformedBody("cut")

    nothing, problem = answered(broken, broken=broken)
    some, module = answered(stored("1"), broken, broken=broken)

    assert (nothing.status, problem["code"]) == (400, "malformed-body")
    assert some.status == 202
    assert len(module["0008119A"]["Value"]) == 1


@pytest.mark.parametrize(
    ("warning", "reason"),
    [("version", 0xB000), ("held", 0xB000), ("hidden", 0xB000), ("odd", 0xB007)],
)
def test_a_warning_has_its_reason(warning: str, reason: int) -> None:
    _, body = answered(stored("1", warning))

    (item,) = body["00081199"]["Value"]
    assert item["00081196"] == {"vr": "US", "Value": [reason]}


def test_objects_of_several_studies_have_no_one_place() -> None:
    answer, body = answered(stored("1"), stored("2", study_uid="1.3"))

    assert body["00081190"] == {"vr": "UR"}
    assert "Location" not in dict(answer.headers)
