"""DELETE moves to the trash: gone for everybody, and restored exactly."""

from __future__ import annotations

import httpx
import pytest

from tests.dicomweb.wire import path_of, store
from tests.faults.synthetic import small


@pytest.mark.parametrize(
    ("number", "below"), [(1, ""), (2, "/series/{series}"), (3, "/series/{series}/instances/{sop}")]
)
def test_what_is_deleted_is_410_until_it_is_restored(
    client: httpx.Client, url: str, number: int, below: str
) -> None:
    one = small(number, 1)
    store(client, one.data)
    path = f"/studies/{one.study_uid}" + below.format(series=one.series_uid, sop=one.sop_uid)

    deleted = client.delete(path, params={"reason": "wrong patient"})

    assert (deleted.status_code, deleted.content) == (204, b"")
    for gone in (path, f"{path}/metadata", path_of(one), f"{path_of(one)}?original"):
        answer = client.get(gone)
        assert (answer.status_code, answer.json()["code"]) == (410, "gone")
    assert client.delete(path).status_code == 410
    assert client.get("/instances", params={"SOPInstanceUID": one.sop_uid}).status_code == 204

    trash = httpx.get(f"{url}/api/v1/trash").json()["trash"]
    (entry,) = [each for each in trash if each["uid"] == path.rpartition("/")[2]]
    assert entry["reason"] == "wrong patient"
    restored = httpx.post(f"{url}/api/v1/trash/{entry['id']}/restore")
    assert restored.status_code == 200, restored.text
    assert client.get(f"{path_of(one)}?original").content == one.data


def test_what_lies_in_the_trash_and_is_sent_again_stays_hidden_with_a_warning(
    client: httpx.Client,
) -> None:
    one = small(4, 1)
    store(client, one.data)
    client.delete(f"/studies/{one.study_uid}")

    answer = store(client, one.data)

    assert answer.status_code == 202
    (item,) = answer.json()["00081199"]["Value"]
    assert item["00081196"]["Value"] == [0xB000]
    assert item["00081190"] == {"vr": "UR"}
    assert client.get(path_of(one)).status_code == 410


def test_nothing_can_be_deleted_that_is_not_there(client: httpx.Client) -> None:
    assert client.delete("/studies/1.9.9").status_code == 404
