"""Which media type an encapsulated document is given out as (PS3.3 §C.24.2, PS3.6)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vna.dicom.item import Item

_ROOT = "1.2.840.10008.5.1.4.1.1.104."
_BY_CLASS = {
    f"{_ROOT}1": "application/pdf",
    f"{_ROOT}2": "text/xml",
    f"{_ROOT}3": "model/stl",
    f"{_ROOT}4": "model/obj",
    f"{_ROOT}5": "model/mtl",
}
_SUFFIX = {
    "application/pdf": "pdf",
    "application/xml": "xml",
    "model/mtl": "mtl",
    "model/obj": "obj",
    "model/stl": "stl",
    "text/html": "html",
    "text/plain": "txt",
    "text/rtf": "rtf",
    "text/xml": "xml",
}
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]*")
# Kinds that a browser may show by itself; anything else is saved.
_INLINE = frozenset(("application/pdf", "text/plain", "text/xml", "application/xml", "text/html"))
_MARKUP = frozenset(("text/xml", "application/xml", "text/html"))


@dataclass(frozen=True, slots=True)
class Kind:
    """`inline`: a browser may show it; `markup`: it may hold scripts, and must not run them."""

    media_type: str
    suffix: str
    inline: bool
    markup: bool


def kind_of(document: Item) -> Kind:
    """What the document says it is, else what its SOP class says; octets where neither is clear."""
    said = document.first(0x00420012).split(";")[0].strip().lower()
    by_class = _BY_CLASS.get(document.first(0x00080016), "")
    if said in ("", "application/octet-stream", "model/x.stl-binary", "application/sla"):
        said = by_class or "application/octet-stream"
    if _MEDIA_TYPE.fullmatch(said) is None:
        said = by_class or "application/octet-stream"
    return Kind(said, _SUFFIX.get(said, "bin"), said in _INLINE, said in _MARKUP)
