"""What was decided where the standard leaves it open (table "decisions")."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from dicomweb.decisions import DECISIONS, Decision
from tests.conformance.samples import Sample
from tests.dicomweb import models
from tests.dicomweb.test_store_metadata import JPEG
from tests.dicomweb.wire import parts, store
from tests.faults.synthetic import small
from tests.http.archive import running
from vna.config import Settings
from vna.config.settings import Dicomweb
from vna.dicom.native_xml import native_xml

EXERCISED = ("decisions",)
Held = dict[str, Sample]
Shown = Callable[[httpx.Client, Held], None]
SHOWN: dict[str, Shown] = {}
DICOM = "application/dicom"
BULK = models.Bulk("bulk/pixels", "image/jpeg", JPEG)


def shows(name: str) -> Callable[[Shown], Shown]:
    """Marks the function that shows a decision."""

    def mark(shown: Shown) -> Shown:
        SHOWN[name] = shown
        return shown

    return mark


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda each: each.name)
def test_it_is_done_as_decided(client: httpx.Client, held: Held, decision: Decision) -> None:
    SHOWN[decision.name](client, held)


def get(client: httpx.Client, path: str, accept: str, **more: str) -> httpx.Response:
    return client.get(path, headers={"Accept": accept, **more})


@shows("partial answers")
def _(client: httpx.Client, held: Held) -> None:
    accept = f"{DICOM}; transfer-syntax=*"
    assert get(client, held["ct"].path, accept, Range="bytes=0-9").status_code == 206
    assert get(client, f"{held['ct'].path}/frames/1,9", "*/*").status_code == 404


@shows("form of the store response")
def _(client: httpx.Client, held: Held) -> None:
    assert isinstance(store(client, held["ct"].data).json(), dict)


@shows("202 of a store")
def _(client: httpx.Client, held: Held) -> None:
    assert store(client, small(1, 1, salt=71).data).status_code == 200
    assert store(client, small(1, 2, salt=71).data, b"no object").status_code == 202


@shows("frames of native pixel data")
def _(client: httpx.Client, held: Held) -> None:
    octets = 'multipart/related; type="application/octet-stream"'
    frames = parts(get(client, f"{held['multi'].path}/frames/1,2", octets))
    (whole,) = parts(get(client, f"{held['multi'].path}/bulkdata/7FE00010", octets))
    assert b"".join(each.data for each in frames) == whole.data


@shows("no Accept")
def _(client: httpx.Client, held: Held) -> None:
    assert client.get(held["ct"].path).status_code == 200
    with strict(held["ct"]) as other:
        assert other.get(held["ct"].path).status_code == 406


@shows("no transfer syntax named")
def _(client: httpx.Client, held: Held) -> None:
    answer = get(client, held["jpeg"].path, DICOM)
    assert answer.headers["content-type"] == f"{DICOM}; transfer-syntax=1.2.840.10008.1.2.1"
    answer = get(client, held["video/mp4"].path, DICOM)
    assert answer.headers["content-type"].endswith("4.102")
    assert "warning" in answer.headers


@shows("image/jpeg without a transfer syntax")
def _(client: httpx.Client, held: Held) -> None:
    accept = 'multipart/related; type="image/jpeg"'
    answer = get(client, f"{held['jpeg'].path}/frames/1", accept)
    (part,) = parts(answer)
    assert part.headers["content-type"].endswith("4.50")
    assert "warning" in answer.headers
    with strict(held["jpeg"]) as other:
        (part,) = parts(get(other, f"{held['jpeg'].path}/frames/1", accept))
        assert part.headers["content-type"].endswith("4.70")


@shows("Implicit VR and Big Endian")
def _(client: httpx.Client, held: Held) -> None:
    one = held["implicit"]
    answer = get(client, one.path, f"{DICOM}; transfer-syntax=*")
    assert answer.headers["content-type"].endswith("1.2.840.10008.1.2.1")
    refused = get(client, one.path, f"{DICOM}; transfer-syntax=1.2.840.10008.1.2")
    assert refused.status_code == 406
    assert client.get(one.path, params="original").content == one.data


@shows("single-part application/dicom")
def _(client: httpx.Client, held: Held) -> None:
    data = small(2, 1, salt=71).data
    answer = client.post("/studies", content=data, headers={"Content-Type": DICOM})
    assert answer.status_code == 200


@shows("parts of one multi-frame")
def _(client: httpx.Client, held: Held) -> None:
    for places in (("bulk/pixels",) * 2, ("bulk/pixels/frames/2", "bulk/pixels/frames/1")):
        bulk = [replace(BULK, location=place) for place in places]
        assert models.store_json(client, models.photo(), *bulk).status_code == 200


@shows("metadata that contradict the image")
def _(client: httpx.Client, held: Held) -> None:
    made = models.photo(t00280010=("US", 99))
    answer = models.store_json(client, made, BULK)
    (failed,) = answer.json()["00081198"]["Value"]
    assert failed["00081197"]["Value"] == [0xA900]


@shows("an object sent again")
def _(client: httpx.Client, held: Held) -> None:
    one = small(3, 1, salt=71)
    for _ in range(2):
        assert store(client, one.data).status_code == 200
    assert store(client, one.data[:-2] + b"\1\1").status_code == 202


@shows("spelling of example B.23")
def _(client: httpx.Client, held: Held) -> None:
    made = models.photo()
    written = native_xml(made).decode()
    assert ' tag="' in written
    for name, other in (("tag", "Tag"), ("vr", "VR"), ("keyword", "Keyword")):
        written = written.replace(f" {name}=", f" {other}=")
    answer = models.post(client, [written.encode()], [BULK], "application/dicom+xml")
    assert answer.status_code == 200, answer.text


@shows("several values of a code string key")
def _(client: httpx.Client, held: Held) -> None:
    found = client.get("/series", params={"Modality": "CT\\MR", "limit": "100"}).json()
    assert {each["00080060"]["Value"][0] for each in found} == {"CT", "MR"}


@shows("multiplevaluematching")
def _(client: httpx.Client, held: Held) -> None:
    answer = client.get("/studies", params={"multiplevaluematching": "true"})
    assert "Multiple Value Matching has not been performed" in answer.headers["warning"]


@shows("3D rendering")
def _(client: httpx.Client, held: Held) -> None:
    for name in ("rendered3d", "rendered3D"):
        assert client.get(f"/studies/{held['ct'].study}/{name}").status_code == 404


@shows("cancelling a scheduled workitem")
def _(client: httpx.Client, held: Held) -> None:
    assert client.post("/workitems/1.2.3/cancelrequest").status_code == 404


@shows("a name nobody knows")
def _(client: httpx.Client, held: Held) -> None:
    answer = client.get("/studies", params={"PatientNam": "x"})
    assert (answer.status_code, answer.json()["nearest"]) == (400, "PatientName")


@contextmanager
def strict(one: Sample) -> Iterator[httpx.Client]:
    """Another archive with `strict_accept`, that holds one object."""
    settings = replace(Settings(), dicomweb=Dicomweb(strict_accept=True))
    with (
        TemporaryDirectory() as folder,
        running(Path(folder) / "data", settings) as url,
        httpx.Client(base_url=f"{url}/dicomweb", timeout=60) as client,
    ):
        del client.headers["accept"]
        assert store(client, one.data).status_code in (200, 202)
        yield client
