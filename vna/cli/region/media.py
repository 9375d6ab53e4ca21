"""Pixels, curves and files of the synthetic region; small, and the same every time."""

from __future__ import annotations

import base64
import struct

import numpy as np
from numpy.typing import NDArray

# A JPEG of 48 × 48 pixels (baseline, YBR_FULL_422): skin with a mark, drawn for this file.
SKIN_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVt"
    "VkVGZIhlbXd7gYKBTmCNl4x9lnN+gXz/2wBDARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8"
    "fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHz/wAARCAAwADADASIAAhEBAxEB/8QAGQABAQEBAQEAAAAAAAAAAAAA"
    "AAIEBgMF/8QAIBAAAgICAgMBAQAAAAAAAAAAAQIAAwQREjEFITITgf/EABYBAQEBAAAAAAAAAAAAAAAAAAACBP/E"
    "ABYRAQEBAAAAAAAAAAAAAAAAAAARIf/aAAwDAQACEQMRAD8A+xERM7SRIe6qs6ssRT3pmAhLqrDquxGPelYGBcRE"
    "BM3kMg42MWT7J4qddTTM3kMc5OMVT7B5KN9wOayLWHve2Y7JMii5/wBB799gj0RPW2rltWBVgf6JNVGnGtsx9AAS"
    "8htdL4/IOTjBn+weLHXc0zN4/HONjBX+yeTDfU0yAiIgQ9NVh3ZWjHrbKDCU1VnddaKetqoEuICIiB//2Q=="
)
SKIN_SIDE = 48  # pixels


def slices(side: int, count: int, *, deep: int) -> list[bytes]:
    """`count` images of a round body, `deep` its brightest value, 16 bits little endian."""
    rows, columns = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    made = []
    for number in range(count):
        body = rows**2 + columns**2 < 0.75
        organ = (rows - 0.1) ** 2 + (columns + 0.25) ** 2 < 0.02 * (number + 1)
        image = np.where(organ, deep, np.where(body, deep // 2, 0))
        made.append(image.astype("<u2").tobytes())
    return made


def color_frames(rows: int, columns: int, count: int) -> bytes:
    """`count` RGB frames of a moving band."""
    frames: NDArray[np.uint8] = np.zeros((count, rows, columns, 3), "u1")
    for number in range(count):
        frames[number, :, number * 4 : number * 4 + 8] = (200, 40 + 20 * number, 60)
    return frames.tobytes()


def leads(samples: int) -> bytes:
    """Twelve channels of `samples` 16-bit values: a slow wave and a sharp beat, interleaved."""
    time = np.arange(samples) / 500
    beat = np.exp(-(((time % 0.8) - 0.3) ** 2) / 0.0002) * 900
    wave = np.sin(2 * np.pi * 1.25 * time) * 60
    channels = [(beat + wave) * (1 - lead / 8) for lead in range(12)]
    return np.stack(channels, axis=1).astype("<i2").tobytes()


def video(size: int) -> bytes:
    """An MPEG-4 container without a playable stream: boxes `ftyp`, `free` and `mdat`."""
    ftyp = struct.pack(">L4s4sL8s", 24, b"ftyp", b"isom", 512, b"isomavc1")
    free = struct.pack(">L4s", 8, b"free")
    content = bytes(range(256)) * (size // 256)
    return ftyp + free + struct.pack(">L4s", 8 + len(content), b"mdat") + content


def pdf(*lines: str) -> bytes:
    """A PDF 1.4 of one page with `lines`; ends on an even number of bytes."""
    rows = " ".join(f"({_escaped(line)}) Tj 0 -18 Td" for line in lines)
    text = f"BT /F1 12 Tf 60 760 Td {rows} ET".encode("cp1252")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    made = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    made += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    made += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % (len(objects) + 1)
    made += b"startxref\n%d\n%%%%EOF\n" % table
    return bytes(made) + b"\n" * (len(made) % 2)


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
