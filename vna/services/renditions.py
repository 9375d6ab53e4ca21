"""Made things, kept for the next who asks: transcoded frames, rendered pictures.

What is kept of one (docs/formats.md): bytes of the facts, u32 LE; facts, JSON; data.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from vna.objects import FolderCache

_LENGTH = struct.Struct("<I")

# What a rendition depends on beside its sources: the code that made it.
MAKERS = ",".join(
    f"{name}-{version(name)}" for name in ("regional-vna", "imagecodecs", "pillow", "numpy")
)


@dataclass(frozen=True, slots=True)
class Rendition:
    """Bytes, and JSON-able facts about them."""

    facts: Mapping[str, Any]
    data: bytes


class Renditions:
    """At most about `limit` bytes in `folder`, as a `FolderCache` keeps them."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._kept = FolderCache(folder, limit)

    def get(self, key: Mapping[str, Any], make: Callable[[], Rendition]) -> Rendition:
        """The rendition of `key`, from `make` where it is not kept.

        `key`: JSON-able, everything that the result depends on: digests of sources, stamps of
        corrections, parameters. Raises what `make` raises; a full or failing disk is no error.
        """
        name = orjson.dumps([MAKERS, key], option=orjson.OPT_SORT_KEYS)
        body = self._kept.get(name)
        if body is None:
            made = make()
            facts = orjson.dumps(dict(made.facts))
            self._kept.put(name, (_LENGTH.pack(len(facts)) + facts, made.data))
            return made
        (length,) = _LENGTH.unpack_from(body)
        at = _LENGTH.size + length
        return Rendition(orjson.loads(body[_LENGTH.size : at]), bytes(body[at:]))
