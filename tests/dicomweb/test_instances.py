"""WADO-RS of studies, series and instances (PS3.18 §10.4), and what a client accepts (§8.7)."""

from __future__ import annotations

import io

import httpx
import pydicom
import pytest

from tests.dicom.objects import DEFLATED, EXPLICIT_BE, IMPLICIT_LE, written
from tests.dicomweb.wire import (
    ANY_SYNTAX,
    EXPLICIT_LE,
    JPEG_BASELINE,
    encapsulated,
    parts,
    path_of,
    store,
)
from tests.faults.synthetic import ROOT, Sent, small

DICOM = "application/dicom"


def get(
    client: httpx.Client, path: str, accept: str | None = None, **headers: str
) -> httpx.Response:
    """One GET."""
    given = {} if accept is None else {"Accept": accept}
    return client.get(path, headers=given | headers)


@pytest.fixture
def one(client: httpx.Client) -> Sent:
    """A stored native image."""
    sent = small(1, 1)
    assert store(client, sent.data).status_code == 200
    return sent


@pytest.fixture
def jpeg(client: httpx.Client) -> Sent:
    """A stored image whose pixels no codec reads."""
    sent = encapsulated("1", [b"\xff\xd8one\0\xff\xd9"], JPEG_BASELINE)
    assert store(client, sent.data).status_code == 200
    return sent


def test_a_study_and_a_series_come_as_parts_with_their_urls(client: httpx.Client, url: str) -> None:
    sent = [small(2, number) for number in (1, 2, 3)]
    store(client, *(each.data for each in sent))

    for path in (
        f"/studies/{sent[0].study_uid}",
        f"/studies/{sent[0].study_uid}/series/{sent[0].series_uid}",
    ):
        answer = get(client, path, ANY_SYNTAX)
        found = parts(answer)
        assert int(answer.headers["content-length"]) == len(answer.content)
        assert [part.data for part in found] == [each.data for each in sent]
        assert found[0].headers == {
            "content-type": f"application/dicom; transfer-syntax={EXPLICIT_LE}",
            "content-location": f"{url}/dicomweb{path_of(sent[0])}",
        }


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "*/*",
        'multipart/related; type="application/dicom"',
        "multipart/related; type=application/dicom; transfer-syntax=*",
        'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.1',
        'multipart/related; type="*/*"',
        "image/png;q=0.1, */*",
    ],
)
def test_an_instance_is_one_part_by_default(
    client: httpx.Client, one: Sent, accept: str | None
) -> None:
    (part,) = parts(get(client, path_of(one), accept))

    assert part.data == one.data


@pytest.mark.parametrize("accept", [DICOM, f"{DICOM}; transfer-syntax=*", "application/*"])
def test_an_instance_comes_alone_where_that_is_accepted(
    client: httpx.Client, one: Sent, accept: str
) -> None:
    answer = get(client, path_of(one), accept)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{DICOM}; transfer-syntax={EXPLICIT_LE}"
    assert answer.content == one.data


