"""Store of metadata and bulk data (PS3.18 §10.5.2 and table 10.5.2-1)."""

from __future__ import annotations

import base64
import io
import json
import struct
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import httpx
import imagecodecs
import numpy as np
import pydicom
import pytest
from PIL import Image, ImageCms
from pydicom.encaps import generate_frames

from tests.dicomweb.models import (
    PDF_CLASS,
    SC,
    VIDEO,
    Bulk,
    Model,
    content_type,
    instance,
    model,
    path_of,
    photo,
    post,
    store_json,
    uids,
)
from tests.dicomweb.test_store import reasons, referenced, values
from tests.peers.dicom3tools import errors_of
from tests.render.video.streams import REORDERED
from vna.dicom.native_xml import native_xml
from vna.dicom.source import BytesSource
from vna.render.video.remux import to_mp4

JSON, XML = "application/dicom+json", "application/dicom+xml"
Pixels = np.ndarray[Any, np.dtype[Any]]


def drawn(samples: int = 3, kind: type = np.uint8, seed: int = 0) -> Pixels:
    """A picture that no codec could guess."""
    levels = np.random.default_rng(seed).integers(0, np.iinfo(kind).max, (13, 17, samples), kind)
    return levels if samples > 1 else levels[:, :, 0]


def stored(client: httpx.Client, made: Model) -> pydicom.Dataset:
    """The object in the archive, read by pydicom."""
    answer = instance(client, made)
    assert answer.status_code == 200, answer.text
    return pydicom.dcmread(io.BytesIO(answer.content))


def frames_of(data_set: pydicom.Dataset) -> list[bytes]:
    """The frames as they are encapsulated."""
    number = int(data_set.get("NumberOfFrames", 1))
    return list(generate_frames(data_set.PixelData, number_of_frames=number))


JPEG = bytes(imagecodecs.jpeg8_encode(drawn(), level=90))


class TestPhotograph:
    def test_its_jpeg_is_kept_and_what_it_says_is_said(self, client: httpx.Client) -> None:
        made = photo()

        answer = store_json(client, made, Bulk("bulk/pixels", "image/jpeg", JPEG))

        assert answer.status_code == 200, answer.text
        assert referenced(answer) == [uids(made)[2]]
        found = stored(client, made)
        assert found.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.50"
        assert frames_of(found)[0].removesuffix(b"\0") == JPEG.removesuffix(b"\0")
        assert (found.Rows, found.Columns, found.SamplesPerPixel) == (13, 17, 3)
        assert (found.BitsAllocated, found.BitsStored, found.HighBit) == (8, 8, 7)
        assert found.PhotometricInterpretation.startswith("YBR_FULL")
        assert (found.LossyImageCompression, found.LossyImageCompressionMethod) == (
            "01",
            "ISO_10918_1",
        )
        assert str(found.PatientName) == "MUÑOZ^MARÍA"
        assert errors_of(instance(client, made).content) == []
        shown = client.get(f"{path_of(made)}/rendered", headers={"Accept": "image/png"})
        theirs = np.asarray(Image.open(io.BytesIO(JPEG)), np.int16)
        ours = np.asarray(Image.open(io.BytesIO(shown.content)), np.int16)
        assert np.abs(theirs - ours).max() <= 3

    def test_xml_says_the_same(self, client: httpx.Client) -> None:
        made = photo("http://example.org/any/place")
        bulk = Bulk("http://example.org/any/place", "image/jpeg", JPEG)

        answer = post(client, [native_xml(made)], [bulk], XML, accept=XML)

        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == XML
        assert b'keyword="ReferencedSOPSequence"' in answer.content
        assert frames_of(stored(client, made))[0].startswith(JPEG[:-1])
        assert errors_of(instance(client, made).content) == []

    def test_the_spelling_of_the_standards_example_is_read(self, client: httpx.Client) -> None:
        """Example B.23 of PS3.18: capitals, and the URI as a value."""
        made = photo()
        document = native_xml(made).decode()
        for name in ("tag", "vr", "keyword"):
            capital = name.upper() if name == "vr" else name.capitalize()
            document = document.replace(f" {name}=", f" {capital}=")
        begin = document.index("<BulkData")
        end = document.index(">", begin) + 1
        assert document[begin:end].endswith("/>")
        document = document[:begin] + '<Value number="1">bulk/pixels</Value>' + document[end:]

        answer = post(client, [document.encode()], [Bulk("bulk/pixels", "image/jpeg", JPEG)], XML)

        assert answer.status_code == 200, answer.text
        assert stored(client, made).Rows == 13

    def test_what_may_be_empty_is_added_empty(self, client: httpx.Client) -> None:
        made = photo()
        for key in ("00080020", "00080030", "00100010", "00080070"):
            del made[key]

        answer = store_json(client, made, Bulk("bulk/pixels", "image/jpeg", JPEG))

        assert answer.status_code == 200, answer.text
        found = stored(client, made)
        for keyword in ("StudyDate", "PatientName", "PatientBirthDate", "AccessionNumber"):
            assert found[keyword].is_empty
        assert errors_of(instance(client, made).content) == []

    def test_the_study_of_the_resource_is_that_of_the_object(self, client: httpx.Client) -> None:
        made = photo()
        study = uids(made)[0]
        without = {key: value for key, value in made.items() if key != "0020000D"}
        bulk = Bulk("bulk/pixels", "image/jpeg", JPEG)

        answer = store_json(client, without, bulk, path=f"/studies/{study}")
        assert answer.status_code == 200, answer.text
        assert stored(client, made).StudyInstanceUID == study

        other = store_json(client, photo(), bulk, path=f"/studies/{study}")
        assert (other.status_code, reasons(other, "00081198")) == (409, [0xA900])


