"""Debian's Orthanc with its DICOMweb plugin, SQLite and file sync on, as a peer on loopback."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PACKAGES = "orthanc orthanc-dicomweb orthanc-gdcm"
PLUGINS = Path("/usr/share/orthanc/plugins")
PLUGIN = PLUGINS / "libOrthancDicomWeb.so"
JPEG_2000 = PLUGINS / "libOrthancGdcm.so"  # without it Orthanc decodes no JPEG 2000
PROGRAM = Path("/usr/sbin/Orthanc")

# What the Orthanc Book advises for a server that must not lose data and must answer quickly: files
# synced, no compression, many HTTP threads, keep-alive, no job history, no file access on search,
# files kept in memory once read, GDCM for JPEG 2000 only, as many at once as its package allows.
SETTINGS: dict[str, object] = {
    "Name": "peer",
    "Plugins": [str(PLUGIN), str(JPEG_2000)],
    "RemoteAccessAllowed": False,
    "AuthenticationEnabled": False,
    "DicomServerEnabled": False,
    "SyncStorageArea": True,
    "StorageCompression": False,
    "HttpThreadsCount": 50,
    "HttpCompressionEnabled": False,
    "KeepAlive": True,
    "TcpNoDelay": True,
    "SaveJobs": False,
    "StorageAccessOnFind": "Never",
    "MaximumStorageCacheSize": 128,
    "Gdcm": {
        "Enable": True,
        "Throttling": 4,
        "RestrictTransferSyntaxes": [f"1.2.840.10008.1.2.4.{number}" for number in range(90, 94)],
    },
    "DicomWeb": {
        "Enable": True,
        "Root": "/dicom-web/",
        "EnableWado": False,
        "StudiesMetadata": "MainDicomTags",
        "SeriesMetadata": "Full",
    },
}


@dataclass(frozen=True, slots=True)
class Orthanc:
    """A running Orthanc: its port and DICOMweb root."""

    port: int
    root: str = "/dicom-web"


def missing() -> str | None:
    """The apt line that installs the peer, or None where it is installed."""
    installed = all(each.exists() for each in (PROGRAM, PLUGIN, JPEG_2000))
    return None if installed else f"apt-get install {PACKAGES}"


@contextmanager
def running(folder: Path, **settings: object) -> Iterator[Orthanc]:
    """Run Orthanc with its data in `folder` until the block ends; a second run finds the data."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    config = folder / "orthanc.json"
    data = str(folder / "data")
    config.write_text(
        json.dumps(
            {**SETTINGS, "HttpPort": port, "StorageDirectory": data, "IndexDirectory": data}
            | settings
        )
    )
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([PROGRAM, config], stdout=log, stderr=log)
    try:
        _wait(port, process)
        yield Orthanc(port)
    finally:
        process.terminate()
        process.wait(60)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"Orthanc ended with {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/system", timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("Orthanc did not answer within 60 s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
