"""JSON pieces join into one gzip member."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vna.services.gzip_array import (
    Piece,
    compress,
    gzip_array,
    gzip_size,
    plain_array,
    plain_size,
)

values = st.lists(st.integers() | st.text() | st.lists(st.text()))


@given(st.lists(values, max_size=5))
def test_the_pieces_of_several_series_read_as_one_array(series: list[list[object]]) -> None:
    pieces = [compress(json.dumps(value).encode() for value in each) for each in series]
    wanted = [value for each in series for value in each]
    plain = b"".join(plain_array(pieces))
    packed = b"".join(gzip_array(pieces))
    assert json.loads(plain) == wanted
    assert gzip.decompress(packed) == plain
    assert (len(plain), len(packed)) == (plain_size(pieces), gzip_size(pieces))


def test_the_answer_is_a_single_gzip_member() -> None:
    engine = zlib.decompressobj(zlib.MAX_WBITS | 16)
    packed = b"".join(gzip_array([compress([b"1"]), compress([b"2", b"3"])]))
    assert engine.decompress(packed) == b"[1,2,3]"
    assert engine.eof
    assert engine.unused_data == b""


def test_a_piece_survives_its_stored_form_and_a_changed_one_is_noticed() -> None:
    piece = compress([b'{"00080018":{}}'] * 50)
    assert Piece.decode(piece.encode()) == piece
    with pytest.raises(ValueError, match="checksum"):
        Piece(piece.crc ^ 1, piece.length, piece.deflated).plain()
