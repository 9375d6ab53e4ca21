"""Generated queries at every level against the oracle, on both databases."""

from __future__ import annotations

from collections import Counter
from functools import partial
from random import Random

import pytest

from tests.index import corpus, oracle
from tests.index.asked import DATES, KINDS, NUMBERS, SEQUENCES, SEVERAL, TEXTS, TIMES, Asker
from tests.index.fill import fill
from tests.index.oracle import Asked
from tests.size import size
from vna.dicom.matching import match_of
from vna.index import tag_index
from vna.index.engine import Index
from vna.index.search import find
from vna.index.searchable import INDEXED
from vna.model.answer import Row
from vna.model.caller import Caller, Right
from vna.model.query import Key, Level, Query

SEED = 20240701
QUERIES = size(200, 2000)
CORPUS = corpus.made(SEED, size(70, 250))
LEVELS = {"study": Level.STUDY, "series": Level.SERIES, "instance": Level.INSTANCE}


def caller(organisations: frozenset[int] | None, keys: dict[int, int]) -> Caller:
    seen = None if organisations is None else frozenset(keys[each] for each in organisations)
    return Caller("test", "here", seen, frozenset(Right))


def query(level: str, keys: list[Asked], *, combined: bool = True) -> Query:
    """The query that a client's keys mean."""
    made = tuple(
        Key(
            tuple(int(tag, 16) for tag in key.path),
            key.vr,
            match_of(key.vr, key.text, fuzzy=key.fuzzy),
        )
        for key in keys
    )
    return Query(LEVELS[level], made, combined_datetime=combined)


def index_all(index: Index) -> None:
    """Make every attribute that has no column searchable."""
    named = [[tag] for _, tag, _ in (*TEXTS, *SEVERAL, *NUMBERS, *DATES, *TIMES)]
    named += [[sequence, tag] for _, sequence, inside in SEQUENCES for tag in inside]
    for path in {tuple(int(tag, 16) for tag in each) for each in named} - INDEXED.keys():
        index.transact(partial(tag_index.add, path=path, actor="test"))
    with index.reading() as session:
        tags = tag_index.all_tags(session)
    for tag in tags:
        while True:
            with index.reading() as session:
                step = tag_index.read(session, tag.id)
            if step is None:
                break
            index.transact(partial(tag_index.write, step=step))


def uid_of(level: str, row: Row) -> str:
    return {"study": row.study_uid, "series": row.series_uid, "instance": row.sop_uid}[level]


@pytest.mark.parametrize("indexed", [False, True], ids=["", "index-tag"])
@pytest.mark.parametrize("level", oracle.LEVELS)
def test_every_kind_of_matching_finds_what_the_standard_says_in_order(
    index: Index, level: str, indexed: bool
) -> None:
    of = fill(index, CORPUS)
    if indexed:
        index_all(index)
    everything = oracle.entities(CORPUS, level)
    asker, random = Asker(SEED, level, everything), Random(SEED)
    kinds: Counter[str] = Counter()
    telling = 0
    for number in range(QUERIES):
        kind = list(KINDS)[number % len(KINDS)]
        keys = asker.keys(kind)
        kinds[kind] += 1
        organisations = random.choice((None, None, frozenset({1, 2}), frozenset({3})))
        combined = random.random() < 0.8
        expected = oracle.find(everything, keys, organisations, combined)
        telling += 0 < len(expected) < len(everything)
        asked = query(level, keys, combined=combined)
        with index.reading() as session:
            page = find(session, asked, caller(organisations, of))
        assert [uid_of(level, row) for row in page.rows] == expected, keys
    assert min(kinds.values()) >= 15
    assert telling >= 0.7 * QUERIES
