"""What leaves: the original byte for byte, files with corrections, frames and values."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from typing import Any

import pydicom
import pytest

from tests.dicom import bundled
from tests.dicom import objects as made
from tests.dicom.objects import DEFLATED, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE
from tests.services.house import CALLER, House
from tests.services.test_ingest import image
from vna.errors import Damaged, NotAcceptable, NotFound
from vna.index.engine import Index
from vna.services.corrections import Correction, Corrections, Scope
from vna.services.journal import Journal
from vna.services.payload import Payload
from vna.services.retrieve import Form, Retrieve, Stored

JPEG = "1.2.840.10008.1.2.4.70"


@pytest.fixture
def index(sqlite_url: str) -> Iterator[Index]:
    """SQLite alone: what is read from objects does not depend on the database, and that places
    and versions do not either is tested with exports and metadata."""
    opened = Index.open(sqlite_url)
    yield opened
    opened.close()


@pytest.fixture
def retrieve(house: House) -> Retrieve:
    return Retrieve(house.index, house.objects, house.audit, house.transcode)


def content(payload: Payload) -> bytes:
    """All of it; its size was told right, and every part can be had alone."""
    whole = b"".join(payload.chunks())
    assert len(whole) == payload.size
    for start, length in ((0, 1), (1, 2), (len(whole) // 2, None), (0, len(whole))):
        end = None if length is None else start + length
        assert b"".join(payload.chunks(start, length)) == whole[start:end]
    return whole


def only(retrieve: Retrieve, **options: Any) -> Stored:
    """The one instance that was sent."""
    (stored,) = retrieve.instances(CALLER, "1.2.3", **options)
    return stored


def read(data: bytes) -> Any:
    """What pydicom reads of a file that keeps to PS3.10."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(io.BytesIO(data))


@pytest.mark.parametrize("syntax", made.NATIVE)
def test_the_original_is_what_was_received(house: House, retrieve: Retrieve, syntax: str) -> None:
    data = image(syntax)
    house.send(data)
    assert content(retrieve.original(only(retrieve))) == data


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("syntax", made.NATIVE)
def test_a_file_never_leaves_in_a_syntax_that_the_web_forbids(
    house: House, retrieve: Retrieve, syntax: str, form: Form
) -> None:
    house.send(image(syntax))
    payload = retrieve.file(only(retrieve), form)
    wanted = DEFLATED if (syntax, form) == (DEFLATED, Form.STORED) else EXPLICIT_LE
    assert payload.transfer_syntax == wanted
    found = read(content(payload))
    assert found.file_meta.TransferSyntaxUID == wanted
    assert found.PatientName == "A^B"
    swapped = b"\2\1\4\3\6\5\x08\7"
    assert found.PixelData == (swapped if syntax == EXPLICIT_BE else b"\1\2\3\4\5\6\7\x08")


@pytest.mark.parametrize("form", Form)
def test_compressed_pixels_keep_their_syntax(house: House, retrieve: Retrieve, form: Form) -> None:
    data = encapsulated([b"\xff\xd8one1\xff\xd9", b"\xff\xd8two2\xff\xd9"])
    house.send(data)
    payload = retrieve.file(only(retrieve), form)
    assert (payload.transfer_syntax, content(payload)) == (JPEG, data)


def test_corrections_are_in_the_file_and_not_in_the_original(
    house: House, retrieve: Retrieve
) -> None:
    data = image(StudyDescription="wrong")
    house.send(data)
    before = only(retrieve)
    journal = Journal(house.index, house.ingest.committer.submit)
    Corrections(house.index, journal).correct(
        CALLER, Scope("1.2.3"), [Correction("StudyDescription", ["right"])], "misspelt"
    )
    stored = only(retrieve)
    assert stored.etag != before.etag
    found = read(content(retrieve.file(stored, Form.STORED)))
    assert found.StudyDescription == "right"
    (was,) = found.OriginalAttributesSequence[0].ModifiedAttributesSequence
    assert was.StudyDescription == "wrong"
    assert found.PixelData == read(data).PixelData
    assert content(retrieve.original(stored)) == data


