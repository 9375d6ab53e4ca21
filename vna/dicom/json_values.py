"""Single values of a DICOM JSON object as clients send it: nothing of its form is relied on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from vna.dicom.dictionary import keyword_of
from vna.errors import InvalidValue

DEEPEST = 64  # sequences in each other, as objects are read
_KEY = re.compile("[0-9A-Fa-f]{8}")
Model = Mapping[str, Any]


def name(key: str) -> str:
    """What people call the attribute."""
    return keyword_of(int(key, 16)) or key


def check(model: Any, depth: int = 0) -> None:
    """Raise `InvalidValue`, naming an attribute, unless all of it has the form of DICOM JSON."""
    for key, attribute in model.items():
        if _KEY.fullmatch(key) is None:
            raise InvalidValue(key[:40], "", "be a tag of eight hexadecimal digits")
        values = attribute.get("Value", []) if isinstance(attribute, Mapping) else None
        if not isinstance(values, list):
            raise InvalidValue(name(key), "", "be an attribute with a VR and an array of values")
        if attribute.get("vr") == "PN" and not all(map(_is_name, values)):
            raise InvalidValue(name(key), "", "have names as values")
        if attribute.get("vr") != "SQ":
            continue
        if depth >= DEEPEST:
            raise InvalidValue(name(key), "", f"not lie in more than {DEEPEST} sequences")
        for item in values:
            if not isinstance(item, Mapping):
                raise InvalidValue(name(key), "", "have items that are objects")
            check(item, depth + 1)


def _is_name(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(group, str) for group in value.values())
    return value is None or isinstance(value, str)


def first(model: Model, key: str) -> Any:
    """The first value, None where there is none."""
    attribute = model.get(key)
    values = attribute.get("Value") if isinstance(attribute, Mapping) else None
    return values[0] if isinstance(values, list) and values else None


def text(model: Model, key: str) -> str:
    """The first value where it is text, else ""."""
    value = first(model, key)
    return value.strip("\0 ") if isinstance(value, str) else ""


def number(model: Model, key: str) -> int | None:
    """The first value as a whole number, None where there is none.  Raises `InvalidValue`."""
    value = first(model, key)
    if value is None or value == "":
        return None
    try:
        return int(value)
    except (OverflowError, TypeError, ValueError) as error:
        raise InvalidValue(name(key), str(value), "be a whole number") from error
