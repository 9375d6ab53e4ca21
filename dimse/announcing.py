"""Instance Availability Notification: whoever wants to know hears that a study can be had
(PS3.4 annex R)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from dimse import command, identifier, statuses
from dimse.command import Field, Value
from dimse.connection import Ended
from dimse.requestor import Wanted, request
from dimse.sending import Entry, entries, named
from dimse.settings import ScpSettings
from dimse.sop_classes import INSTANCE_AVAILABILITY
from vna.dicom.transfer_syntax import EXPLICIT_LE, IMPLICIT_LE
from vna.errors import Conflict
from vna.index.jobs import Job
from vna.model.caller import Caller, Right
from vna.services.peers import Peers
from vna.services.search import Search


class Announcer:
    """Runs an "announce" job (vna/index/settling.py): tells one peer of one settled study."""

    def __init__(self, search: Search, peers: Peers, settings: ScpSettings) -> None:
        self._search, self._peers, self._settings = search, peers, settings

    def __call__(self, job: Job) -> None:
        """Tell it. Raises `Conflict` where it could not be told, so that it is tried again."""
        number, study_uid, title = job.subject.split("/", 2)
        partition = int(number)
        peer = self._peers.known(partition, title)
        if peer is None or not peer.announce or not peer.can_be_called:
            return  # it does not want to know any more
        caller = Caller("announce", "local", None, frozenset((Right.READ,)), partition)
        found = entries(self._search, caller, named((), study_uid))
        if not found:
            return  # it went to the trash
        ours = self._settings.titles[0]
        wanted = [Wanted(INSTANCE_AVAILABILITY, (EXPLICIT_LE, IMPLICIT_LE))]
        try:
            with closing(
                request(
                    self._settings.address_of(peer), ours, wanted, timeouts=self._settings.timeouts
                )
            ) as association:
                contexts = list(association.contexts.values())
                if not contexts:
                    raise association.abort("the peer does not take notifications")
                id = association.next_id()
                head: dict[int, Value] = {
                    command.COMMAND_FIELD: Field.CREATE,
                    command.MESSAGE_ID: id,
                    command.AFFECTED_CLASS: INSTANCE_AVAILABILITY,
                    command.AFFECTED_INSTANCE: _uid(),
                }
                data = identifier.encode(notification(study_uid, found, ours), contexts[0].transfer)
                association.send(contexts[0], head, [data])
                status = association.response(id).number(command.STATUS)
                association.skip()
                association.release()
        except Ended as error:
            raise Conflict(f"{title} could not be told: {error}") from error
        if status and not statuses.is_warning(status):
            raise Conflict(f"{title} answered the notification with status {status:04X}")


def notification(study_uid: str, found: Sequence[Entry], title: str) -> dict[str, dict[str, Any]]:
    """The attributes of a notification (PS3.4 table R.3.2-1), as DICOM JSON."""
    series: dict[str, list[Entry]] = defaultdict(list)
    for each in found:
        series[each.series_uid].append(each)
    return {
        "00081111": {"vr": "SQ"},  # Referenced Performed Procedure Step: not known
        "00081115": {
            "vr": "SQ",
            "Value": [
                {
                    "0020000E": {"vr": "UI", "Value": [uid]},
                    "00081199": {"vr": "SQ", "Value": [_instance(each, title) for each in some]},
                }
                for uid, some in series.items()
            ],
        },
        "0020000D": {"vr": "UI", "Value": [study_uid]},
    }


def _instance(entry: Entry, title: str) -> dict[str, Any]:
    return {
        "00080054": {"vr": "AE", "Value": [title]},
        "00080056": {"vr": "CS", "Value": ["ONLINE"]},
        "00081150": {"vr": "UI", "Value": [entry.sop_class]},
        "00081155": {"vr": "UI", "Value": [entry.sop_uid]},
    }


def _uid() -> str:
    """A UID of the notification (PS3.5 §B.2)."""
    return f"2.25.{uuid.uuid4().int}"