def test_alone_is_for_one_instance_only(client: httpx.Client, one: Sent) -> None:
    """Single-part types are ignored for resources of several items (§10.4.4)."""
    assert get(client, f"/studies/{one.study_uid}", DICOM).status_code == 406


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/studies/1.9.9", 404, "not-found"),
        ("/studies/{study}/series/1.9", 404, "not-found"),
        ("/studies/{study}/series/{series}/instances/1.9", 404, "not-found"),
    ],
)
def test_what_is_not_there_is_404(
    client: httpx.Client, one: Sent, path: str, status: int, code: str
) -> None:
    answer = get(client, path.format(study=one.study_uid, series=one.series_uid))

    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("accept", "status", "code"),
    [
        ("text/plain", 406, "not-acceptable"),
        ("application/dicom+xml", 406, "not-acceptable"),
        (f"{DICOM}; transfer-syntax=1.2.840.10008.1.2", 406, "not-acceptable"),
        (f"{DICOM}; transfer-syntax=1.2.840.10008.1.2.4.91", 406, "not-acceptable"),
        (f"{DICOM}, image/png", 400, "invalid-value"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_the_reason(
    client: httpx.Client, one: Sent, accept: str, status: int, code: str
) -> None:
    answer = get(client, path_of(one), accept)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_compressed_pixels_come_as_stored_with_a_warning_where_nothing_is_named(
    client: httpx.Client, jpeg: Sent, url: str
) -> None:
    answer = get(client, path_of(jpeg), DICOM)

    assert answer.headers["content-type"] == f"{DICOM}; transfer-syntax={JPEG_BASELINE}"
    assert answer.headers["warning"].startswith(f"299 {url}/dicomweb: Some pixel data is sent")
    assert answer.content == jpeg.data


@pytest.mark.parametrize("syntax", ["*", JPEG_BASELINE])
def test_compressed_pixels_come_without_a_warning_where_they_are_asked_for(
    client: httpx.Client, jpeg: Sent, syntax: str
) -> None:
    answer = get(client, path_of(jpeg), f"{DICOM}; transfer-syntax={syntax}")

    assert answer.status_code == 200
    assert "warning" not in answer.headers
    assert answer.content == jpeg.data


def test_pixels_that_no_codec_reads_are_406_with_the_reason(
    client: httpx.Client, jpeg: Sent
) -> None:
    answer = get(client, path_of(jpeg), f"{DICOM}; transfer-syntax={EXPLICIT_LE}")

    assert answer.status_code == 406
    assert "cannot be had as is asked" in answer.json()["detail"]
    assert JPEG_BASELINE in answer.json()["detail"]


def test_each_instance_takes_the_first_syntax_that_suits_it(
    client: httpx.Client, one: Sent, jpeg: Sent
) -> None:
    accept = f"{DICOM}; transfer-syntax={JPEG_BASELINE}, {DICOM}; transfer-syntax={EXPLICIT_LE}"

    assert get(client, path_of(one), accept).content == one.data
    assert get(client, path_of(jpeg), accept).content == jpeg.data


@pytest.mark.parametrize("syntax", [IMPLICIT_LE, EXPLICIT_BE])
@pytest.mark.parametrize("accept", [DICOM, f"{DICOM}; transfer-syntax=*"])
def test_what_the_web_forbids_becomes_explicit_little_endian(
    client: httpx.Client, syntax: str, accept: str
) -> None:
    """Implicit VR Little Endian and Explicit VR Big Endian shall not be used (§8.7.3.2)."""
    study = f"{ROOT}.8.{len(syntax)}"
    sent = written(syntax, StudyInstanceUID=study, SeriesInstanceUID=f"{study}.1",
                   SOPInstanceUID=f"{study}.1.1", PatientID=study[-60:], Rows=2, Columns=2,
                   BitsAllocated=16, BitsStored=16, SamplesPerPixel=1,
                   PixelRepresentation=0, PhotometricInterpretation="MONOCHROME2",
                   PixelData=b"\1\2\3\4\5\6\7\x08")  # fmt: skip
    store(client, sent)
    path = f"/studies/{study}/series/{study}.1/instances/{study}.1.1"

    answer = get(client, path, accept)

    assert answer.headers["content-type"] == f"{DICOM}; transfer-syntax={EXPLICIT_LE}"
    assert int(answer.headers["content-length"]) == len(answer.content)
    found = pydicom.dcmread(io.BytesIO(answer.content))
    expected = pydicom.dcmread(io.BytesIO(sent))
    assert found.file_meta.TransferSyntaxUID == EXPLICIT_LE
    assert found.PatientID == study[-60:]
    assert list(found.pixel_array.flat) == list(expected.pixel_array.flat)
    assert client.get(path, params="original").content == sent


def test_deflated_stays_deflated_only_where_any_syntax_will_do(client: httpx.Client) -> None:
    study = f"{ROOT}.8.99"
    sent = written(DEFLATED, StudyInstanceUID=study, SeriesInstanceUID=f"{study}.1",
                   SOPInstanceUID=f"{study}.1.1", PatientID="D")  # fmt: skip
    store(client, sent)
    path = f"/studies/{study}/series/{study}.1/instances/{study}.1.1"

    assert get(client, path, f"{DICOM}; transfer-syntax=*").content == sent
    plain = pydicom.dcmread(io.BytesIO(get(client, path, DICOM).content))
    assert plain.file_meta.TransferSyntaxUID == EXPLICIT_LE
    assert plain.PatientID == "D"


@pytest.mark.parametrize("accept", [None, "*/*", DICOM, "application/*"])
def test_the_original_is_what_was_received(
    client: httpx.Client, one: Sent, accept: str | None
) -> None:
    answer = get(client, f"{path_of(one)}?original", accept)

    assert answer.headers["content-type"] == DICOM
    assert int(answer.headers["content-length"]) == len(one.data)
    assert answer.content == one.data


def test_every_version_can_be_had(client: httpx.Client) -> None:
    first = small(3, 1)
    second = first.data.replace(b"PRUEBA^PACIENTE ", b"PRUEBA^PACIENTA ")
    store(client, first.data)
    store(client, second)

    def version(number: int, what: str = "original&") -> httpx.Response:
        return get(client, f"{path_of(first)}?{what}version={number}", DICOM)

    assert version(1).content == first.data
    assert version(2).content == second
    assert version(2, "").content == second
    assert version(3).status_code == 404
    for wrong in ("0", "x", "-1"):
        assert get(client, f"{path_of(first)}?version={wrong}").status_code == 400


@pytest.mark.parametrize("query", ["original", "version=1"])
def test_versions_are_of_one_instance(client: httpx.Client, one: Sent, query: str) -> None:
    answer = get(client, f"/studies/{one.study_uid}?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-value")


@pytest.mark.parametrize("query", ["", "?original"])
def test_one_body_can_be_had_in_ranges(client: httpx.Client, one: Sent, query: str) -> None:
    path = path_of(one) + query
    some = get(client, path, DICOM, Range="bytes=100-199")
    rest = get(client, path, DICOM, Range="bytes=200-")
    beyond = get(client, path, DICOM, Range=f"bytes={len(one.data)}-")

    assert (some.status_code, some.content) == (206, one.data[100:200])
    assert some.headers["content-range"] == f"bytes 100-199/{len(one.data)}"
    assert rest.content == one.data[200:]
    assert (beyond.status_code, beyond.json()["code"]) == (416, "range-not-satisfiable")
    assert beyond.headers["content-range"] == f"bytes */{len(one.data)}"
    stale = get(client, path, DICOM, **{"Range": "bytes=1-2", "If-Range": '"other"'})
    assert stale.status_code == 200


@pytest.mark.parametrize("accept", [DICOM, ANY_SYNTAX])
def test_an_unchanged_representation_is_not_sent_again(
    client: httpx.Client, one: Sent, accept: str
) -> None:
    first = get(client, path_of(one), accept)
    again = get(client, path_of(one), accept)
    cached = get(client, path_of(one), accept, **{"If-None-Match": first.headers["etag"]})
    other = get(client, path_of(one), accept, **{"If-None-Match": '"other"'})

    assert again.content == first.content, "boundary and order are stable"
    assert (cached.status_code, cached.content) == (304, b"")
    assert other.status_code == 200


def test_representations_have_tags_of_their_own(client: httpx.Client, one: Sent) -> None:
    answers = [get(client, path_of(one), each) for each in (DICOM, ANY_SYNTAX)]
    answers.append(get(client, f"{path_of(one)}?original"))

    assert len({each.headers["etag"] for each in answers}) == 3


@pytest.mark.parametrize("accept", [DICOM, ANY_SYNTAX])
def test_head_is_get_without_its_body(client: httpx.Client, one: Sent, accept: str) -> None:
    full = get(client, path_of(one), accept)
    head = client.head(path_of(one), headers={"Accept": accept})

    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type", "etag"):
        assert head.headers[name] == full.headers[name]


def test_the_accept_parameter_counts(client: httpx.Client, one: Sent) -> None:
    answer = get(client, f"{path_of(one)}?accept=application/dicom", "*/*")

    assert answer.content == one.data


def test_a_correction_shows_in_the_file_and_not_in_the_original(
    client: httpx.Client, url: str
) -> None:
    sent = small(4, 1)
    store(client, sent.data)
    before = get(client, path_of(sent), DICOM)
    correction = {
        "study": sent.study_uid,
        "corrections": [{"attribute": "StudyDescription", "values": ["Corrected"]}],
        "reason": "test",
    }
    done = httpx.post(f"{url}/api/v1/corrections", json=correction)
    assert done.status_code == 200, done.text

    answer = get(client, path_of(sent), DICOM)

    found = pydicom.dcmread(io.BytesIO(answer.content))
    assert found.StudyDescription == "Corrected"
    assert "OriginalAttributesSequence" in found
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["etag"] != before.headers["etag"]
    assert get(client, f"{path_of(sent)}?original").content == sent.data


def test_octets_of_an_instance_are_its_pixel_data(client: httpx.Client, jpeg: Sent) -> None:
    """Table 10.4.4-1: instance resources as application/octet-stream."""
    accept = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'

    (part,) = parts(get(client, path_of(jpeg), accept))

    assert part.data == b"\xff\xd8one\0\xff\xd9"
