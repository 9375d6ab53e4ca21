"""Equal entities are written as equal bytes; the reader's tests read what is written."""

from __future__ import annotations

from vna.wire.media_type import parse_media_type
from vna.wire.multipart_writer import MultipartWriter, boundary_of


def test_the_boundary_depends_on_the_etag_alone() -> None:
    assert boundary_of("a") == boundary_of("a")
    assert boundary_of("a") != boundary_of("b")


def test_the_content_type_names_part_and_boundary() -> None:
    written = parse_media_type(MultipartWriter("b").content_type("application/dicom"))

    assert written.essence == "multipart/related"
    assert written.parameter("type") == "application/dicom"
    assert written.parameter("boundary") == "b"
