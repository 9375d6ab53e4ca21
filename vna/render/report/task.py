"""A report as HTML or text: what the decoders' pool does for it."""

from __future__ import annotations

from typing import Any

from vna.dicom.item import Item
from vna.render.report.page import page
from vna.render.report.plain import plain
from vna.render.report.references import Reference

HTML, XML, TEXT = "text/html", "text/xml", "text/plain"


def report(facts: dict[str, Any], blobs: list[bytes]) -> tuple[dict[str, Any], bytes]:
    """The task. `facts`: `media_type`, and `links`, the URL of each instance that can be shown, by
    SOP Instance UID; `blobs`: the encoded header, whole."""
    document = Item.decode(blobs[0])
    if facts["media_type"] == TEXT:
        return {}, plain(document)
    links: dict[str, str] = facts["links"]

    def link(each: Reference) -> str | None:
        url = links.get(each.sop_uid)
        if url is None or not each.frames:
            return url and f"{url}/rendered"
        return f"{url}/frames/{','.join(map(str, each.frames[:_FRAMES_MOST]))}/rendered"

    return {}, page(document, link)


_FRAMES_MOST = 50
