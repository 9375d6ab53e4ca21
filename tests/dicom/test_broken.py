"""Truncated and corrupted objects: odd, or refused by name, never anything else."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.dicom.bundled import ROOT, identifiable, name
from tests.dicom.objects import DEFLATED, NATIVE, identified, image, to_bytes
from tests.size import size
from vna.dicom.convert import as_stored, canonical_digest, explicit_le, stream
from vna.dicom.header import Header
from vna.dicom.json import to_json
from vna.dicom.oddities import ALL
from vna.dicom.scan import Scan, scan
from vna.dicom.source import BytesSource
from vna.errors import MalformedObject, NotAcceptable, NotFound
from vna.model.query import Level

_SMALL = 12_000  # bytes


@cache
def nested() -> dict[str, bytes]:
    """One object with nested sequences and pixel data in every native encoding."""
    files = {}
    for syntax in NATIVE:
        for undefined in (False, True):
            inner = identified(PatientName="Nested^Name", StudyDescription="é")
            inner.is_undefined_length_sequence_item = undefined
            middle = identified(ContentSequence=[inner, inner])
            middle["ContentSequence"].is_undefined_length = undefined
            middle.is_undefined_length_sequence_item = undefined
            made = identified(
                SpecificCharacterSet="ISO_IR 100",
                PatientName="Outer^Name",
                Rows=4,
                Columns=4,
                BitsAllocated=16,
                SamplesPerPixel=1,
                RequestAttributesSequence=[middle, middle],
                PixelData=bytes(32),
            )
            made["PixelData"].VR = "OW"
            made["RequestAttributesSequence"].is_undefined_length = undefined
            files[f"{syntax} {undefined}"] = to_bytes(made, syntax)
    files["encapsulated"] = image(
        "1.2.840.10008.1.2.4.50",
        b"\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0\x04\0\0\0\xff\xd8\xff\xd9",
        frames=1,
    )
    return files


def survives(data: bytes) -> Scan | None:
    """Scan and use everything that a scan promises; None where the object is refused."""
    source = BytesSource(data)
    try:
        found = scan(source)
    except MalformedObject:
        return None
    assert found.sop_uid
    assert found.study_uid
    assert found.series_uid
    assert set(found.oddities) <= ALL
    for level in Level:
        found.attributes(level)
    assert "\0" not in found.text(0x00100010)
    to_json(Header.decode(found.header.encode()), "https://archive.test")
    for number in (1, 2, found.anatomy.number_of_frames):
        try:
            for offset, length in found.anatomy.frame(number):
                assert offset >= 0
                assert length >= 0
        except NotFound:
            pass
    canonical_digest(source, found)
    for convert in (explicit_le, as_stored):
        try:
            outgoing = convert(source, found.header, found.anatomy, found.transfer_syntax)
        except NotAcceptable:
            assert found.header.incomplete
            continue
        sent = b"".join(stream(source, found.anatomy, outgoing))
        assert len(sent) <= outgoing.size
    return found


@pytest.mark.parametrize("kind", list(nested()))
def test_an_object_cut_at_any_byte_is_odd_or_refused(kind: str) -> None:
    data = nested()[kind]
    whole = survives(data)
    assert whole is not None
    assert whole.oddities == ()
    for length in range(len(data)):
        found = survives(data[:length])
        if found is not None and not found.deflated and length > found.dataset_offset:
            complete = found.anatomy.tail_offset == length and not found.oddities
            assert found.oddities or complete or found.anatomy.kind == 0


@pytest.mark.parametrize(
    "path",
    [p for p in identifiable() if p.stat().st_size < _SMALL and "dirtests" not in str(p)],
    ids=name,
)
def test_a_bundled_object_cut_at_many_bytes_is_odd_or_refused(path: Path) -> None:
    data = path.read_bytes()
    for length in range(0, len(data), size(97, 1)):
        survives(data[:length])


@settings(deadline=None, max_examples=size(300, 20_000))
@given(
    st.sampled_from(list(nested())),
    st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=4)), max_size=6),
)
@example("1.2.840.10008.1.2 True", [(4204, b"\x00"), (9462, b"\x00\x00$")])
def test_a_corrupted_object_is_odd_or_refused(kind: str, changes: list[tuple[int, bytes]]) -> None:
    data = bytearray(nested()[kind])
    for at, new in changes:
        at %= len(data)
        data[at : at + len(new)] = new
    survives(bytes(data))


@settings(deadline=None, max_examples=size(300, 20_000))
@given(st.binary(max_size=400), st.booleans())
def test_any_bytes_are_odd_or_refused(rubbish: bytes, after_prefix: bool) -> None:
    survives((bytes(128) + b"DICM" if after_prefix else b"") + rubbish)


def test_sequences_that_nest_without_end_are_declined_and_read_as_far_as_they_can_be() -> None:
    made = identified()
    data = (
        to_bytes(made)
        + b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff" * 1
        + (b"\xfe\xff\x00\xe0\xff\xff\xff\xff\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff" * 3000)
    )
    found = survives(data)
    assert found is not None
    assert "broken-structure" in found.oddities or "read-by-fallback" in found.oddities


def test_a_deflated_object_that_breaks_off_is_marked() -> None:
    data = nested()[f"{DEFLATED} False"]
    found = survives(data[:-20])
    assert found is not None
    assert "damaged-deflate" in found.oddities


def test_what_is_missing_is_named() -> None:
    made = identified()
    for keyword, said in (
        ("SeriesInstanceUID", "Series Instance UID (0020,000E) is missing"),
        ("StudyInstanceUID", "Study Instance UID (0020,000D) is missing"),
    ):
        made = identified()
        delattr(made, keyword)
        with pytest.raises(MalformedObject, match="is missing") as refused:
            scan(BytesSource(to_bytes(made)))
        assert refused.value.reason == said


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7 not an image", b"\x89PNG\r\n\x1a\n" * 40])
def test_what_is_not_dicom_is_said_to_be_not_dicom(data: bytes) -> None:
    with pytest.raises(MalformedObject, match="not DICOM"):
        scan(BytesSource(data))


def test_a_dicomdir_is_no_object_of_a_study() -> None:
    data = (ROOT / "test_files/dicomdirtests/DICOMDIR").read_bytes()
    with pytest.raises(MalformedObject, match="SOP Instance UID"):
        scan(BytesSource(data))
