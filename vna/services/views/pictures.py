"""Frames as pictures, alone, as a moving GIF, or as a presentation state shows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vna.decoders import Decoders
from vna.dicom.anatomy import Kind
from vna.dicom.elements import read_elements
from vna.dicom.item import Item
from vna.dicom.transfer_syntax import transfer_syntax
from vna.errors import NotAcceptable, NotFound, Undecodable
from vna.services.data_set import data_set
from vna.services.renditions import Rendition, Renditions
from vna.services.retrieve import Retrieve
from vna.services.stored import Stored
from vna.services.transcode import LARGEST_FRAME
from vna.services.views import parameters
from vna.services.views.asked import asked_of, thumbnail
from vna.services.views.view import View, disposition, whole

if TYPE_CHECKING:
    from vna.render.image.asked import Asked

JPEG, PNG, GIF, JP2 = "image/jpeg", "image/png", "image/gif", "image/jp2"
MEDIA_TYPES = (JPEG, GIF, PNG, JP2)
ANIMATED_FRAMES = 500  # of one GIF; each is made before the first is sent
ANIMATED_BYTES = 128 << 20  # of its pictures as PNG
_SUFFIX = {JPEG: "jpg", PNG: "png", GIF: "gif", JP2: "jp2"}
_PHOTOMETRIC, _FRAME_TIME, _CINE_RATE, _RATE = 0x00280004, 0x00181063, 0x00180040, 0x00082144
_MILLISECONDS = 100.0  # of a frame where nothing is said


class Pictures:
    """Draws frames in the decoders' pool; what was drawn is kept."""

    parameters = ("annotation", "iccprofile", "overlays", "quality", "viewport", "window")

    def __init__(self, retrieve: Retrieve, decoders: Decoders, renditions: Renditions) -> None:
        self._retrieve, self._decoders, self._renditions = retrieve, decoders, renditions

    def show(
        self,
        stored: Stored,
        number: int,
        media_type: str,
        asked: Mapping[str, str],
        state: Stored | None = None,
    ) -> View:
        """Frame `number`, from 1, under one of `MEDIA_TYPES`; `state`: by that presentation state.

        Raises `InvalidValue`, `UnknownName`, `NotFound`, `Undecodable`, `NotAcceptable`,
        `DecoderFailed`, `Damaged`.
        """
        parameters.refuse_others(asked, self.parameters)
        read, warning = asked_of(asked, media_type, presented=state is not None)
        if read.window is not None and not _monochrome(stored):
            warning = warning or "the image has colours: no window was applied to it"
        made = self._made(stored, number, read, state)
        name = disposition(stored, _SUFFIX[media_type])
        return View(media_type, whole(made.data), (name,), warning)

    def small(self, stored: Stored, number: int, media_type: str, size: tuple[int, int]) -> View:
        """A picture of at most `size`, on which nothing is written. Raises as `show` does."""
        made = self._made(stored, number, thumbnail(media_type, size), None)
        name = disposition(stored, _SUFFIX[media_type])
        return View(media_type, whole(made.data), (name,))

    def moving(self, stored: Stored, asked: Mapping[str, str]) -> View:
        """All frames as one GIF, as fast as they were taken. Raises `NotAcceptable` for too many,
        and as `show` does."""
        parameters.refuse_others(asked, self.parameters)
        asked_of(asked, GIF)  # what GIF cannot have is refused
        read, warning = asked_of(asked, PNG)
        if stored.frames > ANIMATED_FRAMES:
            raise NotAcceptable(f"more than {ANIMATED_FRAMES} frames are not put into one GIF")
        facts = {"milliseconds": _milliseconds(stored)}

        def make() -> Rendition:
            pictures, room = [], ANIMATED_BYTES
            for number in range(1, stored.frames + 1):
                pictures.append(self._made(stored, number, read, None).data)
                room -= len(pictures[-1])
                if room < 0:
                    raise NotAcceptable("the frames are too large for one GIF; ask for some")
            return Rendition(*self._decoders.run("animation", facts, *pictures))

        key = {"animation": facts, "asked": read.facts(), "of": stored.etag}
        made = self._renditions.get(key, make)
        return View(GIF, whole(made.data), (disposition(stored, "gif"),), warning)

    def _made(self, stored: Stored, number: int, asked: Asked, state: Stored | None) -> Rendition:
        stored.anatomy.frame(number)  # raises `NotFound`

        def make() -> Rendition:
            (payload,) = self._retrieve.frames(stored, [number])
            if payload.size is None or payload.size > LARGEST_FRAME:
                raise Undecodable(f"a frame of more than {LARGEST_FRAME} bytes is not drawn")
            facts = {
                "asked": asked.facts(),
                "number": number,
                "syntax": payload.transfer_syntax,
                "pixel_tag": stored.anatomy.pixel_tag,
                "largest": LARGEST_FRAME,
            }
            blobs = [self._header(stored), b"".join(payload.chunks())]
            if state is not None:
                blobs.append(self._header(state))
            return Rendition(*self._decoders.run("picture", facts, *blobs))

        key = {
            "picture": asked.facts(),
            "frame": number,
            "of": stored.etag,
            "state": state and state.etag,
        }
        return self._renditions.get(key, make)

    def _header(self, stored: Stored) -> bytes:
        """The header as it is where nothing is corrected or cut out but the pixel data."""
        if not stored.edits and len(stored.header.cuts) <= (stored.anatomy.kind is not Kind.NONE):
            return stored.header_bytes
        return data_set(self._retrieve.values(stored), stored)


def drawn(stored: Stored) -> bool:
    """Whether an instance has frames that can be drawn at all."""
    return bool(stored.frames) and not transfer_syntax(stored.transfer_syntax).video


def check_frames(stored: Stored, numbers: list[int]) -> None:
    """Raise `NotFound` for a frame that is not there, `NotAcceptable` for one of a video."""
    for number in numbers:
        stored.anatomy.frame(number)
    if not stored.frames:
        raise NotFound("the object has no frames")
    if not drawn(stored):
        raise NotAcceptable("single frames of a video are not drawn; it is had as a whole")


def _monochrome(stored: Stored) -> bool:
    item = Item.of(read_elements(stored.header))
    return item.first(_PHOTOMETRIC).upper().startswith("MONOCHROME")


def _milliseconds(stored: Stored) -> float:
    """How long a frame is shown (PS3.3 §C.7.6.5)."""
    item = Item.of(read_elements(stored.header))
    rate = item.number(_CINE_RATE) or item.number(_RATE)
    found = item.number(_FRAME_TIME) or (1000 / rate if rate and rate > 0 else None)
    return found if found and found > 0 else _MILLISECONDS
