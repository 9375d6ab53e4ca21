"""What is changed of everything that an AE sends: overlays of the rank of a rule (PS3.4 §B.2.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vna.dicom.dictionary import keyword_of
from vna.dicom.elements import read_elements
from vna.dicom.json import element_json
from vna.dicom.levels import level_of
from vna.dicom.scan import Scan
from vna.errors import Conflict, InvalidValue
from vna.index.coerce import Coerced
from vna.model.peer import Coercion
from vna.model.query import Level
from vna.objects.ulid import new_ulid
from vna.services.correctable import path_of, value_of

GROUPS = ("Alphabetic", "Ideographic", "Phonetic")  # of a person's name


def coercion(attribute: str, values: Sequence[str] | None) -> Coercion:
    """One attribute of a study or series that is to have `values`: DICOM text; None removes it, an
    empty list empties it.

    Raises `UnknownName`, `InvalidValue`, and `Conflict` for what may not be coerced: UIDs, what
    describes the patient or a single instance, file meta.
    """
    path = path_of(attribute)
    if "/" in path:
        raise InvalidValue("coercion", attribute, "be an attribute of the first level")
    level = level_of(int(path, 16))
    if level not in (Level.STUDY, Level.SERIES):
        raise Conflict(f"{attribute} describes the {level.name.lower()}, not a study or series")
    return Coercion(path, value_of(path, values))


def name_of(each: Coercion) -> str:
    """The keyword of its attribute, or the tag."""
    return keyword_of(int(each.path, 16)) or each.path


def values_of(each: Coercion) -> list[str] | None:
    """The values that `coercion` was given, None where the attribute is taken away."""
    if each.value is None:
        return None
    return [_text(value) for value in each.value.get("Value", ())]


def coerced(coercions: Sequence[Coercion], found: Scan, source: str) -> Coerced | None:
    """What `coercions` change of an object; None where they change nothing. `source`: the AE."""
    if not coercions:
        return None
    wanted = {int(each.path, 16): each for each in coercions}
    said: dict[int, Mapping[str, Any] | None] = {
        element.tag: element_json(element, found.charset)
        for element in read_elements(found.header)
        if element.tag in wanted
    }
    values = {
        each.path: each.value
        for tag, each in wanted.items()
        if (tag in said if each.value is None else said.get(tag) != each.value)
    }
    if not values:
        return None
    levels = {level_of(int(path, 16)) for path in values}
    return Coerced(values, source, {level: new_ulid() for level in levels})


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return "=".join(value.get(key, "") for key in GROUPS).rstrip("=")
    return "" if value is None else str(value)
