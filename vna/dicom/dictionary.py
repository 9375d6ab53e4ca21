"""Keyword, tag and value representation of attributes (PS3.6), from pydicom's tables.

Loaded when first asked, so that a command line that needs no attribute does not pay for it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from vna.errors import UnknownName
from vna.model.query import Path

_HEX = re.compile(r"[0-9A-Fa-f]{8}")
_PREFERRED = {"US or SS": "US", "OB or OW": "OW", "US or SS or OW": "US", "US or OW": "OW"}


@lru_cache(maxsize=1)
def _table() -> dict[int, tuple[str, str, str, str, str]]:
    from pydicom._dicom_dict import DicomDictionary

    return DicomDictionary


@lru_cache(maxsize=1)
def _keywords() -> dict[str, int]:
    return {row[4]: tag for tag, row in _table().items() if row[4]}


@lru_cache(maxsize=1)
def _repeaters() -> list[tuple[int, int, tuple[str, str, str, str, str]]]:
    """(mask, value, row) of the groups that repeat, such as overlays 60xx."""
    from pydicom._dicom_dict import RepeatersDictionary

    return [
        (
            int("".join("0" if c == "x" else "F" for c in pattern), 16),
            int(pattern.replace("x", "0"), 16),
            row,
        )
        for pattern, row in RepeatersDictionary.items()
    ]


@lru_cache(maxsize=4096)
def _row(tag: int) -> tuple[str, str, str, str, str] | None:
    found = _table().get(tag)
    if found is None and not tag & 0x10000:
        return next((row for mask, value, row in _repeaters() if tag & mask == value), None)
    return found


@lru_cache(maxsize=16384)
def vrs_of(tag: int) -> str:
    """The dictionary's VR as printed, e.g. "US or SS"; "UN" where nothing is known."""
    row = _row(tag)
    if row is not None and row[0] != "NONE":
        return row[0]
    if not tag & 0xFFFF:
        return "UL"  # group length, PS3.5 §7.2
    if tag & 0x10000 and 0x10 <= tag & 0xFFFF <= 0xFF:
        return "LO"  # private creator, PS3.5 §7.8.1
    return "UN"


@lru_cache(maxsize=16384)
def vr_of(tag: int) -> str:
    """One VR for `tag`: where the dictionary leaves a choice, the commonest; "UN" if unknown."""
    vrs = vrs_of(tag)
    return _PREFERRED.get(vrs, vrs)


def matching_vr_of(tag: int) -> str:
    """The VR by whose rules a key for `tag` matches: a private one, which no dictionary knows, is
    text."""
    vr = vr_of(tag)
    return "LO" if vr == "UN" and tag & 0x10000 else vr


@lru_cache(maxsize=4096)
def private_vr_of(tag: int, creator: str) -> str:
    """VR of a private data element by its creator's published dictionary; "UN" if unknown."""
    from pydicom._private_dict import private_dictionaries

    rows = private_dictionaries.get(creator)
    if rows is None:
        return "UN"
    printed = f"{tag >> 16:04X}xx{tag & 0xFF:02X}"
    row = rows.get(printed) or rows.get(printed.lower()) or rows.get(f"{tag:08X}")
    return _PREFERRED.get(row[0], row[0]) if row else "UN"


def tag_of(keyword: str) -> int | None:
    """The tag of a keyword (case counts), or None."""
    return _keywords().get(keyword)


def keyword_of(tag: int) -> str:
    """The keyword of a tag, '' where it has none."""
    row = _row(tag)
    return row[4] if row else ""


def parse_path(text: str) -> Path:
    """Tags of a dotted path of keywords and 8-digit tags, mixed freely (PS3.18 §8.3.4.1).

    Raises `UnknownName` that names the nearest keyword.  A private or unlisted tag in hex is taken
    as it is.
    """
    return tuple(_parse(part) for part in text.split("."))


def _parse(name: str) -> int:
    if _HEX.fullmatch(name):
        return int(name, 16)
    tag = tag_of(name)
    if tag is None:
        raise UnknownName("attribute", name, _keywords())
    return tag


# 16-bit length in explicit VR, PS3.5 §7.1.2.
SHORT_VRS = frozenset(re.findall("..", "AEASATCSDADSDTFDFLISLOLTPNSHSLSSSTTMUIULUS"))
LONG_VRS = frozenset(re.findall("..", "OBODOFOLOVOWSQSVUCUNURUTUV"))
VRS = SHORT_VRS | LONG_VRS
TEXT_VRS = frozenset(("LO", "LT", "PN", "SH", "ST", "UC", "UT"))  # governed by (0008,0005)
UNDIVIDED_VRS = frozenset(("LT", "ST", "UR", "UT"))  # text in which a backslash divides nothing
BINARY_VRS = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "UN"))
# Values that DICOM JSON may replace by a BulkDataURI, PS3.18 §F.2.2.
BULK_VRS = BINARY_VRS | frozenset(re.findall("..", "DSFLFDISLTSLSSSTSVUCULUSUTUV"))
# Width of the unit that byte order turns around, PS3.5 §7.3.
UNIT = {
    **dict.fromkeys(("AT", "OW", "SS", "US"), 2),
    **dict.fromkeys(("FL", "OF", "OL", "SL", "UL"), 4),
    **dict.fromkeys(("FD", "OD", "OV", "SV", "UV"), 8),
}


@lru_cache(maxsize=32768)
def choose_vr(tag: int, *, signed: bool) -> str:
    """The VR that Implicit VR LE leaves open; `signed`: Pixel Representation is 1.

    PS3.5 §A.1: pixel, overlay and waveform data are OW, and so are LUT data.
    """
    vrs = vrs_of(tag)
    if vrs == "US or SS":
        return "SS" if signed else "US"
    return "OW" if " or " in vrs else vrs
