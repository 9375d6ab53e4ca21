"""Requests with at least one flaw each, generated from the grammar of DICOMweb."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.synthetic import Sent

BOUNDARY = "malformed"
MULTIPART = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
JSON = "application/dicom+json"
ROOT = "/dicomweb"

_NOISE = "%00", "%ff", "%2e%2e", "é", "'", '"', "<x>", ";", "%20", "{", "\\", "..", "-1", "1e9", "٣"
_SYNTAXES = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.102",
    "1.2.3",
    "x",
    "1..2",
    "",
)
_DATES = "2026-01-01", "20261301", "2026", "x", "20260101-20250101-", "--", "2026010", "20260230"
_TIMES = "25", "1260", "x", "10:0", "120000.1234567", "-", "2400"
_NUMBERS = "-1", "1.5", "x", "", "0x10", "1" * 30, "%D9%A1", "%201", "1,2"


@dataclass(frozen=True)
class Malformed:
    """One request; `kind` says what is wrong with it."""

    kind: str
    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def malformed(dice: random.Random, stored: Sent) -> Malformed:
    """The next request. `stored`: an object that the server has."""
    kind = dice.choice(sorted(_KINDS))
    return _KINDS[kind](kind, dice, stored)


def _instance(stored: Sent) -> str:
    return (
        f"{ROOT}/studies/{stored.study_uid}/series/{stored.series_uid}/instances/{stored.sop_uid}"
    )


def _noise(dice: random.Random) -> str:
    text = "".join(dice.choice(_NOISE) for _ in range(dice.randint(1, 6)))
    return "".join(
        c if c.isascii() and c not in ' "<>{}\\' else f"%{ord(c) & 0xFF:02X}" for c in text
    )


def _path(kind: str, dice: random.Random, stored: Sent) -> Malformed:
    steps = ["studies", stored.study_uid, "series", stored.series_uid, "instances", stored.sop_uid]
    steps = steps[: dice.choice((2, 4, 6))]
    place = dice.randrange(len(steps))
    steps[place] = dice.choice((_noise(dice), steps[place] + _noise(dice), "x" * 300))
    tail = dice.choice(("", "/metadata", "/frames/1", "/bulkdata/7FE00010", "/nothing"))
    return Malformed(kind, "GET", f"{ROOT}/{'/'.join(steps)}{tail}")


def _frames(kind: str, dice: random.Random, stored: Sent) -> Malformed:
    numbers = dice.choice(
        ("0", "x", "1,", ",1", "1,,2", "-1", "99999", "1-3", "1.5", "1" * 40, "%20")
    )
    return Malformed(kind, "GET", f"{_instance(stored)}/frames/{numbers}")


def _bulk(kind: str, dice: random.Random, stored: Sent) -> Malformed:
    path = dice.choice(("7FE0001", "ZZZZZZZZ", "00100010", "7FE00010/1", "00081140/1/", "1/2/3"))
    return Malformed(kind, "GET", f"{_instance(stored)}/bulkdata/{path}{_noise(dice)}")


def _accept(kind: str, dice: random.Random, stored: Sent) -> Malformed:
    syntax = dice.choice(_SYNTAXES)
    accept = dice.choice(
        (
            "text/plain",
            "nonsense",
            ";;;",
            "application/dicom; q=0",
            "application/dicom, image/png",
            f"application/dicom; transfer-syntax={syntax}",
            f'multipart/related; type="application/dicom"; transfer-syntax={syntax}',
            f'multipart/related; type="image/jls"; transfer-syntax={syntax}',
            'multipart/related; type="text/html"',
            "image/*; q=2",
            "*/dicom",
            "application/" + "d" * 3000,
        )
    )
    return Malformed(kind, "GET", _instance(stored), {"Accept": accept})


def _accept_parameter(kind: str, dice: random.Random, stored: Sent) -> Malformed:
    value = dice.choice(("*/*", "x", "", "image/*", "text/plain", "application/dicom,image/png"))
    return Malformed(
        kind, "GET", f"{_instance(stored)}?accept={value}", {"Accept": "application/dicom"}
    )


def _query(kind: str, dice: random.Random, stored: Sent) -> Malformed:
    key, value = dice.choice(
        (
            ("StudyDate", dice.choice(_DATES[:-1])),
            ("StudyTime", dice.choice(_TIMES[:5])),
            ("limit", dice.choice(_NUMBERS)),
            ("offset", dice.choice(_NUMBERS)),
            ("fuzzymatching", dice.choice(("yes", "1", "TRUE", ""))),
            ("emptyvaluematching", "maybe"),
            ("includefield", dice.choice(("PatientNam", "all,00100010", "0010001", "x.y"))),
            ("PatientNam", "x"),
            ("00100010.", "x"),
            ("zzzz", _noise(dice)),
            ("SeriesInstanceUID", "1.2.3"),
            ("PatientID", "a&PatientID=b"),
            ("00100020", "a&PatientID=b"),
            ("limit", "1&limit=2"),
            ("x" * 2000, "y"),
        )
    )
    return Malformed(kind, "GET", f"{ROOT}/studies?{key}={value}", {"Accept": JSON})


def _search_accept(kind: str, dice: random.Random, stored: Sent) -> Malformed:
    accept = dice.choice(
        ("text/plain", "application/dicom", "image/png", "application/json; q=0", "x")
    )
    return Malformed(kind, "GET", f"{ROOT}/studies", {"Accept": accept})


def _encoding(kind: str, dice: random.Random, stored: Sent) -> Malformed:
    return Malformed(
        kind, "GET", f"{ROOT}/studies?PatientName=%{dice.choice(('FF', 'C0', 'ED%A0%80'))}"
    )


def _range(kind: str, dice: random.Random, stored: Sent) -> Malformed:
    value = dice.choice(("bytes=99999999-", "bytes=99999999-999999999", "bytes=-0"))
    headers = {"Accept": "application/dicom; transfer-syntax=*", "Range": value}
    return Malformed(kind, "GET", _instance(stored), headers)


def _method(kind: str, dice: random.Random, stored: Sent) -> Malformed:
    method = dice.choice(("PUT", "PATCH", "POST", "TRACE", "PROPFIND"))
    return Malformed(kind, method, f"{_instance(stored)}/metadata")


def _content_type(kind: str, dice: random.Random, stored: Sent) -> Malformed:
    content_type = dice.choice(
        (
            "text/plain",
            "multipart/related",
            "multipart/form-data; boundary=x",
            'multipart/related; type="text/html"; boundary=x',
            'multipart/related; type="application/dicom"',
            'multipart/related; type="application/dicom"; boundary=' + "b" * 500,
            "application/",
            ";",
        )
    )
    return Malformed(
        kind, "POST", f"{ROOT}/studies", {"Content-Type": content_type}, b"--x\r\n\r\nx"
    )


def _body(kind: str, dice: random.Random, stored: Sent) -> Malformed:
    """A multipart body that is cut, spliced or filled with noise."""
    noise = dice.randbytes(dice.randint(0, 3000))
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    end = f"\r\n--{BOUNDARY}--\r\n".encode()
    body = dice.choice(
        (
            noise,
            head + noise + end,
            head + noise,
            head + stored.data[: dice.randint(1, 300)] + end,
            head[: dice.randint(1, len(head) - 1)],
            b"--" + head + noise + end,
            head.replace(b"\r\n\r\n", b"\r\n" + b"x" * 20_000) + noise + end,
            head.replace(b"application/dicom", b"text/html") + noise + end,
            head.replace(b"Content-Type: ", b"") + noise + end,
            head + end,
            b"",
        )
    )
    return Malformed(kind, "POST", f"{ROOT}/studies", {"Content-Type": MULTIPART}, body)


def _object(kind: str, dice: random.Random, stored: Sent) -> Malformed:
    """An object without the UIDs that identify it, or of another study."""
    data = bytearray(stored.data)
    if dice.random() < 0.5:
        data = data[: data.find(stored.study_uid.encode()) - 4]
        return Malformed(
            kind, "POST", f"{ROOT}/studies", {"Content-Type": "application/dicom"}, bytes(data)
        )
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    body = head + data + f"\r\n--{BOUNDARY}--\r\n".encode()
    return Malformed(kind, "POST", f"{ROOT}/studies/1.2.3.4", {"Content-Type": MULTIPART}, body)


def _metadata(kind: str, dice: random.Random, stored: Sent) -> Malformed:
    """Metadata and bulk data of which nothing can be made."""
    media_type = dice.choice((JSON, "application/dicom+xml"))
    model = {
        "00080016": {"vr": "UI", "Value": ["1.2.840.10008.5.1.4.1.1.7"]},
        "00080018": {"vr": "UI", "Value": ["1.2.3.1.1"]},
        "0020000D": {"vr": "UI", "Value": ["1.2.3"]},
        "0020000E": {"vr": "UI", "Value": ["1.2.3.1"]},
        "7FE00010": {"vr": "OB", "BulkDataURI": "here"},
    }
    flaw, value = dice.choice(_FLAWS)
    model[flaw] = value
    document = dice.choice(
        (
            json.dumps([model]).encode(),
            json.dumps([model]).encode()[: dice.randint(1, 200)],
            dice.randbytes(dice.randint(0, 300)),
            b"[" * dice.randint(1, 3000),
            b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><NativeDicomModel/>',
            b"<NativeDicomModel><DicomAttribute tag='x'/></NativeDicomModel>",
            b"<a>" * dice.randint(1, 3000),
        )
    )
    bulk = dice.choice(("image/jpeg", "image/png", "image/gif", "video/mp4", "text/plain", ";"))
    place = dice.choice(("Content-Location: here\r\n", "Content-Location: there\r\n", ""))
    start = dice.choice(
        (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\0\0\0\x18ftypisom", b"")
    )
    head = f"--{BOUNDARY}\r\nContent-Type: {media_type}\r\n\r\n".encode()
    part = f"\r\n--{BOUNDARY}\r\nContent-Type: {bulk}\r\n{place}\r\n".encode()
    body = head + document + part + start + dice.randbytes(dice.randint(0, 500))
    body += f"\r\n--{BOUNDARY}--\r\n".encode()[: dice.choice((3, 100))]
    content_type = f'multipart/related; type="{media_type}"; boundary={BOUNDARY}'
    return Malformed(kind, "POST", f"{ROOT}/studies", {"Content-Type": content_type}, body)


_FLAWS: tuple[tuple[str, dict[str, object]], ...] = (
    ("00020010", {"vr": "UI", "Value": ["1.2.840.10008.1.2.1"]}),
    ("00080018", {"vr": "UI"}),
    ("0020000E", {"vr": "UI", "Value": [3]}),
    ("00100010", {"vr": "XX", "Value": ["a"]}),
    ("00100010", {"vr": "PN", "Value": "a"}),
    ("00081140", {"vr": "SQ", "Value": [1]}),
    ("00281050", {"vr": "FD", "Value": ["much"]}),
    ("0010001", {"vr": "LO"}),
    ("7FE00010", {"vr": "OB", "BulkDataURI": 4}),
)


def _rendered(kind: str, dice: random.Random, stored: Sent) -> Malformed:
    """A picture that cannot be meant."""
    name = dice.choice(("viewport", "window", "quality", "annotation", "iccprofile", "overlays",
                        "presentationUID", "page", "speed", "nothing"))  # fmt: skip
    value = dice.choice(("x", "-1", "0", "1e9", "nan,nan,linear", "1,1,2,3,4,5,6", "%00", "9" * 40,
                         ",,,", "40,0,linear", "1,1,1,1,0,0", _noise(dice)))  # fmt: skip
    place = dice.choice(("/rendered", "/frames/1/rendered", "/thumbnail", "/frames/0/rendered"))
    accept = dice.choice(("image/png", "image/tiff", "image/*", "application/dicom"))
    path = f"{_instance(stored)}{place}?{name}={value}&{name}={value}"
    return Malformed(kind, "GET", path, {"Accept": accept})


def _wado(kind: str, dice: random.Random, stored: Sent) -> Malformed:
    """WADO-URI without what it needs, or with what does not fit."""
    asked = {
        "requestType": "WADO",
        "studyUID": stored.study_uid,
        "seriesUID": stored.series_uid,
        "objectUID": stored.sop_uid,
    }
    name, value = dice.choice((
        ("requestType", "x"), ("studyUID", "1.2.3"), ("objectUID", ""), ("contentType", "x"),
        ("transferSyntax", "1.2.3"), ("frameNumber", "99"), ("rows", "0"), ("region", "1,1,0,0"),
        ("windowCenter", "1"), ("imageQuality", "500"), ("anonymize", "yes"), ("nothing", "1"),
        ("presentationUID", "1.2"),
    ))  # fmt: skip
    asked[name] = value
    query = "&".join(f"{key}={each}" for key, each in asked.items())
    return Malformed(kind, "GET", f"{ROOT}/wado?{query}")


def _delete(kind: str, dice: random.Random, stored: Sent) -> Malformed:
    return Malformed(kind, "DELETE", f"{ROOT}/studies/1.2.{_noise(dice)}")


_KINDS: dict[str, Callable[[str, random.Random, Sent], Malformed]] = {
    each.__name__.strip("_"): each
    for each in (
        _path,
        _frames,
        _bulk,
        _accept,
        _accept_parameter,
        _query,
        _search_accept,
        _encoding,
        _range,
        _method,
        _content_type,
        _body,
        _object,
        _metadata,
        _rendered,
        _wado,
        _delete,
    )
}