def test_an_object_without_preamble_leaves_as_a_file(house: House, retrieve: Retrieve) -> None:
    data = image(IMPLICIT_LE)
    whole = pydicom.dcmread(io.BytesIO(data))
    bare = io.BytesIO()
    whole.file_meta = pydicom.dataset.FileMetaDataset()
    del whole.file_meta
    pydicom.dcmwrite(bare, whole, implicit_vr=True, little_endian=True)
    house.send(bare.getvalue())
    stored = only(retrieve)
    assert content(retrieve.original(stored)) == bare.getvalue()
    assert read(content(retrieve.file(stored, Form.STORED))).PatientName == "A^B"


def encapsulated(frames: list[bytes]) -> bytes:
    """An image of the test's study with one fragment for each frame."""
    return made.image(JPEG, pydicom.encaps.encapsulate(frames), len(frames), PatientID="P1")


class TestFrames:
    """Frames are numbered from 1 and have no item heads."""

    def test_encapsulated_ones_are_bare_code_streams(
        self, house: House, retrieve: Retrieve
    ) -> None:
        frames = [b"\xff\xd8one1\xff\xd9", b"\xff\xd8another1\xff\xd9", b"\xff\xd83\xff\xd9"]
        frames = [frame + b"\0" * (len(frame) % 2) for frame in frames]
        house.send(encapsulated(frames))
        payloads = retrieve.frames(only(retrieve), [3, 1])
        assert [content(each) for each in payloads] == [frames[2], frames[0]]
        assert {each.transfer_syntax for each in payloads} == {JPEG}
        assert [content(p) for p in retrieve.pixeldata(only(retrieve))] == frames

    @pytest.mark.parametrize("syntax", made.NATIVE)
    @pytest.mark.parametrize("bits", [8, 16])
    def test_native_ones_are_little_endian_whatever_was_stored(
        self, house: House, retrieve: Retrieve, syntax: str, bits: int
    ) -> None:
        size = 3 * 3 * bits // 8  # odd for 8 bits: a frame begins inside a word
        frames = [bytes(range(n, n + size)) for n in (0, 50, 100)]
        value = b"".join(frames)
        value += b"\0" * (len(value) % 2)
        if syntax == EXPLICIT_BE:
            value = b"".join(value[n : n + 2][::-1] for n in range(0, len(value), 2))
        house.send(
            image(syntax, Rows=3, Columns=3, BitsAllocated=bits, NumberOfFrames=3, PixelData=value)
        )
        found = retrieve.frames(only(retrieve), [1, 2, 3])
        assert [content(each) for each in found] == frames
        assert {each.transfer_syntax for each in found} == {EXPLICIT_LE}

    def test_frames_of_single_bits_begin_at_bit_0(self, house: House, retrieve: Retrieve) -> None:
        # three frames of 3×3 bits, packed without a gap, the least significant bit first
        frames = [0b1_0101_0101, 0b0_1111_0000, 0b1_1000_0001]
        packed = sum(frame << 9 * n for n, frame in enumerate(frames)).to_bytes(4, "little")
        house.send(image(Rows=3, Columns=3, BitsAllocated=1, NumberOfFrames=3, PixelData=packed))
        found = [content(each) for each in retrieve.frames(only(retrieve), [1, 2, 3])]
        assert found == [frame.to_bytes(2, "little") for frame in frames]

    @pytest.mark.parametrize("number", [0, 3, 10**8])
    def test_a_frame_that_is_not_there_is_not_found(
        self, house: House, retrieve: Retrieve, number: int
    ) -> None:
        house.send(encapsulated([b"\xff\xd8one1\xff\xd9", b"\xff\xd8two2\xff\xd9"]))
        with pytest.raises(NotFound):
            retrieve.frames(only(retrieve), [1, number])

    def test_an_object_without_pixels_has_none(self, house: House, retrieve: Retrieve) -> None:
        house.send(made.written(PatientID="P1"))
        with pytest.raises(NotFound):
            retrieve.frames(only(retrieve), [1])
        with pytest.raises(NotFound):
            retrieve.pixeldata(only(retrieve))


