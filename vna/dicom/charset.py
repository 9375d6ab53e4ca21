"""Text of every Specific Character Set (PS3.5 §6.1, PS3.3 §C.12.1.1.2), decoded and encoded.

With code extensions (ISO 2022) each escape sequence designates a set to G0 or G1; backslash,
`^` and `=` in names, and CR LF FF TAB put the first designations back (§6.1.2.5.3).  A term nobody
knows, and bytes that its set cannot hold, are read as ISO 8859-1: nothing is lost, and the stored
bytes stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

_LATIN_1 = "latin-1"
# Without code extensions: one Python codec reads the whole value.
_CODECS = {
    "": "ascii",
    "ISO_IR 6": "ascii",
    "ISO 2022 IR 6": "ascii",
    "ISO_IR 13": "shift_jis",
    "ISO 2022 IR 13": "shift_jis",
    "ISO_IR 100": _LATIN_1,
    "ISO_IR 101": "iso8859_2",
    "ISO_IR 109": "iso8859_3",
    "ISO_IR 110": "iso8859_4",
    "ISO_IR 126": "iso8859_7",
    "ISO_IR 127": "iso8859_6",
    "ISO_IR 138": "iso8859_8",
    "ISO_IR 144": "iso8859_5",
    "ISO_IR 148": "iso8859_9",
    "ISO_IR 166": "tis_620",
    "ISO_IR 192": "utf_8",
    "ISO_IR 203": "iso8859_15",
    "GB18030": "gb18030",
    "GBK": "gbk",
}
_SINGLE_BYTE = ("100", "101", "109", "110", "126", "127", "138", "144", "148", "166", "203")
_CODECS |= {f"ISO 2022 IR {number}": _CODECS[f"ISO_IR {number}"] for number in _SINGLE_BYTE}
# Multi-byte sets exist as extensions only, value 1 being another (§6.1.2.4); alone they are read.
_EXTENSIONS = {
    "ISO 2022 IR 58": "gb2312",
    "ISO 2022 IR 87": "iso2022_jp",
    "ISO 2022 IR 149": "euc_kr",
    "ISO 2022 IR 159": "iso2022_jp_2",
}
# Escape sequence (without ESC) → (is it G1?, codec, bytes per character), PS3.3 tables C.12-3, -4.
_ESCAPES = {
    b"(B": (False, "ascii", 1),
    b"(J": (False, "shift_jis", 1),
    b")I": (True, "shift_jis", 1),
    b"$B": (False, "iso2022_jp", 2),
    b"$(D": (False, "iso2022_jp_2", 2),
    b"$)A": (True, "gb2312", 2),
    b"$)C": (True, "euc_kr", 2),
    b"-A": (True, _LATIN_1, 1),
    b"-B": (True, "iso8859_2", 1),
    b"-C": (True, "iso8859_3", 1),
    b"-D": (True, "iso8859_4", 1),
    b"-F": (True, "iso8859_7", 1),
    b"-G": (True, "iso8859_6", 1),
    b"-H": (True, "iso8859_8", 1),
    b"-L": (True, "iso8859_5", 1),
    b"-M": (True, "iso8859_9", 1),
    b"-T": (True, "tis_620", 1),
    b"-b": (True, "iso8859_15", 1),
}
_ESC = 0x1B
_PREFIX = {"iso2022_jp": b"\x1b$B", "iso2022_jp_2": b"\x1b$(D"}
_RESETS = frozenset(b"\r\n\f\t")
DIVIDED = _RESETS | frozenset(b"\\")
NAME = DIVIDED | frozenset(b"^=")


@dataclass(frozen=True, slots=True)
class Charset:
    """How the text of one data set or item is read.

    `known`: every term is defined.  `extended`: escape sequences may occur.
    """

    terms: tuple[str, ...]
    known: bool
    extended: bool
    codec: str

    def decode(self, data: bytes, vr: str = "LO") -> str:
        """Text of a value, all its parts, neither split nor trimmed; never raises."""
        if _ESC in data and self.extended:
            resets = NAME if vr == "PN" else _RESETS if vr in ("LT", "ST", "UT") else DIVIDED
            return _designated(data, self.codec, resets)
        try:
            return data.decode(self.codec)
        except UnicodeDecodeError:
            return data.decode(_LATIN_1)

    def encode(self, text: str) -> bytes | None:
        """Bytes of `text`, or None where it needs code extensions or cannot be said at all."""
        if not self.known or self.codec in _EXTENSIONS.values():
            return text.encode("ascii") if text.isascii() else None
        try:
            return text.encode(self.codec)
        except UnicodeEncodeError:
            return None


def terms() -> tuple[str, ...]:
    """Every defined term that is read (PS3.3 §C.12.1.1.2), without the empty one."""
    return tuple(filter(None, (*_CODECS, *_EXTENSIONS)))


def _designated(data: bytes, first: str, resets: frozenset[int]) -> str:
    """Decode with escape sequences; `first` is what G0 and G1 hold at the start."""
    initial = (("ascii", 1), (first, 1))
    g0, g1 = initial
    text: list[str] = []
    position, end = 0, len(data)
    while position < end:
        byte = data[position]
        if byte == _ESC:
            for length in (3, 2):
                escape = _ESCAPES.get(data[position + 1 : position + 1 + length])
                if escape is not None:
                    break
            if escape is None:  # not a set of DICOM: the text goes on without it
                position += 1
                continue
            is_g1, codec, width = escape
            if is_g1:
                g1 = (codec, width)
                if g0[1] > 1:  # writers do not return to ASCII first, though §6.1.2.5.3 asks it
                    g0 = initial[0]
            else:
                g0 = (codec, width)
            position += 1 + length
        elif byte < 0x21 or (g0[1] == 1 and byte < 0x80):
            if byte in resets:
                g0, g1 = initial
            text.append(chr(byte))
            position += 1
        else:
            codec, width = g1 if byte >= 0x80 else g0
            stop = position
            while stop < end and (data[stop] >= 0x80) == (byte >= 0x80) and data[stop] >= 0x21:
                stop += width
            piece = data[position : min(stop, end)]
            try:
                text.append((_PREFIX.get(codec, b"") + piece).decode(codec))
            except UnicodeDecodeError:
                text.append(piece.decode(_LATIN_1))
            position = min(stop, end)
    return "".join(text)


@lru_cache(maxsize=256)
def charset_of(value: bytes) -> Charset:
    """The character set that the bytes of (0008,0005) name; empty means the default repertoire.

    Spelling is forgiven where it is beyond doubt ("ISO-IR 100", "iso_ir_192", "ISO_IR100").
    """
    written = value.decode(_LATIN_1).rstrip("\0 ").split("\\")
    terms = tuple(_term(part) for part in written)
    known = all(term in _CODECS or term in _EXTENSIONS for term in terms)
    extended = len(terms) > 1 or any(term.startswith("ISO 2022") for term in terms)
    codec = _CODECS.get(terms[0]) or _EXTENSIONS.get(terms[0], _LATIN_1)
    if codec == "ascii" or (codec in _PREFIX and len(terms) > 1):
        codec = _LATIN_1  # reads all of ASCII, and keeps what should not be there
    return Charset(terms, known, extended, codec)


@lru_cache(maxsize=256)
def _term(written: str) -> str:
    text = written.strip("\0 ").upper()
    if text in _CODECS or text in _EXTENSIONS:
        return text
    squeezed = "".join(c for c in text if c.isalnum())
    for term in (*_CODECS, *_EXTENSIONS):
        if term and "".join(c for c in term if c.isalnum()) == squeezed:
            return term
    return text


DEFAULT = charset_of(b"")
UTF_8 = charset_of(b"ISO_IR 192")
