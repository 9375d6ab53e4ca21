"""The house keeps its promises about itself: what it ships, and what its pages name."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from vna import errors
from vna.cli.exits import MEANING, Exit, exit_of
from vna.cli.program import app
from vna.config import settings_reference
from vna.http import problems  # noqa: F401  adds its own errors to the tree

ROOT = Path(__file__).parent.parent
OPERATE = (ROOT / "docs" / "operate.md").read_text("utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The names of the files in the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("regional_vna-*.whl")
    return zipfile.ZipFile(built).namelist()


def test_the_wheel_ships_the_packages_and_nothing_else(wheel: list[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "vna",
        "dicomweb",
        "dimse",
        "storage_backends",
    }
    assert not [name for name in wheel if re.search(r"tests?/|benchmark|conftest", name)]
    assert "vna/py.typed" in wheel


def test_the_wheel_ships_the_migrations_and_the_licence(wheel: list[str]) -> None:
    assert "vna/index/migrations/env.py" in wheel
    versions = [p.name for p in (ROOT / "migrations" / "versions").glob("*.py")]
    assert versions
    assert {f"vna/index/migrations/versions/{name}" for name in versions} <= set(wheel)
    assert {"LICENSE", "NOTICE"} <= {Path(name).name for name in wheel}


def test_the_makefile_is_short_and_has_the_two_commands() -> None:
    lines = (ROOT / "Makefile").read_text().splitlines()
    assert len(lines) <= 40
    assert {"serve", "test", "proof", "check", "fix", "bench"} <= {
        line.partition(":")[0] for line in lines
    }


def test_what_is_installed_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for file, wanted in (
        ("serve", project["project"]["dependencies"]),
        ("test", project["dependency-groups"]["dev"]),
    ):
        rows = (ROOT / "requirements" / f"{file}.txt").read_text().splitlines()[1:]
        locked = {_plain(row.partition("==")[0]) for row in rows}
        assert {_plain(re.split(r"[\[><=~; ]", name)[0]) for name in wanted} <= locked


def test_every_setting_is_documented_as_it_is_declared() -> None:
    assert settings_table() in OPERATE


def test_every_error_code_is_documented() -> None:
    assert errors_table() in OPERATE


def test_every_exit_code_is_documented() -> None:
    assert set(MEANING) == set(Exit)
    for code, meaning in MEANING.items():
        assert f"| {code.value} | {meaning} |" in OPERATE


def test_every_error_has_an_exit_code_of_its_kind() -> None:
    assert exit_of(errors.Gone("x")) is Exit.NOT_FOUND
    assert exit_of(errors.UnknownName("x", "y", [])) is Exit.USAGE
    assert exit_of(errors.StorageUnavailable("x")) is Exit.UNAVAILABLE
    assert exit_of(errors.Damaged("00", "x")) is Exit.DAMAGED
    assert exit_of(errors.InvalidConfiguration("x")) is Exit.CONFIGURATION


def test_every_verb_is_documented_has_help_and_two_examples() -> None:
    for words, text in verbs():
        group, _, verb = words.partition(" ")
        row = next(line for line in OPERATE.splitlines() if f"`vna {group}" in line)
        assert f"`{verb}`" in row or f"vna {words}" in row, words
        examples = text.partition("Examples:\n")[2].splitlines()
        assert len([line for line in examples if f"vna {group}" in line]) >= 2, words


def test_every_decision_is_a_page_with_its_check() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{n:04}" for n in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text("utf-8")
        assert text.startswith(f"# {int(page.name[:4])}. "), page.name
        for part in ("**Context.**", "**Decision.**", "**Costs.**", "**Check.**"):
            assert part in text, page.name


def test_every_page_that_is_linked_exists() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page}: {link}"


def settings_table() -> str:
    """The table of settings, made from their declarations."""
    rows = ["| name | environment | default | meaning |", "|---|---|---|---|"]
    for setting in settings_reference():
        default = "number of CPUs, at most 8" if setting.name == "server.workers" else ""
        default = default or (f"`{setting.default}`" if setting.default not in ("", ()) else "")
        rows.append(f"| `{setting.name}` | `{setting.env}` | {default} | {setting.doc} |")
    return "\n".join(rows)


def errors_table() -> str:
    """The table of error codes, made from the tree."""
    rows = ["| code | meaning |", "|---|---|"]
    found = {kind.code: kind for kind in _tree(errors.VnaError)}
    for code, kind in sorted(found.items()):
        meaning = (kind.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
        rows.append(f"| `{code}` | {' '.join(meaning.split())} |")
    return "\n".join(rows)


def verbs() -> Iterator[tuple[str, str]]:
    """Every verb with its help."""
    yield from _verbs_of(app, ())


def _verbs_of(group: typer.Typer, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for command in group.registered_commands:
        name = command.name or str(getattr(command.callback, "__name__", ""))
        yield " ".join((*words, name)), _help(command.callback)
    for below in group.registered_groups:
        assert isinstance(below.typer_instance, typer.Typer)
        yield from _verbs_of(below.typer_instance, (*words, str(below.name)))


def _help(callback: object) -> str:
    return re.sub(r"\n +", "\n", getattr(callback, "__doc__", None) or "")


def _tree(kind: type[errors.VnaError]) -> Iterator[type[errors.VnaError]]:
    yield from (each for below in kind.__subclasses__() for each in (below, *_tree(below)))


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")
