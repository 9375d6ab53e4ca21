"""Search columns of each level, made from the level's DICOM JSON attributes in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vna.dicom import names, temporal
from vna.index.keys import indexed

Attributes = Mapping[str, Any]

NO_NUMBER = 2**31 - 1  # sorts last


def text(attributes: Attributes, tag: str) -> str:
    """All values of an attribute as DICOM text that can be indexed (`keys.indexed`), '' where it is
    absent or empty."""
    values = attributes.get(tag, {}).get("Value") or ()
    return indexed("\\".join(_one(value) for value in values)).strip(" ")


def demographics(attributes: Attributes) -> dict[str, Any]:
    """Columns of `demographics` but `identifier_fk`, `digest` and `attributes`."""
    return {
        "patient_id": text(attributes, "00100020"),
        "issuer": text(attributes, "00100021"),
        **_name("name", text(attributes, "00100010")),
        "birth_date": temporal.date(text(attributes, "00100030")) or "",
        "sex": text(attributes, "00100040"),
    }


def study(attributes: Attributes) -> dict[str, Any]:
    """Columns of `study` that follow from its attributes."""
    return {
        "study_date": temporal.date(text(attributes, "00080020")) or "",
        "study_time": temporal.time(text(attributes, "00080030")) or "",
        "accession_number": text(attributes, "00080050"),
        "study_id": text(attributes, "00200010"),
        **_name("referring_physician", text(attributes, "00080090")),
        "description": text(attributes, "00081030"),
    }


def series(attributes: Attributes) -> dict[str, Any]:
    """Columns of `series` that follow from its attributes."""
    return {
        "modality": text(attributes, "00080060"),
        **_number(text(attributes, "00200011")),
        "description": text(attributes, "0008103E"),
        "step_date": temporal.date(text(attributes, "00400244")) or "",
        "step_time": temporal.time(text(attributes, "00400245")) or "",
    }


def instance(attributes: Attributes) -> dict[str, Any]:
    """Columns of `instance` that follow from its attributes and can be corrected."""
    return _number(text(attributes, "00200013"))


def _one(value: Any) -> str:
    if isinstance(value, Mapping):  # a person name, PS3.18 §F.2.2
        groups = (value.get(key, "") for key in ("Alphabetic", "Ideographic", "Phonetic"))
        return "=".join(groups).rstrip("=")
    return "" if value is None else str(value)


def _name(column: str, name: str) -> dict[str, str]:
    alphabetic, ideographic, phonetic = names.groups(name)
    return {
        column: alphabetic,
        f"{column}_ideographic": ideographic,
        f"{column}_phonetic": phonetic,
        f"{column}_words": names.words(name),
    }


def _number(number: str) -> dict[str, Any]:
    try:
        order = int(number)
    except ValueError:
        order = NO_NUMBER
    # Beyond VR IS (PS3.5 §6.2) it is no number that a query could name.
    return {"number": number, "number_order": order if abs(order) < NO_NUMBER else NO_NUMBER}