@pytest.mark.parametrize("syntax", made.NATIVE)
def test_nested_bulk_data_is_found_by_its_path(
    house: House, retrieve: Retrieve, syntax: str
) -> None:
    item = pydicom.Dataset()
    item.add_new(0x54001010, "OW", bytes(range(200)) * 20)
    house.send(made.written(syntax, PatientID="P1", WaveformSequence=[pydicom.Dataset(), item]))
    payload = retrieve.bulkdata(only(retrieve), "54000100/2/54001010")
    wanted = bytes(range(200)) * 20
    if syntax == EXPLICIT_BE:
        wanted = b"".join(wanted[n : n + 2][::-1] for n in range(0, len(wanted), 2))
    assert content(payload) == wanted
    for path in ("54000100/3/54001010", "54000100", "nonsense", "7FE00010"):
        with pytest.raises(NotFound):
            retrieve.bulkdata(only(retrieve), path)


def test_versions_are_numbered_and_the_current_one_is_given(
    house: House, retrieve: Retrieve
) -> None:
    one, two = image(ImageComments="one"), image(ImageComments="two")
    house.send(one)
    house.send(two)
    assert content(retrieve.original(only(retrieve))) == two
    assert content(retrieve.original(only(retrieve, version=1))) == one
    found = retrieve.instances(CALLER, "1.2.3", version="all")
    assert [(each.version, each.current) for each in found] == [(1, False), (2, True)]
    with pytest.raises(NotFound):
        retrieve.instances(CALLER, "1.2.3", version=3)


def flip(house: House, needle: bytes) -> None:
    """Change one bit where `needle` is stored."""
    house.ingest.close()
    for key, data in house.files.items():
        at = data.find(needle)
        if at >= 0:
            house.backend.delete(key)
            house.backend.put_new(key, [data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]])


def test_no_byte_of_a_damaged_object_leaves(house: House) -> None:
    pixels = bytes(range(250)) * 8
    house.send(image(Rows=25, Columns=40, BitsAllocated=16, PixelData=pixels))
    flip(house, pixels)
    retrieve = Retrieve(house.index, house.objects, house.audit, house.transcode)
    stored = only(retrieve)
    for payload in (
        retrieve.original(stored),
        retrieve.file(stored, Form.EXPLICIT_LE),
        *retrieve.frames(stored, [1]),
        retrieve.bulkdata(stored, "7FE00010"),
    ):
        with pytest.raises(Damaged):
            next(payload.chunks())


@pytest.mark.parametrize("syntax", [EXPLICIT_LE, IMPLICIT_LE])
def test_nobody_gets_all_of_a_large_damaged_object(house: House, syntax: str) -> None:
    mark = b"far from the beginning"  # what lies before it is good, and may leave
    pixels = bytes(range(256)) * 4 * 1024 * 10
    pixels = pixels[: 6 << 20] + mark + pixels[(6 << 20) + len(mark) :]
    house.send(image(syntax, Rows=1024, Columns=1024, NumberOfFrames=5, PixelData=pixels))
    flip(house, mark)
    retrieve = Retrieve(house.index, house.objects, house.audit, house.transcode)
    payload = retrieve.file(only(retrieve), Form.EXPLICIT_LE)
    assert payload.size is not None
    given: list[int] = []
    with pytest.raises(Damaged):
        given.extend(len(chunk) for chunk in payload.chunks())
    assert 0 < sum(given) < payload.size


def test_a_read_is_audited_with_its_purpose(house: House, retrieve: Retrieve) -> None:
    house.send(image())
    retrieve.instances(CALLER, "1.2.3", purpose="original")
    retrieve.instances(CALLER, "1.2.3", purpose="original")
    (line,) = house.audit_file.read_bytes().splitlines()
    assert b'"action":"original","target":"1.2.3"' in line


def test_every_bundled_file_leaves_as_it_came_and_as_a_file_that_pydicom_reads(
    house: House, retrieve: Retrieve
) -> None:
    files = {path: path.read_bytes() for path in bundled.identifiable()}
    outcomes = house.send(*files.values())
    shown = {o.sha256: o.study_uid for o in outcomes if o.disposition.value in ("new", "version")}
    originals = set()
    broken = 0
    for study in set(shown.values()):
        for stored in retrieve.instances(CALLER, study, version="all"):
            assert b"".join(retrieve.original(stored).chunks()) in files.values()
            originals.add(stored.sha256)
            try:
                payload = retrieve.file(stored, Form.EXPLICIT_LE)
            except NotAcceptable:
                broken += 1
                continue
            whole = b"".join(payload.chunks())
            assert len(whole) == payload.size
            assert read(whole).SOPInstanceUID == stored.sop_uid
    assert originals == set(shown)
    assert broken <= 3
