"""Attributes made searchable later: chosen by an administrator, filled by whoever has time."""

from __future__ import annotations

import time
from collections.abc import Callable

from vna.dicom.dictionary import BINARY_VRS, matching_vr_of, parse_path, vr_of
from vna.errors import InvalidValue, NotFound
from vna.index import audit, jobs, tag_index
from vna.index.engine import Index, Session
from vna.index.jobs import Job
from vna.index.searchable import INDEXED
from vna.index.tag_index import IndexedTag
from vna.model.caller import Caller, Right
from vna.model.query import Path
from vna.services.rights import require

INDEX_TAGS = "index-tags"  # the one job that fills and follows, as long as there is a tag
FOLLOW_MILLISECONDS = 5_000
RUN_SECONDS = 20.0  # of one run of the job for each tag, so that its lease does not end
Tell = Callable[[int, int], object]  # studies read, of how many


class IndexTags:
    """Which attributes are indexed besides those that always are (vna/index/searchable.py)."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def add(self, caller: Caller, name: str) -> IndexedTag:
        """Begin to index an attribute: keywords or tags, joined by dots for those in sequences.

        One that is indexed already stays so. Raises `UnknownName` naming the nearest keyword,
        `InvalidValue` for one that has columns of its own or no value that can be matched,
        `Forbidden`.
        """
        require(caller, Right.ADMINISTER)
        path = _path(name)

        def work(session: Session) -> None:
            if tag_index.add(session, path, caller.name):
                audit.record(session, caller, "index tag", tag_index.path_text(path))
            jobs.put(session, INDEX_TAGS, [""], after=0)

        self._index.transact(work)
        return self._one(path)

    def remove(self, caller: Caller, name: str) -> None:
        """Forget an attribute and its values: it is searched again as before. Raises `NotFound`,
        `UnknownName`, `Forbidden`."""
        require(caller, Right.ADMINISTER)
        path = parse_path(name)

        def work(session: Session) -> int | None:
            removed = tag_index.remove(session, path)
            if removed is not None:
                audit.record(session, caller, "index tag removed", tag_index.path_text(path))
            return removed

        tag = self._index.transact(work)
        if tag is None:
            raise NotFound(f"{name} is not indexed; vna index-tag list shows what is")
        while self._index.transact(lambda session: tag_index.forget_values(session, tag)):
            pass

    def all(self, caller: Caller) -> list[IndexedTag]:
        """Every attribute and how far it is filled. Raises `Forbidden`."""
        require(caller, Right.ADMINISTER)
        with self._index.reading() as session:
            return tag_index.all_tags(session)

    def fill(self, caller: Caller, tag: IndexedTag, tell: Tell) -> IndexedTag:
        """Read every study for it, beside whoever else does; returns once it is complete.

        What was stored or corrected meanwhile is followed too. Raises `Forbidden`, `Unavailable`.
        """
        require(caller, Right.ADMINISTER)
        while self._step(tag.id):
            now = self._one(tag.path)
            tell(now.filled, now.total)
        return self._one(tag.path)

    def __call__(self, job: Job) -> None:
        """The job: some steps of every tag, then again in a while; done when there is none."""
        with self._index.reading() as session:
            tags = tag_index.all_tags(session)
        if not tags:
            return
        waiting = [each for each in tags if self._steps(each.id)]
        after = 0 if waiting else FOLLOW_MILLISECONDS
        self._index.transact(lambda session: jobs.put(session, INDEX_TAGS, [""], after=after))

    def _steps(self, tag: int) -> bool:
        """Whether more is to be done, when it is time to let others have a turn."""
        end = time.monotonic() + RUN_SECONDS
        while time.monotonic() < end:
            if not self._step(tag):
                return False
        return True

    def _step(self, tag: int) -> bool:
        """Fill or follow a little; whether there was anything to do."""
        with self._index.reading() as session:
            step = tag_index.read(session, tag)
        if step is None:
            return False
        self._index.transact(lambda session: tag_index.write(session, step))
        return True

    def _one(self, path: Path) -> IndexedTag:
        with self._index.reading() as session:
            found = [each for each in tag_index.all_tags(session) if each.path == path]
        if not found:
            raise NotFound("the attribute is no longer indexed")
        return found[0]


def _path(name: str) -> Path:
    path = parse_path(name)
    if path in INDEXED:
        raise InvalidValue("attribute", name, "be one that is not indexed anyway")
    for tag in path[:-1]:
        if vr_of(tag) not in ("SQ", "UN"):
            raise InvalidValue("attribute", name, "have sequences before its last dot")
    vr = matching_vr_of(path[-1])
    if vr == "SQ" or vr in BINARY_VRS:
        raise InvalidValue("attribute", name, f"have values that are matched; its VR is {vr}")
    return path
