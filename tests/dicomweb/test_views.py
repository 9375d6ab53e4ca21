"""What is more than pixels, over HTTP: waveforms, reports, documents and videos as rendered."""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import pydicom
import pypdfium2
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from tests.dicom.objects import to_bytes
from tests.dicomweb.wire import parts, store
from tests.render.report.documents import Page, bundled, item, referenced, root
from tests.render.video.streams import REORDERED
from tests.render.waveform.recorded import (
    LEADS,
    bundled_ecg,
    by_pydicom,
    channel,
    group,
    read_back,
    recorded,
)
from vna.cli.region.media import pdf

_numbers = itertools.count(1)
MP4_STREAM = b"\0\0\0\x18ftypisom\0\0\2\0isomavc1" + bytes(range(256)) * 40


@dataclass(frozen=True)
class Instance:
    """A stored object: its path and UID."""

    path: str
    uid: str


def stored(client: httpx.Client, data: bytes) -> Instance:
    """Store an object under UIDs of its own."""
    data_set = pydicom.dcmread(io.BytesIO(data))
    study = f"1.2.826.77.{next(_numbers)}"
    data_set.StudyInstanceUID, data_set.SeriesInstanceUID = study, f"{study}.1"
    data_set.SOPInstanceUID = f"{study}.1.1"
    data_set.PatientID = f"V{study}"
    syntax = data_set.file_meta.TransferSyntaxUID
    answer = store(client, to_bytes(data_set, syntax))
    assert answer.status_code == 200, answer.text
    path = f"/studies/{study}/series/{study}.1/instances/{study}.1.1"
    return Instance(path, f"{study}.1.1")


def document(data: bytes, media_type: str, sop_class: str, **more: Any) -> bytes:
    """An encapsulated document."""
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = sop_class, "1.2.3"
    made.Modality, made.PatientName = "DOC", "DOE^JANE"
    made.MIMETypeOfEncapsulatedDocument = media_type
    made.EncapsulatedDocument = data + bytes(len(data) % 2)
    made.EncapsulatedDocumentLength = len(data)
    for keyword, value in more.items():
        setattr(made, keyword, value)
    return to_bytes(made)


def video(stream: bytes, syntax: str = "1.2.840.10008.1.2.4.102", fragments: int = 1) -> bytes:
    """A video of one stream, in several fragments where asked."""
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.77.1.1.1", "1.2.3"
    made.Modality, made.NumberOfFrames, made.Rows, made.Columns = "ES", 12, 48, 64
    made.SamplesPerPixel, made.BitsAllocated, made.BitsStored, made.HighBit = 3, 8, 8, 7
    made.PixelRepresentation, made.PlanarConfiguration = 0, 0
    made.PhotometricInterpretation, made.CineRate = "YBR_PARTIAL_420", 25
    made.PixelData = encapsulate([stream + bytes(len(stream) % 2)], fragments_per_frame=fragments)
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    return to_bytes(made, syntax)


PDF_CLASS, CDA_CLASS, STL_CLASS = (f"1.2.840.10008.5.1.4.1.1.104.{n}" for n in (1, 2, 3))


@pytest.fixture(scope="module")
def ecg(url: str) -> Instance:
    with httpx.Client(base_url=f"{url}/dicomweb") as client:
        return stored(client, bundled_ecg())


