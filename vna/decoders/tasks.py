"""What a decoder process can do: the name of a task, and where its function is.

A task is a function `(facts, blobs) -> (facts, bytes)` without side effects. The modules are
imported in the children only, when a task of theirs is first asked for.
"""

from __future__ import annotations

TASKS = {
    "transcode": "vna.pixels.transcode:transcode",
}
