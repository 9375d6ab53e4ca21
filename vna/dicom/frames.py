"""Which fragments make which frame (PS3.5 §A.4, PS3.3 §C.7.6.3.1.7)."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import pairwise

from vna.dicom.anatomy import FrameTable
from vna.dicom.fragments import Fragments
from vna.dicom.source import Source
from vna.dicom.transfer_syntax import TransferSyntax

_EOI_WITHIN = 10  # bytes at a fragment's end in which its end marker may be, padding included


def group(
    fragments: Fragments,
    frames: int,
    syntax: TransferSyntax,
    source: Source,
    extended: array[int],
) -> tuple[FrameTable | None, bool]:
    """The frame table, None where no rule gives exactly `frames` frames; and whether an offset
    table was there that does not fit.

    In order: a video is one frame; the extended offset table; the basic one; as many fragments as
    frames; one frame; codestreams told apart by how they begin or end.
    `extended`: the values of (7FE0,0001), empty where absent.
    """
    lengths = array("I", fragments.lengths)
    total = len(lengths)
    start = fragments.offsets[0] - 8 if total else fragments.first

    def table(counts: array[int] | None) -> FrameTable:
        if counts is not None and all(count == 1 for count in counts):
            counts = None
        return FrameTable(start - value, lengths, counts)

    value = fragments.value
    if not total:
        return None, False
    if syntax.video:
        return table(array("I", [total])), False
    wrong = False
    for offsets in (extended, fragments.table):
        if not offsets:
            continue
        counts = _by_offsets(fragments, offsets)
        if counts is not None and len(counts) == frames:
            return table(counts), wrong
        wrong = True
    if total == frames or (syntax.frame_per_fragment and total >= frames):
        return table(None), wrong
    if frames == 1:
        return table(array("I", [total])), wrong
    for counts in _by_markers(fragments, syntax, source):
        if len(counts) == frames:
            return table(counts), wrong
    return None, wrong


def _by_offsets(fragments: Fragments, offsets: array[int]) -> array[int] | None:
    """Fragments of each frame, None where an offset is not that of an item."""
    index = {offset - 8 - fragments.first: at for at, offset in enumerate(fragments.offsets)}
    begins = [index.get(offset, -1) for offset in offsets]
    if begins[0] != 0 or any(b <= a for a, b in pairwise(begins)):
        return None
    return _counts(begins, len(fragments.offsets))


def _by_markers(
    fragments: Fragments, syntax: TransferSyntax, source: Source
) -> Iterator[array[int]]:
    """Fragments of each codestream: told by how the first fragment of each begins, then by the
    JPEG end of image (FFD9) that ends the last fragment of each."""
    places = list(zip(fragments.offsets, fragments.lengths, strict=True))
    mark = syntax.start
    if mark and source.read(places[0][0], len(mark)) == mark:
        yield _counts(
            [at for at, (offset, _) in enumerate(places) if source.read(offset, len(mark)) == mark],
            len(places),
        )
    begins = [0]
    for at, (offset, length) in enumerate(places[:-1]):
        tail = min(length, _EOI_WITHIN)
        if b"\xff\xd9" in source.read(offset + length - tail, tail):
            begins.append(at + 1)
    yield _counts(begins, len(places))


def _counts(begins: list[int], total: int) -> array[int]:
    return array("I", (b - a for a, b in pairwise([*begins, total])))
