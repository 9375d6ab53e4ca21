"""What `vna import` finds: files, members of ZIP files, references of a DICOMDIR."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from pydicom import config
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from vna.cli.sources import Source, Unreadable, find, is_candidate


def names(path: Path) -> list[str]:
    return [str(Path(found.name).relative_to(path)) for found in find(path)]


def content(found: Source | Unreadable) -> bytes:
    assert isinstance(found, Source)
    with found.open() as stream:
        return stream.read()


def test_a_folder_gives_every_file_in_a_stable_order(tmp_path: Path) -> None:
    for name in ("b/2", "b/1", "a", "c/d/3"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    assert names(tmp_path) == ["a", "b/1", "b/2", "c/d/3"]


def test_a_zip_file_gives_its_members_under_its_own_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "cd.zip", "w") as archive:
        archive.writestr("IMAGES/1", b"one")
        archive.writestr("IMAGES/", b"")
    (alone,) = find(tmp_path / "cd.zip")
    assert alone.name == f"{tmp_path}/cd.zip!IMAGES/1"
    assert content(alone) == b"one"
    (within,) = find(tmp_path)
    assert within.name == alone.name
    for each in (alone, within):
        assert isinstance(each, Source)
        each.done()
        with pytest.raises(ValueError, match="closed"):
            each.open()


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    assert list(find(tmp_path / "none")) == [
        Unreadable(str(tmp_path / "none"), "No such file or directory")
    ]


def test_a_dicomdir_gives_what_it_refers_to_and_names_what_is_missing(tmp_path: Path) -> None:
    _write_dicomdir(tmp_path, ["IMAGES", "IM1"], ["IMAGES", "IM2"], ["..", "secret"])
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "im1").write_bytes(b"one")
    present, missing, outside = find(tmp_path / "DICOMDIR")
    assert content(present) == b"one"
    for found, name in ((missing, "IMAGES/IM2"), (outside, "../secret")):
        assert isinstance(found, Unreadable)
        assert found.name == str(tmp_path / name)
        assert found.reason == "named by the DICOMDIR, not there"


def test_a_dicomdir_and_what_cannot_be_dicom_are_no_candidates(tmp_path: Path) -> None:
    _write_dicomdir(tmp_path, ["IM1"])
    assert not is_candidate((tmp_path / "DICOMDIR").read_bytes()[:1024])
    assert not is_candidate(b"%PDF-1.7 " * 30)
    assert not is_candidate(b"\x08\x00")
    assert is_candidate(b"\0" * 128 + b"DICM" + b"\x02\x00\x00\x00UL")
    assert is_candidate(b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100")
    assert is_candidate(b"\x00\x08\x00\x05CS\x00\x0a")


def _write_dicomdir(folder: Path, *references: list[str]) -> None:
    directory = Dataset()
    directory.file_meta = FileMetaDataset()
    directory.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    directory.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    directory.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    directory.DirectoryRecordSequence = [Dataset()]
    with config.disable_value_validation():
        for reference in references:
            record = Dataset()
            record.DirectoryRecordType = "IMAGE"
            record.ReferencedFileID = reference
            directory.DirectoryRecordSequence.append(record)
    directory.save_as(folder / "DICOMDIR", enforce_file_format=True)
