"""The rows of every other table, each by a request."""

from __future__ import annotations

import io
import json
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import httpx
import pydicom
import pytest

from dicomweb.links import Links
from dicomweb.statement import statement
from dicomweb.store_response import answer_of
from tests.conformance.samples import Sample
from tests.dicom.objects import to_bytes
from tests.dicomweb import models
from tests.dicomweb.wire import encapsulated, path_of, store
from tests.faults.synthetic import Sent, element, file_meta, small
from vna import errors
from vna.dicom.charset import charset_of
from vna.dicom.transfer_syntax import TRANSFER_SYNTAXES
from vna.http.problems import STATUS, problem_of
from vna.model.archive import Disposition, Outcome
from vna.services.commitment import CLASS_INSTANCE_CONFLICT, NO_SUCH_OBJECT_INSTANCE, REASONS

TABLES = {table.name: table for table in statement()}
EXERCISED = (
    "transfer syntaxes", "stored media types", "matching", "returned", "search parameters",
    "character sets", "store warnings", "store failures", "commitment failures", "statuses",
)  # fmt: skip
JSON = "application/dicom+json"


def rows(name: str) -> pytest.MarkDecorator:
    """Parametrises a test by the rows of a table."""
    return pytest.mark.parametrize("row", TABLES[name].rows, ids=lambda row: row[0])


@rows("transfer syntaxes")
def test_a_transfer_syntax_is_made_or_refused_as_its_row_says(
    client: httpx.Client, held: dict[str, Sample], row: tuple[str, ...]
) -> None:
    uid, _, media_type, _, made = row
    accept = f"application/dicom; transfer-syntax={uid}"
    file = client.get(held["ct"].path, headers={"Accept": accept})
    assert file.status_code == (200 if made else 406), file.text
    if made:
        assert file.headers["content-type"] == accept
        assert pydicom.dcmread(io.BytesIO(file.content)).file_meta.TransferSyntaxUID == uid
        frame = f'multipart/related; type="{media_type}"; transfer-syntax={uid}'
        answer = client.get(f"{held['ct'].path}/frames/1", headers={"Accept": frame})
        assert answer.status_code == 200, answer.text
        assert f"{media_type}; transfer-syntax={uid}".encode() in answer.content[:400]


@rows("transfer syntaxes")
def test_a_transfer_syntax_is_stored_and_given_back(
    client: httpx.Client, held: dict[str, Sample], row: tuple[str, ...]
) -> None:
    """Whatever its pixels: bytes are bytes."""
    syntax = TRANSFER_SYNTAXES[row[0]]
    name = f"63.{list(TRANSFER_SYNTAXES).index(syntax.uid)}"
    if syntax.encapsulated:
        sent = encapsulated(name, [b"\xff\xd8\xff\xd9"], syntax.uid)
        data, path = sent.data, path_of(sent)
    else:
        made = pydicom.dcmread(io.BytesIO(held["ct"].data))
        made.StudyInstanceUID, made.SeriesInstanceUID = f"1.2.826.{name}", f"1.2.826.{name}.1"
        made.SOPInstanceUID = f"1.2.826.{name}.1.1"
        if not syntax.decoded:  # the pixels are elsewhere
            del made.PixelData
        data = to_bytes(made, syntax.uid)
        path = f"/studies/1.2.826.{name}/series/1.2.826.{name}.1/instances/1.2.826.{name}.1.1"

    assert store(client, data).status_code in (200, 202)

    assert client.get(path, params="original").content == data
    accept = {"Accept": "application/dicom; transfer-syntax=*"}
    assert client.get(path, headers=accept).status_code == 200


@rows("matching")
def test_a_matching_attribute_finds_and_does_not_widen(
    client: httpx.Client, held: dict[str, Sample], row: tuple[str, ...]
) -> None:
    keyword, tags, level, _ = row
    path = {"patient": "/studies", "study": "/studies", "series": "/series"}.get(
        level, "/instances"
    )
    found = client.get(path, params={keyword: "", "limit": "100"}).json()
    assert found
    tag = tags.split(".")[-1].strip("()").replace(",", "")
    inside = [each for each in found if "." not in keyword and each.get(tag, {}).get("Value")]
    value = inside[0][tag]["Value"][0] if inside else None
    if isinstance(value, dict):
        value = value["Alphabetic"]
    asked = str(value) if value is not None else '""'

    matched = client.get(path, params={keyword: asked, "limit": "100"})

    assert matched.status_code == 200, matched.text
    assert 0 < len(matched.json()) <= len(found)
    none = client.get(path, params={keyword: _nothing(keyword)})
    assert none.status_code == 204, none.text


def _nothing(keyword: str) -> str:
    """A value that no sample has, of the attribute's VR."""
    last = keyword.split(".")[-1]
    if last.endswith("Date"):
        return "19000101"
    if last.endswith("Time"):
        return "010203.5"
    if last.endswith("UID") or last == "SOPClassesInStudy":
        return "1.2.3.4.5.6"
    if last.startswith("NumberOf") or last in ("SeriesNumber", "InstanceNumber"):
        return "987654"
    return "NOBODYHASTHIS"


