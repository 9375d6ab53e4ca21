"""C-FIND: one pending response for each match (PS3.4 §C.4.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dimse import statuses
from dimse.association import Association, Message
from dimse.identifier import LEVEL, RETRIEVE_AE, Mismatch, encode, read
from dimse.negotiation import combined_datetime, fuzzy
from dimse.question import LEVELS, Question, question_of
from dimse.sop_classes import FIND
from vna.dicom.dictionary import vr_of
from vna.errors import VnaError
from vna.model.answer import Row
from vna.model.caller import Caller
from vna.services.search import Search

PAGE = 500  # rows fetched at once: a read transaction never waits for a peer
_NAMES = {level: name for name, level in LEVELS.items()}


def find(
    association: Association,
    message: Message,
    search: Search,
    caller: Caller,
    *,
    character_set: str = "",
) -> None:
    """Answer a C-FIND-RQ. `character_set`: of a question that names none. Raises `Ended`."""
    context = message.context
    data = association.read()
    try:
        identifier = read(data, context.transfer, character_set)
        question = question_of(
            identifier,
            FIND[context.abstract],
            combined=combined_datetime(context),
            fuzzy=fuzzy(context),
        )
        page = search.find(caller, replace(question.query, limit=PAGE))
        pending = statuses.PENDING_UNSUPPORTED if question.unsupported else statuses.PENDING
        while True:
            for row in page.rows:
                if association.cancelled(message.command):
                    association.respond(message, statuses.CANCELLED)
                    return
                answer = _attributes(question, row, association.called)
                body = encode(answer, context.transfer, identifier.charset)
                association.respond(message, pending, data=body)
            if len(page.rows) < PAGE:
                break
            page = search.find(caller, replace(question.query, limit=PAGE, after=page.cursor))
    except Mismatch as error:
        association.respond(
            message, statuses.DOES_NOT_MATCH, comment=str(error), offending=error.tag
        )
        return
    except VnaError as error:
        status, comment = statuses.failure(error)
        association.respond(message, status, comment=comment)
        return
    association.respond(message, statuses.SUCCESS)


def _attributes(question: Question, row: Row, title: str) -> dict[str, Any]:
    """What was asked for and no more, what the row lacks empty, and where it can be had from."""
    made = {}
    for tag in question.returned:
        key = f"{tag:08X}"
        made[key] = row.attributes.get(key) or {"vr": vr_of(tag)}
    made[f"{LEVEL:08X}"] = {"vr": "CS", "Value": [_NAMES[question.query.level]]}
    made[f"{RETRIEVE_AE:08X}"] = {"vr": "AE", "Value": [title]}
    return made
