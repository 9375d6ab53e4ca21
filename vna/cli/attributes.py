"""DICOM JSON attributes as people read them, and keys as they write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vna.errors import BadRequest

if TYPE_CHECKING:
    from vna.model.query import Key


def text_of(attributes: Mapping[str, Any], tag: str) -> str:
    r"""The values of `tag` ("00100010") in one line, several divided by '\'; '' where there are
    none."""
    values = attributes.get(tag, {}).get("Value", [])
    return "\\".join(_one(value) for value in values)


def named(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Keyword → text of every attribute but sequences."""
    from vna.dicom.dictionary import keyword_of

    return {
        keyword_of(int(tag, 16)) or tag: text_of(attributes, tag)
        for tag, attribute in attributes.items()
        if attribute.get("vr") != "SQ"
    }


def keys_of(words: Sequence[str], *, fuzzy: bool) -> tuple[Key, ...]:
    """Matching keys from "NAME=VALUE" words, with the meaning that QIDO-RS gives them.

    Raises `UnknownName`, `InvalidValue`, and `BadRequest` for a word without '='.
    """
    from vna.dicom.dictionary import matching_vr_of, parse_path
    from vna.dicom.matching import match_of
    from vna.model.query import Key

    keys = []
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise BadRequest(f"{word!r} is no filter: write {word}=VALUE, or {word}= to show it")
        path = parse_path(name)
        vr = matching_vr_of(path[-1])
        keys.append(Key(path, vr, match_of(vr, text, fuzzy=fuzzy, name=name)))
    return tuple(keys)


def _one(value: object) -> str:
    if isinstance(value, Mapping):
        return str(value.get("Alphabetic") or value.get("Ideographic") or "")
    return "" if value is None else str(value)
