"""What kind of thing an instance is to one who wants to see it (PS3.18 §8.7.2)."""

from __future__ import annotations

from enum import Enum

from vna.dicom.transfer_syntax import transfer_syntax
from vna.services.stored import Stored

_STORAGE = "1.2.840.10008.5.1.4.1.1."
# Classes with the SR Document Content or the Encapsulated Document module.
_TEXT = (f"{_STORAGE}88.", f"{_STORAGE}104.")
SOFTCOPY_STATES = frozenset(f"{_STORAGE}11.{number}" for number in (1, 2, 3))


class Category(Enum):
    """The resource categories of PS3.18, and the presentation states, which show what they name.

    They decide which rendered media types there are (table 8.7.4-1).
    """

    SINGLE_FRAME = "single-frame"
    MULTI_FRAME = "multi-frame"
    VIDEO = "video"
    TEXT = "text"
    PRESENTATION = "presentation"  # grayscale, colour and pseudo-colour softcopy
    OTHER = "other"  # waveforms and all that is none of these


def category_of(stored: Stored) -> Category:
    """The category of an instance; a multi-frame object with one frame is a single frame."""
    if stored.sop_class.startswith(_TEXT):
        return Category.TEXT
    if stored.sop_class in SOFTCOPY_STATES:
        return Category.PRESENTATION
    if stored.anatomy.pixel_tag == 0:
        return Category.OTHER
    if transfer_syntax(stored.transfer_syntax).video:
        return Category.VIDEO
    return Category.MULTI_FRAME if stored.frames > 1 else Category.SINGLE_FRAME
