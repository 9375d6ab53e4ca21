"""Small pictures of everything, which never say whose they are (PS3.18 §10.4.1.1.5).

Images without what lies over them, waveforms without words, and for what has text in it (documents,
reports, videos) a neutral picture. Where pixels have words burned in, the picture is so small that
nobody can read them; the label of a slide, which may be large, is not shown at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vna.decoders import Decoders
from vna.dicom.elements import read_elements
from vna.dicom.item import Item
from vna.errors import InvalidValue, NotAcceptable
from vna.services.renditions import Rendition, Renditions
from vna.services.stored import Stored
from vna.services.views import parameters
from vna.services.views.kind import Kind, kind_of
from vna.services.views.pictures import GIF, JPEG, PNG, Pictures, drawn
from vna.services.views.view import View, Viewer, disposition, whole

MEDIA_TYPES = (JPEG, GIF, PNG)
SIZE, LARGEST = (128, 128), 1024  # pixels
UNREADABLE = 96  # pixels of the longer side of an image with words in it
_IMAGE_TYPE, _BURNED_IN, _LABEL = 0x00080008, 0x00280301, 0x00480010
_REPRESENTATIVE = 0x00286010
_SUFFIX = {JPEG: "jpg", GIF: "gif", PNG: "png"}


class Thumbnails:
    """`waveforms`: who draws them."""

    def __init__(
        self,
        pictures: Pictures,
        waveforms: Viewer,
        decoders: Decoders,
        renditions: Renditions,
    ) -> None:
        self._pictures, self._waveforms = pictures, waveforms
        self._decoders, self._renditions = decoders, renditions

    def of(
        self, stored: Stored, number: int | None, media_type: str, asked: Mapping[str, str]
    ) -> View:
        """The picture of an instance, or of one frame. `media_type`: of `MEDIA_TYPES`.

        What no codec reads has the neutral picture as well. Raises `InvalidValue`, `UnknownName`,
        `NotFound`, `DecoderFailed`, `Damaged`.
        """
        parameters.refuse_others(asked, ("viewport",))
        size = parameters.viewport(asked) or SIZE
        if max(size) > LARGEST:
            raise InvalidValue("viewport", asked["viewport"], f"be at most {LARGEST} pixels wide")
        if number is not None:
            stored.anatomy.frame(number)  # raises `NotFound`
        kind = kind_of(stored)
        item = Item.of(read_elements(stored.header))
        try:
            if kind is Kind.IMAGE and drawn(stored) and not _label(item):
                number = number or representative(stored)
                return self._pictures.small(stored, number, media_type, _unread(item, size))
            if kind is Kind.WAVEFORM and media_type != GIF:
                return self._waveforms.show(
                    stored, media_type, {"viewport": f"{size[0]},{size[1]}"}
                )
        except NotAcceptable:
            pass
        return self._neutral(stored, kind, media_type, size)

    def _neutral(self, stored: Stored, kind: Kind, media_type: str, size: tuple[int, int]) -> View:
        facts = {"kind": kind.value, "size": list(size), "media_type": media_type}

        def make() -> Rendition:
            return Rendition(*self._decoders.run("poster", facts))

        made = self._renditions.get({"poster": facts}, make)
        return View(media_type, whole(made.data), (disposition(stored, _SUFFIX[media_type]),))


def representative(stored: Stored) -> int:
    """The frame that stands for all: as the object says, else the middle one."""
    said = Item.of(read_elements(stored.header)).integer(_REPRESENTATIVE)
    return said if 1 <= said <= stored.frames else (stored.frames + 1) // 2


def chosen(stored: Sequence[Stored]) -> Stored:
    """The instance that stands for a series or a study: the middle one of the images of the first
    series that has some, else the first that is seen at all."""
    images = [each for each in stored if kind_of(each) is Kind.IMAGE and drawn(each)]
    if not images:
        return next((each for each in stored if kind_of(each) is not Kind.OTHER), stored[0])
    series = [each for each in images if each.series_uid == images[0].series_uid]
    overview = [each for each in series if _flavour(each) in ("THUMBNAIL", "OVERVIEW")]
    return overview[0] if overview else series[(len(series) - 1) // 2]


def _flavour(stored: Stored) -> str:
    types = Item.of(read_elements(stored.header)).texts(_IMAGE_TYPE)
    return types[2].upper() if len(types) > 2 else ""


def _label(item: Item) -> bool:
    types = [each.upper() for each in item.texts(_IMAGE_TYPE)]
    return "LABEL" in types[2:] or item.first(_LABEL).upper() == "YES"


def _unread(item: Item, size: tuple[int, int]) -> tuple[int, int]:
    if item.first(_BURNED_IN).upper() != "YES":
        return size
    return min(size[0], UNREADABLE), min(size[1], UNREADABLE)
