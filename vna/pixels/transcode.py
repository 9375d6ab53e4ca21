"""One frame from one transfer syntax into another, as a task of the decoders."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from vna.pixels.decode import decode
from vna.pixels.description import LARGEST_FRAME, PixelDescription
from vna.pixels.encode import encode, written

# What may change, by the tag that a file writer sets.
_TAGS = {
    "samples": "00280002",
    "photometric": "00280004",
    "planar": "00280006",
    "allocated": "00280100",
    "stored": "00280101",
    "high_bit": "00280102",
}


def transcode(facts: dict[str, Any], blobs: list[bytes]) -> tuple[dict[str, Any], bytes]:
    """The frame `blobs[0]` in another lossless transfer syntax.

    `facts`: `source`, `target`: transfer syntaxes; `description`: `PixelDescription.facts()`;
    `first_bit`: of a native frame, 0; `largest`: bytes of a decoded frame, `LARGEST_FRAME`.
    Returned facts: `description`: of the new frame; `changes`: the values that its data set must
    have instead of the old, by tag as in DICOM JSON ("00280004": "RGB").
    Raises `Undecodable`, `Unencodable`.
    """
    description = PixelDescription.from_facts(facts["description"])
    decoded = decode(
        blobs[0],
        facts["source"],
        description,
        first_bit=facts.get("first_bit", 0),
        largest=facts.get("largest", LARGEST_FRAME),
    )
    data = encode(decoded, facts["target"], description)
    after = written(description, decoded.photometric, facts["target"])
    return {"description": after.facts(), "changes": changes(description, after)}, data


def changes(before: PixelDescription, after: PixelDescription) -> dict[str, int | str]:
    """The attributes by which two descriptions differ, as `transcode` returns them."""
    old, new = asdict(before), asdict(after)
    return {tag: new[name] for name, tag in _TAGS.items() if old[name] != new[name]}
