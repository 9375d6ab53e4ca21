"""Every Specific Character Set; how code extensions are put back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dicom.bundled import by_pydicom, identifiable, name
from vna.dicom.charset import UTF_8, charset_of
from vna.dicom.scan import scan
from vna.dicom.source import BytesSource

SINGLE = [
    (b"", b"abc", "abc"),
    (b"ISO_IR 6", b"abc", "abc"),
    (b"ISO_IR 13", b"\xd4\xcf\xc0^\xc0\xdb\xb3", "ﾔﾏﾀ^ﾀﾛｳ"),
    (b"ISO_IR 100", b"\xd1and\xfa", "Ñandú"),
    (b"ISO_IR 101", b"\xb1", "ą"),
    (b"ISO_IR 109", b"\xe6", "ĉ"),
    (b"ISO_IR 110", b"\xe0", "ā"),
    (b"ISO_IR 126", b"\xc4", "Δ"),
    (b"ISO_IR 127", b"\xe2", "ق"),
    (b"ISO_IR 138", b"\xf9", "ש"),
    (b"ISO_IR 144", b"\xbb", "Л"),
    (b"ISO_IR 148", b"\xf0", "ğ"),
    (b"ISO_IR 166", b"\xb9", "น"),
    (b"ISO_IR 192", "東".encode(), "東"),
    (b"ISO_IR 203", b"\xa4", "€"),
    (b"GB18030", "王".encode("gb18030"), "王"),
    (b"GBK", "王".encode("gbk"), "王"),
    (b"ISO 2022 IR 100", b"\xe9", "é"),
]


@pytest.mark.parametrize(("terms", "data", "text"), SINGLE)
def test_a_set_without_extensions_is_read_whole(terms: bytes, data: bytes, text: str) -> None:
    assert charset_of(terms).decode(data) == text
    assert charset_of(terms).known


EXTENDED = [
    (b"\\ISO 2022 IR 87", b"Yamada=\x1b$B;3ED\x1b(B", "Yamada=山田"),
    (b"ISO 2022 IR 13\\ISO 2022 IR 87", b"\xd4\xcf=\x1b$B;3\x1b(J", "ﾔﾏ=山"),
    (b"\\ISO 2022 IR 159", b"\x1b$(D0!\x1b(B", "丂"),
    (b"\\ISO 2022 IR 149", b"\x1b$)C\xb1\xe8^\x1b$)C\xc8\xf1", "김^희"),
    (b"\\ISO 2022 IR 58", b"\x1b$)A\xd5\xc5", "张"),
    (b"\\ISO 2022 IR 144", b"\x1b-L\xbb", "Л"),
    (b"\\ISO 2022 IR 101\\ISO 2022 IR 126", b"\x1b-B\xb1\x1b-F\xc4", "ąΔ"),
    (b"\\ISO 2022 IR 203", b"\x1b-b\xa4", "€"),
    (b"\\ISO 2022 IR 13", b"\x1b)I\xd4", "ﾔ"),
]


@pytest.mark.parametrize(("terms", "data", "text"), EXTENDED)
def test_escape_sequences_designate_other_sets(terms: bytes, data: bytes, text: str) -> None:
    assert charset_of(terms).decode(data, "PN") == text


def test_a_delimiter_puts_the_first_set_back() -> None:
    terms = charset_of(b"ISO 2022 IR 100\\ISO 2022 IR 144")
    assert terms.decode(b"\x1b-L\xbb\\\xe9", "LO") == "Л\\é"
    assert terms.decode(b"\x1b-L\xbb^\xe9=\x1b-L\xbb", "PN") == "Л^é=Л"
    assert terms.decode(b"\x1b-L\xbb^\xbb", "LO") == "Л^Л"  # only in names
    assert terms.decode(b"\x1b-L\xbb\r\n\xe9", "LT") == "Л\r\né"
    assert terms.decode(b"\x1b-L\xbb\\\xbb", "LT") == "Л\\Л"  # divides nothing in a text


def test_a_backslash_byte_inside_a_character_divides_nothing() -> None:
    assert charset_of(b"GB18030").decode(b"\x81\\") == "乗"
    assert charset_of(b"\\ISO 2022 IR 87").decode(b"\x1b$B0\\\x1b(B") == "移"


@pytest.mark.parametrize(
    "written", [b"ISO-IR 100", b"iso_ir 100 ", b"ISO_IR100", b"ISO IR 100", b"ISO_IR 100\0"]
)
def test_a_term_misspelt_beyond_doubt_is_understood(written: bytes) -> None:
    assert charset_of(written).decode(b"\xe9") == "é"
    assert charset_of(written).known


def test_unknown_terms_and_impossible_bytes_are_read_as_latin_1() -> None:
    assert not charset_of(b"KLINGON").known
    assert charset_of(b"KLINGON").decode(b"\xe9") == "é"
    assert UTF_8.decode(b"caf\xe9") == "café"
    assert charset_of(b"").decode(b"\xe9") == "é"
    assert charset_of(b"\\ISO 2022 IR 149").decode(b"\x1b$)C\xff") == "ÿ"
    assert charset_of(b"\\ISO 2022 IR 149").decode(b"\x1b?x\xe9") == "?xé"


def test_text_is_encoded_only_where_the_set_can_say_it() -> None:
    assert UTF_8.encode("東") == "東".encode()
    assert charset_of(b"ISO_IR 100").encode("é") == b"\xe9"
    assert charset_of(b"ISO_IR 100").encode("東") is None
    assert charset_of(b"KLINGON").encode("é") is None
    assert charset_of(b"KLINGON").encode("e") == b"e"


@pytest.mark.parametrize(
    "path", [path for path in identifiable() if path.parent.name == "charset_files"], ids=name
)
def test_the_names_of_the_charset_files_are_those_of_pydicom(path: Path) -> None:
    data = path.read_bytes()
    theirs = str(by_pydicom(data).get("PatientName", ""))
    # pydicom drops an empty last group of the name
    assert scan(BytesSource(data)).text(0x00100010).rstrip("=") == theirs
