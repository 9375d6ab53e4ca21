"""Application entities: made known, changed and forgotten while associations go on."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select

from tests.services.house import CALLER
from vna.errors import Forbidden, InvalidValue, NotFound, UnknownName
from vna.index import peers as rows
from vna.index.engine import Index
from vna.index.tables import audit
from vna.model.archive import DuplicatePolicy
from vna.model.caller import DEFAULT_PARTITION, Caller, Right
from vna.model.peer import ALL_SERVICES, CalledView, Peer, Service, View
from vna.services import peers as service
from vna.services.peers import Peers, unknown_called

HERE = DEFAULT_PARTITION
CT1 = Peer(
    "CT1",
    "10.0.0.5",
    104,
    tls=True,
    services=frozenset((Service.STORE, Service.COMMIT)),
    authority="HSA",
    organisation="hsa",
    character_set="ISO_IR 100",
    policy=DuplicatePolicy.REJECT,
    announce=True,
    description="the scanner of the cellar",
)


@pytest.fixture
def peers(index: Index) -> Peers:
    return Peers(index)


def audited(index: Index) -> list[tuple[str, str]]:
    with index.reading() as session:
        found = session.execute(select(audit.c.action, audit.c.target).order_by(audit.c.pk))
        return [(row.action, row.target) for row in found]


def test_a_peer_is_kept_as_it_was_put_and_forgotten_when_told(index: Index, peers: Peers) -> None:
    assert peers.known(HERE, "CT1") is None
    assert peers.put(CALLER, CT1) == CT1
    bare = peers.put(CALLER, Peer(" MR 1 "))

    assert peers.all(CALLER) == [CT1, bare]
    assert (bare.title, bare.can_be_called, bare.services) == ("MR 1", False, ALL_SERVICES)
    assert peers.known(HERE, "CT1") == peers.known(HERE, " CT1 ") == CT1
    assert peers.known(HERE + 1, "CT1") is None

    peers.put(CALLER, Peer("CT1"))
    assert peers.get(CALLER, "CT1") == Peer("CT1")
    peers.remove(CALLER, "CT1")
    assert peers.known(HERE, "CT1") is None
    with pytest.raises(NotFound):
        peers.remove(CALLER, "CT1")
    assert audited(index) == [
        ("peer", "CT1"),
        ("peer", "MR 1"),
        ("peer", "CT1"),
        ("peer removed", "CT1"),
    ]


def test_another_process_sees_a_change_within_two_seconds(
    index: Index, peers: Peers, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Peers(index)
    assert other.known(HERE, "CT1") is None
    peers.put(CALLER, CT1)
    assert other.known(HERE, "CT1") is None  # as it was read a moment ago
    monkeypatch.setattr(service, "FRESH_SECONDS", 0.0)
    assert other.known(HERE, "CT1") == CT1


@pytest.mark.parametrize(
    ("peer", "error"),
    [
        (Peer("A\\B"), InvalidValue),
        (Peer(""), InvalidValue),
        (Peer("A", "host"), InvalidValue),
        (Peer("A", services=frozenset()), InvalidValue),
        (Peer("A", character_set="ISO_IR 1000"), UnknownName),
    ],
)
def test_what_cannot_be_a_peer_is_refused(peers: Peers, peer: Peer, error: type[Exception]) -> None:
    with pytest.raises(error):
        peers.put(CALLER, peer)
    assert peers.all(CALLER) == []


def test_a_stranger_is_noted_with_the_reason_and_approved_in_one_call(
    index: Index, peers: Peers
) -> None:
    peers.put(CALLER, Peer("CT-NORTH"))
    reason = peers.unknown(HERE, "CT_NORHT")
    assert reason == "calling AE title 'CT_NORHT' is not known; did you mean 'CT-NORTH'?"
    peers.refused(HERE, "CT_NORHT", "10.0.0.7", "VNA", reason)
    peers.refused(HERE, "CT_NORHT", "10.0.0.7", "VNA", reason)  # within a second
    Peers(index).refused(HERE, "CT_NORHT", "10.0.0.7", "VNA2", "it called another")

    (found,) = peers.strangers(CALLER)
    assert (found.title, found.address, found.times) == ("CT_NORHT", "10.0.0.7", 2)
    assert (found.called, found.reason) == ("VNA2", "it called another")
    assert 0 < found.first_seen <= found.last_seen

    made = peers.approve(CALLER, "CT_NORHT", port=104, organisation="north")
    assert made == Peer("CT_NORHT", "10.0.0.7", 104, organisation="north")
    assert peers.known(HERE, "CT_NORHT") == made
    assert peers.strangers(CALLER) == []
    with pytest.raises(NotFound):
        peers.approve(CALLER, "CT_NORHT")


def test_a_stranger_is_approved_without_ever_being_called(peers: Peers) -> None:
    peers.refused(HERE, "US1", "10.0.0.8", "VNA", "unknown")
    assert not peers.approve(CALLER, "US1").can_be_called


def test_whatever_a_stranger_calls_itself_can_be_kept(peers: Peers) -> None:
    peers.refused(HERE, "A\x00\nB\\" + "C" * 40, "10.0.0.8", "V\x00", "unknown")
    (found,) = peers.strangers(CALLER)
    assert (found.title, found.called) == ("A??B\\CCCCCCCCCCC", "V?")


def test_strangers_do_not_fill_the_database(
    index: Index, peers: Peers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "STRANGERS", 3)
    for number in range(6):
        peers.refused(HERE, f"S{number}", "10.0.0.8", "VNA", "unknown")
    assert [each.title for each in peers.strangers(CALLER)] == ["S5", "S4", "S3"]


def test_many_processes_note_one_stranger_at_once(index: Index) -> None:
    def note() -> None:
        Peers(index).refused(HERE, "S", "10.0.0.8", "VNA", "unknown")

    threads = [threading.Thread(target=note) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    (found,) = Peers(index).strangers(CALLER)
    assert found.times == 8


def test_a_called_title_is_a_view(index: Index, peers: Peers) -> None:
    raw = peers.put_view(CALLER, CalledView("VNA-RAW", View.AS_RECEIVED))
    north = peers.put_view(CALLER, CalledView("VNA-NORTH", View.ORGANISATION, "north"))
    assert peers.all_views(CALLER) == [north, raw]
    assert dict(peers.views(HERE)) == {"VNA-NORTH": north, "VNA-RAW": raw}
    assert unknown_called("VNARAW", peers.views(HERE)).endswith("did you mean 'VNA-RAW'?")
    for wrong in (CalledView("X", View.ORGANISATION), CalledView("X", View.NORMAL, "north")):
        with pytest.raises(InvalidValue):
            peers.put_view(CALLER, wrong)
    peers.remove_view(CALLER, "VNA-RAW")
    assert list(peers.views(HERE)) == ["VNA-NORTH"]
    with pytest.raises(NotFound):
        peers.remove_view(CALLER, "VNA-RAW")
    assert [action for action, _ in audited(index)] == [
        "called title",
        "called title",
        "called title removed",
    ]


def test_it_is_for_administrators(peers: Peers) -> None:
    sender = Caller("CT1", "10.0.0.5", None, frozenset({Right.READ, Right.SEND}))
    for refused in (
        lambda: peers.all(sender),
        lambda: peers.put(sender, CT1),
        lambda: peers.remove(sender, "CT1"),
        lambda: peers.strangers(sender),
        lambda: peers.approve(sender, "CT1"),
        lambda: peers.all_views(sender),
        lambda: peers.put_view(sender, CalledView("X")),
        lambda: peers.remove_view(sender, "X"),
    ):
        with pytest.raises(Forbidden):
            refused()
