"""What a data set says of one frame: per-frame groups before shared ones, then the first level."""

from __future__ import annotations

from dataclasses import dataclass

from vna.dicom.item import Item

_SHARED, _PER_FRAME = 0x52009229, 0x52009230


@dataclass(frozen=True, slots=True)
class FrameAttributes:
    """The data set `whole`, seen from frame `number`, counted from 1."""

    whole: Item
    number: int = 1

    def macro(self, sequence: int) -> Item | None:
        """The item of a functional group (PS3.3 §C.7.6.16), None where the frame has none."""
        groups = self.whole.element(_PER_FRAME)
        if groups is not None and groups.items and self.number <= len(groups.items):
            own = Item.of(groups.items[self.number - 1], self.whole.charset).item(sequence)
            if own is not None:
                return own
        shared = self.whole.item(_SHARED)
        return None if shared is None else shared.item(sequence)

    def in_macro(self, sequence: int, tag: int) -> Item:
        """The functional group where it has `tag`, else the first level."""
        found = self.macro(sequence)
        return found if found is not None and found.has(tag) else self.whole
