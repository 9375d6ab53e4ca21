"""What a query should find, by going through every entity; written from PS3.4 §C.2.2.2 alone.

It reads the same keys as a client writes them and shares nothing with the archive.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.index.corpus import Attributes, Study

WILDCARDS = ("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT")
LEVELS = ("study", "series", "instance")
NAMING = ("00100010", "00100020", "00100021", "00100030", "00100040")
PAIRS = (("00080020", "00080030"), ("00400244", "00400245"), ("00080021", "00080031"),
         ("00080023", "00080033"))  # fmt: skip
LETTERS = str.maketrans("ÁÉÍÓÚÜÑÇáéíóúüñçª", "AEIOUUNCAEIOUUNCA")


@dataclass(frozen=True)
class Asked:
    """One key as a client writes it: tags from the outside in, and the text of the value."""

    path: tuple[str, ...]
    vr: str
    text: str
    fuzzy: bool = False


@dataclass(frozen=True)
class Entity:
    """What a query looks at: the attributes of an entity and of those above it."""

    uid: str
    sort: tuple[Any, ...]
    attributes: Attributes
    organisation: int


def entities(corpus: Sequence[Study], level: str) -> list[Entity]:
    """Every entity of a level that is not hidden, in the order in which answers come."""
    found = []
    for study in corpus:
        for series in study.shown if level != "study" else [None] if study.shown else []:
            for leaf in series.leaves if series and level == "instance" else [None]:
                attributes = dict(_patient(study)) | study.attributes | _made(study)
                uid = study.uid
                sort: tuple[Any, ...] = _study_sort(study)
                for below in (series, leaf):
                    if below:
                        uid, attributes = below.uid, attributes | below.attributes
                        tag = "00200011" if below is series else "00200013"
                        sort = (*sort, _number_sort(below.attributes, tag), below.uid)
                found.append(Entity(uid, sort, attributes, study.organisation))
    return sorted(found, key=lambda each: each.sort)


def find(
    everything: Sequence[Entity],
    keys: Sequence[Asked],
    organisations: frozenset[int] | None = None,
    combined: bool = True,
) -> list[str]:
    """The UIDs of those that satisfy every key, in order."""
    return [
        each.uid
        for each in everything
        if (organisations is None or each.organisation in organisations)
        and _item(each.attributes, [(key.path, key) for key in keys], combined)
    ]


# ── entities ─────────────────────────────────────────────────────────────────────────────────────


class _Down(str):
    """Text that sorts the other way round."""

    def __lt__(self, other: str) -> bool:
        return str.__gt__(self, other)


def _study_sort(study: Study) -> tuple[Any, ...]:
    day = _day(_first(study.attributes, "00080020"))
    clock = _clock(_first(study.attributes, "00080030"))
    return (
        _Down(day.strftime("%Y%m%d") if day else ""),
        _Down(f"{float(clock):016.6f}" if clock is not None else ""),
        _Down(study.uid),
    )


def _number_sort(attributes: Attributes, tag: str) -> int:
    text = str(_first(attributes, tag) or "")
    return int(text) if text else 10**12


def _patient(study: Study) -> Attributes:
    own, shown = study.patient.attributes, study.patient.shown
    if shown is None:
        return own
    rest = {tag: value for tag, value in own.items() if tag not in NAMING}
    return rest | {tag: shown[tag] for tag in NAMING if tag in shown}


def _made(study: Study) -> Attributes:
    visible = study.shown
    leaves = [leaf for series in visible for leaf in series.leaves]
    modalities = {_first(series.attributes, "00080060") for series in visible} - {None, ""}
    classes = {_first(leaf.attributes, "00080016") for leaf in leaves}
    return {
        "00080061": {"Value": sorted(modalities)},
        "00080062": {"Value": sorted(classes)},
        "00201206": {"Value": [len(visible)]},
        "00201208": {"Value": [len(leaves)]},
    }


def _first(attributes: Attributes, tag: str) -> Any:
    return next(iter(attributes.get(tag, {}).get("Value", [])), None)


# ── matching ─────────────────────────────────────────────────────────────────────────────────────


def _item(item: Attributes, keys: Sequence[tuple[tuple[str, ...], Asked]], combined: bool) -> bool:
    alone = [(path[0], key) for path, key in keys if len(path) == 1]
    for date, time in PAIRS if combined else ():
        day = next((key for tag, key in alone if tag == date and "-" in key.text), None)
        hours = next((key for tag, key in alone if tag == time and "-" in key.text), None)
        if day and hours and _ends_fit(day.text, hours.text):
            alone = [pair for pair in alone if pair[1] not in (day, hours)]
            if not _interval(item, date, time, day.text, hours.text):
                return False
    if not all(_attribute(_all(item, tag), key) for tag, key in alone):
        return False
    sequences = {path[0] for path, _ in keys if len(path) > 1}
    for tag in sequences:
        inside = [(path[1:], key) for path, key in keys if path[0] == tag]
        items = item.get(tag, {}).get("Value") or [{}]
        if not any(_item(each or {}, inside, combined) for each in items):
            return False
    return True


def _all(item: Attributes, tag: str) -> list[Any]:
    return [value for value in item.get(tag, {}).get("Value", []) if value not in (None, "")]


def _attribute(values: list[Any], key: Asked) -> bool:
    if key.vr in ("DA", "TM"):  # what cannot be read as one is no value
        read = _day if key.vr == "DA" else _clock
        values = [value for value in values if read(str(value)) is not None]
    text = key.text.strip()
    if not text or (key.vr in WILDCARDS and set(text) == {"*"}):
        return True
    if text == '""':
        return not values
    return any(_value(value, key, text) for value in values)


def _value(value: Any, key: Asked, text: str) -> bool:
    if key.vr == "PN":
        return _name(value, text) or (key.fuzzy and _words(value, text))
    if key.vr == "UI":
        return value in re.split(r"[,\\]", text)
    if key.vr == "CS" and re.search(r"[,\\]", text):
        return value in re.split(r"[,\\]", text)
    if key.vr in ("DA", "TM", "DT"):
        return _moment(str(value), key.vr, text)
    if key.vr in ("IS", "DS", "US"):
        return Fraction(str(value)) == Fraction(text)
    return _wild(str(value), text)


def _wild(value: str, pattern: str, solid: int | None = None) -> bool:
    """Every way in which the pattern can be laid over the value, character by character.

    A question mark stands for one of the first `solid` characters.
    """
    ways = {0}
    for sign in pattern:
        if sign == "*":
            ways = {later for way in ways for later in range(way, len(value) + 1)}
        elif sign == "?":
            ways = {way + 1 for way in ways if way < (len(value) if solid is None else solid)}
        else:
            ways = {way + 1 for way in ways if way < len(value) and sign == value[way]}
    return len(value) in ways


# ── dates and times ──────────────────────────────────────────────────────────────────────────────


def _day(text: str | None) -> datetime.date | None:
    digits = (text or "").replace(".", "")
    try:
        return datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def _clock(text: str | None) -> Fraction | None:
    """Seconds since midnight."""
    digits, _, fraction = (text or "").replace(":", "").partition(".")
    if not digits.isdigit() or len(digits) % 2:
        return None
    hours, minutes, seconds = (int(digits[at : at + 2] or 0) for at in (0, 2, 4))
    return hours * 3600 + minutes * 60 + seconds + Fraction(int(fraction or 0), 10 ** len(fraction))


def _moment(value: str, vr: str, text: str) -> bool:
    if vr == "DT":
        return _in_order(_instant(value), text, _instant)
    return _in_order(_day(value) if vr == "DA" else _clock(value), text,
                     _day if vr == "DA" else _clock)  # fmt: skip


def _in_order(value: Any, text: str, read: Any) -> bool:
    if value is None:
        return False
    if "-" not in text:
        return bool(value == read(text))
    first, last = text.split("-")
    return (not first or read(first) <= value) and (not last or value <= read(last))


def _instant(text: str) -> Fraction:
    """Seconds on a clock on the wall: the keys of these tests name no offset from UTC."""
    wall = re.split(r"[+-]", text)[0]
    day = _day(wall[:8])
    clock = _clock(wall[8:])
    assert day is not None
    assert clock is not None
    return day.toordinal() * 86400 + clock


def _ends_fit(days: str, hours: str) -> bool:
    """An end of the time without its date makes no interval."""
    pairs = zip(days.split("-"), hours.split("-"), strict=True)
    return all(day or not hour for day, hour in pairs)


def _interval(item: Attributes, date: str, time: str, days: str, hours: str) -> bool:
    day = _day(_first(item, date))
    clock = _clock(_first(item, time))
    if day is None:
        return False
    (first, last), (opening, closing) = days.split("-"), hours.split("-")
    for limit, hour, sign in ((first, opening, 1), (last, closing, -1)):
        if not limit:
            continue
        bound = _day(limit)
        assert bound is not None
        distance = (day - bound).days * sign
        if distance < 0:
            return False
        if distance == 0 and hour:
            end = _clock(hour)
            assert end is not None
            if clock is None or (clock - end) * sign < 0:
                return False
    return True


# ── person names ─────────────────────────────────────────────────────────────────────────────────


def _plain(text: str) -> str:
    """Upper case, no accents, María written out; spaces around components are not significant."""
    text = re.sub(r"(?i)m\.?ª(?=\w)", "MARIA ", text)
    text = re.sub(r"(?i)m\.?ª", "MARIA", text).translate(LETTERS).upper()
    return "^".join(part.strip() for part in text.split("^"))


def _groups(value: Any) -> Iterator[str]:
    for group in ("Alphabetic", "Ideographic", "Phonetic"):
        yield _plain(value.get(group, ""))


def _name(value: Any, text: str) -> bool:
    groups = list(_groups(value))
    asked = [_plain(part) for part in text.split("=")]
    if len(asked) == 1:
        return any(_group(group, asked[0]) for group in groups if group.strip("^"))
    return all(_group(group, part) for group, part in zip(groups, asked, strict=False) if part)


def _group(group: str, asked: str) -> bool:
    """Components that end a name and are empty may be written or not, on either side."""
    shortest = group.rstrip("^")
    return any(_wild(shortest + "^" * more, asked.rstrip("^"), len(shortest)) for more in range(6))


def _words(value: Any, text: str) -> bool:
    stored = [word for group in _groups(value) for word in re.findall(r"\w+", group)]
    asked = re.findall(r"\w+", _plain(text))
    return bool(asked) and all(
        any(word.startswith(beginning) for word in stored) for beginning in asked
    )
