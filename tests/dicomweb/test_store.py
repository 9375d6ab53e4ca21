"""STOW-RS (PS3.18 §10.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.dicomweb.wire import BOUNDARY, MULTIPART_DICOM, body, changed, path_of, store
from tests.faults.synthetic import Sent, small


def values(module: dict[str, Any], tag: str) -> list[Any]:
    """The values of an attribute of the response, [] where it is empty or absent."""
    found: list[Any] = module.get(tag, {}).get("Value", [])
    return found


def referenced(answer: httpx.Response) -> list[str]:
    """SOP Instance UIDs of the Referenced SOP Sequence."""
    return [item["00081155"]["Value"][0] for item in values(answer.json(), "00081199")]


def reasons(answer: httpx.Response, tag: str) -> list[int]:
    """Failure Reasons of a sequence."""
    return [item["00081197"]["Value"][0] for item in values(answer.json(), tag)]


def original(client: httpx.Client, sent: Sent) -> httpx.Response:
    """The instance as received."""
    return client.get(path_of(sent), params="original")


def test_all_stored_is_200_and_says_where_each_is(client: httpx.Client, url: str) -> None:
    one, two = small(1, 1), small(1, 2)

    answer = store(client, one.data, two.data)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/dicom+json"
    study = f"{url}/dicomweb/studies/{one.study_uid}"
    assert answer.headers["location"] == answer.headers["content-location"] == study
    module = answer.json()
    assert list(module) == ["00081190", "00081199"]
    assert module["00081190"] == {"vr": "UR", "Value": [study]}
    assert values(module, "00081199")[0] == {
        "00081150": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.7"]},
        "00081155": {"vr": "UI", "Value": [one.sop_uid]},
        "00081190": {"vr": "UR", "Value": [f"{url}/dicomweb{path_of(one)}"]},
    }
    assert referenced(answer) == [one.sop_uid, two.sop_uid]
    assert original(client, two).content == two.data


def test_a_chunked_body_is_stored(client: httpx.Client) -> None:
    one = small(2, 1)
    content = body(one.data)

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(content), 700):
            yield content[start : start + 700]

    answer = client.post("/studies", content=chunks(), headers={"Content-Type": MULTIPART_DICOM})

    assert answer.status_code == 200
    assert original(client, one).content == one.data


@pytest.mark.parametrize("chunked", [False, True])
def test_one_object_alone_is_stored(client: httpx.Client, chunked: bool) -> None:
    one = small(3, 1 + chunked)

    answer = client.post(
        "/studies",
        content=iter([one.data]) if chunked else one.data,
        headers={"Content-Type": "application/dicom"},
    )

    assert answer.status_code == 200
    assert referenced(answer) == [one.sop_uid]


@pytest.mark.parametrize(
    "kind",
    [
        f"multipart/related; type=application/dicom; boundary={BOUNDARY}",
        f'Multipart/Related; boundary="{BOUNDARY}"; type="application/dicom"',
        f"multipart/related; boundary={BOUNDARY}",
    ],
)
def test_the_content_type_may_be_written_in_every_usual_way(
    client: httpx.Client, kind: str
) -> None:
    answer = client.post("/studies", content=body(small(4, 1).data), headers={"Content-Type": kind})

    assert answer.status_code == 200


def test_the_same_again_is_a_success_and_no_second_copy(client: httpx.Client) -> None:
    one = small(5, 1)

    assert [store(client, one.data).status_code for _ in range(3)] == [200] * 3
    assert store(client, one.data, one.data).status_code == 200
    found = client.get(f"/studies/{one.study_uid}/instances").json()
    assert len(found) == 1


def test_another_version_is_202_with_a_warning_reason(client: httpx.Client) -> None:
    one = small(6, 1)
    store(client, one.data)

    answer = store(client, changed(one, 0x00080050, b"SH", "A1", "A2"))

    assert answer.status_code == 202
    (item,) = values(answer.json(), "00081199")
    assert item["00081196"] == {"vr": "US", "Value": [0xB000]}


def test_a_held_object_is_202_and_has_no_retrieve_url(client: httpx.Client) -> None:
    one, two = small(7, 1), small(7, 2)
    store(client, one.data)

    answer = store(client, changed(two, 0x00100020, b"LO", "P0-7", "P0-8"))

    assert answer.status_code == 202
    (item,) = values(answer.json(), "00081199")
    assert item["00081190"] == {"vr": "UR"}
    assert item["00081196"]["Value"] == [0xB000]
    assert client.get(path_of(two)).status_code == 404


def test_a_part_that_is_no_object_is_an_other_failure(client: httpx.Client) -> None:
    one = small(8, 1)

    answer = store(client, b"no dicom at all", one.data)

    assert answer.status_code == 202
    assert referenced(answer) == [one.sop_uid]
    assert reasons(answer, "0008119A") == [0xC000]
    assert "part 1: " in answer.headers["warning"]


def test_an_object_of_another_study_fails_by_name(client: httpx.Client) -> None:
    one, other = small(9, 1), small(10, 1)

    answer = store(client, one.data, other.data, study=one.study_uid)

    assert answer.status_code == 202
    assert referenced(answer) == [one.sop_uid]
    (failed,) = values(answer.json(), "00081198")
    assert failed["00081155"]["Value"] == [other.sop_uid]
    assert failed["00081197"]["Value"] == [0xA900]
    assert original(client, other).status_code == 404
    assert store(client, other.data, study=one.study_uid).status_code == 409


def test_nothing_readable_is_400(client: httpx.Client) -> None:
    answer = store(client, b"", b"neither")

    assert answer.status_code == 400
    assert reasons(answer, "0008119A") == [0xC000, 0xC000]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", "malformed-body", id="nothing"),
        pytest.param(f"--{BOUNDARY}--\r\n".encode(), "malformed-body", id="no part"),
        pytest.param(b"--other\r\n\r\nx\r\n--other--", "malformed-body", id="another boundary"),
        pytest.param(body(small(11, 1).data)[:-20], "malformed-body", id="no terminator"),
    ],
)
def test_a_body_that_breaks_its_grammar_is_400(
    client: httpx.Client, content: bytes, code: str
) -> None:
    answer = client.post("/studies", content=content, headers={"Content-Type": MULTIPART_DICOM})

    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert original(client, small(11, 1)).status_code == 404


def test_what_came_before_a_missing_terminator_is_kept_and_said(client: httpx.Client) -> None:
    one, cut = small(12, 1), small(12, 2)

    answer = client.post(
        "/studies",
        content=body(one.data, cut.data)[:-20],
        headers={"Content-Type": MULTIPART_DICOM},
    )

    assert answer.status_code == 202
    assert referenced(answer) == [one.sop_uid]
    assert reasons(answer, "0008119A") == [0xC000]
    assert original(client, cut).status_code == 404


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        f'multipart/related; type="application/pdf"; boundary={BOUNDARY}',
        f"multipart/form-data; boundary={BOUNDARY}",
        "nonsense",
    ],
)
def test_another_media_type_is_415(client: httpx.Client, kind: str) -> None:
    answer = client.post("/studies", content=body(small(1, 1).data), headers={"Content-Type": kind})

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


def test_a_part_of_another_media_type_fails_alone(client: httpx.Client) -> None:
    one = small(13, 1)
    text = f"--{BOUNDARY}\r\nContent-Type: text/plain\r\n\r\nhello\r\n".encode()

    answer = client.post(
        "/studies", content=text + body(one.data), headers={"Content-Type": MULTIPART_DICOM}
    )

    assert answer.status_code == 202
    assert referenced(answer) == [one.sop_uid]
    assert reasons(answer, "0008119A") == [0xC000]


def test_accept_does_not_stand_in_the_way_of_storing(client: httpx.Client) -> None:
    one = small(14, 1)

    answer = client.post(
        "/studies",
        content=body(one.data),
        headers={"Content-Type": MULTIPART_DICOM, "Accept": "application/dicom+xml"},
    )

    assert answer.status_code == 200


def test_only_post_stores(client: httpx.Client) -> None:
    answer = client.put("/studies", content=b"x")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")


def test_many_parts_come_back_in_their_order(client: httpx.Client) -> None:
    sent = [small(15, number) for number in range(60)]

    answer = store(client, *(one.data for one in sent))

    assert answer.status_code == 200
    assert referenced(answer) == [one.sop_uid for one in sent]


def test_an_object_beyond_memory_is_stored_and_given_back(client: httpx.Client) -> None:
    from tests.faults.synthetic import native

    large = native(24 << 20, name=900)
    data = b"".join(large.chunks())

    answer = store(client, data)

    assert answer.status_code == 200
    path = f"/studies/{large.study_uid}/series/{large.series_uid}/instances/{large.sop_uid}"
    assert client.get(path, params="original").content == data


def test_an_odd_object_is_stored_with_a_warning(client: httpx.Client) -> None:
    """Identifiable, but its file meta names another class: kept as it came (B007)."""
    one = small(16, 1)
    odd = one.data.replace(b"1.2.840.10008.5.1.4.1.1.7\0", b"1.2.840.10008.5.1.4.1.1.4\0", 1)

    answer = store(client, odd)

    assert answer.status_code == 202
    (item,) = values(answer.json(), "00081199")
    assert item["00081196"]["Value"] == [0xB007]
    assert original(client, one).content == odd
