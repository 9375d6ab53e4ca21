"""What DICOMweb offers here, as a table: every resource, its media types and its parameters.

Capabilities (PS3.18 §8.9) and the conformance statement are written from it; a test holds it
against the routes, and another one exercises every row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dicomweb.links import COMMITMENT, INSTANCE, SERIES, STUDY, short_forms
from dicomweb.negotiation import DICOM, DICOM_JSON, DICOM_XML, JSON, MODEL_TYPES, OCTETS
from dicomweb.question import PARAMETERS as SEARCH_PARAMETERS
from dicomweb.slide import IIIF, IIIF_PICTURE, LD_JSON
from dicomweb.wado_parameters import PARAMETERS as WADO_PARAMETERS
from dicomweb.wado_uri import WADO
from vna.dicom.transfer_syntax import TRANSFER_SYNTAXES

ZIP = "application/zip"


def part(media_type: str) -> str:
    """A multipart body with parts of `media_type`."""
    return f'multipart/related; type="{media_type}"'


COMPRESSED = tuple(
    dict.fromkeys(
        row.media_type for row in TRANSFER_SYNTAXES.values() if row.default_for_media_type
    )
)
_BULK = (part(OCTETS), *map(part, COMPRESSED))
_SINGLE_BULK = (OCTETS, *COMPRESSED)
_MODEL = (*MODEL_TYPES, part(DICOM_XML))
# What is more than pixels; SVG, PDF, models and containers beside MPEG are extensions of 8.7.4-1.
_PICTURES = ("image/jpeg", "image/gif", "image/png", "image/jp2")
_VIEWS = ("image/svg+xml", "application/pdf", "video/mp4", "video/mpeg",
          "video/h265", "video/mp2t", "model/stl", "model/obj", "model/mtl")  # fmt: skip
_TEXTS = ("text/html", "text/plain", "text/xml")
_OF_PICTURES = ("accept", "annotation", "iccprofile", "overlays", "quality", "viewport", "window")
_OF_FRAMES = (*_OF_PICTURES, "presentationSeriesUID", "presentationUID")
_RENDERED = (*_OF_FRAMES, "charset", "dpi", "gain", "layout", "page", "speed", "time")
_OF_MANY = tuple(each for each in _RENDERED if not each.startswith("presentation"))
_SMALL = _PICTURES[:3]
_COMMITMENT = (DICOM_JSON, JSON, DICOM_XML, part(DICOM_JSON), part(DICOM_XML))
_STORED = (*map(part, (DICOM, DICOM_JSON, DICOM_XML)), DICOM, DICOM_JSON, DICOM_XML)
_SEARCH = ("{attribute}", *SEARCH_PARAMETERS)


@dataclass(frozen=True, slots=True)
class Offer:
    """One method of one resource. `answers` and `takes`: media types of the response and of the
    request, the default first; `parameters`: of the query; `clause`: of PS3.18, "" for an
    extension."""

    transaction: str
    method: str
    template: str
    answers: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    clause: str = ""


def _instances() -> tuple[Offer, ...]:
    several = (part(DICOM), *_BULK, ZIP)
    return (
        *(
            Offer("Retrieve", "GET", path, several, (), ("accept", "dicomdir"), "10.4")
            for path in (STUDY, SERIES)
        ),
        Offer(
            "Retrieve",
            "GET",
            INSTANCE,
            (part(DICOM), DICOM, *_BULK, ZIP),
            (),
            ("accept", "dicomdir", "original", "version"),
            "10.4",
        ),
    )


_FULL: tuple[Offer, ...] = (
    Offer("Capabilities", "OPTIONS", "/", ("application/vnd.sun.wadl+xml", JSON), (), (), "8.9"),
    *(
        Offer("Store", "POST", path, (DICOM_JSON, DICOM_XML), _STORED, (), "10.5")
        for path in ("/studies", STUDY)
    ),
    *_instances(),
    *(
        Offer("Delete", "DELETE", path, parameters=("reason",))
        for path in (STUDY, SERIES, INSTANCE)
    ),
    *(
        Offer("Retrieve metadata", "GET", f"{path}/metadata", _MODEL, (), ("accept",), "10.4")
        for path in (STUDY, SERIES, INSTANCE)
    ),
    *(
        Offer(f"Retrieve {name}", "GET", f"{path}/{name}", _BULK, (), ("accept",), "10.4")
        for name in ("bulkdata", "pixeldata")
        for path in (STUDY, SERIES, INSTANCE)
    ),
    Offer(
        "Retrieve frames",
        "GET",
        f"{INSTANCE}/frames/{{frames}}",
        (*_BULK, *_SINGLE_BULK),
        (),
        ("accept",),
        "10.4",
    ),
    Offer(
        "Retrieve bulk data",
        "GET",
        f"{INSTANCE}/bulkdata/{{path:rest}}",
        (*_BULK, *_SINGLE_BULK),
        (),
        ("accept",),
        "10.4",
    ),
    *(
        Offer("Search", "GET", path, _MODEL, (), _SEARCH, "" if path == "/patients" else "10.6")
        for path in (
            "/patients",
            "/studies",
            "/series",
            f"{STUDY}/series",
            "/instances",
            f"{STUDY}/instances",
            f"{SERIES}/instances",
        )
    ),
    Offer("WADO-URI", "GET", WADO, (DICOM, *_PICTURES, *_TEXTS), (), WADO_PARAMETERS, "9"),
    *(
        Offer(
            "Retrieve rendered",
            "GET",
            f"{path}/rendered",
            tuple(map(part, (*_PICTURES, *_TEXTS, *_VIEWS))),
            (),
            _OF_MANY,
            "10.4",
        )
        for path in (STUDY, SERIES)
    ),
    Offer(
        "Retrieve rendered",
        "GET",
        f"{INSTANCE}/rendered",
        (*_PICTURES, *_TEXTS, *_VIEWS, *map(part, (*_PICTURES, *_TEXTS, *_VIEWS))),
        (),
        _RENDERED,
        "10.4",
    ),
    Offer(
        "Retrieve rendered",
        "GET",
        f"{INSTANCE}/frames/{{frames}}/rendered",
        (*_PICTURES, *map(part, _PICTURES)),
        (),
        _OF_FRAMES,
        "10.4",
    ),
    *(
        Offer(
            "Retrieve thumbnail",
            "GET",
            f"{path}/thumbnail",
            _SMALL,
            (),
            ("accept", "viewport"),
            "10.4",
        )
        for path in (STUDY, SERIES, INSTANCE, f"{INSTANCE}/frames/{{frames}}")
    ),
    Offer("Slide", "GET", SERIES + IIIF),
    Offer("Slide", "GET", f"{SERIES}{IIIF}/info.json", (JSON, LD_JSON), (), ("accept",)),
    Offer("Slide", "GET", SERIES + IIIF_PICTURE, ("image/jpeg", "image/png"), (), ("accept",)),
    Offer("Storage commitment", "POST", COMMITMENT, _COMMITMENT, _COMMITMENT, clause="13"),
    Offer("Storage commitment", "GET", COMMITMENT, _COMMITMENT, clause="13"),
)

OFFERS = (
    *_FULL,
    *(
        replace(offer, template=template, clause="")
        for offer in _FULL
        for template, _ in short_forms(offer.template)
    ),
)
