"""Storage Commitment Push (PS3.4 annex J): the request taken, its result told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from dimse import command, statuses
from dimse.association import Association, Context, Message
from dimse.command import Field, Value
from dimse.identifier import Identifier, Mismatch, encode, read
from dimse.requestor import Address, Timeouts, Wanted, request
from dimse.sop_classes import COMMITMENT_INSTANCE, COMMITMENT_PUSH
from vna.dicom.transfer_syntax import EXPLICIT_LE, IMPLICIT_LE
from vna.errors import BadRequest, Conflict, InvalidValue, NotFound, VnaError
from vna.model.caller import Caller
from vna.services.asked_commitments import AskedCommitments
from vna.services.commitment import Commitment, Reference, Result

REQUEST = 1  # Action Type ID
ALL_COMMITTED, SOME_FAILED = 1, 2  # Event Type IDs
_TRANSACTION, _REFERENCED, _FAILED = 0x00081195, 0x00081199, 0x00081198
_CLASS, _INSTANCE, _REASON = 0x00081150, 0x00081155, 0x00081197


def take(
    association: Association,
    message: Message,
    commitment: Commitment,
    caller: Caller,
    *,
    can_be_called: bool,
) -> None:
    """Answer an N-ACTION-RQ: it says that the request is kept. Raises `Ended`.

    The result goes over an association of our own where the peer has an address; else over this
    one, at once.
    """
    request_, data = message.command, association.read()
    if request_.text(command.REQUESTED_INSTANCE) != COMMITMENT_INSTANCE:
        association.respond(message, statuses.NO_SUCH_INSTANCE)
        return
    if request_.number(command.ACTION_TYPE) != REQUEST:
        association.respond(message, statuses.NO_SUCH_ACTION)
        return
    action: dict[int, Value] = {command.ACTION_TYPE: REQUEST}
    try:
        identifier = read(data, message.context.transfer)
        uid, references = identifier.text(_TRANSACTION), list(_references(identifier))
        if not uid or not references:
            raise InvalidValue("identifier", "", "hold a Transaction UID and references")
        deliver_as = association.called if can_be_called else ""
        commitment.accept(caller, uid, references, deliver_as=deliver_as)
    except (Conflict, BadRequest, Mismatch) as error:
        association.respond(message, statuses.INVALID_ARGUMENT, comment=str(error))
        return
    except VnaError as error:
        status, comment = statuses.failure(error)
        association.respond(message, status, comment=comment)
        return
    association.respond(message, statuses.SUCCESS, action)
    if not can_be_called:
        report(association, message.context, uid, commitment.verified(caller, uid))


def deliver(address: Address, our_title: str, uid: str, result: Result, timeouts: Timeouts) -> None:
    """Tell a peer the result over an association of our own, as SCP (PS3.4 §J.3.3).

    Raises `Ended` where it cannot be told, also where the peer refuses it.
    """
    wanted = Wanted(COMMITMENT_PUSH, (EXPLICIT_LE, IMPLICIT_LE), serve=True)
    association = request(address, our_title, [wanted], timeouts=timeouts)
    try:
        context = next((each for each in association.contexts.values() if each.theirs), None)
        if context is None:
            raise association.abort("the peer does not take results of storage commitment")
        status = report(association, context, uid, result)
        if status and not statuses.is_warning(status):
            raise association.abort(f"the peer answered the result with status {status:04X}")
        association.release()
    finally:
        association.close()


def report(association: Association, context: Context, uid: str, result: Result) -> int:
    """Send an N-EVENT-REPORT with all of a result; returns the peer's status. Raises `Ended`."""
    id = association.next_id()
    kind = SOME_FAILED if result.failed else ALL_COMMITTED
    attributes: dict[str, dict[str, Any]] = {f"{_TRANSACTION:08X}": {"vr": "UI", "Value": [uid]}}
    if result.committed:
        items = [_item(each) for each in result.committed]
        attributes[f"{_REFERENCED:08X}"] = {"vr": "SQ", "Value": items}
    if result.failed:
        items = [_item(each, reason) for each, reason in result.failed]
        attributes[f"{_FAILED:08X}"] = {"vr": "SQ", "Value": items}
    values: dict[int, Value] = {
        command.COMMAND_FIELD: Field.EVENT_REPORT,
        command.MESSAGE_ID: id,
        command.AFFECTED_CLASS: COMMITMENT_PUSH,
        command.AFFECTED_INSTANCE: COMMITMENT_INSTANCE,
        command.EVENT_TYPE: kind,
    }
    association.send(context, values, [encode(attributes, context.transfer)])
    return association.response(id).number(command.STATUS)


