"""A multipart body's length is known before it is written, and equal entities give equal bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vna.wire.media_type import parse_media_type
from vna.wire.multipart_writer import MultipartWriter, boundary_of

Headers = tuple[tuple[str, str], ...]


@given(parts=st.lists(st.tuples(st.sampled_from([(), (("A", "b"),)]), st.binary()), min_size=1))
def test_the_size_is_that_of_the_bytes(parts: list[tuple[Headers, bytes]]) -> None:
    writer = MultipartWriter(boundary_of("etag"))
    body = b""
    for number, (headers, content) in enumerate(parts):
        body += writer.head(headers, first=number == 0) + content
    body += writer.tail

    assert writer.size((headers, len(content)) for headers, content in parts) == len(body)


def test_the_boundary_depends_on_the_etag_alone() -> None:
    assert boundary_of("a") == boundary_of("a")
    assert boundary_of("a") != boundary_of("b")


def test_the_content_type_names_part_and_boundary() -> None:
    written = parse_media_type(MultipartWriter("b").content_type("application/dicom"))

    assert written.essence == "multipart/related"
    assert written.parameter("type") == "application/dicom"
    assert written.parameter("boundary") == "b"
