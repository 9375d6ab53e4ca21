"""WADO-URI: files over HTTP, and pictures in the words of WADO-RS."""

from __future__ import annotations

import io
from collections.abc import Iterator

import httpx
import pydicom
import pytest
from pydicom.data import get_testdata_file

from dicomweb.links import Links
from dicomweb.wado_uri import WadoUri
from tests.dicomweb.wire import EXPLICIT_LE, JPEG_BASELINE, encapsulated, path_of, store
from tests.faults.synthetic import Sent, small
from tests.http.requests import get
from tests.services.desk import Desk
from tests.services.house import House
from vna.errors import InvalidValue
from vna.http.answer import Answer
from vna.http.request import Request

DICOM = "application/dicom"
J2K = "1.2.840.10008.1.2.4.90"
ONE = small(700, 1)
FOUR = encapsulated("70", [b"\xff\xd8\xff\xd9"] * 4, JPEG_BASELINE)


def query(sent: Sent, **more: str) -> dict[str, str]:
    uids = {"studyUID": sent.study_uid, "seriesUID": sent.series_uid, "objectUID": sent.sop_uid}
    return {"requestType": "WADO", **uids, **more}


@pytest.fixture(scope="module")
def compressed(url: str) -> Sent:
    """An image in JPEG 2000, lossless."""
    path = get_testdata_file("US1_J2KR.dcm")
    assert isinstance(path, str)
    dataset = pydicom.dcmread(path)
    out = io.BytesIO()
    dataset.save_as(out)
    with httpx.Client(base_url=f"{url}/dicomweb", timeout=60) as client:
        assert store(client, ONE.data, FOUR.data, out.getvalue()).status_code in (200, 202)
    return Sent(
        dataset.StudyInstanceUID,
        dataset.SeriesInstanceUID,
        dataset.SOPInstanceUID,
        out.getvalue(),
    )


@pytest.mark.parametrize("place", ["/dicomweb/wado", "/wado"])
def test_a_file_comes_whole_and_by_ranges(url: str, compressed: Sent, place: str) -> None:
    with httpx.Client(base_url=url, timeout=60) as client:
        answer = client.get(place, params=query(ONE, contentType=DICOM))
        part = client.get(
            place, params=query(ONE, contentType=DICOM), headers={"Range": "bytes=128-131"}
        )
        same = client.get(
            place,
            params=query(ONE, contentType=DICOM),
            headers={"If-None-Match": answer.headers["etag"]},
        )

    assert (answer.status_code, answer.headers["content-type"]) == (200, DICOM)
    assert answer.content == ONE.data
    assert answer.headers["content-location"].endswith(path_of(ONE))
    assert (part.status_code, part.content) == (206, b"DICM")
    assert same.status_code == 304


@pytest.mark.parametrize(
    ("asked", "syntax"), [(None, EXPLICIT_LE), (EXPLICIT_LE, EXPLICIT_LE), (J2K, J2K)]
)
def test_the_transfer_syntax_is_explicit_little_endian_unless_one_is_named(
    client: httpx.Client, compressed: Sent, asked: str | None, syntax: str
) -> None:
    more = {} if asked is None else {"transferSyntax": asked}

    answer = client.get("/wado", params=query(compressed, contentType=DICOM, **more))

    dataset = pydicom.dcmread(io.BytesIO(answer.content))
    assert dataset.file_meta.TransferSyntaxUID == syntax
    original = pydicom.dcmread(io.BytesIO(compressed.data))
    assert (dataset.pixel_array == original.pixel_array).all()


def test_the_accept_header_alone_can_ask_for_a_file(client: httpx.Client, compressed: Sent) -> None:
    answer = client.get("/wado", params=query(ONE), headers={"Accept": DICOM})

    assert answer.content == ONE.data


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"contentType": DICOM, "transferSyntax": JPEG_BASELINE}, 406, "not-acceptable"),
        ({"contentType": DICOM, "transferSyntax": "1.2.3"}, 406, "not-acceptable"),
        ({"contentType": DICOM, "transferSyntax": "x"}, 400, "invalid-value"),
        ({"contentType": DICOM, "anonymize": "yes"}, 406, "not-acceptable"),
        ({"contentType": DICOM, "windowWidth": "400"}, 400, "invalid-value"),
        ({"contentType": DICOM, "objectUID": "1.2.3"}, 404, "not-found"),
        ({"contentType": DICOM, "seriesUID": "1.2.3"}, 404, "not-found"),
        ({"contentType": DICOM, "studyUID": ""}, 400, "invalid-value"),
        ({"contentType": DICOM, "requestType": "RS"}, 400, "invalid-value"),
        ({"contentType": DICOM, "frame": "1"}, 400, "unknown-name"),
    ],
)
def test_what_cannot_be_is_said(
    client: httpx.Client, compressed: Sent, more: dict[str, str], status: int, code: str
) -> None:
    answer = client.get("/wado", params=query(ONE) | more)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_what_was_deleted_is_gone(client: httpx.Client) -> None:
    one = small(701, 1)
    store(client, one.data)
    assert client.delete(path_of(one)).status_code == 204

    assert client.get("/wado", params=query(one, contentType=DICOM)).status_code == 410


# ── pictures ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def desk(house: House) -> Iterator[Desk]:
    made = Desk(house)
    house.send(ONE.data, FOUR.data)
    yield made
    made.close()


def handed_on(desk: Desk, sent: Sent, more: str) -> Request:
    """What the handler of `…/rendered` is asked."""
    asked: list[Request] = []

    def rendered(request: Request) -> Answer:
        asked.append(request)
        return Answer(200)

    wado = WadoUri(desk.retrieve, rendered, Links("http://x"), strict=False, ignored=())
    words = "&".join(f"{name}={value}" for name, value in query(sent).items())
    assert wado(get(f"{words}&{more}")).status == 200
    (found,) = asked
    return found


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", {}),
        ("contentType=image/png", {"accept": "image/png"}),
        ("imageQuality=80&annotation=patient", {"quality": "80", "annotation": "patient"}),
        ("windowCenter=40&windowWidth=400.5", {"window": "40,400.5,linear"}),
        ("rows=32&columns=100", {"viewport": "100,32"}),
        ("rows=32", {"viewport": "32,32"}),
        ("columns=16", {"viewport": "16,16"}),
        ("region=0.5,0,1,0.25", {"viewport": "32,16,32,0,32,16"}),
        ("region=0.5,0,1,0.25&columns=320", {"viewport": "320,160,32,0,32,16"}),
        (
            "presentationSeriesUID=1.5&presentationUID=1.6",
            {"presentationSeriesUID": "1.5", "presentationUID": "1.6"},
        ),
    ],
)
def test_a_picture_is_that_of_the_rendered_resource(
    desk: Desk, more: str, said: dict[str, str]
) -> None:
    """The image has 64 rows and columns."""
    found = handed_on(desk, ONE, more)

    assert dict(found.query) == said
    assert found.parameters["instance"] == ONE.sop_uid
    assert found.parameters["frames"] == "1"


@pytest.mark.parametrize(("more", "frame"), [("", "1"), ("frameNumber=3", "3")])
def test_one_frame_is_drawn_the_first_unless_one_is_named(
    desk: Desk, more: str, frame: str
) -> None:
    assert handed_on(desk, FOUR, more).parameters["frames"] == frame


def test_a_frame_that_is_not_there_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidValue, match="frameNumber"):
        handed_on(desk, FOUR, "frameNumber=5")