@rows("returned")
def test_an_attribute_is_returned(
    client: httpx.Client, held: dict[str, Sample], row: tuple[str, ...]
) -> None:
    keyword, tags, level, when = row
    path = {"patient": "/studies", "study": "/studies", "series": "/series"}.get(
        level, "/instances"
    )
    found = client.get(path, params={"includefield": keyword, "limit": "100"}).json()
    tag = tags.split(".")[0].strip("()").replace(",", "")
    present = [each for each in found if tag in each]
    if when == "always":
        assert len(present) == len(found)
    else:
        assert all(each[tag].get("Value") for each in present)
    assert found


@rows("search parameters")
def test_a_search_parameter_means_what_it_says(
    client: httpx.Client, held: dict[str, Sample], row: tuple[str, ...]
) -> None:
    every = client.get("/studies").json()
    match row[0]:
        case "accept":
            xml = client.get(
                "/studies", params={"accept": 'multipart/related; type="application/dicom+xml"'}
            )
            assert xml.headers["content-type"].startswith("multipart/related")
        case "charset":
            assert client.get("/studies", params={"charset": "UTF-8"}).json() == every
        case "cursor":
            first = client.get("/studies", params={"limit": "3"})
            following = client.get(first.links["next"]["url"])
            assert following.json()[0] == every[3]
        case "emptyvaluematching":
            asked = {"AccessionNumber": '""', "emptyvaluematching": "true"}
            assert client.get("/studies", params=asked).status_code == 200
        case "fuzzymatching":
            asked = {"PatientName": "JANE", "fuzzymatching": "true"}
            assert client.get("/studies", params=asked).status_code == 200
            assert client.get("/studies", params={"PatientName": "JANE"}).status_code == 204
        case "includefield":
            (one,) = client.get(
                "/studies", params={"limit": "1", "includefield": "00081030", "PatientID": "C1"}
            ).json()
            assert "00081030" in one
        case "limit":
            assert len(client.get("/studies", params={"limit": "2"}).json()) == 2
        case "multiplevaluematching":
            said = client.get("/studies", params={"multiplevaluematching": "true"})
            assert "Multiple Value Matching has not been performed" in said.headers["warning"]
        case "offset":
            assert client.get("/studies", params={"offset": "2"}).json() == every[2:]
        case other:
            raise AssertionError(other)


@rows("character sets")
def test_a_character_set_is_read(client: httpx.Client, row: tuple[str, ...]) -> None:
    (term,) = row
    sample = {"ISO_IR 192": "ñ", "GB18030": "王", "GBK": "王"}.get(term)
    charset = charset_of(term.encode())
    if sample is None:
        sample = next((chr(each) for each in range(0xA1, 0xFFFF) if _says(charset, chr(each))), "A")
    encoded = charset.encode(sample)
    text, encoded = (sample, encoded) if encoded else ("A", b"A")
    index = [each[0] for each in TABLES["character sets"].rows].index(term)
    study, sop_class = f"1.2.826.64.{index}", "1.2.840.10008.5.1.4.1.1.7"
    data = file_meta(sop_class, f"{study}.1.1", "1.2.840.10008.1.2.1") + b"".join(
        element(tag, vr, value)
        for tag, vr, value in (
            (0x00080005, b"CS", term),
            (0x00080016, b"UI", sop_class),
            (0x00080018, b"UI", f"{study}.1.1"),
            (0x00081030, b"LO", encoded),
            (0x00100020, b"LO", f"T{index}"),
            (0x0020000D, b"UI", study),
            (0x0020000E, b"UI", f"{study}.1"),
        )
    )
    assert store(client, data).status_code in (200, 202)

    (found,) = client.get(
        "/studies", params={"PatientID": f"T{index}", "includefield": "00081030"}
    ).json()

    assert found["00081030"]["Value"] == [text]


def _says(charset: Any, character: str) -> bool:
    encoded = charset.encode(character)
    return encoded is not None and charset.decode(encoded) == character and character.isprintable()


@rows("stored media types")
def test_a_stored_media_type_is_known(client: httpx.Client, row: tuple[str, ...]) -> None:
    """It is looked at; what it becomes tests/dicomweb/test_store_metadata.py shows."""
    made = models.photo()
    answer = models.store_json(client, made, models.Bulk("bulk/pixels", row[0], b"no image"))
    assert answer.status_code == 409
    assert "not taken as" not in answer.headers["warning"]


def test_another_media_type_of_pixels_is_not_taken(client: httpx.Client) -> None:
    answer = models.store_json(
        client, models.photo(), models.Bulk("bulk/pixels", "image/tiff", b"II*\0")
    )
    assert "not taken as" in answer.headers["warning"]


