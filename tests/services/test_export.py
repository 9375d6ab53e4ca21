"""Exports hold every byte; a verification tells which are not what they were."""

from __future__ import annotations

import hashlib
import subprocess
from concurrent.futures import Future
from pathlib import Path

import pydicom
import pytest

from tests.dicom import bundled
from tests.services import bags
from tests.services.house import CALLER, WAIT_SECONDS, House
from tests.services.test_ingest import image
from tests.services.test_retrieve import flip
from tests.services.test_signing import openssl_says
from vna.errors import Conflict, Forbidden
from vna.index.holdings import Selection
from vna.model.caller import Caller
from vna.model.patient import PatientIdentifier
from vna.services.corrections import Correction, Corrections, Scope
from vna.services.documents import Document, DocumentFacts, Documents
from vna.services.export import MANIFEST, Export, Exported
from vna.services.journal import Journal
from vna.services.retrieve import Retrieve
from vna.services.signing import SigningKey
from vna.services.verify import Health, Verified, Verify

EVERYTHING = Selection()


def export(
    house: House,
    folder: Path,
    wanted: Selection = EVERYTHING,
    *,
    original: bool = True,
    key: SigningKey | None = None,
) -> list[Exported]:
    """Run an export to its end."""
    retrieve = Retrieve(house.index, house.objects, house.audit, house.transcode)
    made = Export(house.index, house.objects, retrieve)
    return list(made.run(CALLER, folder, wanted, original=original, key=key))


def verify(house: House, wanted: Selection = EVERYTHING) -> list[Verified]:
    """Run a verification to its end."""
    return list(Verify(house.index, house.objects).run(CALLER, wanted))


