"""Commitment rests on bytes: what is damaged, absent or of another class is not committed."""

from __future__ import annotations

import pytest

from tests.faults.synthetic import Sent, small
from tests.services.house import CALLER, House
from vna.errors import Conflict, Gone, NotFound
from vna.model.caller import Caller, Right
from vna.services import commitment as commitments
from vna.services.commitment import COMMIT, Commitment, Reference
from vna.services.jobs import Jobs
from vna.services.search import Search


def commitment_of(house: House) -> Commitment:
    return Commitment(house.index, Search(house.index), house.objects)


def reference(sent: Sent, sop_class: str = "") -> Reference:
    return Reference(sop_class, sent.sop_uid)


def stored(house: House, count: int) -> list[Reference]:
    sent = [small(1, one) for one in range(count)]
    outcomes = house.send(*(each.data for each in sent))
    return [reference(one, out.sop_class) for one, out in zip(sent, outcomes, strict=True)]


def test_what_is_there_is_committed_and_the_result_is_kept(house: House) -> None:
    references = stored(house, 3)
    commitment = commitment_of(house)

    result = commitment.request(CALLER, "1.2.3", references)

    assert result is not None
    assert (result.committed, result.failed) == (tuple(references), ())
    assert commitment.find(CALLER, "1.2.3") == result


def test_each_failure_has_its_reason(house: House) -> None:
    good, other, elsewhere = stored(house, 3)
    unknown = Reference(good.sop_class, "1.2.3.4")
    wrong_class = Reference("1.2.840.10008.5.1.4.1.1.2", other.sop_uid)
    wrong_study = Reference(elsewhere.sop_class, elsewhere.sop_uid, "1.2.3", "1.2.3.4")

    result = commitment_of(house).request(CALLER, "1.2", [good, unknown, wrong_class, wrong_study])

    assert result is not None
    assert result.committed == (good,)
    assert result.failed == (
        (unknown, commitments.NO_SUCH_OBJECT_INSTANCE),
        (wrong_class, commitments.CLASS_INSTANCE_CONFLICT),
        (wrong_study, commitments.NO_SUCH_OBJECT_INSTANCE),
    )


def test_a_transaction_uid_is_used_once(house: House) -> None:
    references = stored(house, 1)
    commitment_of(house).request(CALLER, "1.2", references)

    with pytest.raises(Conflict):
        commitment_of(house).request(CALLER, "1.2", references)
    with pytest.raises(NotFound):
        commitment_of(house).find(CALLER, "1.2.9")


def test_a_large_request_is_answered_by_a_job(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    references = stored(house, 4)
    monkeypatch.setattr(commitments, "AT_ONCE_INSTANCES", 2)
    commitment = commitment_of(house)

    assert commitment.request(CALLER, "1.2", references) is None
    assert commitment.find(CALLER, "1.2") is None
    assert Jobs(house.index, {COMMIT: commitment}).run_once() == 1

    result = commitment.find(CALLER, "1.2")
    assert result is not None
    assert result.committed == tuple(references)


def test_what_a_caller_may_not_see_is_not_there_for_him(house: House) -> None:
    references = stored(house, 1)
    stranger = Caller("stranger", "", frozenset((999,)), frozenset((Right.READ,)))

    result = commitment_of(house).request(stranger, "1.2", references)

    assert result is not None
    assert result.failed == ((references[0], commitments.NO_SUCH_OBJECT_INSTANCE),)


def test_a_request_whose_process_died_is_answered_by_a_job(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between keeping a request and its result the process may be killed."""
    references = stored(house, 2)
    commitment = commitment_of(house)
    monkeypatch.setattr(commitments, "RESCUED_MILLISECONDS", 0)
    with monkeypatch.context() as dying:
        dying.setattr(house.objects, "verify", _die)
        with pytest.raises(KeyboardInterrupt):
            commitment.request(CALLER, "1.2", references)
    assert commitment.find(CALLER, "1.2") is None

    assert Jobs(house.index, {COMMIT: commitment}).run_once() == 1

    result = commitment.find(CALLER, "1.2")
    assert result is not None
    assert result.committed == tuple(references)


def _die(*arguments: object) -> None:
    raise KeyboardInterrupt


def test_what_was_answered_is_not_verified_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commitments, "RESCUED_MILLISECONDS", 0)
    commitment = commitment_of(house)
    said = commitment.request(CALLER, "1.2", stored(house, 1))
    for key in list(house.files):
        house.backend.delete(key)

    assert Jobs(house.index, {COMMIT: commitment}).run_once() == 1

    assert commitment.find(CALLER, "1.2") == said


def test_a_result_is_for_who_asked(house: House) -> None:
    commitment = commitment_of(house)
    commitment.request(CALLER, "1.2", stored(house, 1))
    other = Caller("other", "", None, frozenset((Right.READ,)))

    with pytest.raises(NotFound):
        commitment.find(other, "1.2")


def test_old_requests_are_gone_and_their_uids_stay_in_use(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    commitment = commitment_of(house)
    references = stored(house, 1)
    commitment.request(CALLER, "1.2", references)
    commitment.forget()
    assert commitment.find(CALLER, "1.2")

    monkeypatch.setattr(commitments, "KEPT_MILLISECONDS", -1000)
    commitment.forget()

    with pytest.raises(Gone):
        commitment.find(CALLER, "1.2")
    with pytest.raises(Conflict):
        commitment.request(CALLER, "1.2", references)


def test_many_references_are_looked_up_a_part_at_a_time(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    references = stored(house, 5)
    monkeypatch.setattr(commitments, "_LOOKED_UP", 2)

    result = commitment_of(house).request(CALLER, "1.2", references)

    assert result is not None
    assert result.committed == tuple(references)
