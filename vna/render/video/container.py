"""What a stored video is, by its first bytes (PS3.5 §8.2.5 to §8.2.8 allow several containers)."""

from __future__ import annotations

from enum import Enum

SNIFFED = 4096  # bytes that are enough to tell


class Container(Enum):
    """The container or bare stream; the value is its media type."""

    MP4 = "video/mp4"  # ISO/IEC 14496-12
    QUICKTIME = "video/quicktime"
    MPEG_TS = "video/mp2t"
    MPEG = "video/mpeg"  # program stream or bare MPEG-2 video
    H264 = "video/h264"  # bare, ISO/IEC 14496-10 annex B
    HEVC = "video/h265"  # bare, ISO/IEC 23008-2 annex B
    MATROSKA = "video/x-matroska"
    UNKNOWN = "application/octet-stream"


def container_of(start: bytes) -> Container:
    """The container of a video that begins with `start`, at least `SNIFFED` bytes of it."""
    if start[4:8] == b"ftyp":
        return Container.QUICKTIME if start[8:12] == b"qt  " else Container.MP4
    if start[4:8] in (b"moov", b"mdat", b"wide") or start[:4] == b"\0\0\0\0":
        # boxes without their `ftyp` are what QuickTime wrote before 2001; zeros are stuffing
        return Container.QUICKTIME if start[4:8] in (b"moov", b"mdat", b"wide") else _bare(start)
    if start[:1] == b"\x47" and all(start[at : at + 1] in (b"\x47", b"") for at in (188, 376, 564)):
        return Container.MPEG_TS
    if start[:4] == b"\x1a\x45\xdf\xa3":
        return Container.MATROSKA
    return _bare(start)


def _bare(start: bytes) -> Container:
    at = start.find(b"\0\0\1")
    if at < 0 or start[:at].strip(b"\0") or at + 5 > len(start):
        return Container.UNKNOWN
    first, second = start[at + 3], start[at + 4]
    if first in (0xBA, 0xB3):  # pack header, sequence header
        return Container.MPEG
    if first & 0x80:  # forbidden_zero_bit
        return Container.UNKNOWN
    # A stream of H.265 begins with VPS, SPS, PPS, AUD or SEI, whose second byte is 1 for layer 0;
    # these first bytes are no NAL unit that a stream of H.264 begins with.
    if first >> 1 in (32, 33, 34, 35, 39) and second == 1:
        return Container.HEVC
    if first & 31 in (6, 7, 8, 9):
        return Container.H264
    return Container.UNKNOWN