def ask(association: Association, uid: str, references: Sequence[Reference]) -> int:
    """Ask for commitment as SCU (PS3.4 §J.3.2); returns the id of the request. Raises `Ended`."""
    context = next(
        (each for each in association.contexts.values() if each.abstract == COMMITMENT_PUSH), None
    )
    if context is None:
        raise association.abort("the peer does not offer storage commitment")
    id = association.next_id()
    values: dict[int, Value] = {
        command.COMMAND_FIELD: Field.ACTION,
        command.MESSAGE_ID: id,
        command.REQUESTED_CLASS: COMMITMENT_PUSH,
        command.REQUESTED_INSTANCE: COMMITMENT_INSTANCE,
        command.ACTION_TYPE: REQUEST,
    }
    attributes: dict[str, dict[str, Any]] = {
        f"{_TRANSACTION:08X}": {"vr": "UI", "Value": [uid]},
        f"{_REFERENCED:08X}": {"vr": "SQ", "Value": [_item(each) for each in references]},
    }
    association.send(context, values, [encode(attributes, context.transfer)])
    return id


def told(
    association: Association, message: Message, asked: AskedCommitments, peer: str, partition: int
) -> str:
    """Take an N-EVENT-REPORT of `peer` (PS3.4 §J.3.3); its transaction UID, '' where refused.

    Answered once the result is durable. Raises `Ended`.
    """
    request_, data = message.command, association.read()
    if request_.text(command.AFFECTED_INSTANCE) != COMMITMENT_INSTANCE:
        association.respond(message, statuses.NO_SUCH_INSTANCE)
        return ""
    kind = request_.number(command.EVENT_TYPE)
    if kind not in (ALL_COMMITTED, SOME_FAILED):
        association.respond(message, statuses.NO_SUCH_EVENT)
        return ""
    try:
        identifier = read(data, message.context.transfer)
        uid = identifier.text(_TRANSACTION)
        failed = tuple(_failures(identifier))
        if not uid or (failed and kind == ALL_COMMITTED):
            raise InvalidValue(
                "identifier", "", "hold a Transaction UID, and no failures in type 1"
            )
        result = Result(tuple(_references(identifier)), failed)
        asked.told(partition, peer, uid, result)
    except (BadRequest, Mismatch, NotFound, Conflict) as error:
        association.respond(message, statuses.INVALID_ARGUMENT, comment=str(error))
        return ""
    except VnaError as error:
        status, comment = statuses.failure(error)
        association.respond(message, status, comment=comment)
        return ""
    association.respond(message, statuses.SUCCESS, {command.EVENT_TYPE: kind})
    return uid


def _failures(identifier: Identifier) -> Iterator[tuple[Reference, int]]:
    sequence = next((each for each in identifier.elements if each.tag == _FAILED), None)
    for item in (sequence.items if sequence else None) or ():
        one = replace(identifier, elements=item)
        reason = next((each.value for each in item if each.tag == _REASON), None) or b""
        number = int.from_bytes(reason[:2], "little")
        yield Reference(_needed(one, _CLASS), _needed(one, _INSTANCE)), number


def _references(identifier: Identifier) -> Iterator[Reference]:
    sequence = next((each for each in identifier.elements if each.tag == _REFERENCED), None)
    for item in (sequence.items if sequence else None) or ():
        one = replace(identifier, elements=item)
        yield Reference(_needed(one, _CLASS), _needed(one, _INSTANCE))


def _needed(item: Identifier, tag: int) -> str:
    text = item.text(tag)
    if not text:
        raise InvalidValue("ReferencedSOPSequence", "", "name class and instance in each item")
    return text


def _item(reference: Reference, reason: int = 0) -> dict[str, object]:
    item: dict[str, object] = {
        f"{_CLASS:08X}": {"vr": "UI", "Value": [reference.sop_class]},
        f"{_INSTANCE:08X}": {"vr": "UI", "Value": [reference.sop_uid]},
    }
    if reason:
        item[f"{_REASON:08X}"] = {"vr": "US", "Value": [reason]}
    return item
