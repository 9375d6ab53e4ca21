"""dcmtk speaks with a running archive: storescu, findscu, getscu, movescu, dcmsend, termscu."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ImplicitVRLittleEndian

from tests.dicom.bundled import identifiable, scanned
from tests.faults import server
from tests.faults.server import Server
from tests.peers import dcmtk
from tests.peers.require import require
from tests.services.desk import image
from tests.size import size
from vna.dicom import oddities

TITLE = "VNA"
OBJECTS = size(100, 1000)
SYNTAXES = {
    "-xe": "1.2.840.10008.1.2.1",
    "-xb": "1.2.840.10008.1.2.2",
    "-xi": "1.2.840.10008.1.2",
    "-xd": "1.2.840.10008.1.2.1.99",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# Of storescp, whom the archive knows from the beginning: bound and not listening, so that nobody
# else is given it meanwhile.
RESERVED = socket.socket()
RESERVED.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
RESERVED.bind(("127.0.0.1", 0))
RECEIVING = int(RESERVED.getsockname()[1])


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, int]]:
    """A server of this module's own, and its DIMSE port."""
    require(dcmtk.missing())
    port = free_port()
    data = tmp_path_factory.mktemp("dcmtk") / "data"
    server.vna("db", "upgrade", data=data)
    server.vna("ae", "add", f"RECEIVER@127.0.0.1:{RECEIVING}", data=data)
    with server.running(data, "--dimse", f"127.0.0.1:{port}") as running:
        yield running, port


def run(program: str, port: int, *words: str, code: int = 0) -> str:
    """Run one of dcmtk's programs against the archive; what it prints."""
    done = subprocess.run(
        [dcmtk.program(program), "-v", "-aec", TITLE, "127.0.0.1", str(port), *words],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=600,
        check=False,
    )
    assert done.returncode == code, (program, words, done.stdout[-1500:], done.stderr[-1500:])
    return done.stdout + done.stderr


def written(folder: Path, *objects: bytes) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, data in enumerate(objects):
        path = folder / f"{number}.dcm"
        path.write_bytes(data)
        paths.append(str(path))
    return paths


def ct(uid: str, **attributes: Any) -> bytes:
    return image(uid, SOPClassUID="1.2.840.10008.5.1.4.1.1.2", **attributes)


def data_set(path: Path) -> bytes:
    """The bytes behind the file meta."""
    with path.open("rb") as file:
        file.seek(144 + int(meta_of(path).FileMetaInformationGroupLength))
        return file.read()


def test_echo(archive: tuple[Server, int]) -> None:
    assert "Received Echo Response (Success)" in run("echoscu", archive[1])


@pytest.mark.parametrize("option", SYNTAXES)
def test_storescu_in_every_native_syntax_makes_one_study_each(
    archive: tuple[Server, int], tmp_path: Path, option: str
) -> None:
    _, port = archive
    uid = f"1.3.{list(SYNTAXES).index(option) + 1}"
    paths = written(tmp_path, *(ct(f"{uid}.1.{number}") for number in range(1, 4)))
    said = run("storescu", port, option, *paths)
    assert said.count("Received Store Response (Success)") == 3
    found = run(
        "findscu",
        port,
        "-S",
        *keys("STUDY", StudyInstanceUID=uid, NumberOfStudyRelatedInstances=""),
    )
    assert "[3 " in found or "[3]" in found


def keys(level: str, **wanted: str) -> list[str]:
    words = ["-k", f"QueryRetrieveLevel={level}"]
    for name, value in wanted.items():
        words += ["-k", f"{name}={value}"]
    return words


def test_bundled_files_go_through_the_archive_as_they_go_without_it(
    archive: tuple[Server, int], tmp_path: Path
) -> None:
    """What dcmsend gives storescp directly, and by way of the archive, is equal byte for byte."""
    _, port = archive
    direct, moved = tmp_path / "direct", tmp_path / "moved"
    chosen: dict[str, Path] = {}  # by SOP Instance UID
    studies: set[str] = set()
    for path in identifiable():
        found = scanned(path)
        assert found is not None
        if oddities.NO_FILE_META not in found.oddities:
            chosen.setdefault(found.sop_uid, path)
            studies.add(found.study_uid)
    paths = [*chosen.values(), *copies(chosen, tmp_path / "copies", OBJECTS - len(chosen))]
    dcmsend(port, paths)
    with receiver(direct, "+xa", "-pm") as (_, their_port):
        dcmsend(their_port, paths)
    with receiver(moved, "+xa", "-pm") as (title, _):
        asked = keys("STUDY", StudyInstanceUID="\\".join(sorted(studies)))
        run("movescu", port, "-aem", title, "-S", *asked)
    before, after = by_uid(direct), by_uid(moved)
    assert len(before) >= max(100, 0.9 * OBJECTS)
    assert before.keys() <= after.keys()
    same = [uid for uid in before if syntax_of(before[uid]) == syntax_of(after[uid])]
    assert len(same) >= 0.95 * len(before)
    assert [uid for uid in same if data_set(before[uid]) != data_set(after[uid])] == []


def copies(chosen: Mapping[str, Path], folder: Path, wanted: int) -> Iterator[Path]:
    """Further objects of the same kinds and studies, under other SOP Instance UIDs."""
    folder.mkdir()
    candidates = [(uid, path) for uid, path in chosen.items() if len(uid) >= 16]
    for number in range(wanted):
        uid, path = candidates[number % len(candidates)]
        other = f"2.25.{number + 1:0{len(uid) - 5}d}".replace("2.25.0", "2.25.9", 1)
        content = path.read_bytes()
        if (
            content.count(uid.encode()) < 2
        ):  # in the file meta, and in a data set that is not zipped
            continue
        copy = folder / f"{number}.dcm"
        copy.write_bytes(content.replace(uid.encode(), other.encode()))
        yield copy


