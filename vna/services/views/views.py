"""Everything of an instance that can be seen, each with who shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from vna.decoders import Decoders
from vna.errors import InvalidValue
from vna.model.caller import Caller
from vna.services.renditions import Renditions
from vna.services.retrieve import Retrieve
from vna.services.stored import Stored
from vna.services.views import pictures
from vna.services.views.documents import EncapsulatedDocuments
from vna.services.views.kind import Kind, kind_of
from vna.services.views.pictures import GIF, Pictures, check_frames, drawn
from vna.services.views.presentations import Presentations
from vna.services.views.reports import Reports
from vna.services.views.thumbnails import Thumbnails, representative
from vna.services.views.videos import Videos
from vna.services.views.view import View, Viewer
from vna.services.views.waveforms import Waveforms


@dataclass(frozen=True, slots=True)
class Showing:
    """One thing that can be seen. `path`: below its instance, "/frames/3/rendered"; `media_types`:
    under which it is given, the default first; `show`: one of them, and those query `parameters`
    by name, see `Viewer.show`; `etag`: changes with everything that it is made of."""

    stored: Stored
    path: str
    media_types: Sequence[str]
    show: Callable[[str, Mapping[str, str]], View]
    etag: str
    parameters: tuple[str, ...] = Pictures.parameters


class Views:
    """The table. `studies_url`: the absolute URL below which studies are."""

    def __init__(
        self, retrieve: Retrieve, decoders: Decoders, renditions: Renditions, studies_url: str
    ) -> None:
        self._pictures = Pictures(retrieve, decoders, renditions)
        self._presentations = Presentations(retrieve)
        waveforms = Waveforms(retrieve, decoders, renditions)
        self._viewers: dict[Kind, Viewer] = {
            Kind.DOCUMENT: EncapsulatedDocuments(retrieve, decoders, renditions),
            Kind.REPORT: Reports(retrieve, decoders, renditions, studies_url),
            Kind.VIDEO: Videos(retrieve, renditions),
            Kind.WAVEFORM: waveforms,
        }
        self.thumbnails = Thumbnails(self._pictures, waveforms, decoders, renditions)

    def of(self, stored: Stored) -> list[Showing]:
        """Every frame of an image, or the one view of something else. Empty for what is not seen by
        itself: a presentation state, and what nobody shows."""
        if drawn(stored):
            return self.frames(stored, range(1, stored.frames + 1))
        viewer = self._viewers.get(kind_of(stored))
        if viewer is None:
            return []
        show = partial(viewer.show, stored)
        return [
            Showing(
                stored,
                "/rendered",
                viewer.media_types(stored),
                show,
                stored.etag,
                viewer.parameters,
            )
        ]

    def frames(
        self, stored: Stored, numbers: Sequence[int], state: Stored | None = None
    ) -> list[Showing]:
        """Frames by their numbers, from 1; `state`: by that presentation state. Raises `NotFound`,
        `NotAcceptable`."""
        check_frames(stored, list(numbers))

        def show(number: int, media_type: str, asked: Mapping[str, str]) -> View:
            return self._pictures.show(stored, number, media_type, asked, state)

        etag = stored.etag if state is None else f"{stored.etag} {state.etag}"
        return [
            Showing(
                stored,
                f"/frames/{number}/rendered" if stored.frames > 1 else "/rendered",
                pictures.MEDIA_TYPES,
                partial(show, number),
                etag,
            )
            for number in numbers
        ]

    def alone(self, stored: Stored) -> list[Showing]:
        """A multi-frame image as one thing: moving, or the frame that stands for all of them."""
        if not drawn(stored) or stored.frames < 2:
            return []
        moving = partial(self._pictures.moving, stored)
        number = representative(stored)
        still = self.frames(stored, [number])[0].show
        warning = f"frame {number} of {stored.frames} is shown; the others are below /frames"

        def show(media_type: str, asked: Mapping[str, str]) -> View:
            view = still(media_type, asked)
            return View(view.media_type, view.payload, view.headers, view.warning or warning)

        return [
            Showing(stored, "/rendered", (GIF,), lambda _, asked: moving(asked), stored.etag),
            Showing(stored, "/rendered", pictures.MEDIA_TYPES, show, stored.etag),
        ]

    def presented(self, caller: Caller, state: Stored) -> list[Showing]:
        """Every image of a presentation state, as it says. Raises as `Presentations.shown` does."""
        found = self._presentations.shown(caller, state)
        return [self.frames(image, [number], state)[0] for image, number in found]

    def state_of(self, caller: Caller, image: Stored, asked: dict[str, str]) -> Stored | None:
        """The presentation state that two parameters of `asked` name, which are taken out of it.

        Raises `InvalidValue`, `NotFound`.
        """
        names = ("presentationSeriesUID", "presentationUID")
        series, uid = (asked.pop(name, None) for name in names)
        if series is None and uid is None:
            return None
        if not series or not uid:
            raise InvalidValue(names[1], uid or "", f"stand beside {names[0]}")
        return self._presentations.state(caller, image.study_uid, series, uid, image)


def is_presentation(stored: Stored) -> bool:
    """Whether what is seen of an instance are the images that it names."""
    return kind_of(stored) is Kind.PRESENTATION
