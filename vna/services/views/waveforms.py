"""Waveforms on paper: SVG, PNG, JPEG and PDF at true scale.

Beyond the parameters of PS3.18: `layout` (auto, 3x4, 12x1, stack), `speed` (mm/s), `gain` (mm/mV),
`time` (start, or start and length, in seconds), `page`, `dpi` (of pictures).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vna.decoders import Decoders
from vna.dicom.item import Item
from vna.errors import InvalidValue, NotFound, Undecodable
from vna.services.data_set import data_set
from vna.services.renditions import Rendition, Renditions
from vna.services.retrieve import Retrieve
from vna.services.stored import Stored
from vna.services.values import Values
from vna.services.views import parameters
from vna.services.views.view import View, disposition, whole

SAMPLES_MOST = 64 << 20  # bytes of samples that one document may need
PAGES_MOST = 50  # of one PDF; the next begins with page=51
SPEEDS, GAINS = (5.0, 10.0, 12.5, 25.0, 50.0, 100.0), (2.5, 5.0, 10.0, 20.0, 40.0)
MEDIA_TYPES = ("image/svg+xml", "image/png", "image/jpeg", "application/pdf")
_SUFFIX = dict(zip(MEDIA_TYPES, ("svg", "png", "jpg", "pdf"), strict=True))
_DATA = 0x54001010


class Waveforms:
    """Draws what has a Waveform Sequence."""

    parameters = (
        "annotation",
        "dpi",
        "gain",
        "iccprofile",
        "layout",
        "page",
        "quality",
        "speed",
        "time",
        "viewport",
    )

    def __init__(self, retrieve: Retrieve, decoders: Decoders, renditions: Renditions) -> None:
        self._retrieve, self._decoders, self._renditions = retrieve, decoders, renditions

    def media_types(self, stored: Stored) -> tuple[str, ...]:
        """See `Viewer`."""
        return MEDIA_TYPES

    def show(self, stored: Stored, media_type: str, asked: Mapping[str, str]) -> View:
        """See `Viewer`. A PDF has every page, or those from `page`, as many as `PAGES_MOST`."""
        # They load numpy, which reading as stored does not need.
        from vna.render.waveform.layout import LAYOUTS, Pages, Scale
        from vna.render.waveform.paper import Paper
        from vna.render.waveform.recording import recording

        parameters.refuse_others(asked, self.parameters)
        start, seconds = parameters.window(asked, "time")
        layout = next(
            each for each in LAYOUTS if each == parameters.word(asked, "layout", "auto", LAYOUTS)
        )
        speed = parameters.number(asked, "speed", 25.0, SPEEDS)
        gain = parameters.number(asked, "gain", 10.0, GAINS)
        scale = Scale(layout, speed, gain, start, seconds)
        words, warning = parameters.written(asked)
        values = self._retrieve.values(stored)
        header = data_set(values, stored, leave=(_DATA,))
        pages = Pages(recording(Item.decode(header)), scale)
        if not len(pages):
            raise InvalidValue("time", asked.get("time", ""), "begin before the recording ends")
        first = parameters.integer(asked, "page", 1, 1, 10_000_000)
        if first > len(pages):
            raise NotFound(f"there is no page {first}; the recording has {len(pages)}")
        several = media_type == "application/pdf" and "page" not in asked
        last = min(len(pages), PAGES_MOST if several else first)
        numbers = range(first, last + 1)
        if several and last < len(pages):
            warning = warning or f"pages 1 to {last} of {len(pages)}; page= gives any of them"
        plans = [pages.plan(number) for number in numbers]
        paper = Paper(
            media_type,
            tuple(numbers),
            scale,
            _dpi(asked, plans[0].height),
            parameters.integer(asked, "quality", 90, 1, 100),
            "patient" in words,
            "technique" in words,
        )
        windows = [(plan.group.number, plan.group.stride, *plan.window) for plan in plans]
        if sum(stride * count for _, stride, _, count in windows) > SAMPLES_MOST:
            raise Undecodable("the pages have too many samples; ask for a part with time= or page=")

        def make() -> Rendition:
            samples = _samples(values, windows)
            return Rendition(*self._decoders.run("waveform", paper.facts(), header, *samples))

        key = {"waveform": paper.facts(), "of": stored.etag}
        made = self._renditions.get(key, make)
        name = disposition(stored, _SUFFIX[media_type])
        return View(media_type, whole(made.data), (name,), warning)


def _samples(values: Values, windows: Sequence[tuple[int, int, int, int]]) -> list[bytes]:
    """The samples of each page. Only its moments are read."""
    found = []
    for number, stride, first, count in windows:
        payload = values.at(f"54000100/{number}/54001010")
        found.append(b"".join(payload.chunks(first * stride, count * stride)))
    return found


def _dpi(asked: Mapping[str, str], height: int) -> int:
    """Dots per inch: as asked, or so that the paper fits the viewport."""
    size = parameters.viewport(asked)
    dpi = parameters.integer(asked, "dpi", 150, 20, 600)
    if size is None:
        return dpi
    return max(20, min(600, int(size[0] / 297 * 25.4), int(size[1] / height * 25.4)))
