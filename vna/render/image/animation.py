"""Pictures one after another as one GIF: a task of the decoders."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

_LEAST, _MOST = 20, 10_000  # milliseconds; browsers show what is shorter as 100


def animation(facts: dict[str, Any], blobs: list[bytes]) -> tuple[dict[str, Any], bytes]:
    """The task. `facts`: `milliseconds` that a picture is shown; `blobs`: pictures as PNG, all of
    one size."""
    images = [Image.open(io.BytesIO(blob), formats=("PNG",)) for blob in blobs]
    milliseconds = min(_MOST, max(_LEAST, round(facts["milliseconds"])))
    shown = [each if each.mode == "L" else each.quantize(256) for each in images]
    file = io.BytesIO()
    shown[0].save(
        file,
        "GIF",
        save_all=True,
        append_images=shown[1:],
        duration=milliseconds,
        loop=0,
        optimize=False,
        disposal=1,
    )
    return {"frames": len(shown)}, file.getvalue()
