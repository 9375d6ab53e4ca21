"""Corrections of attributes, applied to DICOM JSON and to the elements of a header.

The stored object is never rewritten: what is sent out is its header with the corrections in it,
and an Original Attributes Sequence that says what stood there (PS3.3 §C.12.1.1.9).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Edit:
    """One attribute and what it becomes.

    `path`: tag, or tags and item numbers from 1 ("00400275/1/00400009"), hex in capitals; items
    that are missing are made.  `value`: the DICOM JSON attribute; None removes it.
    """

    path: str
    value: Mapping[str, Any] | None


def apply_json(edits: Sequence[Edit], tree: Mapping[str, Any]) -> dict[str, Any]:
    """`tree` with the edits, in their order; keys ascend.  `tree` itself stays as it is.

    Removing what is not there changes nothing.
    """
    made = dict(tree)
    for edit in edits:
        made = _edited(made, edit.path.split("/"), edit.value)
    return made


def _edited(
    tree: Mapping[str, Any], steps: Sequence[str], value: Mapping[str, Any] | None
) -> dict[str, Any]:
    made = dict(tree)
    key = steps[0]
    if len(steps) == 1:
        if value is None:
            made.pop(key, None)
            return made
        made[key] = dict(value)
    else:
        items = list(made.get(key, {}).get("Value", ()))
        index = int(steps[1]) - 1
        if value is None and index >= len(items):
            return made
        items += [{} for _ in range(index + 1 - len(items))]
        items[index] = _edited(items[index], steps[2:], value)
        made[key] = {"vr": "SQ", "Value": items}
    return dict(sorted(made.items())) if key not in tree else made
