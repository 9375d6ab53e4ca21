"""The index moved between databases: every row, every key, and it works on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from storage_backends.memory import MemoryBackend
from tests.services.house import opened
from tests.services.objects import image
from tests.size import size
from vna.errors import Conflict
from vna.index.engine import Index
from vna.index.move import move
from vna.index.tables import metadata

OBJECTS = size(30, 2000)


def dump(index: Index) -> dict[str, list[Any]]:
    """All tables, by their keys."""
    with index.reading() as session:
        return {
            table.name: [
                tuple(row)
                for row in session.execute(
                    select(table).order_by(
                        *(list(table.primary_key.columns) or list(table.columns))
                    )
                )
            ]
            for table in metadata.sorted_tables
        }


def filled(url: str, folder: Path, backend: MemoryBackend) -> dict[str, list[Any]]:
    index = Index.open(url)
    try:
        with opened(index, folder, backend) as house:
            house.send(*[image(PatientName=f"Núñez^{number}") for number in range(OBJECTS)])
            house.send(image(), organisation="north")
        return dump(index)
    finally:
        index.close()


def test_there_and_back_every_row_and_key_is_the_same(
    sqlite_url: str, postgresql_url: str, tmp_path: Path
) -> None:
    backend = MemoryBackend()
    before = filled(sqlite_url, tmp_path, backend)
    told: dict[str, int] = {}
    moved = move(sqlite_url, postgresql_url, told.__setitem__)
    assert moved == sum(map(len, before.values())) == sum(told.values())
    index = Index.open(postgresql_url)
    try:
        assert dump(index) == before
        with opened(index, tmp_path, backend) as house:  # new keys follow those that came
            house.send(image(), image())
            assert house.count("instance") == OBJECTS + 3
        after = dump(index)
    finally:
        index.close()
    back = f"sqlite:///{tmp_path}/back.db"
    move(postgresql_url, back)
    index = Index.open(back)
    try:
        assert dump(index) == after
    finally:
        index.close()


def test_a_target_that_holds_something_is_refused(
    sqlite_url: str, postgresql_url: str, tmp_path: Path
) -> None:
    filled(sqlite_url, tmp_path, MemoryBackend())
    move(sqlite_url, postgresql_url)
    with pytest.raises(Conflict, match="holds something"):
        move(sqlite_url, postgresql_url)


def test_a_source_in_use_is_refused_and_the_target_stays_empty(
    database_url: str, tmp_path: Path
) -> None:
    index = Index.open(database_url)
    target = f"sqlite:///{tmp_path}/target.db"
    try:
        with index.reading() as session:
            session.execute(text("SELECT 1 FROM study"))
            with pytest.raises(Conflict, match="in use"):
                move(database_url, target)
    finally:
        index.close()
    move(database_url, target)


def test_an_interruption_leaves_the_target_empty(
    sqlite_url: str, postgresql_url: str, tmp_path: Path
) -> None:
    before = filled(sqlite_url, tmp_path, MemoryBackend())

    def broken(table: str, rows: int) -> None:
        if table == "instance":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        move(sqlite_url, postgresql_url, broken)
    assert move(sqlite_url, postgresql_url) == sum(map(len, before.values()))
