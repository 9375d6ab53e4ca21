"""Person names in the form in which they are compared: without case, accents and abbreviations.

A person name has up to three component groups, `alphabetic=ideographic=phonetic`, each of up to
five components separated by `^` (PS3.5 §6.2.1). Comparing them without case and accents is what
PS3.4 §C.2.2.2.1 leaves to the archive; both what is stored and what is asked go through here.
"""

from __future__ import annotations

import re
import unicodedata

# Spanish records abbreviate María to "Mª" or "M.ª", often without a space before the next word.
_MARIA = re.compile(r"(?<![^\W_])M\.?[ªᵃ]\.?(?=(\w?))", re.IGNORECASE)
_MARKS = re.compile("[\u0300-\u036f]")
_STRUCTURE = re.compile(r"[\^=\\*?]")
_SPACES = re.compile(r"\s+")
_SEPARATORS = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """`text` in upper case, without accents and compatibility variants; structure is untouched.

    Only the marks of alphabets go (U+0300–036F): a Japanese voicing mark tells words apart. What
    would become a delimiter or a wildcard, as ≠ and ＝ do, becomes a space.
    """
    folded = _folded(text)
    if _STRUCTURE.findall(folded) == _STRUCTURE.findall(text):
        return folded
    pieces = _STRUCTURE.split(text)
    structure = [*_STRUCTURE.findall(text), ""]
    return "".join(
        _STRUCTURE.sub(" ", _folded(piece)) + mark
        for piece, mark in zip(pieces, structure, strict=True)
    )


def _folded(text: str) -> str:
    text = _MARIA.sub(lambda found: "MARIA " if found[1] else "MARIA", text)
    text = unicodedata.normalize("NFKD", text).casefold().upper()
    return unicodedata.normalize("NFKC", _MARKS.sub("", unicodedata.normalize("NFKD", text)))


def groups(name: str) -> tuple[str, str, str]:
    """The alphabetic, ideographic and phonetic group of `name`, each normalised, '' if absent."""
    parts = [_group(part) for part in name.split("=", 2)] + ["", ""]
    return parts[0], parts[1], parts[2]


def normalise(name: str) -> str:
    """`name` for comparing: folded, spaces trimmed and single, empty components at the end dropped.

    Groups stay joined by `=`; groups and components that end a name and are empty are dropped.
    """
    return "=".join(groups(name)).rstrip("=")


def words(name: str) -> str:
    """The words of all groups as ' WORD WORD ', so that ' WO' finds a word by its beginning."""
    found = _SEPARATORS.sub(" ", fold(name)).split()
    return f" {' '.join(found)} " if found else ""


def patterns(pattern: str) -> list[str]:
    """One group of a wildcard key as patterns for normalised names; any of them may match.

    More than one where empty components at the end are at stake, which a normalised name has not:
    GARCIA and GARCIA^ are one name, so GARCIA^* finds it however it was written.
    """
    pieces = re.split(r"([*?])", pattern)
    folded = "".join(piece if piece in "*?" else fold(piece) for piece in pieces)
    folded = _SPACES.sub(" ", re.sub(r"\s*\^\s*", "^", folded)).strip(" ")
    found = [re.sub(r"\*\*+", "*", folded).rstrip("^")]
    while (shorter := re.sub(r"\^\**$", "", found[-1])) != found[-1]:
        found.append(shorter)
    return found


def _group(text: str) -> str:
    components = (_SPACES.sub(" ", part).strip() for part in fold(text).split("^"))
    return "^".join(components).rstrip("^")
