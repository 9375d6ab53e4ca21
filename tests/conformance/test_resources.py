"""Every resource in every media type, with every parameter (table "resources")."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

import httpx
import pytest

from dicomweb.offers import OFFERS, Offer
from tests.conformance.samples import Sample
from tests.dicomweb import models
from tests.dicomweb.wire import store
from tests.faults.synthetic import small
from vna.dicom.native_xml import native_xml

EXERCISED = ("resources",)
JSON = "application/dicom+json"
_uids = itertools.count(1)

# Which sample can be had as what; anything else is had of the CT.
RENDERED = {
    "text/html": "sr",
    "text/plain": "sr",
    "text/xml": "cda",
    "image/svg+xml": "ecg",
    "application/pdf": "pdf",
    **{
        name: name
        for name in ("video/mp4", "video/mpeg", "video/h265", "video/mp2t", "model/stl",
                     "model/obj", "model/mtl")
    },
}  # fmt: skip
WHOLE = {
    "image/jpx": "image/jpx",
    "video/mpeg": "video/mpeg",
    "video/mp4": "video/mp4",
    "video/h265": "video/h265",
}


def sample_for(offer: Offer, media_type: str) -> str:
    """The name of a sample that the resource can give so."""
    inner = inner_of(media_type).lower()
    if offer.transaction == "Slide":
        return "slide"
    if offer.transaction in ("Retrieve rendered", "WADO-URI"):
        return RENDERED.get(inner, "ct")
    # The CT has other bulk data, which leave as octets only.
    return WHOLE.get(inner, "rgb" if offer.transaction == "Retrieve bulkdata" else "ct")


def inner_of(media_type: str) -> str:
    """Of each part, or of the body."""
    return media_type.partition('type="')[2].rstrip('"') or media_type


def answers() -> Iterator[tuple[Offer, str]]:
    for offer in OFFERS:
        if offer.method in ("GET", "OPTIONS"):
            yield from ((offer, answer) for answer in offer.answers)


def query_of(offer: Offer, held: Sample) -> dict[str, str]:
    """What the resource cannot be asked without."""
    if offer.transaction != "WADO-URI":
        return {}
    return {
        "requestType": "WADO",
        "studyUID": held.study,
        "seriesUID": held.series,
        "objectUID": held.sop,
    }


def committed(client: httpx.Client, held: Sample) -> str:
    """The UID of a storage commitment that has a result."""
    uid = f"2.25.{next(_uids)}"
    sop = {
        "00081150": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.2"]},
        "00081155": {"vr": "UI", "Value": [held.sop]},
    }
    asked = {"00081199": {"vr": "SQ", "Value": [sop]}}
    answer = client.post(f"/commitment-requests/{uid}", json=asked, headers={"Content-Type": JSON})
    assert answer.status_code in (200, 202), answer.text
    return uid


@pytest.mark.parametrize(
    ("offer", "media_type"),
    list(answers()),
    ids=lambda each: f"{each.method} {each.template}" if isinstance(each, Offer) else each,
)
def test_every_media_type_is_had(
    client: httpx.Client, held: dict[str, Sample], offer: Offer, media_type: str
) -> None:
    one = held[sample_for(offer, media_type)]
    path = one.filled(offer.template)
    if "{transaction}" in path:
        path = path.replace("{transaction}", committed(client, held["ct"]))
    if "{file}" in path:
        path = path.replace("{file}", f"default.{media_type.partition('/')[2][:3]}")
        path = path.replace("default.jpe", "default.jpg")
    query = query_of(offer, one)
    if offer.transaction == "WADO-URI":
        query["contentType"] = media_type

    answer = client.request(offer.method, path, params=query, headers={"Accept": media_type})

    assert answer.status_code == 200, answer.text
    said = answer.headers["content-type"].lower()
    if media_type.startswith("multipart"):
        assert said.startswith(f'multipart/related; type="{inner_of(media_type).lower()}"')
    else:
        assert said.startswith(media_type.lower())


TAKEN = [(offer, taken) for offer in OFFERS for taken in offer.takes]


@pytest.mark.parametrize(
    ("offer", "media_type"),
    TAKEN,
    ids=lambda each: f"{each.method} {each.template}" if isinstance(each, Offer) else each,
)
def test_every_media_type_is_taken(
    client: httpx.Client, held: dict[str, Sample], offer: Offer, media_type: str
) -> None:
    number = next(_uids)
    if offer.transaction == "Storage commitment":
        sop = {
            "00081150": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.2"]},
            "00081155": {"vr": "UI", "Value": [held["ct"].sop]},
        }
        said = {"00081199": {"vr": "SQ", "Value": [sop]}}
        path = f"/commitment-requests/2.26.{number}"
        document = native_xml(said) if "xml" in media_type else json.dumps(said).encode()
    else:
        model = models.model("1.2.840.10008.5.1.4.1.1.88.11", "SR")
        sent = small(number, 1, salt=61)
        study = models.uids(model)[0] if "+" in media_type else sent.study_uid
        path = offer.template.replace("{study}", study)
        document = sent.data
        if "+" in media_type:
            document = native_xml(model) if "xml" in media_type else json.dumps([model]).encode()
    content_type = media_type
    if media_type.startswith("multipart"):
        content_type = f"{media_type}; boundary={models.BOUNDARY}"
        document = models.body([document], [], inner_of(media_type))

    answer = client.post(path, content=document, headers={"Content-Type": content_type})

    assert answer.status_code in (200, 202), answer.text
    if offer.transaction == "Store":
        assert "00081199" in answer.json()


VALUES = {
    "annotation": "technique",
    "charset": "UTF-8",
    "columns": "20",
    "cursor": "",
    "dicomdir": "true",
    "dpi": "96",
    "emptyvaluematching": "true",
    "frameNumber": "1",
    "fuzzymatching": "true",
    "gain": "10",
    "iccprofile": "no",
    "imageQuality": "50",
    "includefield": "00081030",
    "layout": "3x4",
    "limit": "1",
    "multiplevaluematching": "false",
    "offset": "0",
    "original": "",
    "overlays": "no",
    "page": "1",
    "quality": "50",
    "reason": "no need",
    "region": "0,0,1,1",
    "rows": "20",
    "speed": "25",
    "time": "0",
    "transferSyntax": "1.2.840.10008.1.2.1",
    "version": "1",
    "viewport": "20,20",
    "window": "40,400,linear",
    "windowCenter": "40",
    "windowWidth": "400",
    "{attribute}": "x",
}
# What some of them cannot stand without, and what must be had then.
TOGETHER: dict[str, dict[str, str]] = {
    "windowCenter": {"windowWidth": "400"},
    "windowWidth": {"windowCenter": "40"},
    "transferSyntax": {"contentType": "application/dicom"},
    "dpi": {"accept": "image/png"},
}
OF_ECG = ("dpi", "gain", "layout", "speed", "time")
MORE_THAN_HERE = (  # shown by tests of their own: they name a presentation state, or a page before
    "presentationSeriesUID", "presentationUID", "cursor", "anonymize",
)  # fmt: skip
PARAMETERS = [
    (offer, name)
    for offer in OFFERS
    for name in offer.parameters
    if offer.method == "GET" and name not in MORE_THAN_HERE
]


@pytest.mark.parametrize(
    ("offer", "name"),
    PARAMETERS,
    ids=lambda each: each.template if isinstance(each, Offer) else each,
)
def test_every_parameter_is_understood(
    client: httpx.Client, held: dict[str, Sample], offer: Offer, name: str
) -> None:
    kind = {"page": "pdf", "charset": "sr", "frameNumber": "multi"}.get(name, "ct")
    one = held["ecg" if name in OF_ECG else kind]
    if offer.transaction == "Slide":
        one = held["slide"]
    query = query_of(offer, one)
    path = one.filled(offer.template).replace("{file}", "default.jpg")
    if name == "{attribute}":
        query["PatientID"] = "x"
    elif name == "accept":
        query["accept"] = next(iter(offer.answers))
    elif name not in query and name != "contentType":
        query |= {name: VALUES[name], **TOGETHER.get(name, {})}
    accept = "application/zip" if name == "dicomdir" else "*/*"

    answer = client.get(path, params=query, headers={"Accept": accept})

    assert answer.status_code in (200, 204), answer.text


def test_nothing_is_given_as_anonymous_that_is_not(
    client: httpx.Client, held: dict[str, Sample]
) -> None:
    wado = next(each for each in OFFERS if each.transaction == "WADO-URI")
    asked = {"anonymize": "yes", "contentType": "application/dicom"}
    answer = client.get(wado.template, params=query_of(wado, held["ct"]) | asked)
    assert answer.status_code == 406


@pytest.mark.parametrize(
    "offer", [each for each in OFFERS if each.method == "DELETE"], ids=lambda each: each.template
)
def test_every_level_is_deleted(client: httpx.Client, offer: Offer) -> None:
    sent = small(next(_uids), 2, salt=62)
    assert store(client, sent.data).status_code == 200
    one = Sample(b"", sent.study_uid, sent.series_uid, sent.sop_uid)
    answer = client.delete(one.filled(offer.template), params={"reason": "a test"})
    assert answer.status_code in (200, 204), answer.text
    assert client.get(f"{one.path}/metadata").status_code == 410
