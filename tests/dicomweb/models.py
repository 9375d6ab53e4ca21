"""Metadata and bulk data as clients send them, written here by hand."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import httpx

BOUNDARY = "of-models"
SC, PHOTO, VIDEO = (
    "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.77.1.4",
    "1.2.840.10008.5.1.4.1.1.77.1.4.1",
)
PDF_CLASS = "1.2.840.10008.5.1.4.1.1.104.1"
_numbers = itertools.count(1)

Model = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Bulk:
    """A part of bulk data."""

    location: str | None
    media_type: str | None
    data: bytes


def model(sop_class: str = PHOTO, modality: str = "XC", **more: tuple[str, Any]) -> Model:
    """Metadata of one image under UIDs of its own, with everything but its pixels; `more`: VR and
    value by tag ("t00280010")."""
    study = f"1.2.826.88.{next(_numbers)}"
    given: dict[str, tuple[str, Any]] = {
        "00080008": ("CS", ["ORIGINAL", "PRIMARY"]),
        "00080016": ("UI", sop_class),
        "00080018": ("UI", f"{study}.1.1"),
        "00080020": ("DA", "20260901"),
        "00080023": ("DA", "20260901"),
        "00080030": ("TM", "101500"),
        "00080033": ("TM", "101501"),
        "00080060": ("CS", modality),
        "00080064": ("CS", "WSD"),
        "00080070": ("LO", "Cámaras del Sur"),
        "00100010": ("PN", {"Alphabetic": "MUÑOZ^MARÍA"}),
        "00100020": ("LO", f"P{study}"),
        "0020000D": ("UI", study),
        "0020000E": ("UI", f"{study}.1"),
        "00200011": ("IS", 1),
        "00200013": ("IS", 1),
        "00080005": ("CS", "ISO_IR 192"),
    }
    given |= {key.removeprefix("t"): value for key, value in more.items()}
    made: Model = {}
    for key, (vr, value) in sorted(given.items()):
        values = value if isinstance(value, list) else [value]
        made[key] = {"vr": vr} if value is None else {"vr": vr, "Value": values}
    return made


def photo(uri: str = "bulk/pixels", **more: tuple[str, Any]) -> Model:
    """A photograph whose pixels are bulk data; it leaves out what its codestream says."""
    made = model(PHOTO, "XC", **ACQUIRED, **more)
    made["7FE00010"] = {"vr": "OB", "BulkDataURI": uri}
    return made


# What the IOD of VL Photographic Image wants besides (PS3.3 §A.32.4).
ACQUIRED: dict[str, tuple[str, Any]] = {
    "t00080013": ("TM", "101501"),
    "t00200020": ("CS", None),
    "t00200060": ("CS", None),
    "t00280301": ("CS", "NO"),
    "t00400555": ("SQ", None),
    "t00082218": (
        "SQ",
        {
            "00080100": {"vr": "SH", "Value": ["39937001"]},
            "00080102": {"vr": "SH", "Value": ["SCT"]},
            "00080104": {"vr": "LO", "Value": ["Skin"]},
        },
    ),
}


def uids(made: Model) -> tuple[str, str, str]:
    """Study, series and instance."""
    study, series, sop = (made[key]["Value"][0] for key in ("0020000D", "0020000E", "00080018"))
    return study, series, sop


def path_of(made: Model) -> str:
    """The path of the instance."""
    study, series, sop = uids(made)
    return f"/studies/{study}/series/{series}/instances/{sop}"


def body(metadata: Iterable[bytes], bulk: Iterable[Bulk], media_type: str) -> bytes:
    """Parts of metadata, then of bulk data."""
    made = b""
    for document in metadata:
        made += f"--{BOUNDARY}\r\nContent-Type: {media_type}\r\n\r\n".encode() + document + b"\r\n"
    for each in bulk:
        made += f"--{BOUNDARY}\r\n".encode()
        if each.media_type is not None:
            made += f"Content-Type: {each.media_type}\r\n".encode()
        if each.location is not None:
            made += f"Content-Location: {each.location}\r\n".encode()
        made += b"\r\n" + each.data + b"\r\n"
    return made + f"--{BOUNDARY}--\r\n".encode()


def content_type(media_type: str) -> str:
    """Of the whole body."""
    return f'multipart/related; type="{media_type}"; boundary={BOUNDARY}'


def post(
    client: httpx.Client,
    metadata: Iterable[bytes],
    bulk: Iterable[Bulk],
    media_type: str,
    path: str = "/studies",
    **headers: str,
) -> httpx.Response:
    """Store it."""
    content = body(metadata, bulk, media_type)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post(
        path, content=content, headers={"Content-Type": content_type(media_type), **headers}
    )


def store_json(client: httpx.Client, models: Any, *bulk: Bulk, **more: str) -> httpx.Response:
    """Store models as one array; a single model is an array of one."""
    found = [models] if isinstance(models, dict) else models
    document = json.dumps(found).encode()
    return post(client, [document], bulk, "application/dicom+json", **more)


def instance(client: httpx.Client, made: Model) -> httpx.Response:
    """The object as it lies in the archive."""
    return client.get(path_of(made), params="original")
