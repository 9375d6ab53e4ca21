"""Objects whose structure the walk declines, read by pydicom.

What is declined: an item or sequence that holds something else than elements or items; sequences
nested more than 64 deep; a header of more than 256 MiB.  What pydicom makes of them is written anew
in Explicit VR LE, so the header has no connection with the object's bytes: its anatomy is opaque
and its bulk data cannot be fetched.  The object is stored as it came, as always.
"""

from __future__ import annotations

import struct
import threading
import warnings
import zlib
from io import BytesIO
from typing import Any

from vna.dicom.source import Source
from vna.errors import MalformedObject

_LARGEST = 32 << 20  # bytes of the object that pydicom is given
# What pydicom raises on broken data, beside its own errors, which derive from these.
_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
_one_at_a_time = threading.Lock()  # warnings are silenced for the whole process


def rewritten_by_pydicom(source: Source, reason: str) -> bytes:
    """The data set up to the pixel data, in Explicit VR LE.

    Raises `MalformedObject` with `reason` where pydicom fails as well.
    """
    import pydicom
    from pydicom.errors import BytesLengthException
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_dataset

    written: Any = DicomBytesIO()
    written.is_little_endian, written.is_implicit_VR = True, False
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            given = BytesIO(source.read(0, _LARGEST))
            write_dataset(written, pydicom.dcmread(given, force=True, stop_before_pixels=True))
        except (*_FAILURES, BytesLengthException) as error:
            raise MalformedObject(f"the structure cannot be read: {reason}") from error
    return bytes(written.getvalue())
