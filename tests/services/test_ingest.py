"""What arrives is durable, indexed once, and answered by the rules of sameness."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.dicom import bundled
from tests.dicom.objects import DEFLATED, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, written
from tests.services.house import CALLER, House
from vna.errors import Forbidden, MalformedObject, OtherStudy, Refused
from vna.model.archive import Disposition, DuplicatePolicy
from vna.model.caller import Caller

PIXELS = {"Rows": 2, "Columns": 2, "BitsAllocated": 16, "PixelData": b"\1\2\3\4\5\6\7\x08"}


def image(syntax: str = EXPLICIT_LE, **attributes: Any) -> bytes:
    """A small image of a patient."""
    return written(syntax, **{"PatientID": "P1", "PatientName": "A^B", **PIXELS, **attributes})


def test_an_object_becomes_one_instance_with_its_reception(house: House) -> None:
    data = image()
    (outcome,) = house.send(data)
    assert outcome.disposition is Disposition.NEW
    assert (outcome.sop_uid, outcome.size) == ("1.2.3.4.5", len(data))
    assert outcome.sha256 == hashlib.sha256(data).digest()
    assert [house.count(table) for table in ("item", "study", "series", "instance")] == [1] * 4
    (reception,) = house.rows("reception")
    assert (reception["objects"], reception["bytes"]) == (1, len(data))
    assert reception["outcomes"] == b'{"new":1}'
    assert reception["finished_at"] >= reception["started_at"] > 0


def test_a_reception_is_one_row_however_many_objects_it_brings(house: House) -> None:
    house.send(*(image(SOPInstanceUID=f"1.2.3.4.{n}") for n in range(40)))
    house.ingest.close()
    (reception,) = house.rows("reception")
    assert (reception["objects"], reception["outcomes"]) == (40, b'{"new":40}')
    assert reception["finished_at"] > 0
    (audited,) = house.rows("audit")
    assert (audited["action"], audited["target"]) == ("receive", str(reception["pk"]))


def test_the_same_object_again_adds_nothing(house: House) -> None:
    house.send(image())
    before = house.files
    (again,) = house.send(image())
    assert again.disposition is Disposition.SAME
    assert house.files == before
    assert house.count("object") == 1


def test_another_file_meta_around_the_same_data_set_is_the_same_object(house: House) -> None:
    data = image()
    house.send(data)
    other = data[:128].replace(b"\0", b"x") + data[128:]
    (again,) = house.send(other)
    assert again.disposition is Disposition.SAME
    assert [house.count(table) for table in ("object", "instance_version")] == [1, 1]


def test_one_object_sent_a_hundred_times_at_once_is_one_instance_and_one_object(
    house: House,
) -> None:
    data = image()
    with ThreadPoolExecutor(16) as pool:
        outcomes = [each[0] for each in pool.map(lambda _: house.send(data), range(100))]
    found = [outcome.disposition for outcome in outcomes]
    assert (found.count(Disposition.NEW), found.count(Disposition.SAME)) == (1, 99)
    counts = [house.count(t) for t in ("instance", "instance_version", "object", "sop")]
    assert counts == [1, 1, 1, 1]
    assert sum(content.count(data[128:]) for content in house.files.values()) == 1


def test_copies_in_one_reception_are_one_object(house: House) -> None:
    outcomes = house.send(*[image()] * 5)
    assert sorted(outcome.disposition.value for outcome in outcomes) == ["new"] + ["same"] * 4
    house.ingest.close()
    (reception,) = house.rows("reception")
    assert reception["outcomes"] in (b'{"new":1,"same":4}', b'{"same":4,"new":1}')
    assert reception["finished_at"] > 0


@pytest.mark.parametrize("syntax", [IMPLICIT_LE, EXPLICIT_BE, DEFLATED])
def test_equal_content_in_another_transfer_syntax_is_equivalent_and_the_first_is_kept(
    house: House, syntax: str
) -> None:
    house.send(image())
    before = house.files
    pixels = b"\2\1\4\3\6\5\x08\7" if syntax == EXPLICIT_BE else PIXELS["PixelData"]
    (again,) = house.send(image(syntax, PixelData=pixels))
    assert again.disposition is Disposition.EQUIVALENT
    assert house.files == before


def test_other_content_is_a_version_and_current_where_only_attributes_differ(house: House) -> None:
    house.send(image(ImageComments="one"))
    (newer,) = house.send(image(ImageComments="two"))
    assert (newer.disposition, newer.version, newer.current) == (Disposition.VERSION, 2, True)
    assert newer.warning == "version"


def test_other_pixels_are_a_version_that_is_not_current(house: House) -> None:
    house.send(image())
    (newer,) = house.send(image(PixelData=b"\0" * 8))
    assert (newer.disposition, newer.version, newer.current) == (Disposition.VERSION, 2, False)
    assert house.count("attention") == 1


def test_the_policy_first_wins_keeps_the_first_current(house: House) -> None:
    house.send(image(ImageComments="one"))
    (newer,) = house.send(image(ImageComments="two"), policy=DuplicatePolicy.FIRST_WINS)
    assert (newer.disposition, newer.current) == (Disposition.VERSION, False)


def test_the_policy_reject_keeps_nothing_of_the_newer(house: House) -> None:
    house.send(image(ImageComments="one"))
    (future,) = house.hand_in(image(ImageComments="two"), policy=DuplicatePolicy.REJECT)
    with pytest.raises(Refused) as refused:
        future.result()
    assert refused.value.sop_uid == "1.2.3.4.5"
    assert house.count("instance_version") == 1


def test_the_same_uid_in_another_series_is_held(house: House) -> None:
    house.send(image())
    (other,) = house.send(image(SeriesInstanceUID="1.2.3.9"))
    assert (other.disposition, other.warning) == (Disposition.HELD, "held")
    (again,) = house.send(image(SeriesInstanceUID="1.2.3.9"))
    assert again.disposition is Disposition.HELD
    assert [house.count(table) for table in ("held", "object")] == [1, 2]


@pytest.mark.parametrize("harm", ["flipped", "gone"])
def test_an_equal_object_heals_a_copy_that_is_damaged_or_missing(house: House, harm: str) -> None:
    data = image(ImageComments="x" * 3000)
    house.send(data)
    (key,) = [key for key in house.files if key.endswith(".vseg")]
    content = house.files[key]
    house.ingest.close()
    house.backend.delete(key)
    if harm == "flipped":
        at = content.index(b"x" * 100)
        house.backend.put_new(key, [content[:at] + b"y" + content[at + 1 :]])
    house.__post_init__()
    (healed,) = house.send(data)
    assert healed.disposition is Disposition.HEALED
    (same,) = house.send(data)
    assert same.disposition is Disposition.SAME
    assert [house.count(table) for table in ("instance_version", "object")] == [1, 1]


def test_an_object_that_names_no_study_is_refused_and_nothing_of_it_is_kept(house: House) -> None:
    before = house.files
    for data in (image(StudyInstanceUID=""), b"no DICOM at all", b""):
        (future,) = house.hand_in(data)
        with pytest.raises(MalformedObject):
            future.result()
    assert house.files == before
    assert [house.count(table) for table in ("item", "object")] == [0, 0]
    house.ingest.close()
    assert [row["outcomes"] for row in house.rows("reception")] == [b'{"malformed-object":1}'] * 3


def test_the_missing_uid_is_named(house: House) -> None:
    (future,) = house.hand_in(image(StudyInstanceUID=""))
    with pytest.raises(MalformedObject, match=r"Study Instance UID \(0020,000D\)"):
        future.result()


def test_an_object_of_another_study_than_the_one_named_is_refused(house: House) -> None:
    (future,) = house.hand_in(image(), study_uid="9.9")
    with pytest.raises(OtherStudy):
        future.result()
    assert house.count("object") == 0


def test_who_may_not_send_opens_no_reception(house: House) -> None:
    reader = Caller("reader", "127.0.0.1", None, frozenset())
    with pytest.raises(Forbidden):
        house.ingest.reception(reader, "test")
    assert house.send(image(), caller=CALLER)


def test_an_object_that_is_given_up_leaves_nothing(house: House) -> None:
    before = house.files
    with house.ingest.reception(CALLER, "test") as reception:
        small, large = reception.incoming(), reception.incoming()
        small.write(b"x" * 100)
        large.write(b"x" * (9 << 20))
        assert large.spilled
        small.abort()
        large.abort()
    assert house.files == before
    assert house.count("reception") == 0


class TestLargeObjects:
    """Beyond 8 MiB an object is streamed to a file of its own."""

    SIZE = 20 << 20

    def data(self, fill: int = 7, **attributes: Any) -> bytes:
        """An object of 20 MiB."""
        pixels = bytes([fill]) * self.SIZE
        return image(Rows=2048, Columns=2560, NumberOfFrames=2, PixelData=pixels, **attributes)

    def test_it_lies_in_a_raw_file_byte_for_byte(self, house: House) -> None:
        data = self.data()
        (outcome,) = house.send(data)
        assert outcome.disposition is Disposition.NEW
        assert outcome.sha256 == hashlib.sha256(data).digest()
        assert [c for key, c in house.files.items() if key.endswith(".bin")] == [data]

    def test_the_same_again_leaves_no_second_file(self, house: House) -> None:
        house.send(self.data())
        before = house.files
        other_meta = self.data()[:128].replace(b"\0", b"x") + self.data()[128:]
        for again in (self.data(), other_meta):
            (outcome,) = house.send(again)
            assert outcome.disposition is Disposition.SAME
        assert house.files == before

    def test_a_refused_one_leaves_no_file(self, house: House) -> None:
        house.send(self.data())
        before = {key for key in house.files if key.startswith("big")}
        (future,) = house.hand_in(self.data(fill=8), policy=DuplicatePolicy.REJECT)
        with pytest.raises(Refused):
            future.result()
        (future,) = house.hand_in(self.data(StudyInstanceUID=""))
        with pytest.raises(MalformedObject):
            future.result()
        assert {key for key in house.files if key.startswith("big")} == before

    def test_two_of_one_uid_at_once_are_one_object(self, house: House) -> None:
        data = self.data()
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: house.send(data)[0].disposition, range(4)))
        assert sorted(each.value for each in found) == ["new", "same", "same", "same"]
        assert [house.count(table) for table in ("object", "instance_version")] == [1, 1]
        assert len([key for key in house.files if key.endswith(".bin")]) == 1


def test_every_bundled_file_is_stored_or_held_or_refused_by_name(house: House) -> None:
    files = [path.read_bytes() for path in bundled.all_files()]
    futures = house.hand_in(*files)
    refused = [future.exception() for future in futures if future.exception()]
    assert all(isinstance(error, MalformedObject) for error in refused)
    kept = [f.result() for f in futures if not f.exception()]
    wanted = {hashlib.sha256(path.read_bytes()).digest() for path in bundled.identifiable()}
    assert {outcome.sha256 for outcome in kept} == wanted
    new = [outcome for outcome in kept if outcome.disposition is Disposition.NEW]
    assert house.count("instance") == len({outcome.sop_uid for outcome in kept}) == len(new)
