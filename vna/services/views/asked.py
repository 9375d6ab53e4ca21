"""What a client asks of a picture, read from the query (PS3.18 §8.3.5)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from vna.errors import InvalidValue
from vna.services.views import parameters

if TYPE_CHECKING:
    from vna.render.image.asked import Asked, AskedWindow, Viewport

_DECIMAL = re.compile(r"(?a)[+-]?(\d{1,12}(\.\d{0,12})?|\.\d{1,12})([eE][+-]?\d{1,2})?")
_INTEGER = re.compile(r"(?a)[0-9]{1,6}")
_FUNCTIONS = {"linear": "LINEAR", "linear-exact": "LINEAR_EXACT", "sigmoid": "SIGMOID"}
_PROFILES = ("no", "yes", "srgb", "adobergb", "rommrgb")
_GIF = "image/gif"
LARGEST_SIDE = 8192  # pixels of a viewport; a larger one shows no more


def asked_of(
    asked: Mapping[str, str], media_type: str, *, presented: bool = False
) -> tuple[Asked, str]:
    """What is asked, and a warning or "". `presented`: a presentation state says the window and
    what is displayed. Raises `InvalidValue`."""
    # Loads no numpy, but belongs to the decoders' side.
    from vna.render.image.asked import Asked

    words, warning = parameters.written(asked)
    viewport, window = _viewport(asked), _window(asked)
    if presented and window is not None:
        raise InvalidValue("window", asked["window"], "not stand beside a presentation state")
    if presented and viewport is not None and not viewport.whole:
        rule = "be width,height: a presentation state says what is displayed"
        raise InvalidValue("viewport", asked["viewport"], rule)
    profile = parameters.word(asked, "iccprofile", "no", _PROFILES)
    if media_type == _GIF and profile != "no":
        raise InvalidValue("iccprofile", profile, f"be no: {_GIF} has no profile")
    quality = parameters.integer(asked, "quality", 0, 1, 100) or None
    overlays = parameters.word(asked, "overlays", "yes", ("no", "yes")) == "yes"
    found = Asked(
        media_type,
        quality,
        viewport,
        window,
        tuple(sorted(words)),
        profile,
        overlays,
    )
    return found, warning


def thumbnail(media_type: str, size: tuple[int, int]) -> Asked:
    """A small picture without a word on it."""
    from vna.render.image.asked import Asked, Viewport

    return Asked(media_type, viewport=Viewport(*size), overlays=False, thumbnail=True)


def _viewport(asked: Mapping[str, str]) -> Viewport | None:
    """`vw,vh[,[sx],[sy],[sw],[sh]]`; a negative size mirrors (§8.3.5.1.3)."""
    from vna.render.image.asked import Viewport

    text = asked.get("viewport")
    if text is None:
        return None
    rule = "be vw,vh or vw,vh,sx,sy,sw,sh: a size in pixels, and a part of the image"
    parts = text.split(",")
    sizes = [int(each) for each in parts[:2] if _INTEGER.fullmatch(each)]
    if len(sizes) != 2 or min(sizes) < 1 or len(parts) > 6 or (len(parts) > 2 and not parts[-1]):
        raise InvalidValue("viewport", text, rule)
    width, height = (min(each, LARGEST_SIDE) for each in sizes)
    numbers = [_number(each) if each else None for each in parts[2:]] + [None] * 4
    if any(each is not None and not math.isfinite(each) for each in numbers):
        raise InvalidValue("viewport", text, rule)
    left, top, across, down = numbers[:4]
    if (left or 0) < 0 or (top or 0) < 0 or across == 0 or down == 0:
        raise InvalidValue("viewport", text, "begin in the image and have a size")
    return Viewport(
        width,
        height,
        left or 0.0,
        top or 0.0,
        None if across is None else abs(across),
        None if down is None else abs(down),
        across is not None and across < 0,
        down is not None and down < 0,
    )


def _window(asked: Mapping[str, str]) -> AskedWindow | None:
    """`center,width,function` (§8.3.5.1.4)."""
    from vna.render.image.asked import AskedWindow

    text = asked.get("window")
    if text is None:
        return None
    parts = text.split(",")
    function = _FUNCTIONS.get(parts[-1].lower())
    if len(parts) != 3 or function is None:
        rule = "be center,width,function; the function one of " + ", ".join(_FUNCTIONS)
        raise InvalidValue("window", text, rule)
    center, width = _number(parts[0]), _number(parts[1])
    if not (math.isfinite(center) and math.isfinite(width)):
        raise InvalidValue("window", text, "have two decimal numbers")
    if width < 1 if function == "LINEAR" else width <= 0:
        rule = "have a width of 1 or more" if function == "LINEAR" else "have a width above 0"
        raise InvalidValue("window", text, rule)
    return AskedWindow(center, width, function)


def _number(text: str) -> float:
    return float(text) if _DECIMAL.fullmatch(text) else math.inf
