"""The Native DICOM Model in a multipart body: a part for each object (PS3.18 §8.7.3, §10.4.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from dicomweb.links import Links
from dicomweb.negotiation import DICOM_XML
from vna.dicom.native_xml import native_xml
from vna.http.answer import Stream
from vna.wire.multipart_writer import MultipartWriter, boundary_of

Tree = Mapping[str, Any]
_UIDS = ("0020000D", "0020000E", "00080018")


def model_parts(
    etag: str, trees: Callable[[], Iterable[Tree]], links: Links | None = None
) -> tuple[str, Stream]:
    """Content-Type and body, made while it is sent.

    `trees` gives DICOM JSON objects. With `links` they are instances, and each part says whose
    metadata it is; what a search finds needs no place of its own.
    """
    writer = MultipartWriter(boundary_of(etag))

    def chunks() -> Iterator[bytes]:
        first = True
        for tree in trees():
            headers = [("Content-Type", DICOM_XML), *_location(tree, links)]
            yield writer.head(headers, first=first) + native_xml(tree)
            first = False
        yield writer.tail

    return writer.content_type(DICOM_XML), Stream(None, chunks)


def _location(tree: Tree, links: Links | None) -> list[tuple[str, str]]:
    if links is None:
        return []
    uids = [(tree.get(key, {}).get("Value") or [""])[0] for key in _UIDS]
    return [("Content-Location", f"{links.instance(*uids)}/metadata")]
