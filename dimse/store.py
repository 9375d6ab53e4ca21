"""C-STORE: the data set streams into ingest; the answer waits until it is durable and indexed
(PS3.4 annex B)."""

from __future__ import annotations

import logging

from dimse import statuses
from dimse.association import Association, Message
from dimse.command import AFFECTED_CLASS, AFFECTED_INSTANCE
from vna.dicom.convert import file_meta
from vna.errors import VnaError
from vna.services.budget import Budget, Grant
from vna.services.reception import Reception

log = logging.getLogger(__name__)

# Bytes taken from the budget at a time: a peer that sends slowly holds what it has sent, no more.
STEP = 1 << 20


def store(association: Association, message: Message, reception: Reception, budget: Budget) -> None:
    """Answer a C-STORE-RQ. Raises `Ended`; then nothing of the object is kept.

    The object is the data set behind a file meta that depends only on what it is: the same data set
    is the same object from whomever it comes.
    """
    sop_class = message.command.text(AFFECTED_CLASS)
    sop_uid = message.command.text(AFFECTED_INSTANCE)
    if not sop_uid or not sop_class:
        association.respond(
            message,
            statuses.INVALID_INSTANCE,
            comment="the command names no SOP Instance",
        )
        return
    if not message.command.has_data_set:
        association.respond(message, statuses.CANNOT_UNDERSTAND, comment="there is no data set")
        return
    incoming = reception.incoming(sop_uid)
    grants: list[Grant] = []
    complete = False
    try:
        incoming.write(file_meta(message.context.transfer, sop_class, sop_uid))
        held = size = 0
        for piece in association.data():
            size += len(piece)
            if size > held and not incoming.spilled:
                grants.append(budget.acquire(STEP))
                held += STEP
            incoming.write(piece)
        future = incoming.finish()
        complete = True
    except VnaError as error:
        status, comment = statuses.failure(error)
        association.respond(message, status, comment=comment)
        return
    finally:
        if not complete:
            incoming.abort()
        for grant in grants:
            grant.release()
    failed = future.exception()
    if failed is None:
        status, comment = statuses.stored(future.result())
    else:
        status, comment = statuses.failure(failed)
        if not isinstance(failed, VnaError):
            log.error("an object could not be stored", exc_info=failed)
    association.respond(message, status, comment=comment)