class TestWaveform:
    def test_the_svg_has_twelve_leads_at_the_right_millimetres(
        self, client: httpx.Client, ecg: Instance
    ) -> None:
        answer = client.get(f"{ecg.path}/rendered", headers={"Accept": "image/svg+xml"})
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.headers["content-location"].endswith(f"{ecg.path}/rendered")
        assert answer.headers["content-disposition"] == f'inline; filename="{ecg.uid}.svg"'
        found = read_back(answer.content, 25)
        assert [each.name for each in found[:12]] == list(LEADS)
        theirs = by_pydicom(bundled_ecg()) / 1000
        for each in found:
            at = np.rint(each.seconds * 1000).astype(int)
            assert np.abs(each.values - theirs[at, LEADS.index(each.name)]).max() < 0.0001

    @pytest.mark.parametrize(
        ("accept", "media_type"),
        [
            ("*/*", "image/svg+xml"),
            ("image/*", "image/svg+xml"),
            ("image/png", "image/png"),
            ("image/jpeg, image/png;q=0.5", "image/jpeg"),
            ("application/pdf", "application/pdf"),
            ("text/html, image/png", "image/png"),
        ],
    )
    def test_the_client_chooses_how_it_is_shown(
        self, client: httpx.Client, ecg: Instance, accept: str, media_type: str
    ) -> None:
        answer = client.get(f"{ecg.path}/rendered", headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)

    def test_as_a_part_of_a_multipart_body(self, client: httpx.Client, ecg: Instance) -> None:
        kind = 'multipart/related; type="image/png"'
        (part,) = parts(client.get(f"{ecg.path}/rendered", headers={"Accept": kind}))
        assert part.headers["content-type"] == "image/png"
        assert Image.open(io.BytesIO(part.data)).format == "PNG"

    def test_what_is_not_offered_is_406_and_a_mixture_is_400(
        self, client: httpx.Client, ecg: Instance
    ) -> None:
        refused = client.get(f"{ecg.path}/rendered", headers={"Accept": "text/html"})
        assert refused.status_code == 406
        assert "image/svg+xml" in refused.json()["detail"]
        mixed = {"Accept": "image/png, application/dicom"}
        assert client.get(f"{ecg.path}/rendered", headers=mixed).status_code == 400

    def test_the_patient_is_named_only_when_asked(
        self, client: httpx.Client, ecg: Instance
    ) -> None:
        assert "Anonymous" not in client.get(f"{ecg.path}/rendered").text
        assert "Anonymous" in client.get(f"{ecg.path}/rendered?annotation=patient").text
        noted = client.get(f"{ecg.path}/rendered?annotation=technique,colour")
        assert "RITMO SINUSALE" in noted.text
        assert "annotation values are not supported: colour" in noted.headers["warning"]

    def test_paper_pages_and_parts(self, client: httpx.Client, ecg: Instance) -> None:
        wanted = {"Accept": "application/pdf"}
        whole = client.get(f"{ecg.path}/rendered", headers=wanted).content
        assert len(pypdfium2.PdfDocument(whole)) == 2
        one = client.get(f"{ecg.path}/rendered?page=2&layout=12x1", headers=wanted).content
        document = pypdfium2.PdfDocument(one)
        assert len(document) == 1
        size = [each / 72 * 25.4 for each in document[0].get_size()]
        assert size == pytest.approx([297, 420], abs=0.01)
        part = client.get(f"{ecg.path}/rendered?time=2,1&layout=12x1&speed=50&gain=5")
        (first, *_) = read_back(part.content, 50)
        assert (first.seconds[0], first.seconds[-1]) == pytest.approx((2, 3))
        picture = client.get(
            f"{ecg.path}/rendered?viewport=594,594", headers={"Accept": "image/png"}
        )
        assert Image.open(io.BytesIO(picture.content)).size[0] <= 594

    @pytest.mark.parametrize(
        ("query", "status", "name"),
        [
            ("annotation=all", 400, "annotation"), ("speed=24", 400, "speed"),
            ("gain=x", 400, "gain"), ("layout=6x2", 400, "layout"), ("time=a", 400, "time"),
            ("time=11", 400, "time"), ("time=1,0", 400, "time"), ("dpi=9999", 400, "dpi"),
            ("viewport=1", 400, "viewport"), ("quality=0", 400, "quality"),
            ("window=1,2,linear", 400, "window"), ("speeed=25", 400, "speeed"),
            ("page=0", 400, "page"), ("page=3", 404, None),
        ],
    )  # fmt: skip
    def test_what_cannot_be_is_said_by_name(
        self, client: httpx.Client, ecg: Instance, query: str, status: int, name: str | None
    ) -> None:
        answer = client.get(f"{ecg.path}/rendered?{query}")
        assert answer.status_code == status
        assert answer.json().get("name") == name

    def test_a_client_that_has_it_gets_it_no_second_time(
        self, client: httpx.Client, ecg: Instance
    ) -> None:
        first = client.get(f"{ecg.path}/rendered")
        again = client.get(f"{ecg.path}/rendered", headers={"If-None-Match": first.headers["etag"]})
        assert again.status_code == 304
        other = client.get(f"{ecg.path}/rendered?gain=20")
        assert other.headers["etag"] != first.headers["etag"]

    def test_a_long_recording_is_read_page_by_page(self, client: httpx.Client) -> None:
        samples = np.zeros((125 * 3600, 3), "<i2")
        samples[:, 0] = np.arange(len(samples)) % 1000
        channels = [channel(f"Lead {each}") for each in ("I", "II", "V1")]
        long = stored(client, recorded(group(samples, channels, 125)))
        (first, *_) = read_back(client.get(f"{long.path}/rendered?page=200").content, 25)
        at = np.rint(first.seconds * 125).astype(int)
        assert (at[0], len(at)) == (1990 * 125, 1251)
        assert np.abs(first.values * 1000 - samples[at, 0]).max() < 0.1
        answer = client.get(f"{long.path}/rendered", headers={"Accept": "application/pdf"})
        assert len(pypdfium2.PdfDocument(answer.content)) == 50
        assert "pages 1 to 50 of 360" in answer.headers["warning"]

    def test_a_big_endian_object_is_drawn_the_same(self, client: httpx.Client) -> None:
        data_set = pydicom.dcmread(io.BytesIO(bundled_ecg()))
        for each in data_set.WaveformSequence:
            each.WaveformData = np.frombuffer(each.WaveformData, "<i2").astype(">i2").tobytes()
        turned = stored(client, to_bytes(data_set, "1.2.840.10008.1.2.2"))
        ours = client.get(f"{turned.path}/rendered").content
        (first, *_) = read_back(ours, 25)
        at = np.rint(first.seconds * 1000).astype(int)
        expected = by_pydicom(bundled_ecg())[at, 0] / 1000
        assert np.abs(first.values - expected).max() < 0.0001


