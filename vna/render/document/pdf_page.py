"""A page of a PDF as a picture: what the decoders' pool does for a document."""

from __future__ import annotations

import io
from typing import Any

import pypdfium2
from PIL import Image

from vna.errors import NotAcceptable, Undecodable

DPI = 150
LARGEST_SIDE = 4096  # pixels


def pdf_page(facts: dict[str, Any], blobs: list[bytes]) -> tuple[dict[str, Any], bytes]:
    """The task. `facts`: `page` from 1, `media_type` of JPEG or PNG, `quality` of JPEG, `viewport`
    (width, height) in pixels or None; the page keeps its proportions. Raises `Undecodable`."""
    try:
        document = pypdfium2.PdfDocument(blobs[0])
    except pypdfium2.PdfiumError as error:
        raise Undecodable("the PDF cannot be opened: it is damaged or needs a password") from error
    with document:
        count = len(document)
        if not 0 < facts["page"] <= count:
            raise NotAcceptable(f"the document has {count} pages")
        try:
            page = document[facts["page"] - 1]
            scale = _scale(page.get_size(), facts["viewport"])
            image = page.render(scale=scale, fill_color=(255, 255, 255, 255)).to_pil()
        except (pypdfium2.PdfiumError, ValueError) as error:
            raise Undecodable("the page of the PDF cannot be shown") from error
        return {"pages": count}, _written(image.convert("RGB"), facts)


def _scale(size: tuple[float, float], viewport: list[int] | None) -> float:
    width, height = size
    if not (width > 0 and height > 0):
        raise ValueError("the page has no size")
    largest = min(LARGEST_SIDE / width, LARGEST_SIDE / height)
    if viewport is None:
        return min(DPI / 72, largest)
    return min(viewport[0] / width, viewport[1] / height, largest)


def _written(image: Image.Image, facts: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    if facts["media_type"] == "image/png":
        image.save(file, "PNG", compress_level=6)
    else:
        image.save(file, "JPEG", quality=facts["quality"], subsampling=0)
    return file.getvalue()
