"""A bag checked by what RFC 8493 says, line by line; nothing of it is read from our own code."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from urllib.parse import unquote


def problems(bag: Path) -> list[str]:
    """Why a folder is no complete and valid bag (RFC 8493 §3); empty where it is one."""
    found = []
    declared = (bag / "bagit.txt").read_text("utf-8")
    if declared != "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n":
        found.append("bagit.txt")
    payload = _listed(bag / "manifest-sha256.txt")
    there = {str(p.relative_to(bag)) for p in (bag / "data").rglob("*") if p.is_file()}
    found += [f"not listed: {name}" for name in there - set(payload)]
    found += [f"missing: {name}" for name in set(payload) - there]
    for listing in (payload, _listed(bag / "tagmanifest-sha256.txt")):
        for name, digest in listing.items():
            content = (bag / name).read_bytes() if (bag / name).exists() else b""
            if hashlib.sha256(content).hexdigest() != digest:
                found.append(f"differs: {name}")
    info = dict(
        line.split(": ", 1) for line in (bag / "bag-info.txt").read_text("utf-8").splitlines()
    )
    size = sum((bag / name).stat().st_size for name in there)
    if info["Payload-Oxum"] != f"{size}.{len(there)}":
        found.append("Payload-Oxum")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", info["Bagging-Date"]):
        found.append("Bagging-Date")
    return found


def _listed(manifest: Path) -> dict[str, str]:
    rows = (line.split(maxsplit=1) for line in manifest.read_text("utf-8").splitlines())
    return {unquote(name): digest for digest, name in rows}
