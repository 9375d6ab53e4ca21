"""Turns the report of `make proof` into docs/proof.md: each test, its time, and its figures.

A test gives a figure with pytest's `record_property(name, value)`.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path


def main() -> None:
    """`python -m tests.proof REPORT.xml PROOF.md`"""
    report, target = map(Path, sys.argv[1:])
    target.write_text(page(ET.parse(report).getroot()), "utf-8")


def page(report: ET.Element) -> str:
    """The page for a JUnit report."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    lines = [
        "# Proof",
        "",
        "Written by `make proof`: the fault and scale tests at their large size.",
        f"Commit {commit}, Python {platform.python_version()}, {os.cpu_count()} cores.",
        "",
        "| test | result | seconds | figures |",
        "|---|---|---|---|",
    ]
    for case in report.iter("testcase"):
        name = case.get("name", "").removeprefix("test_").replace("_", " ")
        figures = ", ".join(
            f"{each.get('name')}: {each.get('value')}" for each in case.iter("property")
        )
        seconds = float(case.get("time", "0"))
        lines.append(f"| {name} | {_result(case)} | {seconds:.0f} | {figures} |")
    return "\n".join(lines) + "\n"


def _result(case: ET.Element) -> str:
    for outcome in ("failure", "error", "skipped"):
        if case.find(outcome) is not None:
            return outcome
    return "passed"


if __name__ == "__main__":
    main()