def j2k(pixels: Pixels) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="J2K", reversible=True))


def jp2(pixels: Pixels) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="JP2", reversible=True))


def lossless_jpeg(pixels: Pixels) -> bytes:
    return bytes(imagecodecs.ljpeg_encode(pixels))


UNCHANGED: list[tuple[str, str, int, type, Callable[[Pixels], bytes | bytearray]]] = [
    ("image/jpeg", "4.57", 1, np.uint16, lossless_jpeg),
    ("image/jls", "4.80", 1, np.uint16, imagecodecs.jpegls_encode),
    ("image/jls", "4.80", 3, np.uint8, imagecodecs.jpegls_encode),
    ("image/x-jls", "4.80", 1, np.uint8, imagecodecs.jpegls_encode),
    ("image/jp2", "4.90", 1, np.uint16, j2k),
    ("image/jp2", "4.90", 3, np.uint8, j2k),
    ("image/jpx", "4.92", 3, np.uint8, j2k),
    ("image/jph", "4.201", 1, np.uint8, lambda pixels: imagecodecs.htj2k_encode(pixels)),
    ("image/jphc", "4.201", 3, np.uint8, lambda pixels: imagecodecs.htj2k_encode(pixels)),
    ("image/jxl", "4.110", 1, np.uint16,
     lambda pixels: imagecodecs.jpegxl_encode(pixels, lossless=True, usecontainer=False)),
    ("image/jxl", "4.110", 3, np.uint8,
     lambda pixels: imagecodecs.jpegxl_encode(pixels, lossless=True, usecontainer=False)),
]  # fmt: skip


@pytest.mark.parametrize(("media_type", "syntax", "samples", "kind", "encode"), UNCHANGED)
def test_a_compressed_image_is_kept_as_it_is(
    client: httpx.Client,
    media_type: str,
    syntax: str,
    samples: int,
    kind: type,
    encode: Callable[[Pixels], bytes | bytearray],
) -> None:
    pixels = drawn(samples, kind, seed=3)
    data = bytes(encode(pixels))
    made = photo()

    answer = store_json(client, made, Bulk("bulk/pixels", media_type, data))

    assert answer.status_code == 200, answer.text
    found = stored(client, made)
    assert found.file_meta.TransferSyntaxUID == f"1.2.840.10008.1.2.{syntax}"
    (frame,) = frames_of(found)
    assert frame.rstrip(b"\0") in data
    assert media_type == "image/jxl" or len(frame) == len(data) + len(data) % 2  # less its boxes
    assert found.BitsAllocated == np.dtype(kind).itemsize * 8
    native = client.get(f"{path_of(made)}/frames/1", headers={"Accept": "application/octet-stream"})
    assert native.status_code == 200, native.text
    assert np.frombuffer(native.content, kind)[: pixels.size].tolist() == pixels.ravel().tolist()
    assert "LossyImageCompression" not in found


