"""The bulk data of a request, found by the URI that metadata name them with."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from vna.errors import InvalidValue
from vna.wire.media_type import MediaType

_FRAME = re.compile(r"(.*)/frames/([1-9][0-9]{0,8})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class BulkPart:
    """`number`: of the part in the body, from 1. `offset`, `length`: of its bytes in the spool, one
    more of padding where they are odd."""

    number: int
    media_type: MediaType
    offset: int
    length: int

    @property
    def even(self) -> int:
        """Its length with the padding."""
        return self.length + self.length % 2


class BulkParts:
    """All bulk data of a request.

    PS3.18 §10.5.2 sends one part for each frame and does not say how they are told apart: taken are
    parts of the same Content-Location in their order, and locations that end in `/frames/n`.
    """

    def __init__(self) -> None:
        self._by_location: dict[str, list[BulkPart]] = defaultdict(list)
        self._frames: dict[str, dict[int, BulkPart]] = defaultdict(dict)
        self._used: set[str] = set()

    def add(self, location: str, part: BulkPart) -> None:
        """Take a part; `location`: its Content-Location."""
        self._by_location[location].append(part)

    def of(self, key: str, uri: str) -> list[BulkPart]:
        """The parts that attribute `key` names; raises `InvalidValue` where there are none."""
        found = self._by_location.get(uri)
        if found:
            self._used.add(uri)
            return found
        framed = self._framed(uri.removesuffix("/frames"))
        if not framed:
            raise InvalidValue(key, uri, "be the Content-Location of a part")
        if sorted(framed) != list(range(1, len(framed) + 1)):
            raise InvalidValue(key, uri, "have a part for each frame from 1 on")
        return [framed[number] for number in sorted(framed)]

    def unused(self) -> list[int]:
        """Numbers of the parts that no metadata asked for."""
        return sorted(
            part.number
            for location, parts in self._by_location.items()
            if location not in self._used
            for part in parts
        )

    def _framed(self, base: str) -> dict[int, BulkPart]:
        if base not in self._frames:
            self._sort()
        found = self._frames.get(base, {})
        self._used.update(f"{base}/frames/{number}" for number in found)
        return found

    def _sort(self) -> None:
        for location, parts in self._by_location.items():
            match = _FRAME.fullmatch(location)
            if match is not None:
                self._frames[match[1]][int(match[2])] = parts[0]
