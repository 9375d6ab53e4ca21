"""The table of transfer syntaxes."""

from __future__ import annotations

from pydicom.uid import AllTransferSyntaxes

from vna.dicom.transfer_syntax import TRANSFER_SYNTAXES, Encoding, transfer_syntax


def test_what_pydicom_knows_is_in_the_table_and_says_the_same() -> None:
    for uid in AllTransferSyntaxes:
        if uid.startswith("1.2.840.10008.1.2.7."):
            continue  # SMPTE ST 2110 is never stored
        row = TRANSFER_SYNTAXES[uid]
        if "JPIP" in row.name:
            continue  # pydicom takes some of them for encapsulated; they have no pixel data
        assert row.encapsulated is uid.is_encapsulated
        assert row.deflated is uid.is_deflated
        assert (row.encoding is Encoding.IMPLICIT_LE) is uid.is_implicit_VR
        assert (row.encoding is Encoding.EXPLICIT_BE) is not uid.is_little_endian


def test_a_media_type_has_one_default_at_most() -> None:
    defaults = [row.media_type for row in TRANSFER_SYNTAXES.values() if row.default_for_media_type]
    assert len(defaults) == len(set(defaults))
    assert transfer_syntax("1.2.840.10008.1.2.4.70").default_for_media_type
    assert transfer_syntax("1.2.840.10008.1.2.4.110").media_type == "image/jxl"


def test_an_unknown_syntax_is_taken_for_an_encapsulated_one() -> None:
    row = transfer_syntax("1.2.3")
    assert (row.uid, row.encapsulated, row.encoding) == ("1.2.3", True, Encoding.EXPLICIT_LE)