def test_the_boxes_of_a_jp2_file_are_taken_off(client: httpx.Client) -> None:
    """PS3.5 §8.2.4: a codestream, without the boxes of its file."""
    data = jp2(drawn(seed=4))
    made = photo()

    answer = store_json(client, made, Bulk("bulk/pixels", "image/jp2", data))

    assert answer.status_code == 200, answer.text
    (frame,) = frames_of(stored(client, made))
    assert frame.startswith(b"\xff\x4f\xff\x51")
    assert frame.rstrip(b"\0") in data


def test_a_jpeg_inside_jpeg_xl_can_be_had_again(client: httpx.Client) -> None:
    data = bytes(imagecodecs.jpegxl_encode_jpeg(JPEG))
    made = photo()

    answer = store_json(client, made, Bulk("bulk/pixels", "image/jxl", data))

    assert answer.status_code == 200, answer.text
    found = stored(client, made)
    assert found.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.111"
    assert frames_of(found)[0].startswith(data)


@pytest.mark.parametrize("located", ["one place", "numbered", "numbered, out of order"])
def test_each_frame_is_a_part(client: httpx.Client, located: str) -> None:
    frames = [bytes(imagecodecs.jpegls_encode(drawn(1, np.uint16, seed=n))) for n in range(5)]
    made = model(SC, "OT", **{"t00280301": ("CS", "NO")})
    made["7FE00010"] = {"vr": "OB", "BulkDataURI": "http://a/b"}
    places = [f"http://a/b/frames/{n}" if located != "one place" else "http://a/b"
              for n in range(1, 6)]  # fmt: skip
    bulk = [Bulk(place, "image/jls", frame) for place, frame in zip(places, frames, strict=True)]

    answer = store_json(client, made, *(bulk[::-1] if "out" in located else bulk))

    assert answer.status_code == 200, answer.text
    found = stored(client, made)
    assert found.NumberOfFrames == 5
    assert [each.rstrip(b"\0") for each in frames_of(found)] == [
        each.rstrip(b"\0") for each in frames
    ]
    third = client.get(f"{path_of(made)}/frames/3", headers={"Accept": "image/jls"})
    assert third.content.rstrip(b"\0") == frames[2].rstrip(b"\0")


def picture(pixels: Pixels, mode: str | None = None, **more: Any) -> bytes:
    file = io.BytesIO()
    made = Image.fromarray(pixels)
    (made.convert(mode) if mode else made).save(file, "PNG", **more)
    return file.getvalue()


PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (picture(drawn(1)), drawn(1)),
        (picture(drawn(1, np.uint16)), drawn(1, np.uint16)),
        (picture(drawn(3)), drawn(3)),
        (bytes(imagecodecs.png_encode(drawn(3, np.uint16))), drawn(3, np.uint16)),
        (picture(drawn(4)), drawn(4)[:, :, :3]),
        (picture(drawn(3), icc_profile=PROFILE), drawn(3)),
        (picture(drawn(1) > 127), ((drawn(1) > 127) * 255).astype(np.uint8)),
        (
            picture(drawn(3), "P"),
            np.asarray(Image.fromarray(drawn(3)).convert("P").convert("RGB")),
        ),
    ],
    ids=["gray", "gray 16", "RGB", "RGB 16", "RGBA", "profile", "1 bit", "palette"],
)
def test_a_png_becomes_native_pixels(client: httpx.Client, data: bytes, wanted: Pixels) -> None:
    made = photo()

    answer = store_json(client, made, Bulk("bulk/pixels", "image/png", data))

    assert answer.status_code == 200, answer.text
    found = stored(client, made)
    assert found.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert found.pixel_array.dtype == wanted.dtype
    assert np.array_equal(found.pixel_array, wanted)
    if data == picture(drawn(3), icc_profile=PROFILE):
        assert found.ICCProfile.startswith(PROFILE)


