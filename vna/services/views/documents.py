"""Encapsulated documents as what they are; a page of a PDF as a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from vna.decoders import Decoders
from vna.dicom.elements import read_elements
from vna.dicom.item import Item
from vna.errors import NotAcceptable, NotFound
from vna.services.payload import Payload
from vna.services.renditions import Rendition, Renditions
from vna.services.retrieve import Retrieve
from vna.services.stored import Stored
from vna.services.views import parameters
from vna.services.views.kind import DOCUMENT
from vna.services.views.view import SANDBOX, View, disposition, whole

if TYPE_CHECKING:
    from vna.render.document.kinds import Kind

LENGTH = 0x00420015
LARGEST_PDF = 256 << 20  # bytes of a document of which a page is drawn
_PDF = "application/pdf"
_PICTURES = ("image/jpeg", "image/png")


class EncapsulatedDocuments:
    """Shows PDF, CDA, models and whatever else is encapsulated."""

    parameters = ("annotation", "iccprofile", "page", "quality", "viewport")

    def __init__(self, retrieve: Retrieve, decoders: Decoders, renditions: Renditions) -> None:
        self._retrieve, self._decoders, self._renditions = retrieve, decoders, renditions

    def media_types(self, stored: Stored) -> tuple[str, ...]:
        """See `Viewer`."""
        kind = _kind(stored)
        return (_PDF, *_PICTURES) if kind.media_type == _PDF else (kind.media_type,)

    def show(self, stored: Stored, media_type: str, asked: Mapping[str, str]) -> View:
        """See `Viewer`. The document's bytes are exactly those that were encapsulated."""
        _, warning = parameters.written(asked)
        payload = self._document(stored)
        if media_type in _PICTURES:
            return self._page(stored, payload, media_type, asked, warning)
        parameters.refuse_others(asked, self.parameters)
        kind = _kind(stored)
        headers = (disposition(stored, kind.suffix, inline=kind.inline),)
        return View(media_type, payload, (*headers, *(SANDBOX if kind.markup else ())), warning)

    def _document(self, stored: Stored) -> Payload:
        """Without the pad byte: (0042,0015) says where the document ends (PS3.3 §C.24.2)."""
        payload = self._retrieve.bulkdata(stored, f"{DOCUMENT:08X}")
        said = Item.of(read_elements(stored.header)).integer(LENGTH)
        held = payload.size
        if held is None:
            raise NotFound("the document cannot be told from what follows it")
        size = said if held - 1 <= said <= held else held

        def part(start: int, length: int | None) -> Iterator[bytes]:
            wanted = size - start if length is None else min(length, size - start)
            return payload.chunks(start, max(0, wanted))

        return Payload("", size, part)

    def _page(
        self,
        stored: Stored,
        payload: Payload,
        media_type: str,
        asked: Mapping[str, str],
        warning: str,
    ) -> View:
        parameters.refuse_others(asked, self.parameters)
        facts = {
            "page": parameters.integer(asked, "page", 1, 1, 1_000_000),
            "media_type": media_type,
            "quality": parameters.integer(asked, "quality", 90, 1, 100),
            "viewport": parameters.viewport(asked),
        }
        if payload.size is None or payload.size > LARGEST_PDF:
            raise NotAcceptable(f"a document of more than {LARGEST_PDF} bytes is not drawn")

        def make() -> Rendition:
            return Rendition(*self._decoders.run("pdf-page", facts, b"".join(payload.chunks())))

        made = self._renditions.get({"pdf-page": facts, "of": stored.etag}, make)
        suffix = "png" if media_type == "image/png" else "jpg"
        return View(media_type, whole(made.data), (disposition(stored, suffix),), warning)


def _kind(stored: Stored) -> Kind:
    from vna.render.document.kinds import kind_of

    return kind_of(Item.of(read_elements(stored.header)))
