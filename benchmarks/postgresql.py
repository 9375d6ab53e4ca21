"""`python -m benchmarks.postgresql`: STOW-RS of CT with 4 clients, both archives on PostgreSQL.

One cluster, a database for each; Orthanc with its PostgreSQL index, both keep files on local disk.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import ct
from benchmarks.questions import found, stow
from benchmarks.servers import Server, archive
from tests.peers import orthanc, postgres

PACKAGES = "orthanc-postgresql"
PLUGIN = orthanc.PLUGINS / "libOrthancPostgreSQLIndex.so"
PARTS = (1, 10)


def main() -> None:
    """Measure both in turn and print the ratios of the medians."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.postgresql", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slices", type=int, default=400, help="CT images stored by each question")
    options = parser.parse_args()
    if not PLUGIN.exists():
        raise SystemExit(f"apt-get install {PACKAGES}")
    figures: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # the database runs as another user
        with postgres.running(folder / "cluster", durable=True) as cluster:
            for turn in range(options.rounds):
                for start in (ours, peer) if turn % 2 == 0 else (peer, ours):
                    url = cluster.database()
                    with start(folder / f"{start.__name__}-{turn}", url) as server:
                        for parts in PARTS:
                            rate = _stored(server, options.slices, parts)
                            figures.setdefault((server.name, parts), []).append(rate)
                    cluster.drop(url)
    print(f"{'STOW of CT, 4 clients, per second':40} {'vna':>9} {'orthanc':>9} {'ratio':>7}")
    for parts in PARTS:
        vna, other = (statistics.median(figures[name, parts]) for name in ("vna", "orthanc"))
        print(f"{f'{parts} per request':40} {vna:9.1f} {other:9.1f} {vna / other:7.2f}")


@contextmanager
def ours(folder: Path, url: str) -> Iterator[Server]:
    """This archive on a database of its own."""
    with archive(folder, {"VNA_DATABASE": url}) as server:
        yield server


@contextmanager
def peer(folder: Path, url: str) -> Iterator[Server]:
    """Orthanc on one."""
    parts = urlsplit(url)
    settings = {
        "Plugins": [str(orthanc.PLUGIN), str(PLUGIN)],
        "PostgreSQL": {
            "EnableIndex": True,
            "EnableStorage": False,
            "Host": parts.hostname,
            "Port": parts.port,
            "Database": parts.path.strip("/"),
            "Username": parts.username,
            "Password": parts.password or "",
            "IndexConnectionsCount": 8,
            "Lock": False,
        },
    }
    with orthanc.running(folder, **settings) as server:
        yield Server("orthanc", server.port, server.root)


def _stored(server: Server, slices: int, parts: int) -> float:
    studies = range(slices // 100)
    made = [each for number in studies for each in ct.study(number, 100, seed=parts)]
    rate = stow(server, made, parts=parts)
    if found(server, made[0].patient_id) != 1:
        raise RuntimeError(f"{server.name} does not find the study it acknowledged")
    return rate


if __name__ == "__main__":
    main()
