"""Hypothesis strategies: data sets with nested sequences, every VR and many character sets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tests.dicom.objects import identified
from vna.dicom.dictionary import VRS, tag_of

# The hanging protocol module has one attribute of every VR.
_TAGS = {vr: tag for vr in sorted(VRS) if (tag := tag_of(f"Selector{vr}Value")) is not None}
_TAGS |= {"UR": 0x00080120}
_SEQUENCES = (0x0040A730, 0x00400275, 0x00081115)

_ALPHABETS: dict[str | tuple[str, ...], str] = {
    "": "",
    "ISO_IR 100": "éñÜß",
    "ISO_IR 101": "ąśž",
    "ISO_IR 109": "ĉĝħ",
    "ISO_IR 110": "āģķ",
    "ISO_IR 126": "αβγ",
    "ISO_IR 127": "قبا",
    "ISO_IR 138": "שרו",
    "ISO_IR 144": "Люк",
    "ISO_IR 148": "ğşı",
    "ISO_IR 166": "นาม",
    "ISO_IR 192": "é東ق𝄞",
    "GB18030": "王小东",
    "GBK": "王小东",
    ("", "ISO 2022 IR 87"): "山田",
    ("", "ISO 2022 IR 149"): "김희중",
    ("", "ISO 2022 IR 58"): "张小东",
    ("ISO 2022 IR 13", "ISO 2022 IR 87"): "ﾔﾏﾀﾞ山田",
    # one alphabet beyond ASCII: pydicom does not return to the first set after a delimiter
    ("ISO 2022 IR 6", "ISO 2022 IR 100", "ISO 2022 IR 144"): "Лю",
}
_PRINTABLE = "ABCxyz 019-+.,:;()/"


def charsets() -> st.SearchStrategy[str | tuple[str, ...]]:
    """Terms of (0008,0005)."""
    return st.sampled_from(list(_ALPHABETS))


def _words(alphabet: str, longest: int = 12) -> st.SearchStrategy[str]:
    return st.text(alphabet, max_size=longest).map(lambda text: text.strip())


def _several(one: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(one, st.lists(one, min_size=2, max_size=4))


def _name(alphabet: str) -> st.SearchStrategy[str]:
    component = _words(alphabet, 6)
    # pydicom has no JSON for a name without its first component
    first = component.map(lambda text: text or "X")
    rest = st.lists(component, max_size=4)
    group = st.builds(lambda a, b: "^".join([a, *b]), first, rest)
    return st.lists(group, min_size=1, max_size=3).map(lambda groups: "=".join(groups).rstrip("="))


def _digits(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True)


def _integers(bits: int, signed: bool) -> st.SearchStrategy[int]:
    low = -(1 << bits - 1) if signed else 0
    return st.integers(low, low + (1 << bits) - 1)


def _bytes(unit: int) -> st.SearchStrategy[bytes]:
    short = st.binary(max_size=40)
    long = st.binary(min_size=1000, max_size=1100)  # around the size at which values are cut
    return st.one_of(short, long).map(lambda b: b[: len(b) // max(unit, 2) * max(unit, 2)])


def _values(vr: str, alphabet: str) -> st.SearchStrategy[Any]:
    text = _words(_PRINTABLE.replace(" ", "") + alphabet)
    makers: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
        "AE": lambda: _several(_words("ABC_1", 16)),
        "AS": lambda: _several(_digits("[0-9]{3}[DWMY]")),
        "AT": lambda: _several(st.integers(0x00080000, 0x7FE00010)),
        "CS": lambda: _several(_words("ABC_ 1", 16)),
        "DA": lambda: _several(_digits("(19|20)[0-9]{2}(0[1-9]|1[012])(0[1-9]|1[0-9])")),
        "DS": lambda: _several(_digits("-?(0|[1-9][0-9]{0,3})([.][0-9]{1,6})?(e-?[0-9])?")),
        "DT": lambda: _several(_digits("20[0-9]{2}(0[1-9])?")),
        "FD": lambda: _several(st.floats()),
        "FL": lambda: _several(st.floats(width=32)),
        "IS": lambda: _several(_digits("[+-]?[0-9]{1,9}")),
        "LO": lambda: _several(text),
        "LT": lambda: st.one_of(text, st.just("line \\ two " * 110)),
        "OB": lambda: _bytes(1),
        "OD": lambda: _bytes(8),
        "OF": lambda: _bytes(4),
        "OL": lambda: _bytes(4),
        "OV": lambda: _bytes(8),
        "OW": lambda: _bytes(2),
        "PN": lambda: _several(_name("ABCab" + alphabet)),
        "SH": lambda: _several(text),
        "SL": lambda: _several(_integers(32, True)),
        "SS": lambda: _several(_integers(16, True)),
        "ST": lambda: text,
        "SV": lambda: _several(_integers(64, True)),
        "TM": lambda: _several(_digits("([01][0-9])([0-5][0-9])?")),
        "UC": lambda: _several(text),
        "UI": lambda: _several(_digits("1[.]2([.][1-9][0-9]{0,3}){1,6}")),
        "UL": lambda: _several(_integers(32, False)),
        "UN": lambda: _bytes(1),
        "UR": lambda: _words("abc:/.", 30),
        "US": lambda: _several(_integers(16, False)),
        "UT": lambda: st.one_of(text, st.just("a long report. " * 90)),
        "UV": lambda: _several(_integers(64, False)),
    }
    return makers[vr]()


@st.composite
def data_sets(draw: st.DrawFn, depth: int = 0, alphabet: str | None = None) -> Dataset:
    """A data set with UIDs; items nest up to three deep and may have a character set."""
    made = identified() if depth == 0 else Dataset()
    if alphabet is None:
        terms = draw(charsets())
        alphabet = _ALPHABETS[terms]
        if terms:
            made.SpecificCharacterSet = terms if isinstance(terms, str) else list(terms)
    for vr in draw(st.lists(st.sampled_from(sorted(_TAGS)), unique=True, max_size=8)):
        made.add_new(_TAGS[vr], vr, draw(_values(vr, alphabet)))
    if draw(st.booleans()):
        made.add_new(0x00090010, "LO", "ACME 1.1")
        vr = draw(st.sampled_from(["LO", "US", "OB", "DS"]))
        made.add_new(0x00091001, vr, draw(_values(vr, alphabet)))
    if depth < 3:
        tags = st.lists(st.sampled_from(_SEQUENCES), unique=True, max_size=2)
        for tag in draw(tags):
            own = draw(st.booleans())
            items = draw(st.lists(data_sets(depth + 1, None if own else alphabet), max_size=3))
            undefined = draw(st.booleans())
            for item in items:
                item.is_undefined_length_sequence_item = undefined
            made.add_new(tag, "SQ", Sequence(items))
            made[tag].is_undefined_length = undefined
    return made
