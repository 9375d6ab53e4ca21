"""What a scan says of odd and ordinary objects."""

from __future__ import annotations

import struct

import pytest

from tests.dicom.bundled import by_pydicom, identifiable, scanned
from tests.dicom.objects import (
    DEFLATED,
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    NATIVE,
    identified,
    to_bytes,
    written,
)
from vna.dicom.anatomy import Kind
from vna.dicom.scan import Scan, scan
from vna.dicom.source import BytesSource
from vna.dicom.transfer_syntax import Encoding


def of(data: bytes) -> Scan:
    return scan(BytesSource(data))


def without_meta(data: bytes) -> bytes:
    return data[of(data).dataset_offset :]


def test_every_bundled_object_has_the_identity_that_pydicom_reads() -> None:
    for path in identifiable():
        found, theirs = scanned(path), by_pydicom(path.read_bytes())
        assert found is not None
        assert found.sop_uid == theirs.SOPInstanceUID
        assert found.study_uid == theirs.StudyInstanceUID
        assert found.series_uid == theirs.SeriesInstanceUID
        assert found.sop_class == theirs.SOPClassUID
        assert found.text(0x00080060) == theirs.get("Modality", "")
        assert found.text(0x00100020) == theirs.get("PatientID", "")


@pytest.mark.parametrize("syntax", NATIVE)
def test_an_ordinary_object_is_not_odd(syntax: str) -> None:
    found = of(
        written(syntax, PatientID="1", StudyDescription="é", SpecificCharacterSet="ISO_IR 100")
    )
    assert found.oddities == ()
    assert found.transfer_syntax == syntax
    assert found.deflated is (syntax == DEFLATED)
    assert found.text(0x00081030) == "é"
    assert found.anatomy.kind is Kind.NONE


@pytest.mark.parametrize(
    ("syntax", "encoding"),
    [
        (EXPLICIT_LE, Encoding.EXPLICIT_LE),
        (IMPLICIT_LE, Encoding.IMPLICIT_LE),
        (EXPLICIT_BE, Encoding.EXPLICIT_BE),
    ],
)
def test_a_bare_data_set_is_found_by_its_encoding(syntax: str, encoding: Encoding) -> None:
    found = of(without_meta(written(syntax, PatientID="1")))
    assert (found.encoding, found.dataset_offset, found.transfer_syntax) == (encoding, 0, syntax)
    assert found.oddities == ("no-file-meta", "no-preamble", "no-transfer-syntax")


def test_a_prefix_without_preamble_and_a_meta_without_prefix_are_read() -> None:
    data = written()
    for odd in (data[128:], data[132:]):
        found = of(odd)
        assert found.oddities == ("no-preamble",)
        assert found.transfer_syntax == EXPLICIT_LE


@pytest.mark.parametrize("declared", [EXPLICIT_LE, IMPLICIT_LE])
def test_an_encoding_other_than_declared_is_believed_by_its_bytes(declared: str) -> None:
    real = IMPLICIT_LE if declared == EXPLICIT_LE else EXPLICIT_LE
    meta = written(declared)[: of(written(declared)).dataset_offset]
    found = of(meta + without_meta(written(real, PatientID="7")))
    assert found.oddities == ("encoding-differs",)
    assert found.text(0x00100020) == "7"


def test_a_wrong_group_length_of_the_meta_does_no_harm() -> None:
    data = bytearray(written(PatientID="1"))
    data[140:144] = struct.pack("<I", 7)
    assert of(bytes(data)).text(0x00100020) == "1"


def test_a_large_file_meta_is_read_to_its_end() -> None:
    data = written()
    head, rest = data[: of(data).dataset_offset], without_meta(data)
    private = struct.pack("<HH2sHI", 2, 0x0102, b"OB", 0, 200_000) + bytes(200_000)
    found = of(head + private + rest)
    assert found.dataset_offset == len(head) + len(private)
    assert found.oddities == ()