def files(folder: Path) -> dict[str, bytes]:
    """Everything below a folder but the manifest."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != MANIFEST
    }


def a_document(house: House, content: bytes) -> Document:
    """Store a PDF of patient P1."""
    journal = Journal(house.index, house.ingest.committer.submit)
    documents = Documents(house.index, house.objects, journal, house.audit)
    facts = DocumentFacts("Report", "11528-7", "application/pdf", PatientIdentifier("", "P1"))
    incoming = documents.receive(CALLER, facts)
    incoming.write(content)
    future: Future[Document] = incoming.finish()
    return future.result(WAIT_SECONDS)


def test_every_bundled_file_is_exported_with_its_sha256(house: House, tmp_path: Path) -> None:
    sent = {path.read_bytes() for path in bundled.identifiable()}
    outcomes = house.send(*sent)
    kept = {o.sha256 for o in outcomes if o.disposition.value in ("new", "version", "held")}
    results = export(house, tmp_path / "out")
    found = files(tmp_path / "out")
    assert {each.outcome for each in results} == {"written"}
    assert {hashlib.sha256(data).digest() for data in found.values()} == kept
    assert set(found.values()) <= sent
    assert len(found) == len(results) == results[-1].total == house.count("object")
    assert {each.health for each in verify(house)} == {Health.GOOD}
    check = ["sha256sum", "--check", "--strict", "--quiet", MANIFEST]
    subprocess.run(check, cwd=tmp_path / "out", check=True, timeout=60)


def test_names_say_what_a_file_is(house: House, tmp_path: Path) -> None:
    house.send(image(ImageComments="one"))
    house.send(image(ImageComments="two"))
    house.send(image(SeriesInstanceUID="1.2.3.9"))
    document = a_document(house, b"%PDF-1.4 synthetic")
    export(house, tmp_path)
    held = hashlib.sha256(image(SeriesInstanceUID="1.2.3.9")).hexdigest()[:16]
    assert {name for name in files(tmp_path) if name.split("/")[0] in STORES} == {
        "studies/1.2.3/1.2.3.4/1.2.3.4.5.dcm",
        "studies/1.2.3/1.2.3.4/1.2.3.4.5.v2.dcm",
        f"held/1.2.3/1.2.3.9/1.2.3.4.5.{held}.dcm",
        f"documents/{document.uid}.pdf",
    }


STORES = ("studies", "held", "documents")


def test_a_second_run_writes_nothing_again(house: House, tmp_path: Path) -> None:
    house.send(image(), image(SOPInstanceUID="1.2.3.4.6"))
    first = export(house, tmp_path / "out")
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "out" / "studies").rglob("*.dcm")}
    second = export(house, tmp_path / "out")
    assert [each.outcome for each in first] == ["written"] * 2
    assert [each.outcome for each in second] == ["present"] * 2
    after = {p: p.stat().st_mtime_ns for p in (tmp_path / "out" / "studies").rglob("*.dcm")}
    assert after == times


@pytest.mark.parametrize("original", [True, False])
def test_a_different_file_is_left_alone(house: House, tmp_path: Path, original: bool) -> None:
    house.send(image())
    there = tmp_path / "out" / "studies/1.2.3/1.2.3.4/1.2.3.4.5.dcm"
    there.parent.mkdir(parents=True)
    there.write_bytes(b"of somebody else")
    (result,) = export(house, tmp_path / "out", original=original)
    assert result.outcome == "conflict"
    assert files(tmp_path / "out") == {result.path: b"of somebody else"}
    assert (tmp_path / "out" / MANIFEST).read_bytes() == b""


def test_a_manifest_that_is_none_of_ours_is_not_overwritten(house: House, tmp_path: Path) -> None:
    house.send(image())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / MANIFEST).write_text("my shopping list")
    with pytest.raises(Conflict):
        export(house, tmp_path / "out")
    assert (tmp_path / "out" / MANIFEST).read_text() == "my shopping list"


def test_filters_choose_and_manifests_of_several_runs_add_up(house: House, tmp_path: Path) -> None:
    other = {"StudyInstanceUID": "9", "SeriesInstanceUID": "9.1", "SOPInstanceUID": "9.2"}
    house.send(image(), image(PatientID="P2", **other))
    by_filter = {
        Selection(study_uid="9"): ["studies/9/9.1/9.2.dcm"],
        Selection(patient_id="P1"): ["studies/1.2.3/1.2.3.4/1.2.3.4.5.dcm"],
        Selection(sop_uid="no such"): [],
        Selection(received_from=2**50): [],
    }
    for wanted, paths in by_filter.items():
        assert [each.path for each in export(house, tmp_path / "out", wanted)] == paths
        assert len(verify(house, wanted)) == len(paths)
    assert len((tmp_path / "out" / MANIFEST).read_text().splitlines()) == 2


def test_without_original_the_current_version_leaves_with_its_corrections(
    house: House, tmp_path: Path
) -> None:
    house.send(image(ImageComments="one"))
    house.send(image(ImageComments="two"))
    journal = Journal(house.index, house.ingest.committer.submit)
    Corrections(house.index, journal).correct(
        CALLER, Scope("1.2.3"), [Correction("StudyDescription", ["right"])], "missing"
    )
    (result,) = export(house, tmp_path / "out", original=False)
    found = pydicom.dcmread(tmp_path / "out" / result.path)
    assert (found.ImageComments, found.StudyDescription) == ("two", "right")
    (again,) = export(house, tmp_path / "out", original=False)
    assert (again.outcome, again.sha256) == ("present", result.sha256)


def test_a_uid_that_is_none_cannot_leave_its_folder(house: House, tmp_path: Path) -> None:
    data = image(StudyInstanceUID="1.2.3.4.5.12", SeriesInstanceUID="77")
    house.send(data.replace(b"1.2.3.4.5.12", b"../../escape").replace(b"UI\2\x0077", b"UI\2\0.."))
    (result,) = export(house, tmp_path / "out")
    assert result.path == "studies/_=2E=2E=2F=2E=2E=2Fescape/_=2E=2E/1.2.3.4.5.dcm"
    assert len(files(tmp_path / "out")) == 1


def test_damaged_and_missing_objects_are_told_apart_and_never_exported(
    house: House, tmp_path: Path
) -> None:
    large = bytes(range(256)) * 4 * 1024 * 10
    house.send(image(ImageComments="x" * 3000))
    house.send(
        image(
            SOPInstanceUID="1.2.3.4.6", Rows=1024, Columns=1024, NumberOfFrames=5, PixelData=large
        )
    )
    flip(house, b"x" * 3000)
    for key in house.files:
        if key.endswith(".bin"):
            house.backend.delete(key)
    found = {each.name: each.health for each in verify(house)}
    assert found == {
        "1.2.3/1.2.3.4/1.2.3.4.5": Health.DAMAGED,
        "1.2.3/1.2.3.4/1.2.3.4.6": Health.MISSING,
    }
    assert [each.outcome for each in export(house, tmp_path / "out")] == ["damaged"] * 2
    assert files(tmp_path / "out") == {}


def test_documents_are_verified_too(house: House) -> None:
    document = a_document(house, b"%PDF-1.4 synthetic")
    (found,) = verify(house)
    assert (found.health, found.name) == (Health.GOOD, f"document {document.uid}")


def test_only_what_the_caller_may_see_is_verified_and_exported(
    house: House, tmp_path: Path
) -> None:
    house.send(image(), organisation="H1")
    retrieve = Retrieve(house.index, house.objects, house.audit, house.transcode)
    elsewhere = Caller("x", "127.0.0.1", frozenset((999,)), CALLER.rights)
    assert list(Verify(house.index, house.objects).run(elsewhere, EVERYTHING)) == []
    made = Export(house.index, house.objects, retrieve)
    assert list(made.run(elsewhere, tmp_path / "out", EVERYTHING, original=True)) == []
    nobody = Caller("x", "127.0.0.1", None, frozenset())
    with pytest.raises(Forbidden):
        next(Verify(house.index, house.objects).run(nobody, EVERYTHING))


def test_a_bag_is_one_by_its_standard_and_is_signed(house: House, tmp_path: Path) -> None:
    key, bag = SigningKey.open(tmp_path / "key.pem"), tmp_path / "bag"
    sent = [
        image(SOPInstanceUID="1.2.1"),
        image(SOPInstanceUID="1.2.2", StudyInstanceUID="1.9", SeriesInstanceUID="1.9.1"),
        image(SOPInstanceUID="1.2.3"),
    ]
    house.send(*sent)
    results = export(house, bag, key=key)
    assert {each.outcome for each in results} == {"written"}
    assert bags.problems(bag) == []
    payload = {each.read_bytes() for each in (bag / "data").rglob("*") if each.is_file()}
    assert payload == set(sent)
    listed = (bag / "tagmanifest-sha256.txt").read_bytes()
    signature = (bag / "tagmanifest-sha256.txt.sig").read_bytes()
    assert openssl_says((bag / "signing-key.pub.pem").read_bytes(), listed, signature, tmp_path)
    check = ["sha256sum", "--check", "--strict", "--quiet", MANIFEST, "tagmanifest-sha256.txt"]
    subprocess.run(check, cwd=bag, check=True, timeout=60)


def test_a_bag_that_was_begun_is_completed(house: House, tmp_path: Path) -> None:
    key, bag = SigningKey.open(tmp_path / "key.pem"), tmp_path / "bag"
    house.send(image(SOPInstanceUID="1.2.1"))
    export(house, bag, key=key)
    house.send(image(SOPInstanceUID="1.2.2"))
    results = export(house, bag, key=key)
    assert sorted(each.outcome for each in results) == ["present", "written"]
    assert bags.problems(bag) == []
    (lost, *_) = (each for each in (bag / "data").rglob("*") if each.is_file())
    lost.unlink()
    assert bags.problems(bag) != []
