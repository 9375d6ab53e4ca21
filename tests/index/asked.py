"""Generated queries: keys as clients write them, taken from what the corpus holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from tests.index.oracle import LEVELS, Asked, Entity

# (level, tag, VR); those marked by a comment have no column of their own.
TEXTS = (
    *(("study", "00080050", "SH"), ("study", "00081030", "LO"), ("study", "00200010", "SH")),
    *(("study", "00100020", "LO"), ("study", "00100021", "LO"), ("study", "00100040", "CS")),
    *(("study", "00080061", "CS"), ("series", "00080060", "CS"), ("series", "0008103E", "LO")),
    ("series", "00180015", "CS"),  # no column
)
SEVERAL = (  # no columns; several values
    *(("study", "00101000", "LO"), ("study", "00081060", "PN"), ("series", "00181020", "LO")),
    *(("instance", "00080008", "CS"), ("instance", "00280030", "DS")),
)
NAMES = (("study", "00100010", "PN"), ("study", "00080090", "PN"))
NUMBERS = (
    *(("study", "00201206", "IS"), ("series", "00200011", "IS"), ("instance", "00200013", "IS")),
    *(("study", "00101030", "DS"), ("study", "00101010", "AS"), ("instance", "00280010", "US")),
)
DATES = (
    *(("study", "00080020", "DA"), ("study", "00100030", "DA"), ("series", "00400244", "DA")),
    *(("series", "00080021", "DA"), ("instance", "00080023", "DA")),
)
TIMES = (
    *(("study", "00080030", "TM"), ("series", "00400245", "TM"), ("series", "00080031", "TM")),
    *(("instance", "00080033", "TM"), ("instance", "0008002A", "DT")),
)
UIDS = (
    *(("study", "0020000D", "UI"), ("series", "0020000E", "UI"), ("instance", "00080018", "UI")),
    *(("study", "00080062", "UI"), ("instance", "00080016", "UI")),
)
PAIRS = (
    *(("study", "00080020", "00080030"), ("series", "00400244", "00400245")),
    *(("series", "00080021", "00080031"), ("instance", "00080023", "00080033")),
)
SEQUENCES = (
    ("study", "00081032", ("00080100", "00080102")),
    ("series", "00400275", ("00400009", "00401001")),
    ("series", "00400275", ("00400009", "00401001", "00400007")),
)

Known = tuple[str, str, str]
Made = Callable[["Asker"], list[Asked]]


class Asker:
    """Makes keys for one level from entities of that level."""

    def __init__(self, seed: int, level: str, entities: Sequence[Entity]) -> None:
        self.random = Random(seed)
        self.level = level
        self.entities = entities

    def keys(self, kind: str) -> list[Asked]:
        """Keys of which at least one is of the kind; often with one of another kind."""
        found = KINDS[kind](self)
        if self.random.random() < 0.25:
            other = KINDS[self.random.choice(("single", "wildcard", "range", "fuzzy"))](self)
            found += [key for key in other if key.path not in [each.path for each in found]]
        return found

    def one(self, known: Sequence[Known]) -> Known:
        """An attribute of this level or one above."""
        return self.random.choice([each for each in known if self.reaches(each[0])])

    def reaches(self, level: str) -> bool:
        return LEVELS.index(level) <= LEVELS.index(self.level)

    def value(self, tag: str) -> Any:
        """A value that some entity has."""
        while True:
            values = self.random.choice(self.entities).attributes.get(tag, {}).get("Value", [])
            given = [value for value in values if value not in (None, "", {})]
            if given:
                return self.random.choice(given)

    def text(self, known: Known) -> str:
        """A value as a key is written."""
        value = self.value(known[1])
        if isinstance(value, dict):
            groups = [value.get(group, "") for group in ("Alphabetic", "Ideographic", "Phonetic")]
            if "Ideographic" in value and self.random.random() < 0.5:
                groups[self.random.randrange(3)] = ""
                return "=".join(groups)
            return str(value[self.random.choice(sorted(value))])
        return str(value).split("+")[0].split("-")[0] if known[2] == "DT" else str(value)


def _single(asker: Asker) -> list[Asked]:
    known = asker.one((*TEXTS, *NAMES, *NUMBERS, *DATES, *TIMES, *UIDS))
    text = asker.text(known)
    if known[2] == "IS" and not text.startswith("-"):
        text = "00" + text
    if known[2] == "TM" and len(text) == 6 and text.endswith("00"):
        text = text[:4]
    if known[2] == "TM" and text == "8h":
        text = "0800"
    return [Asked((known[1],), known[2], text)]


def _uid_list(asker: Asker) -> list[Asked]:
    known = asker.one(UIDS)
    several = [asker.text(known) for _ in range(asker.random.randrange(2, 12))]
    return [Asked((known[1],), "UI", asker.random.choice((",", "\\")).join(several))]


def _wildcard(asker: Asker) -> list[Asked]:
    known = asker.one((*TEXTS, *NAMES, *NAMES))
    text = asker.text(known)
    start, end = sorted(asker.random.randrange(len(text) + 1) for _ in range(2))
    form = asker.random.randrange(5)
    if form == 0:
        text = text[: max(1, end)] + "*"
    elif form == 1:
        text = "*" + text[min(start, len(text) - 1) :]
    elif form == 2:
        text = f"*{text[start:end] or text[0]}*"
    elif form == 3:
        text = text[:start] + "?" + text[start + 1 :]
    else:
        text = text[: max(1, start)] + "*" + text[end:]
    return [Asked((known[1],), known[2], _swapped(asker, known, text))]


def _swapped(asker: Asker, known: Known, text: str) -> str:
    """A name in another case; other text as it is."""
    return asker.random.choice((text, text.lower(), text.upper())) if known[2] == "PN" else text


def _range(asker: Asker) -> list[Asked]:
    known = asker.one((*DATES, *TIMES))
    first, last = sorted(_moment(asker, known) for _ in range(2))
    text = asker.random.choice((f"{first}-{last}", f"{first}-{last}", f"{first}-", f"-{last}"))
    return [Asked((known[1],), known[2], text)]


def _moment(asker: Asker, known: Known) -> str:
    text = asker.text(known).replace(":", "")
    if known[2] == "DA":
        return text.replace(".", "")
    return "0800" if text == "8h" else text


def _combined(asker: Asker) -> list[Asked]:
    pairs = [pair for pair in PAIRS if asker.reaches(pair[0])]
    level, date, time = asker.random.choice(pairs)
    days = sorted(_moment(asker, (level, date, "DA")) for _ in range(2))
    hours = [_moment(asker, (level, time, "TM")) for _ in range(2)]
    open_end = asker.random.randrange(6)
    if open_end == 0:
        days[1] = ""
    if open_end in (0, 1):
        hours[1] = asker.random.choice(("", hours[1]))
    return [Asked((date,), "DA", "-".join(days)), Asked((time,), "TM", "-".join(hours))]


def _sequence(asker: Asker) -> list[Asked]:
    known = [each for each in SEQUENCES if asker.reaches(each[0])]
    _, tag, inside = asker.random.choice(known)
    item = asker.value(tag)
    found = []
    for each in asker.random.sample(inside, asker.random.randrange(1, len(inside) + 1)):
        values = item.get(each, {}).get("Value")
        text = str(values[0]) if values else '""'
        if asker.random.random() < 0.2:
            text = text[:2] + "*" if values else ""
        vr = "LO" if each == "00400007" else "SH"
        found.append(Asked((tag, each), vr, text))
    return found


def _empty(asker: Asker) -> list[Asked]:
    known = asker.one((*TEXTS, *NAMES, *NUMBERS, *DATES, *TIMES, *SEVERAL))
    return [Asked((known[1],), known[2], '""')]


def _universal(asker: Asker) -> list[Asked]:
    known = asker.one((*TEXTS, *NAMES, *NUMBERS, *DATES, *UIDS))
    wild = known[2] not in ("IS", "DS", "AS", "US", "DA", "UI")
    text = asker.random.choice(("", "*")) if wild else ""
    others = [key for key in _single(asker) if key.path != (known[1],)]
    return [Asked((known[1],), known[2], text), *others]


def _fuzzy(asker: Asker) -> list[Asked]:
    known = asker.one(NAMES)
    text = asker.text(known).replace("^", " ").strip()
    parts = text.split()
    asker.random.shuffle(parts)
    short = [part[: max(1, asker.random.randrange(len(part) + 1))] for part in parts[:2]]
    text = asker.random.choice((" ".join(short), " ".join(parts), text))
    return [Asked((known[1],), "PN", _swapped(asker, known, text), fuzzy=True)]


def _several(asker: Asker) -> list[Asked]:
    known = asker.one(SEVERAL)
    text = asker.text(known)
    if known[2] != "DS" and asker.random.random() < 0.3:
        text = text[:3] + "*"
    return [Asked((known[1],), known[2], text)]


KINDS: dict[str, Made] = {
    "single": _single,
    "UID list": _uid_list,
    "wildcard": _wildcard,
    "range": _range,
    "combined date-time": _combined,
    "sequence": _sequence,
    "empty": _empty,
    "universal": _universal,
    "fuzzy": _fuzzy,
    "one of several values": _several,
}
