"""Find: a query and its caller in, one page out, the same on both databases.

One statement finds and fetches a page. Keys without a column are matched in Python over at most
`CANDIDATES` rows that the others leave, else the query is refused (architecture decision 7).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import RowMapping, Select

from vna.dicom.dictionary import keyword_of
from vna.errors import KeyNotIndexed
from vna.index import fetch, tag_search
from vna.index.compile import Compiled, compile_query
from vna.index.engine import Session
from vna.index.patient_search import find_patients
from vna.index.prepared import prepared
from vna.index.residual import satisfies
from vna.index.rows import beside, entity_of, row_of
from vna.index.wanted import Answer, answer_of, needs_of
from vna.model.answer import Page
from vna.model.caller import Caller
from vna.model.query import Level, Query

CANDIDATES = 100_000  # rows; architecture decision 7
REMAINING = 10_000  # rows; nobody pages further, and counting more costs more than the page
BATCH = 500  # rows read at once while filtering


def find(
    session: Session,
    query: Query,
    caller: Caller,
    *,
    candidates: int = CANDIDATES,
    countable: int = REMAINING,
) -> Page:
    """The page of `query` that `caller` may see.

    Raises `InvalidValue` for a key below the query's level and `KeyNotIndexed` where a key without
    an index would have to be matched over too many rows.
    """
    if query.level is Level.PATIENT:
        return find_patients(session, query, caller, countable=countable)
    plain = prepared(session, query, caller, lambda shape: _built(shape, caller))
    if plain is not None:
        made, values = plain
        found = made.rows(session, values)
        if query.limit is None or len(found) <= query.limit:
            return _page(session, made.answer, found)
    compiled = compile_query(query, caller)
    answer = answer_of(query)
    if compiled.residual:
        compiled = tag_search.narrowed(session, query, caller, compiled)
        _check_candidates(session, query, compiled, candidates)
        return _filtered(session, query, compiled, answer, countable)
    found = fetch.page(
        session,
        query.level,
        compiled,
        answer.needs,
        after=query.after,
        limit=_one_more(query),
        offset=query.offset,
    )
    if query.limit is None or len(found) <= query.limit:
        return _page(session, answer, found)
    if query.limit == 0:
        last, skipped = query.after, query.offset
    else:
        last, skipped = fetch.cursor_of(query.level, found[query.limit - 1]), 0
    remaining = fetch.count(session, query.level, compiled, after=last, at_most=countable + skipped)
    return _page(session, answer, found[: query.limit], remaining - skipped, countable)


def _built(query: Query, caller: Caller) -> tuple[Answer, Select[Any]]:
    answer = answer_of(query)
    return answer, fetch.statement(
        query.level,
        compile_query(query, caller),
        answer.needs,
        after=query.after,
        limit=_one_more(query),
        offset=query.offset,
    )


def _one_more(query: Query) -> int | None:
    """The limit that shows whether more is left."""
    return None if query.limit is None else query.limit + 1


def _page(
    session: Session,
    answer: Answer,
    found: Sequence[RowMapping],
    remaining: int | None = None,
    countable: int = REMAINING,
) -> Page:
    more = beside(session, answer.needs, found)
    return Page(
        [row_of(answer, row, more) for row in found],
        remaining,
        remaining is not None and remaining >= countable,
        fetch.cursor_of(answer.level, found[-1]) if found else None,
    )


def _check_candidates(session: Session, query: Query, compiled: Compiled, candidates: int) -> None:
    found = fetch.count(session, query.level, compiled, after=None, at_most=candidates + 1)
    if found > candidates:
        path = compiled.residual[0].path
        raise KeyNotIndexed(".".join(keyword_of(tag) or f"{tag:08X}" for tag in path), candidates)


def _filtered(
    session: Session, query: Query, compiled: Compiled, answer: Answer, countable: int
) -> Page:
    matching = islice(_matching(session, query, compiled, answer), query.offset, None)
    found = list(islice(matching, query.limit))
    if query.limit is None:
        return _page(session, answer, found)
    remaining = sum(1 for _ in islice(matching, countable))
    return _page(session, answer, found, remaining or None, countable)


def _matching(
    session: Session, query: Query, compiled: Compiled, answer: Answer
) -> Iterator[RowMapping]:
    tags = [key.path[0] for key in compiled.residual]
    needs = answer.needs | needs_of(tags, query.level)
    after = query.after
    while True:
        batch = fetch.page(
            session, query.level, compiled, needs, after=after, limit=BATCH, offset=0
        )
        more = beside(session, needs, batch)
        for row in batch:
            entity = entity_of(query.level, row, needs, more)
            if satisfies(entity, compiled.residual, combined=query.combined_datetime):
                yield row
        if len(batch) < BATCH:
            return
        after = fetch.cursor_of(query.level, batch[-1])
