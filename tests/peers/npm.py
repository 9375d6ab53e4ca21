"""Clients from npm, fetched beforehand by `make clients`: tests themselves use no network.

Only the built files of a package are wanted, so `npm pack` fetches each by its exact version and
nothing that it names as a dependency; its SHA-512 must be the one written in packages.json.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
PINNED = ROOT / "tests" / "clients" / "packages.json"
INSTALLED = ROOT / "build" / "npm"


@dataclass(frozen=True, slots=True)
class Package:
    """A package as packages.json names it: files below `keep`, without those `drop` matches."""

    name: str
    version: str
    integrity: str
    keep: tuple[str, ...]
    drop: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where its files are, or would be; the version is part of the name."""
        return INSTALLED / f"{self.name.replace('/', '-').lstrip('@')}-{self.version}"

    def wants(self, path: str) -> bool:
        """Whether the file at this path of the package is unpacked."""
        kept = path.startswith(self.keep) or path == "package.json"
        return kept and not any(
            path.startswith(each) if each.endswith("/") else path.endswith(each)
            for each in self.drop
        )


def packages() -> dict[str, Package]:
    """What packages.json pins, by name."""
    return {
        name: Package(
            name, facts["version"], facts["integrity"], tuple(facts["keep"]), tuple(facts["drop"])
        )
        for name, facts in json.loads(PINNED.read_text()).items()
    }


def folder(name: str) -> Path:
    """The unpacked files of a package."""
    return packages()[name].folder


def missing(name: str) -> str | None:
    """How the package is installed, or None where it is."""
    return None if folder(name).exists() else f"{name} from npm: make clients"


def install() -> None:
    """Fetch, check and unpack every package that is not there yet."""
    for package in packages().values():
        if not package.folder.exists():
            _install(package)


def _install(package: Package) -> None:
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=INSTALLED) as name:
        work = Path(name)
        subprocess.run(
            ["npm", "pack", "--silent", f"{package.name}@{package.version}"], cwd=work, check=True
        )
        (archive,) = work.glob("*.tgz")
        digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if f"sha512-{digest}" != package.integrity:
            raise RuntimeError(f"{package.name} {package.version} is not what packages.json pins")
        with tarfile.open(archive) as tar:
            tar.extractall(work / "out", members=_wanted(tar, package), filter="data")
        (work / "out").rename(package.folder)


def _wanted(tar: tarfile.TarFile, package: Package) -> Iterator[tarfile.TarInfo]:
    for member in tar:
        path = PurePosixPath(member.name)
        inner = "/".join(path.parts[1:])  # npm puts everything below "package/"
        if member.isfile() and package.wants(inner):
            yield member.replace(name=inner)


if __name__ == "__main__":
    install()
