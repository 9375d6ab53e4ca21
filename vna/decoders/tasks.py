"""What a decoder process can do: the name of a task, and where its function is.

A task is a function `(facts, blobs) -> (facts, bytes)` without side effects. The modules are
imported in the children only, when a task of theirs is first asked for.
"""

from __future__ import annotations

TASKS = {
    "compose-slide": "vna.render.slide.compose:compose",
    "pdf-page": "vna.render.document.pdf_page:pdf_page",
    "animation": "vna.render.image.animation:animation",
    "picture": "vna.render.image.picture:picture",
    "picture-file": "vna.pixels.picture_file:picture_file",
    "poster": "vna.render.poster:poster",
    "report": "vna.render.report.task:report",
    "waveform": "vna.render.waveform.paper:render",
    "transcode": "vna.pixels.transcode:transcode",
}
