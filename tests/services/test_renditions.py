"""Renditions: made once, shared, bounded, and never served when they are torn."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vna.errors import Undecodable
from vna.services.renditions import Rendition, Renditions

MIB = 1 << 20


def making(made: list[int], data: bytes = b"picture") -> Callable[[], Rendition]:
    def make() -> Rendition:
        made.append(1)
        return Rendition({"rows": 2}, data)

    return make


def kept(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "sweep"]


def test_what_was_made_is_not_made_again(tmp_path: Path) -> None:
    made: list[int] = []
    first = Renditions(tmp_path, MIB).get({"frame": 1}, making(made))
    again = Renditions(tmp_path, MIB).get({"frame": 1}, making(made))

    assert first == again == Rendition({"rows": 2}, b"picture")
    assert len(made) == 1


def test_another_key_is_another_rendition(tmp_path: Path) -> None:
    made: list[int] = []
    renditions = Renditions(tmp_path, MIB)
    renditions.get({"frame": 1, "of": "a"}, making(made))
    renditions.get({"of": "a", "frame": 1}, making(made))
    renditions.get({"frame": 2, "of": "a"}, making(made))

    assert len(made) == 2


@pytest.mark.parametrize("at", [0, 17, -1])
def test_a_damaged_file_is_made_again(tmp_path: Path, at: int) -> None:
    made: list[int] = []
    renditions = Renditions(tmp_path, MIB)
    renditions.get({}, making(made))
    (path,) = kept(tmp_path)
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)

    assert renditions.get({}, making(made)).data == b"picture"
    assert renditions.get({}, making(made)).data == b"picture"
    assert len(made) == 2


@pytest.mark.parametrize("length", [0, 10, 20, 40])
def test_a_torn_file_is_made_again(tmp_path: Path, length: int) -> None:
    made: list[int] = []
    renditions = Renditions(tmp_path, MIB)
    renditions.get({}, making(made, bytes(100)))
    (path,) = kept(tmp_path)
    os.truncate(path, length)

    assert renditions.get({}, making(made, bytes(100))).data == bytes(100)
    assert len(made) == 2


def test_what_cannot_be_made_is_not_kept(tmp_path: Path) -> None:
    def fail() -> Rendition:
        raise Undecodable("no codec")

    with pytest.raises(Undecodable):
        Renditions(tmp_path, MIB).get({}, fail)
    assert kept(tmp_path) == []


def test_the_folder_stays_within_its_limit_and_the_least_used_go_first(tmp_path: Path) -> None:
    made: list[int] = []
    renditions = Renditions(tmp_path, MIB)
    renditions.get({"n": -1}, making(made, bytes(30_000)))
    for number in range(100):
        for path in kept(tmp_path):  # all but the newest were used long ago
            os.utime(path, (number, number))
        renditions.get({"n": number}, making(made, bytes(30_000)))

    assert sum(path.stat().st_size for path in kept(tmp_path)) <= MIB
    made.clear()
    renditions.get({"n": 99}, making(made))
    assert made == []


def test_what_is_too_large_for_the_folder_is_not_kept(tmp_path: Path) -> None:
    made: list[int] = []
    renditions = Renditions(tmp_path, MIB)
    renditions.get({}, making(made, bytes(MIB)))

    assert kept(tmp_path) == []


def test_without_a_limit_nothing_is_kept(tmp_path: Path) -> None:
    made: list[int] = []
    renditions = Renditions(tmp_path / "none", 0)
    renditions.get({}, making(made))
    renditions.get({}, making(made))

    assert len(made) == 2
    assert not (tmp_path / "none").exists()


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    made: list[int] = []
    (tmp_path / "file").write_text("")

    assert Renditions(tmp_path / "file", MIB).get({}, making(made)).data == b"picture"
