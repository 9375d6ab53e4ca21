"""Videos as browsers play them: MPEG-4 as stored, bare H.264 put into it, others as they are."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from vna.dicom.elements import read_elements
from vna.dicom.item import Item
from vna.errors import Undecodable
from vna.services.payload import Payload
from vna.services.renditions import Rendition, Renditions
from vna.services.retrieve import Retrieve
from vna.services.stored import Stored
from vna.services.views import parameters
from vna.services.views.view import View, disposition

if TYPE_CHECKING:
    from vna.render.video.remux import Mp4

MP4 = "video/mp4"
_WINDOW = 1 << 20
_SUFFIX = {MP4: "mp4", "video/mpeg": "mpg", "video/mp2t": "ts", "video/quicktime": "mov",
           "video/h264": "h264", "video/h265": "h265", "video/x-matroska": "mkv"}  # fmt: skip


class Videos:
    """Shows what is stored in a video transfer syntax; nothing is decoded."""

    parameters = ("annotation", "iccprofile", "quality", "viewport")

    def __init__(self, retrieve: Retrieve, renditions: Renditions) -> None:
        self._retrieve, self._renditions = retrieve, renditions

    def media_types(self, stored: Stored) -> tuple[str, ...]:
        """See `Viewer`. By what the stream is, whatever its transfer syntax says."""
        found = self._container(stored)
        if found == "video/h264" and self._remuxed(stored) is not None:
            return (MP4, found)
        return (found,)

    def show(self, stored: Stored, media_type: str, asked: Mapping[str, str]) -> View:
        """See `Viewer`. Any range of it can be had."""
        parameters.refuse_others(asked, self.parameters)
        _, warning = parameters.written(asked)
        payload = self._stream(stored)
        if media_type == MP4 and self._container(stored) != MP4:
            remuxed = self._remuxed(stored)
            if remuxed is None:
                raise Undecodable("the video cannot be put into MPEG-4")
            payload = _read(remuxed, _Source(payload))
        suffix = _SUFFIX.get(media_type, "bin")
        return View(media_type, payload, (disposition(stored, suffix),), warning)

    def _stream(self, stored: Stored) -> Payload:
        (payload,) = self._retrieve.frames(stored, [1])
        return payload

    def _container(self, stored: Stored) -> str:
        from vna.render.video.container import SNIFFED, container_of

        return container_of(b"".join(self._stream(stored).chunks(0, SNIFFED))).value

    def _remuxed(self, stored: Stored) -> Mp4 | None:
        """Where the units of bare H.264 lie; None where it cannot be put into MPEG-4."""
        from vna.render.video.remux import Mp4, to_mp4

        def make() -> Rendition:
            try:
                found = to_mp4(_Source(self._stream(stored)), _rate(stored))
            except Undecodable as error:
                return Rendition({"refused": str(error)}, b"")
            return Rendition({}, found.encode())

        made = self._renditions.get({"mp4": 1, "of": stored.etag}, make)
        return None if "refused" in made.facts else Mp4.decode(made.data)


class _Source:
    """The fragments put together, read through a window."""

    def __init__(self, payload: Payload) -> None:
        self._payload = payload
        self.size = payload.size or 0
        self._begin, self._window = 0, b""

    def read(self, offset: int, length: int) -> bytes:
        """See `vna.dicom.source.Source`."""
        at = offset - self._begin
        if at < 0 or at + length > len(self._window):
            self._begin = max(0, offset - 4096)  # the end of a unit is looked for backwards
            wanted = max(_WINDOW, length + 4096)
            self._window = b"".join(self._payload.chunks(self._begin, wanted))
            at = offset - self._begin
        return self._window[at : at + length]


def _read(file: Mp4, source: _Source) -> Payload:
    return Payload("", file.size, lambda start, length: file.read(source, start, length))


def _rate(stored: Stored) -> Fraction | None:
    """Frames a second that the data set says: Cine Rate, Frame Time or what is recommended."""
    item = Item.of(read_elements(stored.header))
    milliseconds = item.number(0x00181063)
    rate = item.number(0x00180040) or item.number(0x00082144)
    if rate is None and milliseconds:
        rate = 1000 / milliseconds
    if rate is None or not 0.01 <= rate <= 1000:
        return None
    return Fraction(rate).limit_denominator(1001)
