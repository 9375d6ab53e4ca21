"""What the standard leaves open or says twice, decided once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """`name`: short and stable. `texts`: what the standard says and where. `here`: what is done."""

    name: str
    texts: str
    here: str


DECISIONS = (
    Decision(
        "partial answers",
        "PS3.18 §8.5 has 206 for Range only; tables 10.4.3-1 and 11.9.3-1 for incomplete answers",
        "206 answers a Range; what cannot be given whole fails before its first byte",
    ),
    Decision(
        "form of the store response",
        "PS3.18 §F.2.1 makes every JSON answer an array, Annex I writes the module as one object",
        "one object",
    ),
    Decision(
        "202 of a store",
        "PS3.18 §10.5.3.1 has 202 where some are not stored or warned of; servers answer 200",
        "202 where any object was not stored, or has a Warning Reason",
    ),
    Decision(
        "frames of native pixel data",
        "PS3.18 §8.7.3.3 has one part for uncompressed bulk data, §10.4 one for each frame",
        "a part for each frame of `/frames`; the bulk data of an instance are one part",
    ),
    Decision(
        "no Accept",
        "PS3.18 §8.7.5 answers 406 where nothing is accepted; most clients send no header",
        "anything will do; 406 with `dicomweb.strict_accept`",
    ),
    Decision(
        "no transfer syntax named",
        "PS3.18 table 8.7.3-2 means Explicit VR Little Endian, which may need a codec",
        "Explicit VR Little Endian; where no codec reads the pixels, as stored with a Warning",
    ),
    Decision(
        "image/jpeg without a transfer syntax",
        "PS3.18 table 8.7.3-5 means lossless JPEG; clients mean what is stored",
        "as stored where that is JPEG, with a Warning; with `strict_accept` lossless JPEG",
    ),
    Decision(
        "Implicit VR and Big Endian",
        "PS3.18 §8.7.3.2 forbids both on the web, also for `transfer-syntax=*`",
        "Explicit VR Little Endian instead; `?original` gives the received bytes",
    ),
    Decision(
        "single-part application/dicom",
        "PS3.18 §10.5 knows multipart only; clients send one object as it is",
        "taken",
    ),
    Decision(
        "parts of one multi-frame",
        "PS3.18 §10.5.2 does not say how the parts of its frames are told apart",
        "the same Content-Location in order, or `/frames/n` at its end",
    ),
    Decision(
        "metadata that contradict the image",
        "PS3.18 §10.5.2 lets the archive derive, and coerce with Original Attributes",
        "derived where missing, refused with A900 where untrue; nothing is coerced",
    ),
    Decision(
        "an object sent again",
        "PS3.18 §10.5 is silent",
        "the same data set again is a success and no second copy; another one is a new version",
    ),
    Decision(
        "spelling of example B.23",
        "PS3.18 writes Tag, VR and a URI as value; PS3.19 §A.1 tag, vr and BulkData",
        "both are read; written as PS3.19",
    ),
    Decision(
        "several values of a code string key",
        "PS3.4 §C.2.2.2 needs them to be negotiated; viewers send `CT\\MR`",
        "any of them matches",
    ),
    Decision(
        "multiplevaluematching",
        "PS3.18 §8.3.4.6 wants a Warning where it is not supported",
        "the Warning with that text",
    ),
    Decision(
        "3D rendering",
        "PS3.18 §10.4.1.1 writes rendered3d of a study in two ways",
        "not offered: no such resource",
    ),
    Decision(
        "cancelling a scheduled workitem",
        "PS3.18 §11.8 answers 409, its state table cancels",
        "worklists are not offered: no such resource",
    ),
    Decision(
        "a name nobody knows",
        "PS3.18 §8.3.4 lets a server ignore keys it does not support",
        "400 that names the nearest keyword: an ignored filter shows too much",
    ),
)
