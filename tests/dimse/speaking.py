"""A house with a DIMSE face on a port of its own, and pynetdicom to speak with it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import A_ASSOCIATE

from dimse.listening import Listening
from dimse.requestor import Address, Timeouts
from dimse.scp import Scp, Services
from dimse.settings import ScpSettings
from tests.services.house import House
from vna.services.access import Access
from vna.services.asked_commitments import AskedCommitments
from vna.services.association_log import AssociationLog
from vna.services.commitment import Commitment
from vna.services.peers import Peers
from vna.services.retrieve import Retrieve
from vna.services.search import Search

PLAIN = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]
QUICK = Timeouts(connect=5, network=10, reply=30)


@dataclass
class Speaking:
    """`house` as others reach it: AE title VNA on loopback at `port`."""

    house: House
    services: Services
    port: int
    listening: Listening

    @property
    def address(self) -> Address:
        """Whom our own SCU calls."""
        return Address("VNA", "127.0.0.1", self.port)

    @contextmanager
    def association(
        self,
        *contexts: Any,
        calling: str = "PEER",
        called: str = "VNA",
        transfers: Sequence[Any] = PLAIN,
        **options: Any,
    ) -> Iterator[Association]:
        """An association that pynetdicom requests; released when the block ends."""
        ae = AE(calling)
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 30
        for each in contexts:
            ae.add_requested_context(each, list(transfers))
        association = ae.associate("127.0.0.1", self.port, ae_title=called, **options)
        try:
            yield association
        finally:
            if association.is_established:
                association.release()


def rejected_by(peer: Association) -> A_ASSOCIATE:
    """The answer that rejected an association: result, source and diagnostic.

    Where it comes before pynetdicom looks whether it was connected at all, that takes the
    connection for failed and leaves the answer in its queue.
    """
    answer = peer.acceptor.primitive or peer.dul.to_user_queue.get(timeout=10)
    assert not peer.is_established
    assert isinstance(answer, A_ASSOCIATE)
    assert answer.result
    return answer


@contextmanager
def speaking(house: House, settings: ScpSettings | None = None) -> Iterator[Speaking]:
    """Serve `house` until the block ends."""
    search = Search(house.index)
    services = Services(
        house.ingest,
        search,
        Retrieve(house.index, house.objects, house.audit, house.transcode),
        Commitment(house.index, search, house.objects),
        AskedCommitments(house.index),
        Peers(house.index),
        AssociationLog(house.index),
        Access(house.index),
    )
    settings = settings or ScpSettings(idle=30, network=10, reply=20)
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        listening = Listening(listener, Scp(services, settings), settings)
        thread = threading.Thread(target=listening.run)
        thread.start()
        try:
            yield Speaking(house, services, listener.getsockname()[1], listening)
        finally:
            listening.stop()
            thread.join()
            listening.drain(20)


def keys(level: str, **wanted: Any) -> Dataset:
    """An identifier."""
    made = Dataset()
    made.QueryRetrieveLevel = level
    for keyword, value in wanted.items():
        setattr(made, keyword, value)
    return made
