"""Application entities: made known, changed and forgotten while the server runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import pairwise
from typing import TypeVar

from vna.dicom import charset
from vna.errors import InvalidValue, NotFound, UnknownName
from vna.index import audit, organisations, peers
from vna.index.engine import Index, Session
from vna.model.caller import Caller, Right
from vna.model.peer import ALL_SERVICES, CalledView, Peer, Service, Stranger, View
from vna.services.coercions import name_of
from vna.services.rights import require
from vna.services.titles import ae_title, endpoint, printable
from vna.services.users import certificate

T = TypeVar("T")

FRESH_SECONDS = 2.0  # how late a change may be seen by a server that runs
NOTED_SECONDS = 1.0  # a stranger that calls again within it is not written again
_REMEMBERED = 10_000  # strangers; titles come from anybody who reaches the port


@dataclass(frozen=True, slots=True)
class _Known:
    """What a partition had at `read_at`, by this process's clock."""

    read_at: float
    peers: Mapping[str, Peer]
    views: Mapping[str, CalledView]


class Peers:
    """The registry of application entities. Thread-safe.

    What associations ask (`known`, `views`, `nearest`, `refused`) takes a partition and is answered
    from what was read at most two seconds ago; what people ask takes a caller, needs the right to
    administer and is audited where it changes something.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._lock = threading.Lock()
        self._known: dict[int, _Known] = {}
        self._noted: dict[tuple[int, str, str], float] = {}

    # ── what associations ask ────────────────────────────────────────────────────────────────────

    def known(self, partition: int, title: str) -> Peer | None:
        """The peer of that title. Raises `IndexUnavailable`."""
        return self._fresh(partition).peers.get(title.strip(" "))

    def views(self, partition: int) -> Mapping[str, CalledView]:
        """Our own AE titles that were set up, by title. Raises `IndexUnavailable`."""
        return self._fresh(partition).views

    def organisation(self, code: str) -> frozenset[int]:
        """The keys of organisations that a view of one shows; none of a code that nothing has yet.

        Raises `IndexUnavailable`.
        """
        with self._index.reading() as session:
            found = organisations.get(session, code)
        return frozenset(() if found is None else (found.key,))

    def nearest(self, partition: int, title: str) -> str | None:
        """The known title that is most like this one. Raises `IndexUnavailable`."""
        return _nearest(title, self._fresh(partition).peers)

    def unknown(self, partition: int, title: str) -> str:
        """Why a caller of that title is not let in, in plain words. Raises `IndexUnavailable`."""
        return _not_known("calling", title, self.nearest(partition, title))

    def refused(self, partition: int, title: str, address: str, called: str, reason: str) -> None:
        """Note a caller that was not let in; of several calls within a second one is noted.

        Raises `IndexUnavailable`.
        """
        title, called = printable(title), printable(called)
        now, key = time.monotonic(), (partition, title, address)
        with self._lock:
            if now - self._noted.get(key, -NOTED_SECONDS) < NOTED_SECONDS:
                return
            if len(self._noted) >= _REMEMBERED:
                self._noted.clear()
            self._noted[key] = now
        self._index.transact(
            lambda session: peers.note(session, partition, title, address, called, reason)
        )

    # ── what people ask ──────────────────────────────────────────────────────────────────────────

    def all(self, caller: Caller) -> list[Peer]:
        """Every peer, by title. Raises `Forbidden`."""
        require(caller, Right.ADMINISTER)
        with self._index.reading() as session:
            return peers.find(session, caller.partition)

    def get(self, caller: Caller, title: str) -> Peer:
        """One peer. Raises `NotFound` naming the nearest, `Forbidden`."""
        found = {each.title: each for each in self.all(caller)}
        try:
            return found[title.strip(" ")]
        except KeyError:
            raise NotFound(_not_known("", title, _nearest(title, found))) from None

    def put(self, caller: Caller, peer: Peer) -> Peer:
        """Make a peer known, or change what is known of it; as it is kept.

        Raises `InvalidValue`, `UnknownName` for a character set, `Forbidden`.
        """
        require(caller, Right.ADMINISTER)
        kept = _checked(peer)
        self._change(caller, "peer", kept.title, lambda s: peers.put(s, caller.partition, kept))
        return kept

    def remove(self, caller: Caller, title: str) -> None:
        """Forget a peer. Raises `NotFound`, `Forbidden`."""
        title = self.get(caller, title).title
        self._change(
            caller, "peer removed", title, lambda s: peers.remove(s, caller.partition, title)
        )

    def strangers(self, caller: Caller) -> list[Stranger]:
        """Who called and was not let in, the latest first. Raises `Forbidden`."""
        require(caller, Right.ADMINISTER)
        with self._index.reading() as session:
            return peers.strangers(session, caller.partition)

    def approve(
        self,
        caller: Caller,
        title: str,
        *,
        port: int = 0,
        host: str = "",
        services: frozenset[Service] = ALL_SERVICES,
        organisation: str = "",
        description: str = "",
    ) -> Peer:
        """Make a peer of a stranger. With a `port` we call it too, at `host`, or else where it
        called from last.

        Raises `NotFound`, `InvalidValue`, `Forbidden`.
        """
        require(caller, Right.ADMINISTER)
        with self._index.reading() as session:
            found = peers.strangers(session, caller.partition, title.strip(" "))
        if not found:
            raise NotFound(f"nobody called as {title[:16]!r}; vna ae strangers shows who did")
        where = host or (found[0].address if port else "")
        made = Peer(found[0].title, where, port, services=services)
        return self.put(caller, replace(made, organisation=organisation, description=description))

    def all_views(self, caller: Caller) -> list[CalledView]:
        """Our own AE titles that were set up, by title. Raises `Forbidden`."""
        require(caller, Right.ADMINISTER)
        with self._index.reading() as session:
            return peers.views(session, caller.partition)

    def put_view(self, caller: Caller, view: CalledView) -> CalledView:
        """Answer to a title, or show something else to who calls it; as it is kept.

        Raises `InvalidValue`, `Forbidden`.
        """
        require(caller, Right.ADMINISTER)
        kept = replace(view, title=ae_title(view.title), organisation=view.organisation.strip())
        if bool(kept.organisation) != (kept.view is View.ORGANISATION):
            rule = "be given for a view of one organisation, and only for that"
            raise InvalidValue("organisation", kept.organisation, rule)
        self._change(
            caller, "called title", kept.title, lambda s: peers.put_view(s, caller.partition, kept)
        )
        return kept

    def remove_view(self, caller: Caller, title: str) -> None:
        """Answer to a title no more. Raises `NotFound`, `Forbidden`."""
        known = {each.title for each in self.all_views(caller)}
        title = title.strip(" ")
        if title not in known:
            raise NotFound(f"{title[:16]!r} is no AE title that was set up here")
        self._change(
            caller,
            "called title removed",
            title,
            lambda s: peers.remove_view(s, caller.partition, title),
        )

    def _change(
        self, caller: Caller, action: str, title: str, work: Callable[[Session], object]
    ) -> None:
        def audited(session: Session) -> None:
            work(session)
            audit.record(session, caller, action, title)

        self._index.transact(audited)
        with self._lock:
            self._known.pop(caller.partition, None)

    def _fresh(self, partition: int) -> _Known:
        with self._lock:  # also while reading: of many associations that begin at once one reads
            found, now = self._known.get(partition), time.monotonic()
            if found is None or now - found.read_at >= FRESH_SECONDS:
                with self._index.reading() as session:
                    found = _Known(
                        now,
                        {each.title: each for each in peers.find(session, partition)},
                        {each.title: each for each in peers.views(session, partition)},
                    )
                self._known[partition] = found
            return found


def unknown_called(title: str, ours: Mapping[str, object]) -> str:
    """Why a call to a title that is not one of `ours` is refused, in plain words."""
    return _not_known("called", title, _nearest(title, ours))


def _not_known(kind: str, title: str, nearest: str | None) -> str:
    hint = f"; did you mean {nearest!r}?" if nearest else ""
    return f"{kind} AE title {printable(title)!r} is not known{hint}".strip()


def _nearest(title: str, known: Mapping[str, object]) -> str | None:
    by_folded = {each.casefold(): each for each in known}
    found = get_close_matches(title.strip().casefold(), by_folded, n=1, cutoff=0.5)
    return by_folded[found[0]] if found else None


def _checked(peer: Peer) -> Peer:
    host, port = endpoint(peer.host, peer.port)
    if not peer.services:
        raise InvalidValue("services", "", "name one at least")
    if peer.own_only and not peer.organisation.strip():
        raise InvalidValue("organisation", "", "be given for an AE that sees only its own")
    for term in filter(None, peer.character_set.split("\\")):
        if term not in charset.terms():
            raise UnknownName("character set", term, charset.terms())
    coercions = sorted(peer.coercions, key=lambda each: each.path)
    for one, other in pairwise(coercions):
        if one.path == other.path:
            raise InvalidValue("coercions", name_of(one), "name each attribute once")
    return replace(
        peer,
        coercions=tuple(coercions),
        title=ae_title(peer.title),
        host=host,
        port=port,
        certificate=certificate(peer.certificate),
    )
