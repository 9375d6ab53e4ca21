"""Storage commitment by a running archive: verified against bytes, told over a new association."""

from __future__ import annotations

import queue
import time
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE, evt

from tests.dimse.test_dcmtk import ct, free_port, keys, run, written
from tests.faults import server
from tests.peers import dcmtk
from tests.peers.require import require
from vna.services.peers import FRESH_SECONDS

PUSH, INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
CT = "1.2.840.10008.5.1.4.1.1.2"
MARK = b"PIXELS THAT ARE FOUND ON THE DISK AND TURNED OVER"


def test_what_is_damaged_or_unknown_is_told_and_all_else_is_committed(tmp_path: Path) -> None:
    require(dcmtk.missing())
    port, mine = free_port(), free_port()
    uids = [f"1.5.1.1.{number}" for number in range(1, 5)]
    marked = ct(uids[3], Rows=1, Columns=len(MARK) // 2, PixelData=MARK[: len(MARK) // 2 * 2])
    paths = written(tmp_path / "in", *map(ct, uids[:3]), marked)
    told: queue.Queue[tuple[int, Dataset, str]] = queue.Queue()

    def keep(event: Any) -> tuple[int, None]:
        told.put((event.event_type, event.event_information, event.assoc.requestor.ae_title))
        return 0, None

    ae = AE("MODALITY")
    ae.add_supported_context(PUSH, scu_role=True, scp_role=True)
    ae.add_requested_context(PUSH, ExplicitVRLittleEndian)
    listening = ae.start_server(
        ("127.0.0.1", mine), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, keep)]
    )
    assert listening is not None
    try:
        with server.running(tmp_path / "data", "--dimse", f"127.0.0.1:{port}") as running:
            server.vna("ae", "add", f"MODALITY@127.0.0.1:{mine}", data=running.data)
            time.sleep(FRESH_SECONDS + 0.2)
            run("storescu", port, *paths)
            turn_over(running.data / "store")
            action = Dataset()
            action.TransactionUID = generate_uid()
            action.ReferencedSOPSequence = [reference(uid) for uid in [*uids, "1.5.9"]]
            association = ae.associate("127.0.0.1", port, ae_title="VNA")
            answer, _ = association.send_n_action(action, 1, PUSH, INSTANCE)
            association.release()
            assert answer.Status == 0
            kind, result, title = told.get(timeout=60)
            assert "1.5.1" in run("findscu", port, "-S", *keys("STUDY", StudyInstanceUID=""))
    finally:
        listening.shutdown()
    assert (kind, title) == (2, "VNA")
    assert result.TransactionUID == action.TransactionUID
    committed = [each.ReferencedSOPInstanceUID for each in result.ReferencedSOPSequence]
    assert committed == uids[:3]
    failed = {e.ReferencedSOPInstanceUID: e.FailureReason for e in result.FailedSOPSequence}
    assert failed == {uids[3]: 0x0110, "1.5.9": 0x0112}


def reference(uid: str) -> Dataset:
    made = Dataset()
    made.ReferencedSOPClassUID = CT
    made.ReferencedSOPInstanceUID = uid
    return made


def turn_over(store: Path) -> None:
    """Flip one bit of the marked pixels, wherever they lie."""
    for path in store.rglob("*"):
        if path.is_file() and (at := path.read_bytes().find(MARK[:20])) >= 0:
            with path.open("r+b") as file:
                file.seek(at)
                file.write(bytes([MARK[0] ^ 1]))
            return
    pytest.fail("the marked pixels are not in the store")