class TestReport:
    def test_a_report_is_a_page_that_can_do_nothing(self, client: httpx.Client) -> None:
        report = stored(client, bundled("test-SR.dcm"))
        answer = client.get(f"{report.path}/rendered")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "sandbox" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert len(Page(answer.content).items) == 29
        assert "Jörg" in answer.text

    def test_as_text_and_as_xml(self, client: httpx.Client) -> None:
        report = stored(client, bundled("test-SR.dcm"))
        text = client.get(f"{report.path}/rendered", headers={"Accept": "text/plain"})
        assert text.headers["content-type"] == "text/plain; charset=utf-8"
        assert "Diameter: 3 cm" in text.text
        xml = client.get(f"{report.path}/rendered", headers={"Accept": "text/xml"})
        pytest.importorskip("lxml.etree").fromstring(xml.content)

    def test_images_become_links_to_where_they_are_shown(self, client: httpx.Client) -> None:
        image = item("IMAGE", "Key")
        image.ReferencedSOPSequence = [referenced("1.6", ReferencedFrameNumber=2)]
        whole = item("IMAGE", "Key")
        whole.ReferencedSOPSequence = [referenced("1.6")]
        unknown = item("IMAGE", "Key")
        unknown.ReferencedSOPSequence = [referenced("1.7")]
        made = root(image, whole, unknown)
        study, series = Dataset(), Dataset()
        series.SeriesInstanceUID, series.ReferencedSOPSequence = "1.5", [referenced("1.6")]
        study.StudyInstanceUID, study.ReferencedSeriesSequence = "1.4", [series]
        made.CurrentRequestedProcedureEvidenceSequence = [study]
        report = stored(client, to_bytes(made))
        found = Page(client.get(f"{report.path}/rendered").content)
        links = [value or "" for name, value in found.attributes if name == "href"]
        base = f"{str(client.base_url).rstrip('/')}/studies/1.4/series/1.5/instances/1.6"
        assert links == [f"{base}/frames/2/rendered", f"{base}/rendered"]

    def test_a_long_text_is_shown_whole(self, client: httpx.Client) -> None:
        long = item("TEXT", "Finding")
        long.TextValue = "x" * 200_000 + " END"
        report = stored(client, to_bytes(root(long)))
        assert "xxx END" in client.get(f"{report.path}/rendered").text

    def test_a_correction_is_shown(self, client: httpx.Client, url: str) -> None:
        report = stored(client, to_bytes(root(StudyDescription="WRONG")))
        before = client.get(f"{report.path}/rendered")
        body = {
            "study": report.path.split("/")[2],
            "corrections": [{"attribute": "StudyDescription", "values": ["Corrigé"]}],
            "reason": "test",
        }
        assert httpx.post(f"{url}/api/v1/corrections", json=body).status_code == 200
        after = client.get(f"{report.path}/rendered")
        assert "WRONG" in before.text
        assert "Corrigé" in after.text
        assert before.headers["etag"] != after.headers["etag"]


