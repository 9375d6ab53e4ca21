"""`python -m benchmarks.dimse`: DIMSE against dcmtk's storescp and Debian's Orthanc in one run.

C-STORE of CT by 4 storescu at once, durable and indexed (storescp neither syncs nor indexes), and
C-GET of a study of 100 CT by getscu. dcmtk's clients with TCP_NODELAY and without: a peer that
leaves Nagle's algorithm on must not wait for us.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from benchmarks import ct
from tests.peers import dcmtk, orthanc

TITLE = "ARCHIVE"
CLIENTS = 4
Start = Callable[[Path], AbstractContextManager[int]]


def main() -> None:
    """Measure each server in turn and print the medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dimse", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slices", type=int, default=400, help="CT images stored")
    options = parser.parse_args()
    figures: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shares = [_written(folder, n, options.slices // CLIENTS) for n in range(CLIENTS)]
        for turn in range(options.rounds):
            for start in (storescp, archive, peer):
                where = folder / f"{start.__name__}-{turn}"
                with start(where) as port:
                    rate = store(port, shares)
                    figures.setdefault(("C-STORE, 4 storescu", start.__name__), []).append(rate)
                    if start is not storescp:
                        rate = get(port, where, ct.study(0, 1))
                        figures.setdefault(("C-GET, 100 CT", start.__name__), []).append(rate)
                    slow = store(port, [_written(folder, 90 + turn, 40)], nodelay=False)
                    figures.setdefault(("C-STORE without TCP_NODELAY", start.__name__), []).append(
                        slow
                    )
    print(f"{'per second, medians':<36}{'server':<10}{'rate':>9}")
    for (question, server), values in sorted(figures.items()):
        print(f"{question:<36}{server:<10}{statistics.median(values):>9.1f}")


def store(port: int, shares: Sequence[Sequence[Path]], *, nodelay: bool = True) -> float:
    """Objects per second, all clients together."""
    environment = os.environ | ({"TCP_NODELAY": "1"} if nodelay else {})
    began = time.monotonic()
    clients = [
        subprocess.Popen(
            [dcmtk.program("storescu"), "-aec", TITLE, "127.0.0.1", str(port), *map(str, share)],
            env=environment,
        )
        for share in shares
    ]
    if any(each.wait() for each in clients):
        raise RuntimeError("storescu failed")
    return sum(map(len, shares)) / (time.monotonic() - began)


def get(port: int, folder: Path, study: Iterator[ct.Slice]) -> float:
    """Objects per second of one study."""
    target = folder / "got"
    target.mkdir(parents=True, exist_ok=True)
    uid = next(study).study_uid
    words = ["-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={uid}"]
    began = time.monotonic()
    subprocess.run(
        [
            dcmtk.program("getscu"),
            "-S",
            "-aec",
            TITLE,
            "-od",
            str(target),
            "127.0.0.1",
            str(port),
            *words,
        ],
        check=True,
        env=os.environ | {"TCP_NODELAY": "1"},
    )
    rate = len(list(target.iterdir())) / (time.monotonic() - began)
    for each in target.iterdir():
        each.unlink()
    return rate


@contextmanager
def archive(folder: Path) -> Iterator[int]:
    """This archive, embedded default."""
    folder.mkdir(parents=True, exist_ok=True)
    port = orthanc.free_port()
    command = [sys.executable, "-m", "vna", "serve", "--data", str(folder / "data")]
    ports = ["--http", "127.0.0.1:0", "--dimse", f"127.0.0.1:{port}", "--ae-title", TITLE]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([*command, *ports], stdout=log, stderr=log)
    try:
        dcmtk.wait_for(port)
        dcmtk.wait_for_echo(port, TITLE)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextmanager
def peer(folder: Path) -> Iterator[int]:
    """Debian's Orthanc with the settings of `tests.peers.orthanc`."""
    port = orthanc.free_port()
    more = {
        "DicomServerEnabled": True,
        "DicomPort": port,
        "DicomAet": TITLE,
        "DicomAlwaysAllowGet": True,
        "DicomAlwaysAllowStore": True,
        "DicomThreadsCount": 8,
    }
    with orthanc.running(folder, **more):
        dcmtk.wait_for_echo(port, TITLE)
        yield port


@contextmanager
def storescp(folder: Path) -> Iterator[int]:
    """dcmtk's receiver, a process for each association; it writes files and syncs nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    port = orthanc.free_port()
    process = subprocess.Popen(
        [dcmtk.program("storescp"), "+B", "--fork", "-od", str(folder), str(port)],
        env=os.environ | {"TCP_NODELAY": "1"},
    )
    try:
        dcmtk.wait_for_echo(port, TITLE)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _written(folder: Path, number: int, slices: int) -> list[Path]:
    where = folder / f"ct{number}"
    where.mkdir(exist_ok=True)
    paths = []
    for place, one in enumerate(ct.study(number, slices)):
        path = where / f"{place}.dcm"
        path.write_bytes(one.data)
        paths.append(path)
    return paths


if __name__ == "__main__":
    main()