def test_an_animated_gif_is_a_multi_frame(client: httpx.Client) -> None:
    images = [Image.fromarray(drawn(3, seed=n)).convert("P") for n in range(4)]
    file = io.BytesIO()
    images[0].save(file, "GIF", save_all=True, append_images=images[1:], disposal=2)
    made = photo()

    answer = store_json(client, made, Bulk("bulk/pixels", "image/gif", file.getvalue()))

    assert answer.status_code == 200, answer.text
    wanted = [np.asarray(each.convert("RGB")) for each in images]
    found = stored(client, made)
    assert found.NumberOfFrames == 4
    assert np.array_equal(found.pixel_array, wanted)


def test_a_progressive_jpeg_becomes_native_for_nothing_else_holds_it(client: httpx.Client) -> None:
    file = io.BytesIO()
    Image.fromarray(drawn(3)).save(file, "JPEG", progressive=True, quality=90)
    made = photo()

    answer = store_json(client, made, Bulk("bulk/pixels", "image/jpeg", file.getvalue()))

    assert answer.status_code == 200, answer.text
    found = stored(client, made)
    theirs = np.asarray(Image.open(file), np.int16)
    assert np.abs(found.pixel_array.astype(np.int16) - theirs).max() <= 3
    assert found.LossyImageCompression == "01"


GRAY: Model = {
    key: {"vr": "US", "Value": [value]}
    for key, value in (("00280002", 1), ("00280010", 13), ("00280011", 17), ("00280100", 8),
                       ("00280101", 8), ("00280102", 7), ("00280103", 0))
} | {"00280004": {"vr": "CS", "Value": ["MONOCHROME2"]}}  # fmt: skip


@pytest.mark.parametrize("padded", [False, True])
def test_native_pixels_are_as_long_as_the_metadata_say(client: httpx.Client, padded: bool) -> None:
    pixels = drawn(1, np.uint8)  # 221 bytes
    made = photo()
    made |= GRAY
    data = pixels.tobytes() + bytes(padded)

    answer = store_json(client, made, Bulk("bulk/pixels", "application/octet-stream", data))
    assert answer.status_code == 200, answer.text
    assert np.array_equal(stored(client, made).pixel_array, pixels)

    short = store_json(client, photo() | GRAY, Bulk("bulk/pixels", None, data[:-2]))
    assert short.status_code == 409
    assert "221 bytes" in short.headers["warning"]


def run_lengths(pixels: Pixels) -> bytes:
    """One gray frame, every byte a literal (PS3.5 §G.3.1)."""
    data = pixels.tobytes()
    runs = [data[at : at + 128] for at in range(0, len(data), 128)]
    return struct.pack("<16I", 1, 64, *[0] * 14) + b"".join(
        bytes([len(run) - 1]) + run for run in runs
    )


def test_frames_that_say_nothing_of_themselves_are_taken_by_their_syntax(
    client: httpx.Client,
) -> None:
    pixels = drawn(1, np.uint8)
    made = photo()
    made |= GRAY
    frame = run_lengths(pixels)

    answer = store_json(client, made, Bulk("bulk/pixels", "image/dicom-rle", frame))

    assert answer.status_code == 200, answer.text
    found = stored(client, made)
    assert found.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.5"
    assert np.array_equal(found.pixel_array, pixels)


class TestDocument:
    @pytest.mark.parametrize(
        ("media_type", "sop_class", "data"),
        [
            ("application/pdf", PDF_CLASS, b"%PDF-1.4\n%odd"),
            ("text/XML", "1.2.840.10008.5.1.4.1.1.104.2", b"<ClinicalDocument/>"),
            ("model/stl", "1.2.840.10008.5.1.4.1.1.104.3", bytes(84)),
        ],
    )
    def test_it_is_kept_byte_by_byte(
        self, client: httpx.Client, media_type: str, sop_class: str, data: bytes
    ) -> None:
        made = document(sop_class)

        answer = store_json(client, made, Bulk("urn:uuid:1", media_type, data))

        assert answer.status_code == 200, answer.text
        found = stored(client, made)
        assert found.MIMETypeOfEncapsulatedDocument == media_type.lower()
        assert found.EncapsulatedDocumentLength == len(data)
        assert found.EncapsulatedDocument[: len(data)] == data
        if sop_class == PDF_CLASS:
            assert errors_of(instance(client, made).content) == []
            shown = client.get(f"{path_of(made)}/rendered", headers={"Accept": media_type})
            assert shown.content == data

    def test_what_it_says_it_is_must_be_what_comes(self, client: httpx.Client) -> None:
        made = document(PDF_CLASS) | {"00420012": {"vr": "LO", "Value": ["text/html"]}}

        answer = store_json(client, made, Bulk("urn:uuid:1", "application/pdf", b"%PDF"))

        assert answer.status_code == 409
        assert "MIMETypeOfEncapsulatedDocument" in answer.headers["warning"]


