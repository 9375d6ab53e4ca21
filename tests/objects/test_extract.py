"""The extraction script needs nothing but a standard library, and knows the formats on its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from storage_backends.local import LocalBackend
from tests.objects.archive import append_of, content_of, only, placed, raw_stored, sha256_of, stored
from vna.model.archive import Place
from vna.objects import Committer, ObjectStore, RecordType, Unit, plain
from vna.objects.layout import meta_key, raw_key, segment_key

SCRIPT = Path(__file__).parents[2] / "tools" / "extract.py"
CONTENTS = [content_of(number, length) for number, length in enumerate((700, 1, 40_000, 3000))]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the script isolated: no site packages, no environment, no current folder."""
    command = [sys.executable, "-S", "-I", str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def files_below(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.tsv"
    }


def name(number: int, content: bytes) -> str:
    return f"2.25.3/2.25.2/2.25.{number}.{sha256_of(content).hex()[:16]}.dcm"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def places(root: Path) -> list[Place]:
    return stored(LocalBackend(str(root)), *CONTENTS)


@pytest.fixture
def segment(root: Path, places: list[Place]) -> Path:
    return root / segment_key(places[0].segment)


def change(path: Path, offset: int, length: int = 1) -> None:
    data = bytearray(path.read_bytes())
    for position in range(offset, offset + length):
        data[position] ^= 0xFF
    path.write_bytes(data)


def test_every_object_of_a_store_comes_out_byte_for_byte(
    root: Path, places: list[Place], tmp_path: Path
) -> None:
    large = content_of(9, 100_000)
    raw_stored(ObjectStore.of(LocalBackend(str(root))), large)
    for _ in range(2):  # a second run changes nothing
        done = run(root, tmp_path / "out")
        assert (done.returncode, done.stderr) == (0, "5 objects and events\n")
        expected = {name(number, content): content for number, content in enumerate(CONTENTS)}
        assert files_below(tmp_path / "out") == {**expected, name(9, large): large}
    lines = (tmp_path / "out" / "manifest.tsv").read_text().splitlines()
    assert lines[0].split("\t")[0] == "sha256"
    assert {line.split("\t")[0] for line in lines[1:]} == {
        sha256_of(content).hex() for content in [*CONTENTS, large]
    }


def test_listing_writes_nothing(root: Path, places: list[Place]) -> None:
    before = files_below(root)
    done = run("--list", root)
    assert done.returncode == 0
    rows = [line.split("\t") for line in done.stdout.splitlines()[1:]]
    assert [row[6] for row in rows] == ["2.25.0", "2.25.1", "2.25.2", "2.25.3"]
    assert [int(row[8]) for row in rows] == [place.offset for place in places]
    assert files_below(root) == before


def test_a_segment_can_have_another_file_name(segment: Path, tmp_path: Path) -> None:
    moved = tmp_path / "from-a-backup"
    segment.rename(moved)
    assert run(moved, tmp_path / "out").returncode == 0
    assert len(files_below(tmp_path / "out")) == len(CONTENTS)


def test_documents_and_events_come_out_too(root: Path, tmp_path: Path) -> None:
    backend = LocalBackend(str(root))
    ObjectStore.of(backend)
    committer = Committer[Place](only(backend), None, placed)
    event, document = b'{"event": "merge"}', b"%PDF-1.7 and more"
    committer.submit(Unit((plain(RecordType.EVENT, event),))).result(30)
    committer.submit(Unit((plain(RecordType.OBJECT, document),))).result(30)
    committer.submit(Unit((append_of(b"{}", type=RecordType.FRAMES),))).result(30)
    committer.close()
    assert run(root, tmp_path / "out").returncode == 0
    found = files_below(tmp_path / "out")
    assert found.pop(f"{sha256_of(document).hex()}.bin") == document
    ((path, content),) = found.items()
    assert (path.startswith("events/"), content) == (True, event)


def test_a_torn_tail_is_reported_and_what_lies_before_it_comes_out(
    root: Path, tmp_path: Path
) -> None:
    backend = LocalBackend(str(root))
    places = stored(backend, *CONTENTS, seal=False)
    segment = root / segment_key(places[0].segment)
    data = segment.read_bytes()
    for cut in (places[3].offset - 20, places[3].offset - 1, places[3].offset + 2999):
        segment.write_bytes(data[:cut])
        done = run(root, tmp_path / str(cut))
        assert done.returncode == 4
        assert f"{segment}: " in done.stderr
        assert set(files_below(tmp_path / str(cut))) == {
            name(number, content) for number, content in enumerate(CONTENTS[:3])
        }


def test_an_unsealed_segment_is_no_fault(root: Path, tmp_path: Path) -> None:
    stored(LocalBackend(str(root)), *CONTENTS, seal=False)
    assert run(root, tmp_path / "out").returncode == 0
    assert len(files_below(tmp_path / "out")) == len(CONTENTS)


@pytest.mark.parametrize("where", [5, -5], ids=["payload", "header"])
def test_a_damaged_record_costs_only_itself(
    segment: Path, places: list[Place], tmp_path: Path, where: int
) -> None:
    change(segment, places[2].offset + where)
    done = run(segment, tmp_path / "out")
    assert done.returncode == 5
    if where > 0:
        assert sha256_of(CONTENTS[2]).hex() in done.stderr
    assert set(files_below(tmp_path / "out")) == {
        name(number, CONTENTS[number]) for number in (0, 1, 3)
    }


def test_a_damaged_beginning_costs_only_itself(segment: Path, tmp_path: Path) -> None:
    change(segment, 0, 64)
    assert run(segment, tmp_path / "out").returncode == 5
    assert len(files_below(tmp_path / "out")) == len(CONTENTS)


def test_damage_to_raw_files_is_told_apart_from_unfinished_ones(root: Path, tmp_path: Path) -> None:
    backend = LocalBackend(str(root))
    store = ObjectStore.of(backend)
    unfinished = store.create_raw()
    unfinished.write(b"half")
    assert run(root, tmp_path / "out").returncode == 4
    unfinished.abort()
    place = raw_stored(store, content_of(1, 9000))
    change(root / raw_key(place.segment), 8999)
    assert run(root, tmp_path / "out").returncode == 5
    change(root / raw_key(place.segment), 8999)
    assert run(root, tmp_path / "out").returncode == 0
    change(root / meta_key(place.segment), 50)
    assert run(root, tmp_path / "out").returncode == 5
    (root / raw_key(place.segment)).unlink()
    assert run(root, tmp_path / "out").returncode == 5


def test_what_cannot_be_read_is_partial(tmp_path: Path) -> None:
    assert run(tmp_path / "nothing.vseg", tmp_path / "out").returncode == 4
    assert run().returncode == 2
    assert run(tmp_path).returncode == 2
