"""What the DIMSE face needs to be told."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from dimse.requestor import Address, Timeouts
from vna.model.peer import Peer


@dataclass(frozen=True, slots=True)
class ScpSettings:
    """`titles`: AE titles that we answer to; the first is ours where we call. `limit`: associations
    of this process at once, `limit_per_peer`: of one calling AE title. `unknown_callers`: "open"
    lets callers in whose title is not known, "known" does not, "ask" lists them besides.
    Seconds: `idle` between messages, `network` within one, `reply` for a response to us."""

    titles: tuple[str, ...] = ("VNA",)
    limit: int = 100
    limit_per_peer: int = 50
    unknown_callers: str = "open"
    idle: float = 600.0
    network: float = 60.0
    reply: float = 120.0
    budget_bytes: int = 256 << 20  # of objects that are being received
    client_tls: ssl.SSLContext | None = None  # for peers that are called with TLS

    def address_of(self, peer: Peer) -> Address:
        """Where a peer that can be called is called."""
        tls = None
        if peer.tls:
            tls = self.client_tls or ssl.create_default_context()
        return Address(peer.title, peer.host, peer.port, tls)

    @property
    def timeouts(self) -> Timeouts:
        """Of associations that we request."""
        return Timeouts(network=self.network, reply=self.reply)
