"""A backup is complete up to its mark, made while others write, and gives the archive back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from storage_backends.base import BackendError, Buffer
from storage_backends.memory import MemoryBackend
from tests.services.desk import Desk, image
from tests.services.house import CALLER, House, opened
from tests.services.objects import image as other_image
from tests.services.test_fsck import large
from tests.services.test_rebuild import facts, lease_is_over, lived_in
from tests.services.test_rebuild import second_url as second_url
from vna.errors import Conflict, Damaged, InvalidConfiguration, StorageUnavailable
from vna.index.engine import Index
from vna.objects import MountedStore
from vna.services.backup import AUDIT, Backup, Mark
from vna.services.fsck import Finding, Fsck, Problem
from vna.services.restore import restore
from vna.services.row_log import RowLog

PLACES = {"segment_copy", "store", "segment"}  # where bytes lie is another matter after it


@pytest.fixture
def house(index: Index, tmp_path: Path) -> Iterator[House]:
    with opened(index, tmp_path, further={"far": MemoryBackend()}) as made:
        yield made


def backed_up(house: House, target: MountedStore) -> Mark:
    lease_is_over(house.index)
    log = RowLog(house.index, house.objects)
    return Backup(house.index, house.objects, log, house.folder / "audit").make(CALLER, target)


def place() -> MountedStore:
    return MountedStore("backup", MemoryBackend())


def findings(house: House, *, full: bool = False) -> list[Finding]:
    fsck = Fsck(house.index, house.objects, wait=lambda seconds: None)
    return list(fsck.run(CALLER, full=full))


def test_what_was_there_at_the_mark_is_there_after_it_was_restored(
    house: House, second_url: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    lived_in(house)
    house.send(large(7))
    trail = tmp_path / "audit" / "01TRAIL.jsonl"
    trail.parent.mkdir(exist_ok=True)
    trail.write_text("{}\n")
    target = place()
    mark = backed_up(house, target)
    assert not mark.failed
    expected = facts(house.index)
    backend = MemoryBackend()
    new = MountedStore("anew", backend)
    folder = tmp_path / "restored"
    folder.mkdir()
    done = restore(target.backend, new, second_url, folder)
    record_property("seconds", done.seconds)
    assert (done.mark, done.bad) == (mark.name, ())
    assert (folder / "audit" / "01TRAIL.jsonl").read_text() == "{}\n"
    again = Index.open(second_url)
    try:
        found = facts(again)
        for table in PLACES:
            del found[table], expected[table]
        assert found == expected
        with closing(House(again, folder, backend, name="anew")) as restored:
            assert findings(restored, full=True) == []
            desk = Desk(restored)
            for study in ("1.2.0", "1.2.3", "1.2.5"):
                assert desk.bytes_of(study, original=True)
            desk.close()
            assert restored.send(image("1.9.1.1.1"))[0].disposition.value == "new"
    finally:
        again.close()


def test_only_what_is_new_is_copied_the_next_time(house: House) -> None:
    target = place()
    house.send(image("1.2.1.1.1"))
    first = backed_up(house, target)
    house.send(image("1.2.2.1.1"), large(7))
    second = backed_up(house, target)
    third = backed_up(house, target)
    assert (first.copied, second.copied, third.copied) == (1, 2, 0)
    assert (first.segments, second.segments, third.segments) == (1, 3, 3)


def test_objects_acknowledged_before_the_mark_are_there_while_others_are_sent(
    house: House, second_url: str, tmp_path: Path
) -> None:
    stop = threading.Event()
    acknowledged: list[tuple[float, bytes]] = []

    def send(number: int) -> None:
        while not stop.is_set():
            (outcome,) = house.send(other_image(study=f"1.2.{number}"))
            acknowledged.append((time.time() * 1000, bytes(outcome.sha256)))

    senders = [threading.Thread(target=send, args=(number,)) for number in range(3)]
    for each in senders:
        each.start()
    target = place()
    try:
        while len(acknowledged) < 20:
            time.sleep(0.01)
        marks = [backed_up(house, target) for _ in range(2)]
    finally:
        stop.set()
        for each in senders:
            each.join()
    backend = MemoryBackend()
    restore(target.backend, MountedStore("main", backend), second_url, tmp_path)
    again = Index.open(second_url)
    try:
        with opened(again, tmp_path, backend) as restored:
            found = findings(restored)
            assert [each for each in found if each.problem is not Problem.ROWLESS] == []
            there = {bytes(row["sha256"]) for row in restored.rows("object")}
        before = {sha256 for at, sha256 in acknowledged if at < marks[-1].at - 50}
        assert before
        assert before <= there
    finally:
        again.close()


def spoil(backend: MemoryBackend, key: str) -> None:
    reader = backend.open(key)
    content = bytearray(reader.read(0, reader.size()))
    content[content.index(b"middle of it")] ^= 1
    backend.delete(key)
    backend.put_new(key, [content])


def test_damaged_bytes_come_from_another_store_or_are_named(index: Index, tmp_path: Path) -> None:
    far = MemoryBackend()
    with opened(index, tmp_path, further={"far": far}, ack_copies=2) as house:
        house.send(image("1.2.1.1.1", PatientComments="middle of it"))
        house.ingest.committer.close()
        (key,) = [each.key for each in house.backend.list("seg")]
        good = house.files[key]
        spoil(house.backend, key)
        target = place()
        assert not backed_up(house, target).failed
        assert target.backend.open(key).read(0, len(good)) == good
        spoil(far, key)
        mark = backed_up(house, place())
        assert [name in key for name in mark.failed] == [True]
        assert backed_up(house, target).copied == 0
        assert target.backend.open(key).read(0, len(good)) == good, "a good one was replaced"


class Ending(MemoryBackend):
    """Takes everything but a mark."""

    def put_new(self, key: str, buffers: Sequence[Buffer]) -> None:
        if key.startswith("backups/"):
            raise BackendError(key, "the disk was pulled")
        super().put_new(key, buffers)


def test_an_unfinished_backup_is_not_restored(
    house: House, second_url: str, tmp_path: Path
) -> None:
    house.send(image("1.2.1.1.1"))
    target = MountedStore("backup", Ending())
    with pytest.raises(StorageUnavailable):
        backed_up(house, target)
    with pytest.raises(InvalidConfiguration, match="no finished backup"):
        restore(target.backend, MountedStore("anew", MemoryBackend()), second_url, tmp_path)


def test_nothing_is_written_over(house: House, second_url: str, tmp_path: Path) -> None:
    house.send(image("1.2.1.1.1"))
    target = place()
    backed_up(house, target)
    new = MountedStore("anew", MemoryBackend())
    new.backend.put_new("seg/something", [b"of somebody"])
    with pytest.raises(Conflict, match="store anew holds something"):
        restore(target.backend, new, second_url, tmp_path)
    restore(target.backend, MountedStore("anew", MemoryBackend()), second_url, tmp_path)
    with pytest.raises(Conflict, match="index holds something"):
        restore(target.backend, MountedStore("other", MemoryBackend()), second_url, tmp_path)


def test_a_backup_whose_log_has_a_gap_is_named(house: House) -> None:
    for n in range(3):
        house.send(image(f"1.2.{n}.1.1"))
        lease_is_over(house.index)
        RowLog(house.index, house.objects).write()
    for store in house.objects.stores.values():
        store.backend.delete([each.key for each in store.backend.list("log")][1])
    with pytest.raises(Damaged, match="log"):
        backed_up(house, place())


def test_the_trail_of_reads_grows_in_the_backup(house: House, tmp_path: Path) -> None:
    house.send(image("1.2.1.1.1"))
    target = place()
    trail = tmp_path / "audit" / "01TRAIL.jsonl"
    trail.parent.mkdir(exist_ok=True)
    for text in ("one\n", "one\ntwo\n"):
        trail.write_text(text)
        backed_up(house, target)
        reader = target.backend.open(f"{AUDIT}/{trail.name}")
        assert reader.read(0, 100) == text.encode()
