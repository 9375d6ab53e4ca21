"""multipart/related on its way out: what stands between the parts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from vna.wire.media_type import MediaType

Headers = Sequence[tuple[str, str]]


def boundary_of(etag: str) -> str:
    """A boundary that is the same whenever the entity is, so that its bytes are, too.

    128 bits of SHA-256: no content contains it but by intent.
    """
    return hashlib.sha256(b"multipart " + etag.encode()).hexdigest()[:32]


class MultipartWriter:
    """The bytes around the parts of one body."""

    def __init__(self, boundary: str) -> None:
        self._boundary = boundary

    def content_type(self, part_type: str) -> str:
        """The Content-Type of the body; `part_type` is the media type of its first part."""
        parameters = (("type", part_type), ("boundary", self._boundary))
        return str(MediaType("multipart", "related", parameters))

    def head(self, headers: Headers, *, first: bool) -> bytes:
        """What stands before a part's bytes. Any but the first ends the one before."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        start = "" if first else "\r\n"
        return f"{start}--{self._boundary}\r\n{lines}\r\n".encode("latin-1")

    @property
    def tail(self) -> bytes:
        """What stands behind the last part's bytes."""
        return f"\r\n--{self._boundary}--\r\n".encode("latin-1")
