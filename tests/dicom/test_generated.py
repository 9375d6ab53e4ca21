"""Generated data sets, written by pydicom in every encoding, against pydicom reading them."""

from __future__ import annotations

import json
import re
from array import array
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from tests.dicom.generated import data_sets
from tests.dicom.json_oracle import Comparison
from tests.dicom.objects import DEFLATED, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE, NATIVE, to_bytes
from tests.size import size
from vna.dicom.convert import as_stored, canonical_digest, explicit_le, stream
from vna.dicom.elements import Elements, read_elements
from vna.dicom.header import Header, compress, decompress
from vna.dicom.json import to_dict
from vna.dicom.scan import scan
from vna.dicom.source import BytesSource
from vna.model.query import Level

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
GENERATED = settings(
    deadline=None, max_examples=size(25, 500), suppress_health_check=[HealthCheck.too_slow]
)


@GENERATED
@given(data_sets(), st.sampled_from([EXPLICIT_LE, IMPLICIT_LE, DEFLATED]))
def test_json_is_that_of_pydicom(data_set: Dataset, syntax: str) -> None:
    comparison = Comparison(to_bytes(data_set, syntax))
    assert json.dumps(comparison.ours) == json.dumps(comparison.theirs)


@GENERATED
@given(data_sets())
def test_json_digest_and_sent_file_do_not_depend_on_the_encoding(data_set: Dataset) -> None:
    files = {syntax: to_bytes(data_set, syntax) for syntax in NATIVE}
    files[EXPLICIT_BE] = to_bytes(turned(data_set), EXPLICIT_BE)
    scans = {syntax: scan(BytesSource(data)) for syntax, data in files.items()}
    trees = {syntax: to_dict(found.header, "b") for syntax, found in scans.items()}
    assert dumped(trees[EXPLICIT_BE]) == dumped(trees[EXPLICIT_LE]) == dumped(trees[DEFLATED])
    assert public(trees[IMPLICIT_LE]) == public(trees[EXPLICIT_LE])
    assert len({canonical_digest(BytesSource(data)) for data in files.values()}) == 1
    for syntax, data in files.items():
        found, source = scans[syntax], BytesSource(data)
        outgoing = explicit_le(source, found.header, found.anatomy, syntax)
        sent = b"".join(stream(source, found.anatomy, outgoing))
        assert len(sent) == outgoing.size
        again = scan(BytesSource(sent))
        assert again.oddities == ()
        assert public(to_dict(again.header, "b")) == public(trees[EXPLICIT_LE])
        same = as_stored(source, found.header, found.anatomy, syntax)
        sent = b"".join(stream(source, found.anatomy, same))
        assert canonical_digest(BytesSource(sent)) == canonical_digest(source)


@GENERATED
@given(data_sets(), st.sampled_from(NATIVE))
def test_the_header_with_its_cuts_put_back_is_the_data_set(data_set: Dataset, syntax: str) -> None:
    data = to_bytes(data_set, syntax)
    found = scan(BytesSource(data))
    if not found.deflated:
        whole, at = b"", 0
        for position, length in found.header.cuts:
            whole += found.header.data[at:position]
            start = found.dataset_offset + len(whole)
            whole += data[start : start + length]
            at = position
        assert whole + found.header.data[at:] == data[found.dataset_offset :]
    assert Header.decode(found.header.encode()) == found.header
    encoded = found.header.encode()
    assert decompress(compress(encoded, b"x" * 20 + encoded), b"x" * 20 + encoded) == encoded
    assert covered(read_elements(found.header))


@GENERATED
@given(data_sets(), st.sampled_from(NATIVE))
def test_a_level_gives_the_attributes_of_its_entity_as_the_whole_json_does(
    data_set: Dataset, syntax: str
) -> None:
    found = scan(BytesSource(to_bytes(data_set, syntax)))
    tree = to_dict(found.header, "b")
    for level in Level:
        for key, attribute in found.attributes(level).items():
            assert dumped({key: attribute}) == dumped(without_uris({key: tree[key]}))


def turned(data_set: Dataset) -> Dataset:
    """A copy with binary values in big endian: pydicom writes those as it is given them."""
    made = deepcopy(data_set)
    for element in made:
        if element.VR == "SQ":
            element.value = [turned(item) for item in element.value]
        elif element.VR in ("OW", "OF", "OL", "OD", "OV"):
            numbers = array({"OW": "H", "OF": "I", "OL": "I"}.get(element.VR, "Q"), element.value)
            numbers.byteswap()
            element.value = numbers.tobytes()
    return made


def without_uris(tree: dict[str, Any]) -> dict[str, Any]:
    made = {}
    for key, attribute in tree.items():
        if attribute["vr"] == "SQ" and "Value" in attribute:
            attribute = {"vr": "SQ", "Value": [without_uris(item) for item in attribute["Value"]]}
        if "BulkDataURI" not in attribute:
            made[key] = attribute
    return made


def dumped(tree: dict[str, Any]) -> str:
    return json.dumps(tree)


def public(tree: dict[str, Any]) -> str:
    """Without private values, which Implicit VR LE makes UN and whose length it then hides."""
    return re.sub(r'"0009\d{4}": \{[^{}]*\}(, )?', "", json.dumps(tree)).replace(", }", "}")


def covered(elements: Elements) -> bool:
    """Whether values lie in the data set in the order of their elements."""
    offsets = [element.offset for element in elements]
    return offsets == sorted(offsets)
