"""`python -m benchmarks`: this archive against Debian's Orthanc in one run, as ratios.

STOW-RS of CT with 4 clients, QIDO-RS by PatientID, WADO-RS of a study, metadata of a settled series
after a restart and again; images rendered, decoded and as stored. Prints a table, and writes it as
JSON beside the machine's facts with --json FILE.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import ct
from benchmarks.pictures import decoded, rendered_and_stored
from benchmarks.questions import ask, first, found, stow
from benchmarks.servers import BOTH, Server, Start, archive

WANTED = {
    "STOW of CT, 4 clients, 1 per request": 2.0,
    "STOW of CT, 4 clients, 10 per request": 2.0,
    "QIDO by PatientID": 5.0,
    "study retrieve, 100 CT": 3.0,
    "metadata of a settled 100-instance series, after restart": 20.0,
    "metadata of a settled 100-instance series, again": 5.0,
    "rendered CT frame, first": 2.0,
    "rendered CT frame, again": 2.0,
    "JPEG 2000 to native frame, first": 1.5,
    "JPEG 2000 to native frame, again": 1.5,
    "instance as stored": 5.0,
}
JPEG_2000_SLICES = 40
DYING_RUNS = 8
SETTLE_SECONDS = 8  # the archive is told that a study is complete after 2 quiet seconds
FILE = 'multipart/related; type="application/dicom"; transfer-syntax=*'
JSON = "application/dicom+json"

Figures = dict[str, list[float]]


def main() -> None:
    """Run every question in turn against both servers and print the ratios."""
    options = _options()
    figures: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        for turn in range(options.rounds):
            for start in BOTH if turn % 2 == 0 else BOTH[::-1]:
                folder = Path(name) / f"{start.__name__}-{turn}"
                server_name, answers = _measure(start, folder, options.slices)
                for question, value in answers.items():
                    figures.setdefault(server_name, {}).setdefault(question, []).append(value)
    _print(figures)
    if options.json:
        report = {
            "commit": _git("rev-parse", "--short", "HEAD"),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.release()}",
            "figures": figures,
        }
        options.json.write_text(json.dumps(report, indent=1) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each server is run")
    parser.add_argument("--slices", type=int, default=400, help="CT images stored by STOW")
    parser.add_argument("--folder", default=None, help="where the data goes (a real disk)")
    parser.add_argument("--json", type=Path, default=None, help="write the figures here")
    return parser.parse_args()


def _measure(start: Start, folder: Path, slices: int) -> tuple[str, dict[str, float]]:
    singles = [each for number in range(slices // 100) for each in ct.study(number, 100)]
    batches = [each for number in range(slices // 100) for each in ct.study(number, 100, seed=7)]
    answers: dict[str, float] = {}
    with start(folder) as server:
        answers["STOW of CT, 4 clients, 1 per request"] = stow(server, singles)
        answers["STOW of CT, 4 clients, 10 per request"] = stow(server, batches, parts=10)
        if found(server, singles[0].patient_id) != 1:
            raise RuntimeError(f"{server.name} does not find the study it acknowledged")
        answers["QIDO by PatientID"] = ask(
            server,
            [f"/studies?PatientID={each.patient_id}" for each in singles[::100]],
            {"Accept": JSON},
        )
        answers["study retrieve, 100 CT"] = ask(
            server, [f"/studies/{each.study_uid}" for each in singles[::100]], {"Accept": FILE}
        )
        _settle(server, singles[0])
    path = f"/studies/{singles[0].study_uid}/series/{singles[0].series_uid}/metadata"
    headers = {"Accept": JSON, "Accept-Encoding": "gzip"}
    with start(folder) as server:
        series = "metadata of a settled 100-instance series"
        answers[f"{series}, after restart"] = first(server, path, headers)
        answers[f"{series}, again"] = ask(server, [path], headers)
        answers |= rendered_and_stored(server, singles[:100])
        name = server.name
    return name, answers | _decoding(start, folder / "jpeg-2000")


def _decoding(start: Start, folder: Path) -> dict[str, float]:
    """JPEG 2000 in a run of its own: the peer's GDCM plug-in dies in about every third one."""
    slices = list(ct.study(0, JPEG_2000_SLICES, seed=11, jpeg_2000=True))
    attempt = 0
    while True:
        attempt += 1
        try:
            with start(folder / str(attempt)) as server:
                stow(server, slices)
                return decoded(server, slices)
        except ConnectionError:
            if start is archive or attempt == DYING_RUNS:
                raise
            print("the peer died while it decoded JPEG 2000, and is run again", file=sys.stderr)


def _settle(server: Server, one: ct.Slice) -> None:
    """Let both servers do what they do once with a complete series before it is asked for."""
    time.sleep(SETTLE_SECONDS)
    path = f"/studies/{one.study_uid}/series/{one.series_uid}/metadata"
    first(server, path, {"Accept": JSON, "Accept-Encoding": "gzip"})


def _print(figures: dict[str, Figures]) -> None:
    median: Callable[[list[float]], float] = statistics.median
    print(f"{'per second, medians':58} {'vna':>9} {'orthanc':>9} {'ratio':>7} {'wanted':>7}")
    for question, wanted in WANTED.items():
        ours, theirs = (median(figures[name][question]) for name in ("vna", "orthanc"))
        print(f"{question:58} {ours:9.1f} {theirs:9.1f} {ours / theirs:7.2f} {wanted:7.1f}")


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], capture_output=True, text=True, check=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
