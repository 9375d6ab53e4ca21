"""Storage commitment that we ask of others: their result over the same association, or theirs."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.dimse_messages import N_ACTION_RSP
from pynetdicom.sop_class import StorageCommitmentPushModel  # type: ignore[attr-defined]

from dimse.requestor import Address, Timeouts
from dimse.scu import Scu
from tests.dimse.speaking import Speaking
from tests.dimse.test_commitment import CT, INSTANCE, PUSH, reference
from tests.dimse.test_dcmtk import ct, free_port, written
from tests.faults import server
from tests.services.house import CALLER
from vna.errors import NotFound
from vna.services.commitment import Reference
from vna.services.peers import FRESH_SECONDS

NAMED = [Reference(CT, f"1.6.1.{number}") for number in range(3)]


def report(uid: str, committed: list[str], failed: dict[str, int]) -> Dataset:
    """The information of an N-EVENT-REPORT."""
    made = Dataset()
    made.TransactionUID = uid
    if committed:
        made.ReferencedSOPSequence = [reference(each) for each in committed]
    if failed:
        made.FailedSOPSequence = []
        for each, reason in failed.items():
            item = reference(each)
            item.FailureReason = reason
            made.FailedSOPSequence.append(item)
    return made


def test_a_result_over_the_same_association_is_taken(plain_archive: Speaking) -> None:
    told: list[int] = []
    results: list[Dataset] = []

    def take(event: Any) -> tuple[int, None]:
        uid = event.action_information.TransactionUID
        names = [each.ReferencedSOPInstanceUID for each in event.action_information[0x00081199]]
        results.append(report(uid, names[:2], {names[2]: 0x0112}))
        return 0, None

    def tell(event: Any) -> None:
        """Once the request has its answer."""
        if not isinstance(event.message, N_ACTION_RSP):
            return

        def answer() -> None:
            status, _ = event.assoc.send_n_event_report(results[0], 2, PUSH, INSTANCE)
            told.append(status.Status)

        threading.Thread(target=answer).start()

    ae = AE("PACS")
    ae.add_supported_context(PUSH, scu_role=True, scp_role=True)
    listening = ae.start_server(
        ("127.0.0.1", 0),
        block=False,
        evt_handlers=[(evt.EVT_N_ACTION, take), (evt.EVT_DIMSE_SENT, tell)],
    )
    assert listening is not None
    try:
        asked = plain_archive.services.asked_commitments
        uid = asked.begin(CALLER, "PACS", NAMED)
        assert listening.socket is not None
        address = Address("PACS", "127.0.0.1", listening.socket.getsockname()[1])
        assert Scu(address, "VNA", Timeouts(reply=30)).commit(asked, uid, NAMED, wait=30)
        found = asked.find(CALLER, uid)
    finally:
        listening.shutdown()
    assert told == [0]
    assert found.result is not None
    assert [each.sop_uid for each in found.result.committed] == ["1.6.1.0", "1.6.1.1"]
    assert [(each.sop_uid, reason) for each, reason in found.result.failed] == [("1.6.1.2", 0x0112)]


@pytest.mark.parametrize(
    ("title", "kind", "instance", "names", "status"),
    [
        ("PACS", 1, INSTANCE, ["1.6.1.0", "1.6.1.1", "1.6.1.2"], 0x0000),
        ("OTHER", 1, INSTANCE, ["1.6.1.0"], 0x0115),  # was not asked
        ("PACS", 1, INSTANCE, ["1.6.9"], 0x0115),  # nor was this
        ("PACS", 3, INSTANCE, ["1.6.1.0"], 0x0113),
        ("PACS", 1, "1.2.3", ["1.6.1.0"], 0x0112),
    ],
)
def test_a_result_over_an_association_of_the_peers_is_taken_of_what_was_asked_only(
    plain_archive: Speaking, title: str, kind: int, instance: str, names: list[str], status: int
) -> None:
    asked = plain_archive.services.asked_commitments
    uid = asked.begin(CALLER, "PACS", NAMED)
    assert say(plain_archive, title, report(uid, names, {}), kind, instance) == status
    found = asked.find(CALLER, uid)
    assert (found.result is not None) is (status == 0)
    assert say(plain_archive, "PACS", report("2.25.1", names, {}), 1, INSTANCE) == 0x0115
    assert len(found.missing) == 0


def test_what_a_peer_says_nothing_of_is_missing_and_its_first_word_stands(
    plain_archive: Speaking,
) -> None:
    asked = plain_archive.services.asked_commitments
    uid = asked.begin(CALLER, "PACS", NAMED)
    assert say(plain_archive, "PACS", report(uid, ["1.6.1.0"], {}), 1, INSTANCE) == 0
    assert say(plain_archive, "PACS", report(uid, ["1.6.1.1"], {}), 1, INSTANCE) == 0
    found = asked.find(CALLER, uid)
    assert found.result is not None
    assert [each.sop_uid for each in found.result.committed] == ["1.6.1.0"]
    assert {each.sop_uid for each in found.missing} == {"1.6.1.1", "1.6.1.2"}
    assert [each.transaction_uid for each in asked.latest(CALLER)] == [uid]
    with pytest.raises(NotFound):
        asked.find(CALLER, "2.25.7")


def say(archive: Speaking, title: str, result: Dataset, kind: int, instance: str) -> int:
    """Tell a result as the SCP `title`, over an association of its own."""
    from pynetdicom import build_role

    ae = AE(title)
    ae.add_requested_context(StorageCommitmentPushModel, ExplicitVRLittleEndian)
    association = ae.associate(
        "127.0.0.1",
        archive.port,
        ae_title="VNA",
        ext_neg=[build_role(StorageCommitmentPushModel, scp_role=True)],
    )
    assert association.is_established
    answer, _ = association.send_n_event_report(result, kind, PUSH, instance)
    association.release()
    return int(answer.Status)


def test_one_archive_asks_another_from_the_command_line(tmp_path: Path) -> None:
    """The other one calls back, to the address that it knows."""
    here, there = tmp_path / "here", tmp_path / "there"
    ports = free_port(), free_port()
    paths = written(tmp_path / "in", *(ct(f"1.7.1.1.{number}") for number in (1, 2)))
    with (
        server.running(here, "--dimse", f"127.0.0.1:{ports[0]}", "--ae-title", "HERE"),
        server.running(there, "--dimse", f"127.0.0.1:{ports[1]}", "--ae-title", "THERE"),
    ):
        server.vna("import", *paths, data=here)
        server.vna("ae", "add", f"HERE@127.0.0.1:{ports[0]}", data=there)
        time.sleep(FRESH_SECONDS + 0.2)
        words = ("dicom", "commit", f"THERE@127.0.0.1:{ports[1]}", "--study", "1.7.1", "--as",
                 "HERE", "--json")  # fmt: skip
        lost = json.loads(server.vna(*words, data=here, codes=(4,)).stdout.splitlines()[0])
        assert (lost["committed"], lost["failed"]) == (0, 2)
        server.vna("dicom", "store", f"THERE@127.0.0.1:{ports[1]}", "--study", "1.7.1", data=here)
        kept = json.loads(server.vna(*words, data=here).stdout.splitlines()[0])
        assert (kept["peer"], kept["instances"], kept["committed"]) == ("THERE", 2, 2)
        listed = server.vna("dicom", "commitments", "--json", data=here).stdout.splitlines()
        assert [json.loads(each)["committed"] for each in listed] == [2, 0]
