"""What a softcopy presentation state says of one frame (PS3.3 §A.33, PS3.4 §N.2).

It counts in place of what the image says: what it leaves out is no step at all, and the image's own
window, tables, shutter and aspect ratio are not used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vna.dicom.item import Item
from vna.render.image.aspect import aspect_of_pair

_REFERENCED_SERIES, _REFERENCED_IMAGES = 0x00081115, 0x00081140
_INSTANCE, _FRAMES = 0x00081155, 0x00081160
_SERIES = 0x0020000E
_VOI, _DISPLAYED_AREA = 0x00283110, 0x0070005A
_ROTATION, _FLIP = 0x00700042, 0x00700041
_TOP_LEFT, _BOTTOM_RIGHT, _SIZE_MODE = 0x00700052, 0x00700053, 0x00700100
_SPACING, _RATIO, _MAGNIFICATION = 0x00700101, 0x00700102, 0x00700103


@dataclass(frozen=True, slots=True)
class Reference:
    """An image that a presentation state shows; `frames`: numbers from 1, none for all."""

    series_uid: str
    sop_uid: str
    frames: tuple[int, ...]


def references(state: Item) -> Iterator[Reference]:
    """Every image that it shows, in its order (§C.11.11)."""
    for series in state.items(_REFERENCED_SERIES):
        for image in series.items(_REFERENCED_IMAGES):
            frames = tuple(int(each) for each in image.numbers(_FRAMES) if each >= 1)
            yield Reference(series.first(_SERIES), image.first(_INSTANCE), frames)


@dataclass(frozen=True, slots=True)
class Area:
    """The displayed area: edges in samples of the image, `aspect` of a sample; `magnified`: pixels
    for a sample, None to fit."""

    left: float
    top: float
    right: float
    bottom: float
    aspect: float
    magnified: float | None


@dataclass(frozen=True, slots=True)
class PresentationState:
    """The state `item` as it concerns frame `number` of the image `sop_uid`."""

    item: Item
    sop_uid: str
    number: int

    @property
    def rotation(self) -> int:
        """Clockwise: 0, 90, 180 or 270 degrees (§C.10.6)."""
        found = self.item.integer(_ROTATION) % 360
        return found if found in (90, 180, 270) else 0

    @property
    def mirrored(self) -> bool:
        """Whether left and right change places after the rotation."""
        return self.item.first(_FLIP).upper() == "Y"

    def voi(self) -> Item | None:
        """The item that has its window or table; None where all values count (§C.11.8)."""
        return next(self.concerning(_VOI), None)

    def area(self) -> Area | None:
        """Which part is shown (§C.10.4). A larger picture is never made of it than `fitted` makes;
        its true size on a screen that nobody knows is not kept."""
        found = next(self.concerning(_DISPLAYED_AREA), None)
        if found is None:
            return None
        corners = [found.numbers(tag) for tag in (_TOP_LEFT, _BOTTOM_RIGHT)]
        if any(len(each) != 2 for each in corners):
            return None
        # Corners are those of the turned image: the upper left one need not be so in the samples.
        (first, last) = corners
        left, right = min(first[0], last[0]) - 1, max(first[0], last[0])
        top, bottom = min(first[1], last[1]) - 1, max(first[1], last[1])
        pairs = (found.numbers(_SPACING), found.numbers(_RATIO))
        aspect = next((each for each in map(aspect_of_pair, pairs) if each), 1.0)
        magnify = found.first(_SIZE_MODE).upper() == "MAGNIFY"
        factor = found.number(_MAGNIFICATION) if magnify else None
        return Area(left, top, right, bottom, aspect, factor if factor and factor > 0 else None)

    def concerning(self, sequence: int) -> Iterator[Item]:
        """The items of a sequence that are about this frame."""
        return (each for each in self.item.items(sequence) if self._concerns(each))

    def _concerns(self, item: Item) -> bool:
        """Without a reference to images it is about all of them."""
        images = item.items(_REFERENCED_IMAGES)
        if not images:
            return True
        for image in images:
            frames = image.numbers(_FRAMES)
            if image.first(_INSTANCE) == self.sop_uid and (not frames or self.number in frames):
                return True
        return False