class TestDocument:
    def test_a_pdf_is_the_bytes_that_were_encapsulated(self, client: httpx.Client) -> None:
        data = pdf("Report") + b"%"
        assert len(data) % 2
        found = stored(client, document(data, "application/pdf", PDF_CLASS))
        answer = client.get(f"{found.path}/rendered", headers={"Accept": "*/*"})
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.content == data
        assert "DOE" not in str(answer.headers)
        part = client.get(f"{found.path}/rendered", headers={"Range": "bytes=5-9"})
        assert (part.status_code, part.content) == (206, data[5:10])
        assert part.headers["content-range"] == f"bytes 5-9/{len(data)}"

    @pytest.mark.parametrize("media_type", ["image/png", "image/jpeg"])
    def test_a_page_of_a_pdf_is_a_picture(self, client: httpx.Client, media_type: str) -> None:
        found = stored(client, document(pdf("Report"), "application/pdf", PDF_CLASS))
        headers = {"Accept": media_type}
        answer = client.get(f"{found.path}/rendered?viewport=300,300", headers=headers)
        picture = Image.open(io.BytesIO(answer.content))
        assert answer.headers["content-type"] == media_type
        assert picture.size[1] == 300
        assert np.asarray(picture.convert("L")).min() < 128
        assert client.get(f"{found.path}/rendered?page=2", headers=headers).status_code == 406

    def test_a_broken_pdf_is_still_given_but_not_drawn(self, client: httpx.Client) -> None:
        found = stored(client, document(b"%PDF-1.4 broken", "application/pdf", PDF_CLASS))
        assert client.get(f"{found.path}/rendered").content == b"%PDF-1.4 broken"
        drawn = client.get(f"{found.path}/rendered", headers={"Accept": "image/png"})
        assert (drawn.status_code, drawn.json()["code"]) == (406, "undecodable")

    @pytest.mark.parametrize(
        ("said", "sop_class", "media_type", "inline"),
        [
            ("text/XML", CDA_CLASS, "text/xml", True),
            ("", CDA_CLASS, "text/xml", True),
            ("model/stl", STL_CLASS, "model/stl", False),
            ("text/html", PDF_CLASS, "text/html", True),
            ("no type", "1.2.3.4", "application/octet-stream", False),
            ("application/x-a\r\nSet-Cookie: a=b", "1.2.3.4", "application/octet-stream", False),
        ],
    )
    def test_other_documents_are_what_they_are(
        self, client: httpx.Client, said: str, sop_class: str, media_type: str, inline: bool
    ) -> None:
        data = b"<ClinicalDocument><script>alert(1)</script></ClinicalDocument>"
        found = stored(client, document(data, said, sop_class))
        answer = client.get(f"{found.path}/rendered")
        assert (answer.content, answer.headers["content-type"]) == (data, media_type)
        kind = "inline" if inline else "attachment"
        assert answer.headers["content-disposition"].startswith(f'{kind}; filename="{found.uid}.')
        if inline:
            assert "sandbox" in answer.headers["content-security-policy"]


class TestVideo:
    def test_mpeg_4_is_given_as_stored_in_any_range(self, client: httpx.Client) -> None:
        found = stored(client, video(MP4_STREAM, fragments=3))
        whole = client.get(f"{found.path}/rendered")
        assert whole.headers["content-type"] == "video/mp4"
        assert whole.headers["accept-ranges"] == "bytes"
        assert whole.content == MP4_STREAM
        for header, begin, end in (
            ("bytes=0-", 0, None), ("bytes=100-3599", 100, 3600), ("bytes=-7", -7, None)
        ):  # fmt: skip
            answer = client.get(f"{found.path}/rendered", headers={"Range": header})
            assert (answer.status_code, answer.content) == (206, MP4_STREAM[begin:end])
        etag = whole.headers["etag"]
        ranged = {"Range": "bytes=0-3", "If-Range": etag}
        assert client.get(f"{found.path}/rendered", headers=ranged).status_code == 206
        stale = {"Range": "bytes=0-3", "If-Range": '"other"'}
        assert client.get(f"{found.path}/rendered", headers=stale).status_code == 200
        behind = {"Range": "bytes=999999-"}
        assert client.get(f"{found.path}/rendered", headers=behind).status_code == 416

    def test_its_frame_is_the_stream_as_well(self, client: httpx.Client) -> None:
        found = stored(client, video(MP4_STREAM, fragments=3))
        asked = {"Accept": "video/mp4", "Range": "bytes=10-19"}
        answer = client.get(f"{found.path}/frames/1", headers=asked)
        assert (answer.status_code, answer.content) == (206, MP4_STREAM[10:20])

    def test_bare_h264_is_put_into_mpeg_4(self, client: httpx.Client) -> None:
        found = stored(client, video(REORDERED))
        whole = client.get(f"{found.path}/rendered")
        assert whole.headers["content-type"] == "video/mp4"
        assert whole.content[4:8] == b"ftyp"
        assert int(whole.headers["content-length"]) == len(whole.content)
        part = client.get(f"{found.path}/rendered", headers={"Range": "bytes=900-1200"})
        assert part.content == whole.content[900:1201]
        bare = client.get(f"{found.path}/rendered", headers={"Accept": "video/h264"})
        assert bare.content == REORDERED + bytes(len(REORDERED) % 2)

    def test_what_is_no_mpeg_4_is_not_called_so(self, client: httpx.Client) -> None:
        stream = (b"\x47" + bytes(187)) * 10
        found = stored(client, video(stream))
        answer = client.get(f"{found.path}/rendered")
        assert (answer.headers["content-type"], answer.content) == ("video/mp2t", stream)
        refused = client.get(f"{found.path}/rendered", headers={"Accept": "video/mp4"})
        assert refused.status_code == 406
        assert "video/mp2t" in refused.json()["detail"]
        broken = stored(client, video(REORDERED[:40]))
        assert client.get(f"{broken.path}/rendered").headers["content-type"] == "video/h264"