def dcmsend(port: int, paths: Iterable[Path]) -> None:
    """Send files as they are; those that dcmtk cannot send are left out."""
    command = [dcmtk.program("dcmsend"), "--no-halt", "--decompress-never", "-aec", TITLE]
    subprocess.run(
        [*command, "127.0.0.1", str(port), *map(str, paths)],
        capture_output=True,
        timeout=600,
        check=False,
    )


def by_uid(folder: Path) -> dict[str, Path]:
    return {meta_of(path).MediaStorageSOPInstanceUID: path for path in files(folder)}


def syntax_of(path: Path) -> str:
    return str(meta_of(path).TransferSyntaxUID)


def meta_of(path: Path) -> FileMetaDataset:
    return pydicom.filereader.read_file_meta_info(path)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@contextmanager
def receiver(folder: Path, *options: str) -> Iterator[tuple[str, int]]:
    """storescp that keeps every byte as it comes (+B)."""
    folder.mkdir(parents=True)
    port = RECEIVING
    command = [dcmtk.program("storescp"), "+B", "-aet", "RECEIVER", "-od", str(folder)]
    process = subprocess.Popen(
        [*command, *options, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        dcmtk.wait_for(port)
        yield "RECEIVER", port
    finally:
        process.terminate()
        process.wait(10)


def test_getscu_fetches_a_study(archive: tuple[Server, int], tmp_path: Path) -> None:
    _, port = archive
    paths = written(tmp_path / "in", *(ct(f"1.3.20.1.{number}") for number in range(1, 6)))
    run("storescu", port, *paths)
    (tmp_path / "out").mkdir()
    said = run(
        "getscu",
        port,
        "-S",
        "-od",
        str(tmp_path / "out"),
        *keys("STUDY", StudyInstanceUID="1.3.20"),
    )
    assert "Completed Suboperations : 5" in said
    assert len(files(tmp_path / "out")) == 5


def test_a_receiver_that_takes_only_implicit_gets_it_so(
    archive: tuple[Server, int], tmp_path: Path
) -> None:
    _, port = archive
    source = str(pydicom.data.get_testdata_file("693_J2KR.dcm"))
    run("dcmsend", port, source)
    header = pydicom.dcmread(source)
    with receiver(tmp_path / "implicit", "+xi") as (title, _):
        said = run(
            "movescu",
            port,
            "-aem",
            title,
            "-S",
            *keys("IMAGE", SOPInstanceUID=header.SOPInstanceUID),
        )
    assert "Received Final Move Response (Success)" in said
    (path,) = files(tmp_path / "implicit")
    came = pydicom.dcmread(path)
    assert came.file_meta.TransferSyntaxUID == ImplicitVRLittleEndian
    assert (came.pixel_array == header.pixel_array).all()


def test_a_move_to_nobody_is_refused_by_name(archive: tuple[Server, int]) -> None:
    said = run(
        "movescu",
        archive[1],
        "-aem",
        "NOBODY",
        "-S",
        *keys("STUDY", StudyInstanceUID="1.3.1"),
        code=69,
    )
    assert "MoveDestinationUnknown" in said


def test_the_log_says_who_called_and_why_it_ended(archive: tuple[Server, int]) -> None:
    running, port = archive
    run("echoscu", port)
    subprocess.run(
        [dcmtk.program("echoscu"), "-aec", "WRONG", "127.0.0.1", str(port)],
        check=False,
        capture_output=True,
    )
    subprocess.run(
        [dcmtk.program("termscu"), "-aec", TITLE, "127.0.0.1", str(port)],
        check=False,
        capture_output=True,
    )
    wanted = ("called AE title 'WRONG' is not known", "C-ECHO 0000 × 1")
    deadline = time.monotonic() + 20
    while not all(each in server.vna("dicom", "log", data=running.data).stdout for each in wanted):
        assert time.monotonic() < deadline


def test_one_object_by_storescu_and_import_is_one_version(
    archive: tuple[Server, int], tmp_path: Path
) -> None:
    running, port = archive
    data = ct("1.3.30.1.1")
    (path,) = written(tmp_path, data)
    run("storescu", port, "-xe", path)
    said = server.vna("import", path, "--json", data=running.data).stdout
    assert '"same": 1' in said or '"same":1' in said


def test_a_rule_passes_on_what_arrives(archive: tuple[Server, int], tmp_path: Path) -> None:
    running, port = archive
    with receiver(tmp_path / "routed") as (title, _):
        server.vna(
            *("route", "add", "chest", "StudyDescription=CRANEO RUTA", "--to", f"ae:{title}"),
            *("--on", "arrival"),
            data=running.data,
        )
        paths = written(
            tmp_path / "in",
            *(ct(f"1.3.40.1.{n}", StudyDescription="CRANEO RUTA") for n in range(1, 4)),
        )
        run("storescu", port, *paths)
        deadline = time.monotonic() + 60
        while len(files(tmp_path / "routed")) < 3:
            assert time.monotonic() < deadline, server.vna(
                "queue", "list", data=running.data
            ).stdout
            time.sleep(0.1)
    assert sorted(by_uid(tmp_path / "routed")) == ["1.3.40.1.1", "1.3.40.1.2", "1.3.40.1.3"]
