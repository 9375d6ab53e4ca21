"""What is queued for an application entity reaches it; what fails is tried again, alone."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from dimse.forwarding import AeForwarding
from dimse.settings import ScpSettings
from tests.dimse.speaking import Speaking, speaking
from tests.services.desk import image
from tests.services.house import CALLER, opened
from vna.index.engine import Index
from vna.model.archive import DuplicatePolicy
from vna.model.outgoing import Due, Sending
from vna.model.peer import Peer
from vna.model.query import Level, Query
from vna.services.forward import Forward
from vna.services.outgoing import Outgoing

CT = "1.2.840.10008.5.1.4.1.1.2"


@pytest.fixture
def other(sqlite_template: Path, tmp_path: Path) -> Iterator[Speaking]:
    """Another archive."""
    path = tmp_path / "other.db"
    path.write_bytes(sqlite_template.read_bytes())
    index = Index.open(f"sqlite:///{path}")
    with opened(index, tmp_path / "other") as house, speaking(house) as made:
        yield made
    index.close()


def forward(archive: Speaking) -> tuple[Outgoing, Forward]:
    services = archive.services
    settings = ScpSettings(network=10, reply=30)
    sending = AeForwarding(services.search, services.retrieve, services.peers, settings)

    def send(destination: str, batch: Sequence[Due]) -> Iterator[tuple[Due, str]]:
        return sending.send(destination.removeprefix("ae:"), batch)

    queue = Outgoing(archive.house.index)
    return queue, Forward(queue, send)


def test_a_queued_study_arrives_and_is_not_sent_again(archive: Speaking, other: Speaking) -> None:
    archive.house.send(*(image(f"1.4.1.1.{n}", SOPClassUID=CT) for n in range(1, 6)))
    archive.services.peers.put(CALLER, Peer("VNA", "127.0.0.1", other.port))
    queue, sender = forward(archive)
    assert queue.enqueue(CALLER, "ae:VNA", "1.4.1") == 5
    assert queue.destinations() == ["ae:VNA"]
    assert sender.once("ae:VNA") == 5
    page = other.services.search.find(CALLER, Query(Level.INSTANCE))
    assert [row.sop_uid for row in page.rows] == [f"1.4.1.1.{n}" for n in range(1, 6)]
    assert sender.once("ae:VNA") == 0
    assert {each.state for each in queue.find(CALLER)} == {Sending.SENT}


def test_an_entity_that_is_away_costs_nothing_but_time(plain_archive: Speaking) -> None:
    plain_archive.house.send(image("1.4.2.1.1", SOPClassUID=CT))
    with socket.socket() as bound:  # and nobody listens
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        plain_archive.services.peers.put(CALLER, Peer("AWAY", "127.0.0.1", port))
        queue, sender = forward(plain_archive)
        queue.enqueue(CALLER, "ae:AWAY", "1.4.2")
        assert sender.once("ae:AWAY") == 1
    (waiting,) = queue.find(CALLER)
    assert (waiting.state, waiting.attempts) == (Sending.WAITING, 1)
    assert "Connection refused" in waiting.last_error


def test_what_the_entity_refuses_is_tried_again_and_the_rest_is_not(
    plain_archive: Speaking, other: Speaking
) -> None:
    plain_archive.house.send(*(image(f"1.4.3.1.{n}", SOPClassUID=CT) for n in (1, 2, 3)))
    other.services.peers.put(CALLER, Peer("VNA", policy=DuplicatePolicy.REJECT))
    other.house.send(image("1.4.3.1.2", SOPClassUID=CT, StudyDescription="OTRA"))
    plain_archive.services.peers.put(CALLER, Peer("VNA", "127.0.0.1", other.port))
    queue, sender = forward(plain_archive)
    queue.enqueue(CALLER, "ae:VNA", "1.4.3")
    assert sender.once("ae:VNA") == 3
    states = {each.sop_uid[-1]: each.state for each in queue.find(CALLER)}
    assert states == {"1": Sending.SENT, "2": Sending.WAITING, "3": Sending.SENT}
    (refused,) = queue.find(CALLER, state=Sending.WAITING)
    assert refused.last_error.startswith("0110 ")