def document(sop_class: str) -> Model:
    """Of a report without its bytes (PS3.3 §A.45)."""
    made = model(
        sop_class,
        "DOC",
        t00080008=("CS", None),
        t0008002A=("DT", "20260901101500"),
        t00280301=("CS", "YES"),
        t00420010=("ST", "Informe"),
        t0040A043=("SQ", None),
    )
    del made["00080008"]
    made["00420011"] = {"vr": "OB", "BulkDataURI": "urn:uuid:1"}
    return made


class TestVideo:
    def test_it_is_stored_under_its_profile_and_counted(self, client: httpx.Client) -> None:
        data = b"".join(
            to_mp4(BytesSource(REORDERED), Fraction(25)).read(BytesSource(REORDERED), 0)
        )
        made = video()

        answer = store_json(client, made, Bulk("clip", "video/mp4", data))

        assert answer.status_code == 200, answer.text
        found = stored(client, made)
        assert found.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.102"
        assert (found.NumberOfFrames, found.Rows, found.Columns) == (12, 48, 64)
        assert found.LossyImageCompressionMethod == "ISO_14496_10"
        assert errors_of(instance(client, made).content) == []
        shown = client.get(f"{path_of(made)}/rendered", headers={"Accept": "video/mp4"})
        assert shown.content.removesuffix(b"\0") == data

    def test_a_bare_stream_must_be_counted_by_the_sender(self, client: httpx.Client) -> None:
        answer = store_json(client, video(), Bulk("clip", "video/mp4", REORDERED))
        assert answer.status_code == 409
        assert "NumberOfFrames" in answer.headers["warning"]

        counted = video() | {"00280008": {"vr": "IS", "Value": [12]}}
        answer = store_json(client, counted, Bulk("clip", "video/mp4", REORDERED))
        assert answer.status_code == 200, answer.text

    def test_beyond_eight_mebibytes_it_waits_on_disk_and_leaves_nothing_there(
        self, client: httpx.Client
    ) -> None:
        mp4 = to_mp4(BytesSource(REORDERED), Fraction(25))
        free = (20 << 20).to_bytes(4, "big") + b"free" + bytes((20 << 20) - 8)
        data = b"".join(mp4.read(BytesSource(REORDERED), 0)) + free
        made = video()

        answer = store_json(client, made, Bulk("clip", "video/mp4", data))

        assert answer.status_code == 200, answer.text
        assert frames_of(stored(client, made))[0].startswith(data)


def video() -> Model:
    """Of a video without its size (PS3.3 §A.32.7)."""
    more: dict[str, Any] = {
        "t00180040": ("IS", 25),
        "t00181063": ("DS", 40),
        "t00280009": ("AT", "00181063"),
        "t00080013": ("TM", "101501"),
        "t00200020": ("CS", None),
        "t00200060": ("CS", None),
        "t00280301": ("CS", "NO"),
        "t00400555": ("SQ", None),
        "t00082218": ("SQ", {
            "00080100": {"vr": "SH", "Value": ["39937001"]},
            "00080102": {"vr": "SH", "Value": ["SCT"]},
            "00080104": {"vr": "LO", "Value": ["Skin"]},
        }),
    }  # fmt: skip
    made = model(VIDEO, "XC", **more)
    made["7FE00010"] = {"vr": "OB", "BulkDataURI": "clip"}
    return made


def test_bulk_data_may_lie_deep_in_sequences(client: httpx.Client) -> None:
    samples = np.arange(24, dtype="<i2").tobytes()
    channel = {"003A0082": {"vr": "DS"}}
    group = {
        "003A0005": {"vr": "US", "Value": [2]},
        "003A0010": {"vr": "UL", "Value": [12]},
        "003A0200": {"vr": "SQ", "Value": [channel, channel]},
        "54001004": {"vr": "US", "Value": [16]},
        "54001006": {"vr": "CS", "Value": ["SS"]},
        "54001010": {"vr": "OW", "BulkDataURI": "wave"},
    }
    made = model("1.2.840.10008.5.1.4.1.1.9.1.2", "ECG")
    made["54000100"] = {"vr": "SQ", "Value": [group]}

    answer = store_json(client, made, Bulk("wave", "application/octet-stream", samples))

    assert answer.status_code == 200, answer.text
    assert stored(client, made).WaveformSequence[0].WaveformData == samples


