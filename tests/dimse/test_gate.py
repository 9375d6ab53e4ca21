"""Who is let in, for what, and what is seen under which title."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag
from pynetdicom.pdu_primitives import UserIdentityNegotiation

from dimse.settings import ScpSettings
from tests.dimse.speaking import Speaking, keys, rejected_by, speaking
from tests.dimse.test_scp import FIND, GET, CTImageStorage, Verification, ct, got, store
from tests.services.house import CALLER, opened
from vna.index.engine import Index
from vna.model.archive import DuplicatePolicy
from vna.model.caller import Role
from vna.model.peer import CalledView, Peer, Service, View
from vna.services.corrections import Correction, Corrections, Scope
from vna.services.journal import Journal


@pytest.fixture(params=["known", "ask"])
def guarded(request: pytest.FixtureRequest, sqlite_url: str, tmp_path: Path) -> Iterator[Speaking]:
    """An archive that lets in whom it knows, and lists the others where it is to ask."""
    index = Index.open(sqlite_url)
    settings = ScpSettings(unknown_callers=request.param, idle=30, network=10, reply=20)
    with opened(index, tmp_path) as house, speaking(house, settings) as made:
        yield made
    index.close()


def test_a_stranger_is_refused_and_listed_if_somebody_is_to_be_asked(guarded: Speaking) -> None:
    peers = guarded.services.peers
    peers.put(CALLER, Peer("CT-NORTH"))
    with guarded.association(Verification, calling="CT-NORTH") as peer:
        assert peer.is_established
    with guarded.association(Verification, calling="CT-NRTH") as peer:
        assert rejected_by(peer).diagnostic == 3  # calling AE title not recognised
    strangers = peers.strangers(CALLER)
    if not strangers:
        assert guarded.listening._settings.unknown_callers == "known"
        return
    assert [each.title for each in strangers] == ["CT-NRTH"]
    assert "did you mean 'CT-NORTH'" in strangers[0].reason
    peers.approve(CALLER, "CT-NRTH")
    with guarded.association(Verification, calling="CT-NRTH") as peer:
        assert peer.is_established


def test_a_peer_uses_only_the_services_that_it_may(plain_archive: Speaking) -> None:
    plain_archive.services.peers.put(CALLER, Peer("PEER", services=frozenset({Service.STORE})))
    with plain_archive.association(FIND, CTImageStorage) as peer:
        assert [each.abstract_syntax for each in peer.accepted_contexts] == [CTImageStorage]
        assert {each.result for each in peer.rejected_contexts} == {1}  # user rejection
    assert store(plain_archive, ct("1.7.1.1.1")) == [0]


def test_what_a_peer_sends_is_judged_and_owned_as_its_entry_says(plain_archive: Speaking) -> None:
    peers = plain_archive.services.peers
    peers.put(CALLER, Peer("PEER", organisation="north", policy=DuplicatePolicy.REJECT))
    first, second = ct("1.7.2.1.1"), ct("1.7.2.1.1", StudyDescription="OTRA")
    assert store(plain_archive, first, second) == [0, 0x0110]
    peers.put_view(CALLER, CalledView("NORTH", View.ORGANISATION, "north"))
    peers.put_view(CALLER, CalledView("SOUTH", View.ORGANISATION, "south"))
    assert seen(plain_archive, "NORTH") == ["1.7.2"]
    assert seen(plain_archive, "SOUTH") == []
    assert seen(plain_archive, "VNA") == ["1.7.2"]


def test_a_question_that_names_no_character_set_is_in_that_of_its_peer(
    plain_archive: Speaking,
) -> None:
    store(plain_archive, ct("1.7.5.1.1"))
    raw: Any = RawDataElement(Tag(0x00100010), "PN", 8, "PÉREZ* ".encode(), 0, False, True)
    identifier = keys("STUDY", StudyInstanceUID="")
    identifier.add(raw)
    for character_set, expected in (("", 0), ("ISO_IR 192", 1)):
        plain_archive.services.peers.put(CALLER, Peer("PEER", character_set=character_set))
        with plain_archive.association(FIND) as peer:
            found = [each for _, each in peer.send_c_find(identifier, FIND) if each is not None]
        assert len(found) == expected


def seen(archive: Speaking, called: str) -> list[str]:
    with archive.association(FIND, GET, called=called) as peer:
        found = list(peer.send_c_find(keys("STUDY", StudyInstanceUID=""), FIND))
    return [str(each.StudyInstanceUID) for _, each in found if each is not None]


def test_a_view_as_received_gives_what_was_received(plain_archive: Speaking) -> None:
    store(plain_archive, ct("1.7.3.1.1"))
    house = plain_archive.house
    Corrections(house.index, Journal(house.index, house.ingest.committer.submit)).correct(
        CALLER, Scope("1.7.3"), [Correction("StudyDescription", ["CORREGIDA"])], "test"
    )
    plain_archive.services.peers.put_view(CALLER, CalledView("RAW", View.AS_RECEIVED))
    said = {}
    for called in ("VNA", "RAW"):
        _, (data,) = got(plain_archive, keys("STUDY", StudyInstanceUID="1.7.3"), called=called)
        said[called] = pydicom.dcmread(BytesIO(data), force=True).StudyDescription
    assert said == {"VNA": "CORREGIDA", "RAW": "CRANEO"}


def identity(secret: str, kind: int = 2) -> UserIdentityNegotiation:
    made = UserIdentityNegotiation()
    made.user_identity_type = kind
    made.positive_response_requested = True
    made.primary_field = b"somebody" if kind == 2 else secret.encode()
    if kind == 2:
        made.secondary_field = secret.encode()
    return made


@pytest.mark.parametrize("kind", [2, 5], ids=["passcode", "JWT"])
def test_who_shows_a_token_is_let_in_with_its_rights(guarded: Speaking, kind: int) -> None:
    _, secret = guarded.services.access.create(CALLER, "viewer", frozenset({Role.READER}))
    with guarded.association(
        FIND, CTImageStorage, calling="NEW", ext_neg=[identity(secret, kind)]
    ) as peer:
        assert peer.is_established
        said = peer.acceptor.user_information
        assert any(isinstance(each, UserIdentityNegotiation) for each in said)
        found = list(peer.send_c_find(keys("STUDY", StudyInstanceUID=""), FIND))
        assert found[-1][0].Status == 0
        assert peer.send_c_store(ct("1.7.4.1.1")).Status == 0x0124  # a reader stores nothing


def test_a_token_that_is_not_good_is_a_rejection_and_any_other_identity_is_passed_over(
    guarded: Speaking,
) -> None:
    guarded.services.peers.put(CALLER, Peer("KNOWN"))
    with guarded.association(
        Verification, calling="KNOWN", ext_neg=[identity("vna_nothing")]
    ) as peer:
        answer = rejected_by(peer)
        assert (answer.result, answer.result_source) == (1, 2)
    with guarded.association(Verification, calling="KNOWN", ext_neg=[identity("secret")]) as peer:
        assert peer.is_established