class Warned:
    """What makes each Warning Reason."""

    @staticmethod
    def version(client: httpx.Client, one: Sent) -> bytes:
        return one.data[:-2] + b"\1\1"

    @staticmethod
    def held(client: httpx.Client, one: Sent) -> bytes:
        patient = pydicom.dcmread(io.BytesIO(one.data))
        patient.PatientID, patient.SOPInstanceUID = "SOMEBODY ELSE", f"{one.sop_uid}.9"
        file = io.BytesIO()
        patient.save_as(file)
        return file.getvalue()

    @staticmethod
    def hidden(client: httpx.Client, one: Sent) -> bytes:
        assert client.delete(f"/studies/{one.study_uid}").status_code in (200, 204)
        return one.data

    @staticmethod
    def odd(client: httpx.Client, one: Sent) -> bytes:
        return small(int(one.study_uid.rpartition(".")[2]) % 1000, 7, salt=66).data[:-40]


@rows("store warnings")
def test_a_warning_reason_is_given(client: httpx.Client, row: tuple[str, ...]) -> None:
    name, reason = row
    one = small([each[0] for each in TABLES["store warnings"].rows].index(name), 1, salt=65)
    assert store(client, one.data).status_code == 200

    answer = store(client, getattr(Warned, name)(client, one))

    assert answer.status_code == 202, answer.text
    (item,) = answer.json()["00081199"]["Value"]
    assert item["00081196"]["Value"] == [int(reason, 16)]


FAILED: dict[str, BaseException] = {
    "unavailable": errors.StorageUnavailable("the disk is full"),
    "other-study": errors.OtherStudy("another", sop_class="1.2", sop_uid="1.3"),
    "unfit-object": errors.Unfit("Rows", sop_class="1.2", sop_uid="1.3"),
    "bad-request": errors.MalformedObject("no DICOM"),
    "any other": RuntimeError("a fault of ours"),
}


@rows("store failures")
def test_a_failure_reason_is_given(row: tuple[str, ...]) -> None:
    name, reason = row
    stored: Future[Outcome] = Future()
    stored.set_result(Outcome(Disposition.NEW, "1.2", "1.5", "1.4", "1.3", bytes(32), 1))
    failed: Future[Outcome] = Future()
    failed.set_exception(FAILED[name])

    answer = answer_of([stored, failed], None, Links("http://here"), None)

    assert answer.status == 202
    assert isinstance(answer.body, bytes)
    module = json.loads(answer.body)
    failures = [
        *module.get("00081198", {}).get("Value", ()),
        *module.get("0008119A", {}).get("Value", ()),
    ]
    assert [each["00081197"]["Value"] for each in failures] == [[int(reason, 16)]]


@rows("commitment failures")
def test_a_failure_of_a_commitment_is_told(
    client: httpx.Client, data: Path, row: tuple[str, ...]
) -> None:
    reason = int(row[0], 16)
    one = small(1, 1, salt=67 + list(REASONS).index(reason))
    assert store(client, one.data).status_code == 200
    sop_class = client.get("/instances", params={"SOPInstanceUID": one.sop_uid}).json()[0][
        "00080016"
    ]
    sop = {"00081150": sop_class, "00081155": {"vr": "UI", "Value": [one.sop_uid]}}
    if reason == NO_SUCH_OBJECT_INSTANCE:
        sop["00081155"] = {"vr": "UI", "Value": ["1.2.3.4.5"]}
    elif reason == CLASS_INSTANCE_CONFLICT:
        sop["00081150"] = {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.2"]}
    else:
        damage(data, one.data)
    asked = {"00081199": {"vr": "SQ", "Value": [sop]}}

    answer = client.post(
        f"/commitment-requests/2.27.{reason}", json=asked, headers={"Content-Type": JSON}
    )

    assert answer.status_code == 200, answer.text
    (failed,) = answer.json()["00081198"]["Value"]
    assert failed["00081197"]["Value"] == [reason]


def damage(data: Path, content: bytes) -> None:
    """Flip a bit of an object where it lies."""
    for segment in (data / "store").rglob("*.vseg"):
        at = segment.read_bytes().find(content)
        if at >= 0:
            with segment.open("r+b") as file:
                file.seek(at + len(content) - 3)
                byte = file.read(1)
                file.seek(at + len(content) - 3)
                file.write(bytes((byte[0] ^ 1,)))
            return
    raise AssertionError("the object is in no segment")


def made(kind: type[errors.VnaError]) -> errors.VnaError:
    """Some error of this very class."""
    if kind is errors.RangeNotSatisfiable:
        return errors.RangeNotSatisfiable(3)
    if kind is errors.Damaged:
        return errors.Damaged("00", "gone")
    return kind("said")


@rows("statuses")
def test_an_error_has_its_status(row: tuple[str, ...]) -> None:
    code, status = row
    (kind,) = [each for each in STATUS if each.code == code]
    answer = problem_of(made(kind))
    assert answer.status == int(status)
    assert isinstance(answer.body, bytes)
    assert json.loads(answer.body)["code"] == code
