"""Whoever wants to know is told of a study that has settled."""

from __future__ import annotations

from typing import Any

import pytest
from pynetdicom import AE, evt

from dimse.announcing import Announcer
from dimse.settings import ScpSettings
from tests.dimse.speaking import Speaking
from tests.services.desk import image
from tests.services.house import CALLER
from vna.errors import Conflict
from vna.index import jobs
from vna.index.jobs import Job
from vna.index.settling import ANNOUNCE, settle
from vna.model.caller import DEFAULT_PARTITION
from vna.model.peer import Peer

NOTIFICATION = "1.2.840.10008.5.1.4.33"


def due(archive: Speaking) -> list[Job]:
    return archive.house.index.transact(
        lambda session: jobs.lease(session, [ANNOUNCE], "test", milliseconds=1000, limit=9)
    )


def settled(archive: Speaking, study_uid: str) -> None:
    archive.house.index.transact(
        lambda session: settle(session, DEFAULT_PARTITION, study_uid, session.now())
    )


@pytest.mark.parametrize("status", [0x0000, 0x0110])
def test_a_settled_study_is_announced_until_it_is_heard(archive: Speaking, status: int) -> None:
    heard: list[Any] = []

    def create(event: Any) -> tuple[int, None]:
        heard.append(event.attribute_list)
        return status, None

    ae = AE("RIS")
    ae.add_supported_context(NOTIFICATION)
    listening = ae.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_CREATE, create)]
    )
    assert listening is not None
    services = archive.services
    try:
        port = listening.server_address[1]
        services.peers.put(CALLER, Peer("RIS", "127.0.0.1", port, announce=True))
        services.peers.put(CALLER, Peer("DEAF", "127.0.0.1", port))
        archive.house.send(*(image(f"1.12.1.{series}.1") for series in (1, 2)))
        settled(archive, "1.12.1")
        (job,) = due(archive)
        assert job.subject == f"{DEFAULT_PARTITION}/1.12.1/RIS"
        announcer = Announcer(services.search, services.peers, ScpSettings(network=10, reply=20))
        if status:
            with pytest.raises(Conflict, match="0110"):
                announcer(job)
        else:
            announcer(job)
    finally:
        listening.shutdown()
    (said,) = heard
    assert said.StudyInstanceUID == "1.12.1"
    assert len(said.ReferencedPerformedProcedureStepSequence) == 0
    series = {each.SeriesInstanceUID: each for each in said.ReferencedSeriesSequence}
    assert series.keys() == {"1.12.1.1", "1.12.1.2"}
    (one,) = series["1.12.1.2"].ReferencedSOPSequence
    assert one.ReferencedSOPInstanceUID == "1.12.1.2.1"
    assert (one.InstanceAvailability, one.RetrieveAETitle) == ("ONLINE", "VNA")


def test_nobody_is_told_who_does_not_want_to_know(archive: Speaking) -> None:
    archive.services.peers.put(CALLER, Peer("RIS", "127.0.0.1", 9))
    archive.house.send(image("1.12.2.1.1"))
    settled(archive, "1.12.2")
    assert due(archive) == []
