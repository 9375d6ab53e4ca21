"""Objects written anew elsewhere: their segment is damaged, or to be given up."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from vna.errors import Damaged
from vna.index import copies
from vna.index.copies import Lying
from vna.index.engine import Index, Session
from vna.index.segments import segment_keys
from vna.model.archive import Place
from vna.objects import Append, ObjectStore, RecordType, Unit

UNDER_WAY = 4  # objects of at most 8 MiB in memory


class Moving:
    """Moves objects. `submit` is the committer's."""

    def __init__(
        self,
        index: Index,
        objects: ObjectStore,
        submit: Callable[[Unit[Any]], Future[Any]],
    ) -> None:
        self._index, self._objects, self._submit = index, objects, submit

    def move(self, segment: str, lying: Sequence[Lying], *, raw: bool) -> list[Lying]:
        """Write objects of a segment anew, from whichever copy is good; those that none has.

        When it returns, what was moved is durable where it lies now. What is purged or moved by
        somebody else meanwhile stays so. Raises `Unavailable`.
        """
        lost: list[Lying] = []
        under_way: deque[Future[None]] = deque()
        for each in lying:
            place = Place(segment, each.offset, each.length, raw)
            try:
                if raw:
                    self._move_raw(each, place)
                    continue
                names = self._objects.header(place, sha256=each.sha256).names
                payload = self._objects.read(place, sha256=each.sha256)
            except Damaged:
                lost.append(each)
                continue
            append = Append(RecordType.OBJECT, (payload,), each.sha256, each.xxh3, names)
            under_way.append(self._submit(_Moved(append, each, place)))
            if len(under_way) >= UNDER_WAY:
                under_way.popleft().result()
        for future in under_way:
            future.result()
        return lost

    def _move_raw(self, lying: Lying, place: Place) -> None:
        names = self._objects.header(place, sha256=lying.sha256).names
        raw = self._objects.create_raw()
        try:
            for chunk in self._objects.stream(place, sha256=lying.sha256):
                raw.write(chunk)
            new = raw.finish(lying.sha256, lying.xxh3, names)
        except BaseException:
            raw.abort()
            raise
        self._index.transact(lambda session: _relocate(session, lying, place, new))


class _Moved(Unit[None]):
    """An object that is written anew."""

    uses_reserve = True  # else a full store could not be given space back

    def __init__(self, append: Append, lying: Lying, old: Place) -> None:
        super().__init__([append])
        self._lying, self._old = lying, old

    def perform(self, session: Session, places: Sequence[Place]) -> None:
        """Let the object lie at its new place."""
        _relocate(session, self._lying, self._old, places[0])
        self.resolve(None)


def _relocate(session: Session, lying: Lying, old: Place, new: Place) -> None:
    keys = segment_keys(session, [new])
    copies.move_object(session, lying.key, old=old, segment_fk=keys[new.segment], offset=new.offset)
