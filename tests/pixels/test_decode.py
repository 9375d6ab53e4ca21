"""Frames of real files, decoded; pydicom is the oracle where it can decode them."""

from __future__ import annotations

import numpy as np

from tests.pixels.corpus import Frame, by_pydicom, frames
from vna.dicom.transfer_syntax import TRANSFER_SYNTAXES
from vna.pixels.decode import decodable, decode
from vna.pixels.encode import LOSSLESS_TARGETS


def test_decoded_samples_are_those_of_pydicom() -> None:
    compared = 0
    for frame in frames():
        expected = by_pydicom(frame)
        if expected is not None:
            assert np.array_equal(_decoded(frame), expected), frame.name
            compared += 1
    assert compared > 100


def _decoded(frame: Frame) -> np.ndarray:
    return decode(frame.data, frame.syntax, frame.description, first_bit=frame.first_bit).pixels


def test_the_table_of_transfer_syntaxes_says_what_codecs_do() -> None:
    rows = TRANSFER_SYNTAXES.values()
    assert {row.uid for row in rows if row.encoded} == LOSSLESS_TARGETS.keys()
    for row in rows:
        if row.encapsulated or not row.decoded:
            assert row.decoded == decodable(row.uid), row.uid
