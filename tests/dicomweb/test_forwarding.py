"""What is queued for another archive's STOW-RS reaches it."""

from __future__ import annotations

from pathlib import Path

import httpx

from dicomweb.forwarding import WebForwarding
from tests.services.desk import image
from tests.services.house import CALLER, House
from vna.model.outgoing import Sending
from vna.services.forward import Forward
from vna.services.outgoing import Outgoing
from vna.services.retrieve import Retrieve


def test_a_queued_study_arrives_and_another_archive_that_is_away_is_tried_again(
    house: House, url: str, client: httpx.Client, tmp_path: Path
) -> None:
    series = "1.4.77" if house.index.postgresql else "1.4.78"
    house.send(*(image(f"{series}.1.{n}") for n in range(1, 4)))
    retrieve = Retrieve(house.index, house.objects, house.audit, house.transcode)
    queue = Outgoing(house.index)
    sender = Forward(queue, WebForwarding(retrieve).send)
    there, away = f"{url}/dicomweb", "http://127.0.0.1:9/dicomweb"
    for destination in (there, away):
        queue.enqueue(CALLER, destination, series)
        assert sender.once(destination) == 3
    found = client.get("/instances", params={"StudyInstanceUID": series}).json()
    assert len(found) == 3
    assert {each.state for each in queue.find(CALLER, destination=there)} == {Sending.SENT}
    waiting = queue.find(CALLER, destination=away)
    assert {each.state for each in waiting} == {Sending.WAITING}
    assert "refused" in waiting[0].last_error
