"""Who shows an instance that is more than pixels."""

from __future__ import annotations

from vna.decoders import Decoders
from vna.dicom.elements import read_elements
from vna.dicom.item import Item
from vna.dicom.transfer_syntax import transfer_syntax
from vna.services.renditions import Renditions
from vna.services.retrieve import Retrieve
from vna.services.stored import Stored
from vna.services.views.documents import DOCUMENT, EncapsulatedDocuments
from vna.services.views.reports import Reports
from vna.services.views.videos import Videos
from vna.services.views.view import Viewer
from vna.services.views.waveforms import Waveforms

_CONTENT, _VALUE_TYPE, _WAVEFORMS = 0x0040A730, 0x0040A040, 0x54000100


class Views:
    """The table. `studies_url`: the absolute URL below which studies are."""

    def __init__(
        self, retrieve: Retrieve, decoders: Decoders, renditions: Renditions, studies_url: str
    ) -> None:
        self._viewers: dict[str, Viewer] = {
            "document": EncapsulatedDocuments(retrieve, decoders, renditions),
            "report": Reports(retrieve, decoders, renditions, studies_url),
            "video": Videos(retrieve, renditions),
            "waveform": Waveforms(retrieve, decoders, renditions),
        }

    def of(self, stored: Stored) -> Viewer | None:
        """Who shows the instance; None for an image, and for what nobody shows.

        By what it has, not by its SOP class: private and future classes count, too.
        """
        return self._viewers.get(self._kind(stored))

    def poster_of(self, stored: Stored) -> str:
        """What a neutral picture of the instance shows: a kind of `vna.render.poster`."""
        return self._kind(stored) or "other"

    def _kind(self, stored: Stored) -> str:
        if stored.anatomy.pixel_tag:
            return "video" if transfer_syntax(stored.transfer_syntax).video else ""
        item = Item.of(read_elements(stored.header))
        if item.has(DOCUMENT):
            return "document"
        if item.has(_WAVEFORMS):
            return "waveform"
        if item.has(_CONTENT) or item.first(_VALUE_TYPE) == "CONTAINER":
            return "report"
        return ""
