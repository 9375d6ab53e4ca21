"""Storage commitment over HTTP, down to a byte that is flipped on the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from tests.dicomweb.wire import parts, store
from tests.faults.synthetic import Sent, small
from tests.http.archive import running
from vna.dicom.from_xml import from_xml
from vna.dicom.native_xml import native_xml

JSON = "application/dicom+json"
XML = "application/dicom+xml"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("archive") / "data"


@pytest.fixture(scope="module")
def client(data: Path) -> Iterator[httpx.Client]:
    """Of an archive of this module's own: its store is damaged."""
    with running(data) as url, httpx.Client(base_url=f"{url}/dicomweb", timeout=60) as client:
        del client.headers["accept"]
        yield client


@pytest.fixture(scope="module")
def sent(client: httpx.Client) -> list[Sent]:
    found = [small(3, one, salt=41) for one in range(4)]
    assert store(client, *(each.data for each in found)).status_code == 200
    return found


def ui(value: str) -> dict[str, Any]:
    return {"vr": "UI", "Value": [value]}


def item(client: httpx.Client, one: Sent) -> dict[str, Any]:
    (row,) = client.get(f"/instances?SOPInstanceUID={one.sop_uid}").json()
    return {"00081150": row["00080016"], "00081155": row["00080018"]}


def body(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"00081199": {"vr": "SQ", "Value": items}}


def post(client: httpx.Client, uid: str, said: Any, **headers: str) -> httpx.Response:
    return client.post(
        f"/commitment-requests/{uid}", json=said, headers={"Content-Type": JSON, **headers}
    )


def test_exactly_what_is_damaged_or_unknown_fails(
    client: httpx.Client, sent: list[Sent], data: Path
) -> None:
    items = [item(client, each) for each in sent]
    unknown = {"00081150": items[0]["00081150"], "00081155": ui("1.2.3.4.5")}
    (segment,) = (data / "store").rglob("*.vseg")
    content = bytearray(segment.read_bytes())
    at = content.find(sent[3].data)
    content[at + len(sent[3].data) - 3] ^= 1
    with segment.open("r+b") as file:
        file.write(content)

    answer = post(client, "1.2.3.1", body([*items, unknown]))

    assert (answer.status_code, answer.headers["content-type"]) == (200, JSON)
    said = answer.json()
    assert [each["00081155"] for each in said["00081199"]["Value"]] == [
        each["00081155"] for each in items[:3]
    ]
    reasons = {
        each["00081155"]["Value"][0]: each["00081197"]["Value"][0]
        for each in said["00081198"]["Value"]
    }
    assert reasons == {sent[3].sop_uid: 0x0110, "1.2.3.4.5": 0x0112}
    assert client.get("/commitment-requests/1.2.3.1").json() == said
    assert client.get(f"/instances?SOPInstanceUID={sent[3].sop_uid}").status_code == 200


def test_a_study_tree_is_answered_by_a_study_tree(client: httpx.Client, sent: list[Sent]) -> None:
    one = sent[0]
    series = {"0020000E": ui(one.series_uid), **body([item(client, one)])}
    tree = {
        "00081110": {
            "vr": "SQ",
            "Value": [
                {
                    "0020000D": ui(one.study_uid),
                    "00081115": {"vr": "SQ", "Value": [series]},
                }
            ],
        }
    }

    said = post(client, "1.2.3.2", [tree]).json()

    assert said == {"00081110": {**tree["00081110"]}}


def test_xml_is_read_and_written(client: httpx.Client, sent: list[Sent]) -> None:
    said = body([item(client, sent[0])])
    document = (
        '<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">'
        '<DicomAttribute tag="00081199" vr="SQ"><Item number="1">'
        + "".join(
            f'<DicomAttribute tag="{tag}" vr="UI"><Value number="1">{value["Value"][0]}</Value>'
            "</DicomAttribute>"
            for tag, value in said["00081199"]["Value"][0].items()
        )
        + "</Item></DicomAttribute></NativeDicomModel>"
    )

    answer = client.post(
        "/commitment-requests/1.2.3.3",
        content=document,
        headers={"Content-Type": XML, "Accept": XML},
    )

    assert (answer.status_code, answer.headers["content-type"]) == (200, XML)
    assert from_xml(answer.content) == said


@pytest.mark.parametrize("media_type", [JSON, XML])
def test_a_result_comes_as_the_part_of_a_multipart_body(
    client: httpx.Client, sent: list[Sent], media_type: str
) -> None:
    """Both are Required (PS3.18 §13): a client may want and send nothing else."""
    said = body([item(client, sent[1])])
    shape = f'multipart/related; type="{media_type}"'
    content = orjson.dumps(said) if media_type == JSON else native_xml(said)
    head = f"--b\r\nContent-Type: {media_type}\r\n\r\n".encode()

    answer = client.post(
        f"/commitment-requests/1.2.5.{len(media_type)}",
        content=head + content + b"\r\n--b--\r\n",
        headers={"Content-Type": f"{shape}; boundary=b", "Accept": shape},
    )

    (part,) = parts(answer)
    assert part.headers["content-type"] == media_type
    read = orjson.loads(part.data) if media_type == JSON else from_xml(part.data)
    assert read == said


@pytest.mark.parametrize("count", [0, 2])
def test_a_multipart_request_has_one_part(client: httpx.Client, count: int) -> None:
    content = b"--b\r\n\r\n{}\r\n" * count + b"--b--\r\n"

    answer = client.post(
        "/commitment-requests/1.9",
        content=content,
        headers={"Content-Type": f'multipart/related; type="{JSON}"; boundary=b'},
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-body")


@pytest.mark.parametrize(
    ("uid", "said", "headers", "status", "code"),
    [
        ("1.2.3.1", body([{"00081150": ui("1.2"), "00081155": ui("1.3")}]), {}, 409, "conflict"),
        ("x", body([]), {}, 400, "invalid-value"),
        ("1.9", {}, {}, 400, "malformed-body"),
        ("1.9", [], {}, 400, "malformed-body"),
        ("1.9", "text", {}, 400, "malformed-body"),
        ("1.9", body([{"00081150": ui("1.2")}]), {}, 400, "malformed-body"),
        ("1.9", {"00081199": {"vr": "SQ", "Value": ["x"]}}, {}, 400, "malformed-body"),
        ("1.9", {"00081199": 7}, {}, 400, "malformed-body"),
        ("1.9", body([]), {"Content-Type": "text/plain"}, 415, "unsupported-media-type"),
        ("1.9", body([]), {"Accept": "text/plain"}, 406, "not-acceptable"),
    ],
)
def test_what_is_wrong_is_said(
    client: httpx.Client, uid: str, said: Any, headers: dict[str, str], status: int, code: str
) -> None:
    if status == 409:
        post(client, uid, said)
    answer = post(client, uid, said, **headers)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_an_unknown_transaction_is_not_found(client: httpx.Client) -> None:
    assert client.get("/commitment-requests/1.2.99").status_code == 404
