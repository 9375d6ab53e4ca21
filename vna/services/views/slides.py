"""Whole-slide series as one picture: levels are found once, regions put together on demand."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vna.decoders import Decoders
from vna.dicom.elements import read_elements
from vna.dicom.item import Item
from vna.errors import MalformedObject, NotAcceptable, NotFound
from vna.model.caller import Caller
from vna.services.renditions import Rendition, Renditions
from vna.services.retrieve import Retrieve
from vna.services.stored import Stored

if TYPE_CHECKING:
    from vna.render.slide.iiif import Asked
    from vna.render.slide.pyramid import Pyramid
    from vna.render.slide.view import View

REMEMBERED = 16  # slides; a tile of one takes 16 bytes
TILES_BYTES = 256 << 20  # of stored tiles that one picture may need


@dataclass(frozen=True)
class _Known:
    """What is remembered of a slide; `descriptions`: of each instance's pixels, None of those that
    are no part of it."""

    pyramid: Pyramid
    descriptions: Sequence[dict[str, Any] | None]


@dataclass(frozen=True)
class Slide:
    """A series and its levels. `etag` changes with any instance of it."""

    stored: Sequence[Stored]
    known: _Known
    etag: str

    @property
    def pyramid(self) -> Pyramid:
        """Its levels."""
        return self.known.pyramid


class Slides:
    """Thread-safe."""

    def __init__(self, retrieve: Retrieve, decoders: Decoders, renditions: Renditions) -> None:
        self._retrieve, self._decoders, self._renditions = retrieve, decoders, renditions
        self._known: OrderedDict[str, _Known | None] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, caller: Caller, study_uid: str, series_uid: str) -> Slide:
        """The slide of a series; raises `NotFound` where it is none."""
        stored = self._retrieve.instances(caller, study_uid, series_uid, purpose="slide")
        etag = "-".join(each.etag for each in stored)
        known = self._remembered(etag, stored)
        if known is None:
            raise NotFound("the series has no whole-slide image")
        return Slide(stored, known, etag)

    def picture(self, slide: Slide, asked: Asked) -> bytes:
        """A region as JPEG or PNG; a stored tile as it is where it is what is asked.

        Raises `InvalidValue`, `Undecodable`, `DecoderFailed`.
        """
        from vna.render.slide.compose import shown_by_browsers
        from vna.render.slide.view import view

        found = view(slide.pyramid, asked)
        if found.alone:
            tile = self._tile(slide, found, 0)
            description = slide.known.descriptions[found.pieces[0].part] or {}
            if shown_by_browsers(tile, str(description.get("photometric")), found.tile):
                return tile
        key = {
            "slide": found.facts(),
            "of": [[slide.stored[each.part].etag, each.frame] for each in found.pieces],
        }
        return self._renditions.get(key, lambda: self._made(slide, found)).data

    def _made(self, slide: Slide, found: View) -> Rendition:
        room = TILES_BYTES
        tiles: list[bytes] = []
        for at in range(len(found.pieces)):
            tiles.append(self._tile(slide, found, at))
            room -= len(tiles[-1])
            if room < 0:
                raise NotAcceptable("the region needs too many bytes of stored tiles")
        sources = [
            [self._syntax(slide.stored[each.part]), slide.known.descriptions[each.part]]
            for each in found.pieces
        ]
        facts = found.facts() | {"sources": sources}
        return Rendition(*self._decoders.run("compose-slide", facts, *tiles))

    def _tile(self, slide: Slide, found: View, at: int) -> bytes:
        piece = found.pieces[at]
        (payload,) = self._retrieve.frames(slide.stored[piece.part], [piece.frame])
        return b"".join(payload.chunks())

    def _syntax(self, stored: Stored) -> str:
        (payload,) = self._retrieve.frames(stored, [1])
        return payload.transfer_syntax

    def _remembered(self, etag: str, stored: Sequence[Stored]) -> _Known | None:
        with self._lock:
            if etag in self._known:
                self._known.move_to_end(etag)
                return self._known[etag]
        known = _read(stored)
        with self._lock:
            self._known[etag] = known
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return known


def _read(stored: Sequence[Stored]) -> _Known | None:
    # They load numpy, which reading as stored does not need.
    from vna.pixels.description import PixelDescription
    from vna.render.slide.pyramid import pyramid
    from vna.render.slide.tiles import WHOLE_SLIDE, tiles_of

    tiles, descriptions = [], []
    for each in stored:
        found, description = None, None
        if each.sop_class == WHOLE_SLIDE and each.frames:
            elements = read_elements(each.header)
            try:
                description = PixelDescription.of(elements, each.anatomy.pixel_tag).facts()
                found = tiles_of(Item.of(elements), each.frames)
            except MalformedObject:
                found = None
        tiles.append(found)
        descriptions.append(description)
    levels = pyramid(tiles)
    return _Known(levels, descriptions) if levels is not None else None
