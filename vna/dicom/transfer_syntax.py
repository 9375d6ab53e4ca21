"""The transfer syntaxes an object may be in (PS3.5 §10, §A; PS3.18 table 8.7.3-5).

A table of our own, because pydicom's lacks JPEG XL and the deflated image frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Encoding(IntEnum):
    """How the data elements of a data set are written."""

    IMPLICIT_LE = 0
    EXPLICIT_LE = 1
    EXPLICIT_BE = 2


@dataclass(frozen=True, slots=True)
class TransferSyntax:
    """One row of the table.

    `media_type`: of one frame sent as bulk data, default of PS3.18 table 8.7.3-5 where
    `default_for_media_type`.  `start`: first bytes of a codestream, where there is one.
    `lossy`: whether the codestream of this syntax may have lost information.  `decoded`: whether
    the archive can decode it (`vna.pixels`).  `encoded`: whether it makes it, without loss.
    """

    uid: str
    name: str
    encoding: Encoding = Encoding.EXPLICIT_LE
    encapsulated: bool = False
    deflated: bool = False
    lossy: bool = False
    video: bool = False
    media_type: str = "application/octet-stream"
    default_for_media_type: bool = False
    start: bytes = b""
    frame_per_fragment: bool = False
    decoded: bool = False
    encoded: bool = False


IMPLICIT_LE = "1.2.840.10008.1.2"
EXPLICIT_LE = "1.2.840.10008.1.2.1"
DEFLATED_EXPLICIT_LE = "1.2.840.10008.1.2.1.99"
EXPLICIT_BE = "1.2.840.10008.1.2.2"
RLE_LOSSLESS = "1.2.840.10008.1.2.5"

_ROOT = "1.2.840.10008.1.2."
_NOT_ENCODED = ("4.92",)  # its transforms over components are nobody's
_SOI = b"\xff\xd8"
_SOC = b"\xff\x4f\xff\x51"


def _native(uid: str, name: str, encoding: Encoding, deflated: bool = False) -> TransferSyntax:
    jpip = "JPIP" in name
    return TransferSyntax(
        uid, name, encoding, deflated=deflated, decoded=not jpip, encoded=uid == EXPLICIT_LE
    )


def _image(
    suffix: str,
    name: str,
    media_type: str,
    start: bytes,
    *,
    lossy: bool = False,
    default: bool = False,
    frame_per_fragment: bool = False,
) -> TransferSyntax:
    return TransferSyntax(
        _ROOT + suffix,
        name,
        encapsulated=True,
        lossy=lossy,
        media_type=media_type,
        default_for_media_type=default,
        start=start,
        frame_per_fragment=frame_per_fragment,
        decoded=True,
        encoded=not lossy and suffix not in _NOT_ENCODED,
    )


def _video(suffix: str, name: str, media_type: str, default: bool = False) -> TransferSyntax:
    return TransferSyntax(
        _ROOT + suffix,
        name,
        encapsulated=True,
        lossy=True,
        video=True,
        media_type=media_type,
        default_for_media_type=default,
    )


_OCTETS = "application/octet-stream"
_TABLE = (
    _native(IMPLICIT_LE, "Implicit VR Little Endian", Encoding.IMPLICIT_LE),
    _native(EXPLICIT_LE, "Explicit VR Little Endian", Encoding.EXPLICIT_LE),
    _image("1.98", "Encapsulated Uncompressed Explicit VR Little Endian", _OCTETS, b""),
    _native(DEFLATED_EXPLICIT_LE, "Deflated Explicit VR Little Endian", Encoding.EXPLICIT_LE, True),
    _native(EXPLICIT_BE, "Explicit VR Big Endian", Encoding.EXPLICIT_BE),
    _image("4.50", "JPEG Baseline (Process 1)", "image/jpeg", _SOI, lossy=True),
    _image("4.51", "JPEG Extended (Process 2 and 4)", "image/jpeg", _SOI, lossy=True),
    _image("4.57", "JPEG Lossless (Process 14)", "image/jpeg", _SOI),
    _image("4.70", "JPEG Lossless (Process 14, SV1)", "image/jpeg", _SOI, default=True),
    _image("4.80", "JPEG-LS Lossless", "image/jls", _SOI, default=True),
    _image("4.81", "JPEG-LS Near-Lossless", "image/jls", _SOI, lossy=True),
    _image("4.90", "JPEG 2000 Lossless", "image/jp2", _SOC, default=True),
    _image("4.91", "JPEG 2000", "image/jp2", _SOC, lossy=True),
    _image("4.92", "JPEG 2000 Multi-component Lossless", "image/jpx", _SOC, default=True),
    _image("4.93", "JPEG 2000 Multi-component", "image/jpx", _SOC, lossy=True),
    _native(_ROOT + "4.94", "JPIP Referenced", Encoding.EXPLICIT_LE),
    _native(_ROOT + "4.95", "JPIP Referenced Deflate", Encoding.EXPLICIT_LE, True),
    _video("4.100", "MPEG2 Main Profile / Main Level", "video/mpeg"),
    _video("4.100.1", "Fragmentable MPEG2 Main Profile / Main Level", "video/mpeg"),
    _video("4.101", "MPEG2 Main Profile / High Level", "video/mpeg", True),
    _video("4.101.1", "Fragmentable MPEG2 Main Profile / High Level", "video/mpeg"),
    _video("4.102", "MPEG-4 AVC/H.264 High Profile / Level 4.1", "video/mp4", True),
    _video("4.102.1", "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1", "video/mp4"),
    _video("4.103", "MPEG-4 AVC/H.264 BD-compatible", "video/mp4"),
    _video("4.103.1", "Fragmentable MPEG-4 AVC/H.264 BD-compatible", "video/mp4"),
    _video("4.104", "MPEG-4 AVC/H.264 High Profile for 2D Video", "video/mp4"),
    _video("4.104.1", "Fragmentable MPEG-4 AVC/H.264 High Profile for 2D Video", "video/mp4"),
    _video("4.105", "MPEG-4 AVC/H.264 High Profile for 3D Video", "video/mp4"),
    _video("4.105.1", "Fragmentable MPEG-4 AVC/H.264 High Profile for 3D Video", "video/mp4"),
    _video("4.106", "MPEG-4 AVC/H.264 Stereo High Profile", "video/mp4"),
    _video("4.106.1", "Fragmentable MPEG-4 AVC/H.264 Stereo High Profile", "video/mp4"),
    _video("4.107", "HEVC/H.265 Main Profile / Level 5.1", "video/H265", True),
    _video("4.108", "HEVC/H.265 Main 10 Profile / Level 5.1", "video/H265"),
    _image("4.110", "JPEG XL Lossless", "image/jxl", b"\xff\x0a", default=True),
    _image("4.111", "JPEG XL JPEG Recompression", "image/jxl", b"\xff\x0a", lossy=True),
    _image("4.112", "JPEG XL", "image/jxl", b"\xff\x0a", lossy=True),
    _image("4.201", "High-Throughput JPEG 2000 Lossless", "image/jphc", _SOC, default=True),
    _image("4.202", "High-Throughput JPEG 2000 RPCL Lossless", "image/jphc", _SOC),
    _image("4.203", "High-Throughput JPEG 2000", "image/jphc", _SOC, lossy=True),
    _native(_ROOT + "4.204", "JPIP HTJ2K Referenced", Encoding.EXPLICIT_LE),
    _native(_ROOT + "4.205", "JPIP HTJ2K Referenced Deflate", Encoding.EXPLICIT_LE, True),
    _image(
        "5", "RLE Lossless", "image/dicom-rle", b"", default=True, frame_per_fragment=True
    ),  # PS3.5 §A.4.2: a frame is one fragment
    _image("8.1", "Deflated Image Frame Compression", _OCTETS, b"", frame_per_fragment=True),
)

TRANSFER_SYNTAXES = {row.uid: row for row in _TABLE}


def transfer_syntax(uid: str) -> TransferSyntax:
    """The row of `uid`; one that is not in the table is Explicit VR LE and encapsulated (§A.4)."""
    known = TRANSFER_SYNTAXES.get(uid)
    return known or TransferSyntax(uid, uid, encapsulated=True, lossy=True)