@pytest.mark.parametrize(
    ("attributes", "oddity"),
    [
        ({"SOPInstanceUID": "1.2.x"}, "invalid-uid"),
        ({"SeriesInstanceUID": "1." + "2" * 70}, "invalid-uid"),
        ({"SpecificCharacterSet": "KLINGON"}, "unknown-character-set"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_odd_values_are_accepted_and_marked(attributes: dict[str, str], oddity: str) -> None:
    assert oddity in of(to_bytes(identified(**attributes))).oddities


def test_an_unknown_transfer_syntax_is_accepted_and_marked() -> None:
    found = of(written().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.99999.1.2.1\0"))
    assert found.oddities == ("unknown-transfer-syntax",)
    assert found.transfer_syntax == "1.2.840.99999.1.2.1"


def test_a_meta_that_names_another_instance_is_marked() -> None:
    data = written()
    assert of(data.replace(b"1.2.3.4.5\0", b"1.2.3.4.6\0", 1)).oddities == ("meta-differs",)


def test_the_sop_class_of_the_meta_fills_a_missing_one() -> None:
    made = identified()
    data = to_bytes(made)
    del made.SOPClassUID
    meta = data[: of(data).dataset_offset]
    element = b"\x08\x00\x16\x00UI\x1a\x001.2.840.10008.5.1.4.1.1.7\0\0"[:34]
    bare = without_meta(data)[len(element) :]
    found = of(meta + bare)
    assert found.sop_class == "1.2.840.10008.5.1.4.1.1.7"
    assert of(bare).oddities == (
        "no-file-meta",
        "no-preamble",
        "no-sop-class",
        "no-transfer-syntax",
    )


def test_rubbish_after_the_data_set_is_marked_and_left_out() -> None:
    data = written(PatientID="1")
    for rubbish in (b"\0" * 100, b"\xff" * 5, b"not an element at all"):
        found = of(data + rubbish)
        assert found.oddities == ("trailing-bytes",)
        assert found.header == of(data).header


def test_data_set_trailing_padding_is_nothing_odd() -> None:
    padding = struct.pack("<HH2sHI", 0xFFFC, 0xFFFC, b"OB", 0, 64) + bytes(64)
    assert of(written() + padding).oddities == ()


def test_a_vr_nobody_knows_is_read_and_marked() -> None:
    new = b"\x10\x00\x01\x40ZZ\x04\x00abcd"
    long = b"\x10\x00\x02\x40ZY\x00\x00\x04\x00\x00\x00abcd"
    none = b"\x10\x00\x03\x40\x02\x00\x00\x00ab"  # implicit VR in between
    found = of(written() + new + long + none + b"\x20\x00\x00\x40LT\x02\x00ok")
    assert found.oddities == ("unknown-vr",)
    assert found.text(0x00204000) == "ok"


def test_a_sequence_that_runs_past_its_end_is_marked() -> None:
    element = struct.pack("<HH2sHI", 0x10, 0x21B0, b"UT", 0, 8000) + b"x" * 8000
    item = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(element)) + element
    sequence = b"\x10\x00\x02\x10SQ\0\0" + struct.pack("<I", len(item) + 40000) + item
    assert of(written() + sequence).oddities == ("truncated",)


def test_native_pixel_data_in_an_encapsulated_syntax_are_opaque() -> None:
    made = identified(Rows=2, Columns=2, BitsAllocated=8, PixelData=b"1234")
    made["PixelData"].VR = "OW"
    data = to_bytes(made).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")
    found = of(data)
    assert found.oddities == ("frames-unknown", "not-encapsulated")
    assert found.anatomy.kind is Kind.OPAQUE


def test_a_nul_in_a_text_never_reaches_the_index() -> None:
    data = written(PatientID="abcdef").replace(b"abcdef", b"a\0b\0c\0")
    assert of(data).text(0x00100020) == "abc"


def test_a_uid_ends_at_its_first_nul() -> None:
    data = written(StudyInstanceUID="1.2.3.777").replace(b"1.2.3.777", b"1.2.3\x00777")
    assert of(data).study_uid == "1.2.3"
