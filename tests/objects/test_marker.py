from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from storage_backends.base import Backend
from storage_backends.local import LocalBackend
from storage_backends.memory import MemoryBackend
from vna.errors import InvalidConfiguration
from vna.objects import MountedStore
from vna.objects.marker import open_marker, read_marker

FEATURES: dict[str, list[str]] = {"read": [], "check": [], "write": [], "delete": []}


def test_a_store_keeps_its_identity() -> None:
    backend = MemoryBackend()
    assert MountedStore("main", backend).identity == MountedStore("main", backend).identity
    assert MountedStore("main", MemoryBackend()).identity != MountedStore("main", backend).identity


def test_an_empty_place_has_none_until_it_is_opened() -> None:
    assert read_marker(MemoryBackend()) is None


def test_processes_that_open_a_new_store_at_once_agree_on_it(tmp_path: Path) -> None:
    start, found = threading.Barrier(8), []

    def open_it() -> None:
        backend: Backend = LocalBackend(str(tmp_path / "store"))
        start.wait()
        found.append(open_marker(backend).store)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_place_with_files_but_no_marker_is_not_taken_for_a_store() -> None:
    backend = MemoryBackend()
    backend.put_new("seg/2026/01/01/x.vseg", [b"x"])
    with pytest.raises(InvalidConfiguration, match="wrong directory"):
        MountedStore("main", backend)


@pytest.mark.parametrize(
    "content",
    [
        {"format": 2, "store": "x", "features": FEATURES},
        {"format": 1, "store": "x", "features": FEATURES | {"read": ["encryption"]}},
        {"format": 1, "store": "x", "features": FEATURES | {"delete": ["locks"]}},
        {"format": 1, "store": "x"},
        {"format": 1, "features": FEATURES},
        ["format"],
    ],
)
def test_a_store_that_needs_more_than_we_know_is_refused(content: object) -> None:
    backend = MemoryBackend()
    backend.put_new("vna.json", [json.dumps(content).encode()])
    with pytest.raises(InvalidConfiguration, match=r"vna\.json|format"):
        MountedStore("main", backend)


def test_a_marker_that_is_no_json_is_refused() -> None:
    backend = MemoryBackend()
    backend.put_new("vna.json", [b"\xff{"])
    with pytest.raises(InvalidConfiguration):
        MountedStore("main", backend)
