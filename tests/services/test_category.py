from __future__ import annotations

import pytest

from vna.dicom.anatomy import Anatomy, Kind
from vna.dicom.header import PackedHeader
from vna.model.archive import Place
from vna.services.category import Category, category_of
from vna.services.stored import Stored

CT = "1.2.840.10008.5.1.4.1.1.2"
ECG = "1.2.840.10008.5.1.4.1.1.9.1.1"
NATIVE, H264 = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.102"


def stored(sop_class: str, *, frames: int = 0, syntax: str = NATIVE) -> Stored:
    """An instance that has so many frames."""
    pixels = 0x7FE00010 if frames else 0
    kind = Kind.NATIVE if frames else Kind.NONE
    anatomy = Anatomy(kind, 0, 0, pixel_tag=pixels, number_of_frames=frames)
    place = Place("", 0, 0)
    return Stored(
        "1.2", "1.2.3", "1.2.3.4", sop_class, 1, True, syntax, 0, b"", "", (), b"", place,
        anatomy.encode(), PackedHeader(b""), (), 0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("instance", "category"),
    [
        (stored(CT, frames=1), Category.SINGLE_FRAME),
        (stored(CT, frames=2), Category.MULTI_FRAME),
        (stored("1.2.840.10008.5.1.4.1.1.2.1", frames=1), Category.SINGLE_FRAME),
        (stored("1.2.840.10008.5.1.4.1.1.77.1.4.1", frames=1, syntax=H264), Category.VIDEO),
        (stored("1.2.840.10008.5.1.4.1.1.88.33"), Category.TEXT),
        (stored("1.2.840.10008.5.1.4.1.1.104.1"), Category.TEXT),
        (stored("1.2.840.10008.5.1.4.1.1.11.1"), Category.PRESENTATION),
        (stored("1.2.840.10008.5.1.4.1.1.11.4"), Category.OTHER),
        (stored(ECG), Category.OTHER),
        (stored(CT), Category.OTHER),
    ],
)
def test_an_instance_is_of_the_category_that_its_class_and_pixels_give(
    instance: Stored, category: Category
) -> None:
    assert category_of(instance) is category
