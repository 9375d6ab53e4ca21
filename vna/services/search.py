"""Search: what every language of the archive asks the index through."""

from __future__ import annotations

from vna.index import search
from vna.index.engine import Index
from vna.model.answer import Page
from vna.model.caller import Caller, Right
from vna.model.query import Query
from vna.services.rights import require


class Search:
    """Finding studies, series and instances among what a caller may see."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def find(self, caller: Caller, query: Query) -> Page:
        """One page of the answer, in the order of the level (vna/index/order.py).

        Raises `Forbidden` without the right to read, `InvalidValue` for a key that the level does
        not have, `KeyNotIndexed` where a filter would have to read too much.
        """
        require(caller, Right.READ)
        with self._index.reading() as session:
            return search.find(session, query, caller)
