"""What an instance is to one who shows it: by what it has, so that private and future SOP classes
count, too."""

from __future__ import annotations

from enum import Enum

from vna.dicom.elements import read_elements
from vna.dicom.item import Item
from vna.dicom.transfer_syntax import transfer_syntax
from vna.services.category import SOFTCOPY_STATES
from vna.services.stored import Stored

DOCUMENT = 0x00420011
_CONTENT, _VALUE_TYPE, _WAVEFORMS = 0x0040A730, 0x0040A040, 0x54000100


class Kind(Enum):
    """The values are the kinds of `vna.render.poster`."""

    IMAGE = "image"
    VIDEO = "video"
    DOCUMENT = "document"
    REPORT = "report"
    WAVEFORM = "waveform"
    PRESENTATION = "presentation"
    OTHER = "other"


def kind_of(stored: Stored) -> Kind:
    """The kind of an instance."""
    if stored.anatomy.pixel_tag:
        return Kind.VIDEO if transfer_syntax(stored.transfer_syntax).video else Kind.IMAGE
    if stored.sop_class in SOFTCOPY_STATES:
        return Kind.PRESENTATION
    item = Item.of(read_elements(stored.header))
    if item.has(DOCUMENT):
        return Kind.DOCUMENT
    if item.has(_WAVEFORMS):
        return Kind.WAVEFORM
    if item.has(_CONTENT) or item.first(_VALUE_TYPE) == "CONTAINER":
        return Kind.REPORT
    return Kind.OTHER
