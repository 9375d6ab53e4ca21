"""What an administrator asks about stores and does to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vna.errors import Conflict, UnknownName
from vna.index import copies
from vna.index.copies import Copy, StoreFigures
from vna.index.engine import Index
from vna.model.caller import Caller, Right
from vna.objects import ObjectStore
from vna.services.copies import Copies
from vna.services.rights import require

PAGE = 256


@dataclass(frozen=True, slots=True)
class StoreShown:
    """One configured store. `here`: it answers and is the one it should be; figures of its copies
    as the index has them."""

    name: str
    tier: str
    domain: str
    here: bool
    identity: str
    figures: StoreFigures


@dataclass(frozen=True, slots=True)
class Given:
    """A copy that was to be given up; `refused` says why it stays, '' where it is gone."""

    copy: Copy
    refused: str


class Custody:
    """Stores as administrators see them."""

    def __init__(self, index: Index, objects: ObjectStore, kept: Copies) -> None:
        self._index, self._objects, self._copies = index, objects, kept

    def stores(self, caller: Caller) -> list[StoreShown]:
        """Every configured store; raises `Forbidden`."""
        require(caller, Right.ADMINISTER)
        with self._index.reading() as session:
            figures = copies.figures(session)
        return [
            StoreShown(
                each.name,
                each.tier,
                each.domain,
                each.is_here(),
                each.identity,
                figures.get(each.name, StoreFigures(each.name, 0, 0, 0, 0, 0)),
            )
            for each in self._objects.stores.values()
        ]

    def replicate(self, caller: Caller) -> int:
        """Have all missing copies made by the server's worker, of segments that grow too; how many
        segments lack some."""
        require(caller, Right.ADMINISTER)
        self._copies.close_all()
        return self._copies.sweep()

    def evacuate(
        self, caller: Caller, store: str, *, keep: int, dry_run: bool = False
    ) -> Iterator[Given]:
        """Give up every copy in a store of which `keep` verified ones stay in others.

        `dry_run`: only says which. Yields each copy, with the reason where it must stay. Raises
        `Forbidden`, `UnknownName`.
        """
        require(caller, Right.ADMINISTER)
        if store not in self._objects.stores:
            raise UnknownName("store", store, self._objects.stores)
        after = ""
        while True:
            with self._index.reading() as session:
                some = copies.in_store(session, store, after=after, limit=PAGE)
            if not some:
                return
            for copy in some:
                yield Given(copy, self._given_up(copy, keep, dry_run))
            after = some[-1].segment

    def _given_up(self, copy: Copy, keep: int, dry_run: bool) -> str:
        do = self._copies.may_drop if dry_run else self._copies.drop
        try:
            do(copy.segment, copy.store, keep=keep)
        except Conflict as error:
            return str(error)
        return ""
