"""Pages of a recording in a media type: what the decoders' pool does for a waveform."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from vna.dicom.item import Item
from vna.errors import Undecodable
from vna.render.waveform.draw import draw
from vna.render.waveform.layout import Layout, Pages, Scale
from vna.render.waveform.pdf import pdf
from vna.render.waveform.png import DPI, jpeg, png
from vna.render.waveform.recording import recording
from vna.render.waveform.samples import values
from vna.render.waveform.sheet import Sheet
from vna.render.waveform.svg import svg

SVG, PNG, JPEG, PDF = "image/svg+xml", "image/png", "image/jpeg", "application/pdf"


@dataclass(frozen=True, slots=True)
class Paper:
    """What is to be made. `pages`: their numbers from 1, in order; only a PDF may be of several.
    `patient` and `notes`: whether the patient is named, and the findings of the device told."""

    media_type: str
    pages: tuple[int, ...]
    scale: Scale = field(default_factory=Scale)
    dpi: int = DPI
    quality: int = 90
    patient: bool = False
    notes: bool = False

    def facts(self) -> dict[str, Any]:
        """As JSON has it."""
        scale = self.scale
        return {
            "media_type": self.media_type,
            "pages": list(self.pages),
            "layout": scale.layout,
            "speed": scale.speed,
            "gain": scale.gain,
            "start": scale.start,
            "seconds": scale.seconds,
            "dpi": self.dpi,
            "quality": self.quality,
            "patient": self.patient,
            "notes": self.notes,
        }

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> Paper:
        """What `facts` gave."""
        layout: Layout = facts["layout"]
        scale = Scale(layout, facts["speed"], facts["gain"], facts["start"], facts["seconds"])
        return cls(facts["media_type"], tuple(facts["pages"]), scale, facts["dpi"],
                   facts["quality"], facts["patient"], facts["notes"])  # fmt: skip


def render(facts: dict[str, Any], blobs: list[bytes]) -> tuple[dict[str, Any], bytes]:
    """The task. `blobs`: the encoded header, its samples cut out, then the samples of each page's
    window. Raises `Undecodable`, `NotAcceptable`."""
    wanted = Paper.from_facts(facts)
    made = sheets(Item.decode(blobs[0]), wanted, blobs[1:])
    match wanted.media_type:
        case "image/svg+xml":
            return {}, svg(next(made))
        case "image/png":
            return {}, png(next(made), wanted.dpi)
        case "image/jpeg":
            return {}, jpeg(next(made), wanted.dpi, wanted.quality)
        case _:
            return {}, pdf(made)


def sheets(data_set: Item, wanted: Paper, windows: Sequence[bytes]) -> Iterator[Sheet]:
    """Yield each wanted page; `windows`: the samples of each, see `Plan.window`."""
    found = recording(data_set)
    pages = Pages(found, wanted.scale)
    for number, window in zip(wanted.pages, windows, strict=True):
        try:
            plan = pages.plan(number)
        except IndexError:
            raise Undecodable(f"there is no page {number}") from None
        yield draw(
            found,
            plan,
            wanted.scale,
            values(plan.group, window),
            page=(number, len(pages)),
            patient=wanted.patient,
            notes=wanted.notes,
        )
