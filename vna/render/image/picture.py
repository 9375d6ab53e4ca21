"""One frame as a picture: a task of the decoders, and the order of the stages (PS3.4 §N.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from vna.dicom.item import Item
from vna.dicom.transfer_syntax import transfer_syntax
from vna.errors import MalformedObject, Undecodable
from vna.pixels.decode import decode
from vna.pixels.description import PixelDescription
from vna.pixels.native import Decoded
from vna.render.image import graphics
from vna.render.image.annotation import annotated
from vna.render.image.asked import Asked, Viewport
from vna.render.image.aspect import aspect_of_frame
from vna.render.image.colour import red_green_blue
from vna.render.image.encode import as_colour, encode
from vna.render.image.frame_attributes import FrameAttributes
from vna.render.image.gray import GrayPipeline, Levels
from vna.render.image.lookup import Array
from vna.render.image.modality import Modality, modality_of, modality_of_frame
from vna.render.image.overlay import Overlay, overlays_of
from vna.render.image.padding import padding_of
from vna.render.image.palette import has_palette, palette_of, supplemental
from vna.render.image.placement import Placement, fitted
from vna.render.image.presentation_lut import presentation_of, presentation_of_image
from vna.render.image.presentation_state import PresentationState
from vna.render.image.profile import converted, named, profile_of
from vna.render.image.shutter import bitmap_group, shutter_of, shutter_of_frame
from vna.render.image.voi import Span, Voi, Window, voi_of, voi_of_frame

_ACTIVATION, _SOP_UID = 0x60001001, 0x00080018


def picture(facts: dict[str, Any], blobs: list[bytes]) -> tuple[dict[str, Any], bytes]:
    """The task. `facts`: `asked` (`Asked.facts`), `number` of the frame from 1, its transfer
    `syntax`, `pixel_tag`, `largest` bytes of it decoded. `blobs`: the encoded header of the
    image, the frame, and the header of a presentation state where one is asked for.

    Returned facts: `columns`, `rows`. Raises `Undecodable`, `NotAcceptable`.
    """
    asked = Asked.from_facts(facts["asked"])
    header, frame, *states = blobs
    item = _item(header)
    try:
        description = PixelDescription.of(item.elements, facts["pixel_tag"])
    except MalformedObject as error:
        raise Undecodable(str(error)) from error
    decoded = decode(frame, facts["syntax"], description, largest=facts["largest"])
    state = None
    if states:
        state = PresentationState(_item(states[0]), item.first(_SOP_UID), facts["number"])
    shown = _Frame(
        FrameAttributes(item, facts["number"]), frame, facts["syntax"], decoded, description, state
    )
    levels = shown.picture(asked)
    profile = None
    if asked.profile != "no":
        levels, profile = _profiled(levels, item, frame, asked.profile)
    data = encode(levels, asked.media_type, asked.quality, profile)
    return {"columns": levels.shape[1], "rows": levels.shape[0]}, data


@lru_cache(maxsize=4)
def _item(header: bytes) -> Item:
    """Kept for the next frame: the header of a multi-frame object may take a second to read."""
    return Item.decode(header)


@dataclass(frozen=True)
class _Frame:
    """A decoded frame and all that is said of it."""

    attributes: FrameAttributes
    encoded: bytes
    syntax: str
    decoded: Decoded
    description: PixelDescription
    state: PresentationState | None

    def picture(self, asked: Asked) -> Levels:
        item, state = self.attributes.whole, self.state
        window = None
        if asked.window is not None:
            window = Window(asked.window.center, asked.window.width, asked.window.function)
        voi = window or (self._voi() if self._gray else None)
        levels = self._levels(voi)
        overlays = () if asked.thumbnail or not asked.overlays else self._overlays()
        levels = self._covered(levels, overlays)
        levels = _drawn(levels, overlays, state)
        placement = self._placement(asked.viewport)
        shown = placement(levels, self.description.rows, self.description.columns)
        if state is not None and not asked.thumbnail:
            shown = graphics.draw(shown, state, placement)
        if asked.annotation:
            used = voi if isinstance(voi, Window) else None
            shown = annotated(
                shown, item, asked.annotation, number=self.attributes.number, window=used
            )
        return shown

    @property
    def _gray(self) -> bool:
        return self.description.samples == 1 and self.decoded.photometric != "PALETTE COLOR"

    def _levels(self, voi: Voi | None) -> Levels:
        """Gray, or red, green and blue, of every sample."""
        item, pixels, description = self.attributes.whole, self.decoded.pixels, self.description
        if description.samples != 1:
            return red_green_blue(self.decoded, description).copy()
        if not self._gray:
            return palette_of(item, signed=description.signed)(pixels)
        pipeline = self._pipeline(voi)
        if self.state is not None and has_palette(self.state.item):
            palette = palette_of(self.state.item, signed=False)
            return palette.shaded(pipeline.shade(pixels, description))
        levels = pipeline.levels(pixels, description)
        if self.state is None and supplemental(item):
            palette = palette_of(item, signed=description.signed)
            coloured = pixels >= palette.first
            levels = as_colour(levels)
            levels[coloured] = palette(pixels[coloured])
        return levels

    def _pipeline(self, voi: Voi | None) -> GrayPipeline:
        attributes, signed = self.attributes, self.description.signed
        padding = padding_of(attributes.whole, self.description)
        if self.state is None:
            modality = modality_of_frame(attributes, signed=signed)
            presentation = presentation_of_image(attributes.whole)
        else:
            modality = modality_of(self.state.item, signed=signed)
            voi = voi or _all_values(modality, self.description)  # absent is no step at all
            presentation = presentation_of(self.state.item)
        return GrayPipeline(modality, voi, presentation, padding)

    def _voi(self) -> Voi | None:
        if self.state is None:
            return voi_of_frame(self.attributes)
        found = self.state.voi()
        return None if found is None else voi_of(found)

    def _overlays(self) -> tuple[Overlay, ...]:
        """Of an image all; with a presentation state those that it activates, and its own."""
        number = self.attributes.number
        own = overlays_of(self.attributes.whole, number, self._all_bits())
        if self.state is None:
            return own
        item = self.state.item
        active = {
            each.group: layer
            for each in own
            if (layer := item.first(_ACTIVATION + ((each.group - 0x6000) << 16)))
        }
        activated = tuple(
            Overlay(each.group, each.top, each.left, each.bits, active[each.group])
            for each in own
            if each.group in active
        )
        return (*activated, *overlays_of(item, number))

    def _all_bits(self) -> Callable[[], Array] | None:
        """The samples with the bits that are not stored ones; None where codecs drop them."""
        description = self.description
        if transfer_syntax(self.syntax).encapsulated or description.allocated not in (16, 32):
            return None
        kind = f"<u{description.allocated // 8}"
        shape, count = description.shape, description.frame_samples
        return lambda: np.frombuffer(self.encoded, kind, count).reshape(shape)

    def _covered(self, levels: Levels, overlays: tuple[Overlay, ...]) -> Levels:
        if self.state is None:
            shutter = shutter_of_frame(self.attributes)
        else:
            shutter = shutter_of(self.state.item, overlays)
        if shutter is None:
            return levels
        levels = np.array(levels)
        shutter.cover(levels, self.description.rows, self.description.columns)
        return levels

    def _placement(self, viewport: Viewport | None) -> Placement:
        rows, columns = self.description.rows, self.description.columns
        size = None if viewport is None else (viewport.width, viewport.height)
        if self.state is not None:
            area = self.state.area()
            box = (0.0, 0.0, float(columns), float(rows))
            aspect, magnified = 1.0, 1.0
            if area is not None:
                box = (area.left, area.top, area.right, area.bottom)
                aspect, magnified = area.aspect, area.magnified or 1.0
            return fitted(
                box,
                aspect,
                size,
                rotation=self.state.rotation,
                mirrored=self.state.mirrored,
                magnified=magnified,
            )
        aspect = aspect_of_frame(self.attributes)
        if viewport is None:
            return fitted((0.0, 0.0, float(columns), float(rows)), aspect, None)
        return fitted(
            _part(viewport, rows, columns),
            aspect,
            size,
            mirrored=viewport.mirrored,
            upended=viewport.upended,
        )


def _all_values(modality: Modality, description: PixelDescription) -> Span | None:
    """From the least to the largest value that a sample may have; None for floating point."""
    if description.floating:
        return None
    low = -(1 << description.stored - 1) if description.signed else 0
    ends = modality(np.array([low, low + (1 << description.stored) - 1], float))
    if modality.table is not None:
        return Span(0, modality.table.largest)
    return Span(float(ends.min()), float(ends.max()))


def _part(viewport: Viewport, rows: int, columns: int) -> tuple[float, float, float, float]:
    """The part that a viewport shows. Raises `Undecodable` where it has nothing of the image."""
    right = float(columns) if viewport.columns is None else viewport.left + viewport.columns
    bottom = float(rows) if viewport.rows is None else viewport.top + viewport.rows
    right, bottom = min(right, float(columns)), min(bottom, float(rows))
    if viewport.left >= right or viewport.top >= bottom:
        raise Undecodable("the viewport shows nothing of the image")
    return (viewport.left, viewport.top, right, bottom)


def _drawn(
    levels: Levels, overlays: tuple[Overlay, ...], state: PresentationState | None
) -> Levels:
    if state is None:
        shutter, shades = -1, {}
    else:
        shutter = bitmap_group(state.item)
        shades = {each.name: each.shade for each in graphics.layers_of(state.item)}
    shown = [each for each in overlays if each.group != shutter]
    if shown:
        levels = np.array(levels)
    for each in shown:
        each.draw(levels, shades.get(each.layer, 255))
    return levels


def _profiled(levels: Levels, item: Item, frame: bytes, asked: str) -> tuple[Levels, bytes]:
    """Colours in the space that is asked for, and its profile (PS3.18 §8.3.5.1.5)."""
    levels = as_colour(levels)
    source = profile_of(item, frame)
    if asked == "yes":
        return levels, source
    target = named(asked)
    return converted(levels, source, target), target
