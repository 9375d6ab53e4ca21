"""Write requirements/*.txt: what `make serve` and `make test` install, version by version.

Asks pip for the newest versions that pyproject.toml allows, in a new environment of its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAD = "# Written by `make lock`; do not edit. pyproject.toml says what is wanted and why.\n"


def freeze(python: Path) -> set[str]:
    """`name==version` of everything installed beside pip and the project."""
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze", "--exclude-editable"],
        check=True,
        capture_output=True,
        text=True,
    )
    ours = {"pip", "setuptools", "wheel", "regional-vna"}
    return {line for line in listed.stdout.split() if line.split("==")[0] not in ours}


def main() -> None:
    """Install, freeze, write."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        known: set[str] = set()
        for name, wanted in (
            ("serve", project["project"]["dependencies"]),
            ("test", project["dependency-groups"]["dev"]),
        ):
            subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
            found = freeze(python)
            rows = sorted(found - known, key=str.lower)
            (ROOT / "requirements" / f"{name}.txt").write_text(HEAD + "\n".join(rows) + "\n")
            known = found


if __name__ == "__main__":
    sys.exit(main())
