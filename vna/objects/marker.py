"""The store's marker, `vna.json`: which store this is and what a reader must understand.

It is written before anything else, so that a disk that is not mounted is never taken for an empty
store.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from storage_backends.base import Backend, BackendError, KeyExists, KeyMissing
from vna.errors import InvalidConfiguration
from vna.objects.layout import MARKER
from vna.objects.targets import storage_unavailable
from vna.objects.ulid import new_ulid

FORMAT = 1
LONGEST_MARKER = 64 * 1024
OPERATIONS = ("read", "check", "write", "delete")
KNOWN_FEATURES: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Marker:
    """The identity of a store: a ULID made once."""

    store: str


def open_marker(backend: Backend) -> Marker:
    """The marker of the store, made first if the store is empty.

    Raises `InvalidConfiguration` if the store is of a later format or needs a feature that is not
    known here, or holds something but no marker; `StorageUnavailable`.
    """
    try:
        found = read_marker(backend)
        if found is None:
            _make(backend)
            found = read_marker(backend)
    except BackendError as error:
        raise storage_unavailable(error) from error
    if found is None:
        raise InvalidConfiguration(f"the store lost its {MARKER} while it was opened")
    return found


def read_marker(backend: Backend) -> Marker | None:
    """The marker of the store, or None; raises `InvalidConfiguration` and `BackendError`."""
    try:
        reader = backend.open(MARKER)
    except KeyMissing:
        return None
    try:
        data = reader.read(0, LONGEST_MARKER)
    finally:
        reader.close()
    try:
        content = json.loads(data)
        version, store = content["format"], content["store"]
        needed = {name for operation in OPERATIONS for name in content["features"][operation]}
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidConfiguration(f"{MARKER} of the store cannot be read") from error
    if version != FORMAT or needed - KNOWN_FEATURES:
        raise InvalidConfiguration(
            f"the store is of format {version} and needs {sorted(needed)}; "
            f"this version knows format {FORMAT} and {sorted(KNOWN_FEATURES)}"
        )
    return Marker(str(store))


def _make(backend: Backend) -> None:
    if next(iter(backend.list()), None) is not None and read_marker(backend) is None:
        raise InvalidConfiguration(f"the store is not empty, but has no {MARKER}; wrong directory?")
    features: dict[str, list[str]] = {operation: [] for operation in OPERATIONS}
    content = {"format": FORMAT, "store": new_ulid(), "features": features}
    try:
        backend.put_new(MARKER, [json.dumps(content, indent=2).encode()])
    except KeyExists:  # another process was first
        return
