"""What a client asks of a picture (PS3.18 §8.3.5), as a value that crosses to the decoders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

PATIENT, TECHNIQUE = "patient", "technique"


@dataclass(frozen=True, slots=True)
class Viewport:
    """`width`, `height`: pixels to fit into. The part of the image: `left`, `top` from 0, and
    `columns`, `rows`, None up to the edge; in samples of the image as it is stored."""

    width: int
    height: int
    left: float = 0.0
    top: float = 0.0
    columns: float | None = None
    rows: float | None = None
    mirrored: bool = False
    upended: bool = False

    @property
    def whole(self) -> bool:
        """Whether it only says a size."""
        part = (self.left, self.top, self.columns, self.rows)
        return part == (0.0, 0.0, None, None) and not (self.mirrored or self.upended)


@dataclass(frozen=True, slots=True)
class AskedWindow:
    """`function`: LINEAR, LINEAR_EXACT or SIGMOID."""

    center: float
    width: float
    function: str


@dataclass(frozen=True, slots=True)
class Asked:
    """`quality`: 1 to 100, None for the usual. `profile`: "no", "yes" or a space of
    `vna.render.image.profile`. `overlays`: whether bits over the image are drawn. `thumbnail`: a
    small picture on which nothing is written."""

    media_type: str = "image/jpeg"
    quality: int | None = None
    viewport: Viewport | None = None
    window: AskedWindow | None = None
    annotation: tuple[str, ...] = ()
    profile: str = "no"
    overlays: bool = True
    thumbnail: bool = False

    def facts(self) -> dict[str, Any]:
        """The same as JSON."""
        return asdict(self)

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Asked:
        """What `facts` gave."""
        viewport, window = facts["viewport"], facts["window"]
        return cls(
            facts["media_type"],
            facts["quality"],
            None if viewport is None else Viewport(**viewport),
            None if window is None else AskedWindow(**window),
            tuple(facts["annotation"]),
            facts["profile"],
            facts["overlays"],
            facts["thumbnail"],
        )
