"""The program starts quickly, answers with documented codes, and keeps data and notes apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vna.cli.exits import Exit


def vna(*words: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("VNA_")}
    return subprocess.run(
        [sys.executable, "-m", "vna", *words],
        cwd=cwd,
        env=clean | {"PYTHONPATH": str(Path(__file__).parents[2])} | environ,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=60,
    )


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys; sys.argv = ['vna', '--help']\n"
        "from vna.cli.program import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'sqlalchemy', 'pydicom', 'numpy', 'alembic', 'uvicorn', 'prometheus_client',"
        " 'rich.progress'} & set(sys.modules)\n"
        "print(sorted(heavy), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"
    assert "import" in done.stdout


@pytest.mark.parametrize(
    ("words", "environ", "code", "said"),
    [
        (["serv"], {}, Exit.USAGE, "Did you mean 'serve'"),
        (["import"], {}, Exit.USAGE, "Missing argument"),
        (["stats"], {}, Exit.CONFIGURATION, "there is no archive in vna-data"),
        (["verify", "--since", "yesterday"], {}, Exit.USAGE, "must be a day"),
        (["search", "patients"], {}, Exit.USAGE, "level 'patients' is not known"),
        (["serve", "--http", "0.0.0.0:80"], {}, Exit.CONFIGURATION, "no access"),
        (["config", "check"], {"VNA_DAAT": "x"}, Exit.CONFIGURATION, "did you mean 'VNA_DATA'"),
        (["config", "check", "--config", "none.toml"], {}, Exit.CONFIGURATION, "cannot be read"),
        (["db", "check"], {}, Exit.CONFIGURATION, ""),
        (["correct", "X=Y"], {}, Exit.USAGE, "--study UID"),
        (["document", "add", "none.pdf"], {}, Exit.NOT_FOUND, "none.pdf cannot be read"),
        (["stats", "--database", "postgresql://vna@127.0.0.1:1/vna"], {}, Exit.UNAVAILABLE, ""),
    ],
)
def test_an_error_is_one_line_on_standard_error_and_a_documented_code(
    tmp_path: Path, words: list[str], environ: dict[str, str], code: Exit, said: str
) -> None:
    done = vna(*words, cwd=tmp_path, **environ)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_config_show_masks_secrets_and_names_origins(tmp_path: Path) -> None:
    done = vna(
        *("config", "show", "--json", "--http", "127.0.0.1:9"),
        cwd=tmp_path,
        VNA_DATABASE="postgresql://vna:hunter2@db/vna",
    )
    rows = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert rows["database"]["value"] == "postgresql+psycopg://vna:***@db/vna"
    assert rows["database"]["origin"] == "env VNA_DATABASE"
    assert rows["http"]["origin"] == "flag --http"
    assert "hunter2" not in done.stdout + done.stderr


def test_doctor_runs_at_least_a_dozen_checks_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = vna("doctor", "--json", "--http", "127.0.0.1:0", cwd=tmp_path)
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(findings) >= 12
    failed = [each for each in findings if each["verdict"] == "fail"]
    assert done.returncode == (Exit.PARTIAL if failed else Exit.OK)
    assert all(each["fix"] for each in findings if each["verdict"] != "ok")
    assert list(tmp_path.iterdir()) == []


def test_doctor_fails_where_the_port_or_the_folder_cannot_be_had(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = vna("doctor", "--json", "--database", "sqlite:////none/index.db", cwd=tmp_path)
    by_check = {each["check"]: each for each in map(json.loads, done.stdout.splitlines())}
    assert by_check["database"]["verdict"] == "ok"
    done = vna("doctor", "--json", "--database", "postgresql://x@127.0.0.1:1/x", cwd=tmp_path)
    by_check = {each["check"]: each for each in map(json.loads, done.stdout.splitlines())}
    assert by_check["database"]["verdict"] == "fail"
    assert done.returncode == Exit.PARTIAL
