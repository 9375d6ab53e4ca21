"""What is accepted of a requested association."""

from __future__ import annotations

import pytest
from pynetdicom.presentation import AllStoragePresentationContexts

from dimse.negotiation import (
    NO_APPLICATION_CONTEXT,
    NO_PROTOCOL,
    Accepted,
    combined_datetime,
    fuzzy,
    negotiate,
)
from dimse.pdu import AssociateRequest, CommonExtended, Proposed, Role, User
from dimse.sop_classes import STORAGE_SERVICE, STUDY_ROOT, Service, service_of

CT = "1.2.840.10008.5.1.4.1.1.2"
FIND = f"{STUDY_ROOT}.1"
IMPLICIT, EXPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
J2K, BASELINE = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.50"


def asked(*contexts: Proposed, **user: object) -> AssociateRequest:
    return AssociateRequest("VNA", "CT1", contexts, User(**user))  # type: ignore[arg-type]


def accepted(request: AssociateRequest) -> Accepted:
    found = negotiate(request, lambda service: True)
    assert isinstance(found, Accepted)
    return found


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        ([IMPLICIT, EXPLICIT], EXPLICIT),
        ([IMPLICIT], IMPLICIT),
        ([BIG, IMPLICIT], IMPLICIT),
        ([J2K, EXPLICIT], J2K),
        ([EXPLICIT, J2K], EXPLICIT),
        ([BASELINE, EXPLICIT], EXPLICIT),
        ([BASELINE], BASELINE),
        (["1.2.3.4.5.999"], "1.2.3.4.5.999"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, list) else value,
)
def test_storage_takes_what_loses_nothing_in_the_order_of_the_peer(
    offered: list[str], taken: str
) -> None:
    (context,) = accepted(asked(Proposed(1, CT, tuple(offered)))).contexts
    assert context.transfer == taken


def test_every_storage_class_is_taken_and_a_private_or_unknown_one_too() -> None:
    for each in AllStoragePresentationContexts:
        assert service_of(str(each.abstract_syntax)) is Service.STORE, each.abstract_syntax
    assert service_of("1.3.12.2.1107.5.9.1") is Service.STORE  # private
    assert service_of("1.2.3.4.5.6.7") is Service.STORE


@pytest.mark.parametrize(
    "uid",
    ["1.2.840.10008.5.1.4.31", "1.2.840.10008.3.1.2.3.3", "1.2.840.10008.5.1.1.9"],
    ids=["worklist", "performed step", "print"],
)
def test_a_service_that_we_do_not_have_is_not_taken_for_storage(uid: str) -> None:
    (answer,) = accepted(asked(Proposed(1, uid, (EXPLICIT,)))).answer.contexts
    assert answer.result == 3


def test_a_class_that_the_peer_declares_as_storage_is_storage() -> None:
    mwl = "1.2.840.10008.5.1.4.31"
    common = (CommonExtended(mwl, STORAGE_SERVICE),)
    (context,) = accepted(asked(Proposed(1, mwl, (EXPLICIT,)), common=common)).contexts
    assert context.service is Service.STORE


def test_a_context_without_a_known_transfer_syntax_is_refused_alone() -> None:
    found = accepted(asked(Proposed(1, FIND, (J2K,)), Proposed(3, FIND, (IMPLICIT,))))
    assert [each.result for each in found.answer.contexts] == [4, 0]
    assert [each.id for each in found.contexts] == [3]


def test_what_the_caller_may_not_use_is_refused_by_us_and_not_for_its_syntax() -> None:
    request = asked(Proposed(1, FIND, (EXPLICIT,)), Proposed(3, CT, (EXPLICIT,)))
    found = negotiate(request, lambda service: service is Service.STORE)
    assert isinstance(found, Accepted)
    assert [each.result for each in found.answer.contexts] == [1, 0]


def test_roles_are_granted_as_proposed_and_never_without_being_proposed() -> None:
    roles = (Role(CT, False, True), Role("9.9", True, True))
    found = accepted(asked(Proposed(1, CT, (EXPLICIT,)), roles=roles))
    assert found.answer.user.roles == (Role(CT, False, True),)
    (context,) = found.contexts
    assert (context.ours, context.theirs) == (True, False)
    (default,) = accepted(asked(Proposed(1, CT, (EXPLICIT,)))).contexts
    assert (default.ours, default.theirs) == (False, True)


@pytest.mark.parametrize(
    ("offered", "agreed"),
    [
        (b"", b""),
        (b"\1", b"\1"),
        (b"\1\1\1\1\1\1\1", b"\1\1\1\0\0\1\0"),
        (b"\0\1", b"\0\1"),
    ],
    ids=["none", "relational", "all", "date-time"],
)
def test_extended_negotiation_of_find_is_as_long_as_offered(offered: bytes, agreed: bytes) -> None:
    extended = ((FIND, offered),) if offered else ()
    found = accepted(asked(Proposed(1, FIND, (EXPLICIT,)), extended=extended))
    assert dict(found.answer.user.extended).get(FIND, b"") == agreed
    (context,) = found.contexts
    assert combined_datetime(context) is (agreed[1:2] == b"\1")
    assert fuzzy(context) is (agreed[2:3] == b"\1")


def test_another_application_or_protocol_is_rejected() -> None:
    request = AssociateRequest("VNA", "A", (), User(), application_context="1.2.3")
    assert negotiate(request, lambda service: True) == NO_APPLICATION_CONTEXT
    request = AssociateRequest("VNA", "A", (), User(), protocol_version=2)
    assert negotiate(request, lambda service: True) == NO_PROTOCOL
