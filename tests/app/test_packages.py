"""Another distribution that brings a package of our name is found before it does harm."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment in which two distributions say that `vna` is theirs."""
    for name in ("vna", "regional_vna"):
        info = tmp_path / "site" / f"{name}-9.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 9.0\n")
        (info / "top_level.txt").write_text("vna\n")
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path / "site")])}


def test_the_server_refuses_to_start(tmp_path: Path, environ: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vna", "serve", "--http", "127.0.0.1:0"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 8
    assert "an environment of its own" in done.stderr
    assert not (tmp_path / "vna-data").exists()


def test_the_doctor_names_the_owners(tmp_path: Path, environ: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vna", "doctor", "--json", "--http", "127.0.0.1:0"],
        cwd=tmp_path,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 4
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    (found,) = [each for each in findings if each["check"] == "packages"]
    assert found["verdict"] == "fail"
    assert "regional_vna and vna" in found["said"]
