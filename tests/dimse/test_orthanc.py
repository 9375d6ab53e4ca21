"""Orthanc as SCU and as SCP: both ways, by every service."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.dimse.test_dcmtk import ct, free_port, written
from tests.faults import server
from tests.faults.server import Server
from tests.peers import dcmtk, orthanc
from tests.peers.require import require
from vna.services.peers import FRESH_SECONDS


@dataclass(frozen=True)
class Pair:
    """An archive and an Orthanc that know each other."""

    archive: Server
    orthanc: orthanc.Orthanc

    def rest(self, method: str, path: str, body: Any = None) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.orthanc.port}{path}",
            None if body is None else data,
            method=method,
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())

    def vna(self, *words: str) -> str:
        return server.vna(*words, data=self.archive.data).stdout


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    require(orthanc.missing())
    require(dcmtk.missing())
    folder = tmp_path_factory.mktemp("pair")
    ours, theirs = free_port(), free_port()
    settings = {
        "DicomServerEnabled": True,
        "DicomPort": theirs,
        "DicomAet": "ORTHANC",
        "DicomAlwaysAllowGet": True,
        "DicomAlwaysAllowStore": True,
        "DicomAlwaysAllowFind": True,
        "DicomAlwaysAllowMove": True,
        "DicomModalities": {"vna": ["VNA", "127.0.0.1", ours]},
    }
    with (
        server.running(folder / "data", "--dimse", f"127.0.0.1:{ours}") as archive,
        orthanc.running(folder / "orthanc", **settings) as peer,
    ):
        made = Pair(archive, peer)
        made.vna("ae", "add", f"ORTHANC@127.0.0.1:{theirs}")
        time.sleep(FRESH_SECONDS + 0.2)
        yield made


def test_orthanc_asks_finds_stores_and_retrieves(pair: Pair, tmp_path: Path) -> None:
    for path in written(tmp_path, *(ct(f"1.10.1.1.{number}") for number in range(1, 21))):
        pair.rest("POST", "/instances", Path(path).read_bytes())
    pair.rest("POST", "/modalities/vna/echo", {})
    study = pair.rest("GET", "/studies")
    sent = pair.rest("POST", "/modalities/vna/store", study)
    assert (sent["InstancesCount"], sent["FailedInstancesCount"]) == (20, 0)
    pair.rest("DELETE", f"/studies/{study[0]}")
    asked = {"Level": "Study", "Query": {"StudyInstanceUID": "1.10.1", "PatientName": "perez*"}}
    query = pair.rest("POST", "/modalities/vna/query", asked)["ID"]
    assert len(pair.rest("GET", f"/queries/{query}/answers")) == 1
    pair.rest("POST", f"/queries/{query}/retrieve", {"TargetAet": "ORTHANC"})
    assert len(pair.rest("GET", "/instances")) == 20


def test_we_ask_find_store_fetch_and_move_at_orthanc(pair: Pair, tmp_path: Path) -> None:
    assert "yes" in pair.vna("dicom", "echo", "ORTHANC")
    written(tmp_path / "in", *(ct(f"1.10.2.1.{number}") for number in range(1, 11)))
    pair.vna("import", str(tmp_path / "in"))
    assert "sent:   10" in pair.vna("dicom", "store", "ORTHANC", "--study", "1.10.2")
    found = pair.vna("dicom", "find", "ORTHANC", "studies", "StudyInstanceUID=1.10.2", "--json")
    assert json.loads(found)["00201208"]["Value"] == [10]
    for path in written(tmp_path / "other", *(ct(f"1.10.3.1.{number}") for number in range(1, 6))):
        pair.rest("POST", "/instances", Path(path).read_bytes())
    assert "completed:     5" in pair.vna("dicom", "get", "ORTHANC", "--study", "1.10.3")
    moved = pair.vna("dicom", "move", "ORTHANC", "--study", "1.10.3", "--to", "VNA")
    assert "completed:     5" in moved
    said = pair.vna("search", "studies", "StudyInstanceUID=1.10.3", "--json")
    assert json.loads(said)["00201208"]["Value"] == [5]
