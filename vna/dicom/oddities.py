"""Codes of what is odd about an object that can be identified all the same (docs/formats.md).

An oddity never refuses an object (architecture decision 12); it is kept with it and shown.
"""

from __future__ import annotations

NO_PREAMBLE = "no-preamble"  # no 128 bytes and "DICM" at the beginning (PS3.10 §7.1)
NO_FILE_META = "no-file-meta"  # no group 0002
NO_TRANSFER_SYNTAX = "no-transfer-syntax"  # (0002,0010) is absent: the encoding was found by trial
UNKNOWN_TRANSFER_SYNTAX = "unknown-transfer-syntax"  # not one of PS3.5
ENCODING_DIFFERS = "encoding-differs"  # the bytes are not written as the transfer syntax says
META_DIFFERS = "meta-differs"  # group 0002 names another SOP class or instance
DAMAGED_DEFLATE = "damaged-deflate"  # the deflated stream breaks off
TRUNCATED = "truncated"  # an element or sequence runs past the end
TRUNCATED_PIXEL_DATA = "truncated-pixel-data"
SHORT_PIXEL_DATA = "short-pixel-data"  # less than rows, columns and frames ask for
TRAILING_BYTES = "trailing-bytes"  # bytes after the last element that are none
STRAY_DELIMITER = "stray-delimiter"
WRONG_LENGTH = "wrong-length"  # a sequence, item or value runs past its container
UNKNOWN_VR = "unknown-vr"
UNKNOWN_CHARACTER_SET = "unknown-character-set"
INVALID_UID = "invalid-uid"  # characters or length that PS3.5 §9.1 does not allow
NO_SOP_CLASS = "no-sop-class"
OFFSET_TABLE_WRONG = "offset-table-wrong"  # ignored; frames were found without it
FRAMES_UNKNOWN = "frames-unknown"  # pixel data cannot be divided into frames
NOT_ENCAPSULATED = "not-encapsulated"  # native pixel data in a transfer syntax of encapsulated ones
BROKEN_STRUCTURE = "broken-structure"  # only what stands before the break could be read
READ_BY_FALLBACK = "read-by-fallback"  # only pydicom could follow the structure

ALL = frozenset(value for name, value in list(globals().items()) if name.isupper())
