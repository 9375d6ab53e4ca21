"""The requests a series answers, as rows: RequestAttributesSequence (0040,0275), item by item.

Two of its attributes are required matching keys of QIDO-RS (PS3.18 §10.6.1.2) and both must match
within one item, which a column of the series could not tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert

from vna.index.engine import Session
from vna.index.keys import indexed
from vna.index.tables import series_request


def replace(session: Session, found: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
    """Make the rows of each series (its key, its DICOM JSON attributes in force) as it says."""
    if not found:
        return
    keys = [key for key, _ in found]
    session.execute(delete(series_request).where(series_request.c.series_fk.in_(keys)))
    rows = [row for key, attributes in found for row in rows_of(key, attributes)]
    if rows:
        session.execute(insert(series_request), rows)


def rows_of(series_fk: int, attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row for each item, also where it holds neither key: `""` matches that one."""
    return [
        {
            "series_fk": series_fk,
            "scheduled_step_id": _text(item, "00400009"),
            "requested_procedure_id": _text(item, "00401001"),
        }
        for item in attributes.get("00400275", {}).get("Value", ())
    ]


def _text(item: Mapping[str, Any], tag: str) -> str:
    values = (item or {}).get(tag, {}).get("Value") or [""]
    return indexed(str(values[0] or "")).strip(" ")
