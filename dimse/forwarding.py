"""Queued instances for an application entity: one association carries a batch of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dimse.scu import Scu
from dimse.sending import entries, named
from dimse.settings import ScpSettings
from vna.errors import Conflict
from vna.model.caller import DEFAULT_PARTITION, Caller, Right
from vna.model.outgoing import Due
from vna.services.peers import Peers
from vna.services.retrieve import Retrieve
from vna.services.search import Search

_CALLER = Caller("forward", "local", None, frozenset((Right.READ,)))


class AeForwarding:
    """Sends to application entities, as the first of our titles."""

    def __init__(
        self, search: Search, retrieve: Retrieve, peers: Peers, settings: ScpSettings
    ) -> None:
        self._search, self._retrieve, self._peers = search, retrieve, peers
        self._settings = settings

    def send(self, title: str, batch: Sequence[Due]) -> Iterator[tuple[Due, str]]:
        """See `vna.services.forward.Send`. Raises `Conflict` for a title without an address, and
        `Ended`."""
        peer = self._peers.known(DEFAULT_PARTITION, title)
        if peer is None or not peer.can_be_called:
            raise Conflict(f"AE title {title} has no address")
        due = {each.sop_uid: each for each in batch}
        found = entries(self._search, _CALLER, named(due))
        shown = {each.sop_uid for each in found}
        for uid in due.keys() - shown:
            yield due[uid], "it is not shown any more"
        ours = self._settings.titles[0]
        scu = Scu(self._settings.address_of(peer), ours, self._settings.timeouts)
        for sent in scu.store(self._retrieve, _CALLER, found):
            yield due[sent.sop_uid], f"{sent.status:04X} {sent.comment}".strip() * sent.failed
