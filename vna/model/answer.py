"""What a query finds, as values that every language of the archive can write out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from vna.model.query import Cursor

RETRIEVE_URL = "00081190"


@dataclass(frozen=True, slots=True)
class Row:
    """One entity found. `attributes` is DICOM JSON (PS3.18 §F), ascending, without a Retrieve URL.

    UIDs below the level of the query are ''.
    """

    study_uid: str
    series_uid: str
    sop_uid: str
    attributes: dict[str, Any]

    def tree(self, retrieve_url: str | None = None) -> dict[str, Any]:
        """The row as one DICOM JSON object, with `retrieve_url` at its place."""
        if retrieve_url is None:
            return self.attributes
        attributes = {**self.attributes, RETRIEVE_URL: {"vr": "UR", "Value": [retrieve_url]}}
        return dict(sorted(attributes.items()))

    def json(self, retrieve_url: str | None = None) -> bytes:
        """`tree` in UTF-8."""
        return orjson.dumps(self.tree(retrieve_url))


@dataclass(frozen=True, slots=True)
class Page:
    """A part of an answer, in the order that every repetition of the query has.

    `remaining`: how many more match, counted only where the limit cut the answer, else None; with
    `remaining_capped` it is "that many or more". `cursor` continues after the last row.
    """

    rows: list[Row]
    remaining: int | None = None
    remaining_capped: bool = False
    cursor: Cursor | None = None