def test_metadata_alone_are_an_object(client: httpx.Client) -> None:
    made = model("1.2.840.10008.5.1.4.1.1.88.11", "SR")
    made["00091001"] = {"vr": "OB", "InlineBinary": base64.b64encode(b"abcd").decode()}
    made["00090010"] = {"vr": "LO", "Value": ["HERE 1.0"]}

    answer = client.post("/studies", content=json.dumps([made]), headers={"Content-Type": JSON})

    assert answer.status_code == 200, answer.text
    found = stored(client, made)
    assert found[0x00091001].value == b"abcd"
    metadata = client.get(f"{path_of(made)}/metadata", headers={"Accept": JSON}).json()[0]
    for key in made:
        assert metadata[key] == made[key], key


class TestRefused:
    def said(self, client: httpx.Client, made: Model, *bulk: Bulk) -> tuple[int, str]:
        answer = store_json(client, made, *(bulk or (Bulk("bulk/pixels", "image/jpeg", JPEG),)))
        assert client.get(f"{path_of(made)}/metadata").status_code == 404
        return answer.status_code, answer.headers.get("warning", answer.text)

    @pytest.mark.parametrize(
        ("key", "vr", "value", "keyword"),
        [
            ("00280010", "US", 14, "Rows"),
            ("00280011", "US", 16, "Columns"),
            ("00280002", "US", 1, "SamplesPerPixel"),
            ("00280008", "IS", 2, "NumberOfFrames"),
            ("00280004", "CS", "RGB", "PhotometricInterpretation"),
            ("00280100", "US", 1, "BitsAllocated"),
            ("00280101", "US", 12, "BitsStored"),
            ("00280102", "US", 3, "HighBit"),
            ("00282110", "CS", "00", "LossyImageCompression"),
            ("00080016", "UI", "", "SOPClassUID"),
            ("00281050", "DS", "much", "WindowCenter"),
            ("00081140", "SQ", "text", "ReferencedImageSequence"),
        ],
    )
    def test_what_contradicts_or_is_no_value_is_named(
        self, client: httpx.Client, key: str, vr: str, value: Any, keyword: str
    ) -> None:
        made = photo()
        made[key] = {"vr": vr, "Value": [value]}
        if key == "00281050":
            made[key] = {"vr": "FD", "Value": [value]}

        status, warning = self.said(client, made)

        assert status == 409
        assert keyword in warning

    def test_a_missing_uid_is_named(self, client: httpx.Client) -> None:
        for key, keyword in (("0020000E", "SeriesInstanceUID"), ("0020000D", "StudyInstanceUID")):
            made = photo()
            given = {each: value for each, value in made.items() if each != key}
            answer = store_json(client, given, Bulk("bulk/pixels", "image/jpeg", JPEG))
            assert (answer.status_code, reasons(answer, "00081198")) == (409, [0xA900])
            assert values(answer.json(), "00081198")[0]["00081155"]["Value"] == [uids(made)[2]]
            assert keyword in answer.headers["warning"]

    def test_bulk_data_that_do_not_come(self, client: httpx.Client) -> None:
        status, warning = self.said(client, photo("elsewhere"))
        assert status == 409
        assert "PixelData" in warning

    def test_bulk_data_that_nobody_names_are_told(self, client: httpx.Client) -> None:
        bulk = Bulk("bulk/pixels", "image/jpeg", JPEG), Bulk("other", "image/jpeg", JPEG)
        answer = store_json(client, photo(), *bulk)
        assert answer.status_code == 202
        assert len(reasons(answer, "0008119A")) == 1
        assert "part 3" in answer.headers["warning"]

    def test_file_meta_information(self, client: httpx.Client) -> None:
        made = photo() | {"00020010": {"vr": "UI", "Value": ["1.2.840.10008.1.2.4.50"]}}
        status, warning = self.said(client, made)
        assert status == 409
        assert "0002" in warning

    def test_text_that_the_named_character_set_cannot_say(self, client: httpx.Client) -> None:
        made = photo() | {"00080005": {"vr": "CS", "Value": ["ISO_IR 144"]}}
        status, warning = self.said(client, made)
        assert status == 409
        assert "SpecificCharacterSet" in warning

    @pytest.mark.parametrize(
        ("media_type", "data"),
        [
            ("image/jpeg", JPEG[:40]),
            ("image/jpeg", b"no image"),
            ("image/png", picture(drawn(3))[:60]),
            ("image/gif", b"GIF89a\x01\0\x01\0\0\0\0"),
            ("image/tiff", b"II*\0"),
            ("video/mp4", b"\0\0\0\x10ftypisom\0\0\0\0"),
            ("image/png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xff\xff\x00\xff\xff\xff\x00\x08\x02"),
        ],
    )
    def test_images_that_cannot_be_read(
        self, client: httpx.Client, media_type: str, data: bytes
    ) -> None:
        status, _ = self.said(client, photo(), Bulk("bulk/pixels", media_type, data))
        assert status == 409

    def test_frames_of_different_images(self, client: httpx.Client) -> None:
        other = bytes(imagecodecs.jpeg8_encode(drawn()[:8], level=90))
        bulk = Bulk("bulk/pixels", "image/jpeg", JPEG), Bulk("bulk/pixels", "image/jpeg", other)
        status, warning = self.said(client, photo(), *bulk)
        assert status == 409
        assert "frame 2" in warning

    @pytest.mark.parametrize(
        "document",
        [
            b"{",
            b"",
            b"[1]",
            b"[[]]",
            b'[{"0010": {}}]',
            b'[{"00100010": 3}]',
            b"<a/>",
            b"<NativeDicomModel>",
            b"[" * 5000,
        ],
    )
    def test_metadata_that_are_none(self, client: httpx.Client, document: bytes) -> None:
        answer = post(client, [document], [], JSON)
        assert answer.status_code == 400, answer.text

    def test_sequences_without_end(self, client: httpx.Client) -> None:
        made = photo()
        inner: dict[str, Any] = {"00081155": {"vr": "UI", "Value": ["1.2"]}}
        for _ in range(150):
            inner = {"00081140": {"vr": "SQ", "Value": [inner]}}
        status, _ = self.said(client, made | inner)
        assert status == 409

    def test_one_bad_object_of_three(self, client: httpx.Client) -> None:
        models = [photo() for _ in range(3)]
        models[1]["00280010"] = {"vr": "US", "Value": [99]}

        answer = store_json(client, models, Bulk("bulk/pixels", "image/jpeg", JPEG))

        assert answer.status_code == 202
        assert "object 2: Rows" in answer.headers["warning"]
        assert referenced(answer) == [uids(models[0])[2], uids(models[2])[2]]
        assert values(answer.json(), "00081198")[0]["00081155"]["Value"] == [uids(models[1])[2]]

    @pytest.mark.parametrize("value", [1e400, 10**400, -(10**30), "x", None, {}, [[]]])
    @pytest.mark.parametrize("vr", ["FL", "SS", "UL", "SV", "DS", "IS", "PN", "UI", "AT", "OB"])
    def test_whatever_stands_as_a_value_is_taken_or_refused(
        self, client: httpx.Client, vr: str, value: Any
    ) -> None:
        made = photo()
        made["00091001"] = {"vr": vr, "Value": [value]}
        made["00090010"] = {"vr": "LO", "Value": ["HERE"]}
        answer = store_json(client, made, Bulk("bulk/pixels", "image/jpeg", JPEG))
        assert answer.status_code in (200, 202, 400, 409), answer.text

    def test_a_body_that_breaks_off_leaves_nothing(self, client: httpx.Client) -> None:
        made = photo()
        head = content_type(JSON)
        part = f"--of-models\r\nContent-Type: {JSON}\r\n\r\n{json.dumps([made])}\r\n"
        answer = client.post("/studies", content=part, headers={"Content-Type": head})
        assert answer.status_code == 400
        assert client.get(f"{path_of(made)}/metadata").status_code == 404
