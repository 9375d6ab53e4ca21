"""Query parameters of rendered resources, read the same way everywhere (PS3.18 §8.3.5)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from vna.errors import InvalidValue, UnknownName

_NUMBER = re.compile(r"(?a)\d{1,9}(\.\d{1,6})?")
_INTEGER = re.compile(r"(?a)\d{1,9}")
ANNOTATIONS = frozenset(("patient", "technique"))


def refuse_others(asked: Mapping[str, str], known: Collection[str]) -> None:
    """Raise `UnknownName` for a parameter that is not known here."""
    for name in asked:
        if name not in known:
            raise UnknownName("parameter", name, known)


def integer(asked: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """A whole number from `least` to `most`."""
    text = asked.get(name)
    if text is None:
        return default
    if _INTEGER.fullmatch(text) is None or not least <= int(text) <= most:
        raise InvalidValue(name, text, f"be a whole number from {least} to {most}")
    return int(text)


def number(asked: Mapping[str, str], name: str, default: float, among: Collection[float]) -> float:
    """One of a few numbers."""
    text = asked.get(name)
    if text is None:
        return default
    if _NUMBER.fullmatch(text) is None or float(text) not in among:
        raise InvalidValue(name, text, "be one of " + ", ".join(f"{each:g}" for each in among))
    return float(text)


def word(asked: Mapping[str, str], name: str, default: str, among: Collection[str]) -> str:
    """One of a few words."""
    text = asked.get(name, default)
    if text not in among:
        raise InvalidValue(name, text, "be one of " + ", ".join(among))
    return text


def written(asked: Mapping[str, str]) -> tuple[frozenset[str], str]:
    """What is to be written on the picture, and what cannot be: (known words, warning or "").

    Raises `InvalidValue` where no word is known (§8.3.5.1.1).
    """
    text = asked.get("annotation")
    if text is None:
        return frozenset(), ""
    words = [each.strip() for each in text.split(",")]
    known = ANNOTATIONS & set(words)
    others = [each[:40] for each in words if each not in ANNOTATIONS]
    if not known:
        raise InvalidValue("annotation", text, "be patient, technique or both")
    if not others:
        return known, ""
    said = ", ".join(each for each in others if each.isascii() and each.isprintable())
    return known, f"The following annotation values are not supported: {said}"


def viewport(asked: Mapping[str, str]) -> tuple[int, int] | None:
    """Width and height in pixels (§8.3.5.1.3; a part of the picture cannot be asked for here)."""
    text = asked.get("viewport")
    if text is None:
        return None
    parts = text.split(",")
    if len(parts) != 2 or not all(_INTEGER.fullmatch(each) and int(each) for each in parts):
        raise InvalidValue("viewport", text, "be width,height in pixels")
    return int(parts[0]), int(parts[1])


def window(asked: Mapping[str, str], name: str) -> tuple[float, float | None]:
    """`START` or `START,SECONDS`."""
    text = asked.get(name)
    if text is None:
        return 0.0, None
    parts = text.split(",")
    if len(parts) > 2 or not all(_NUMBER.fullmatch(each) for each in parts):
        raise InvalidValue(name, text, "be a start, or a start and a length, in seconds")
    length = float(parts[1]) if len(parts) == 2 else None
    if length is not None and length <= 0:
        raise InvalidValue(name, text, "have a length")
    return float(parts[0]), length
