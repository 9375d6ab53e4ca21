"""Where a search goes on, as clients carry it: the `cursor` of a Link header (RFC 8288).

An extension: unlike `offset` it costs the same on every page, and what is stored meanwhile moves
nothing. The text means nothing outside the archive; its checksum keeps accidents out.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import urlencode

import orjson
import xxhash

from vna.errors import InvalidValue
from vna.http.request import Request
from vna.model.query import Cursor

PARAMETER = "cursor"
_LONGEST = 2000  # characters


def written(cursor: Cursor) -> str:
    """The cursor as the value of a query parameter."""
    said = orjson.dumps(cursor.values)
    return urlsafe_b64encode(xxhash.xxh3_64_digest(said) + said).decode().rstrip("=")


def read(text: str) -> Cursor:
    """What `written` gave. Raises `InvalidValue` for anything else."""
    refused = InvalidValue(PARAMETER, "", "come from the Link header of a page of the same search")
    if len(text) > _LONGEST or not text.isascii():
        raise refused
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        values = orjson.loads(data[8:])
    except ValueError as error:
        raise refused from error
    if xxhash.xxh3_64_digest(data[8:]) != data[:8] or not isinstance(values, list):
        raise refused
    if not all(map(_storable, values)):
        raise refused
    return Cursor(tuple(values))


def _storable(value: object) -> bool:
    """Whether a database can hold it: a sort key of a row is."""
    if isinstance(value, str):
        return "\0" not in value
    return type(value) is int and -(1 << 63) <= value < 1 << 63


def link(request: Request, service: str, root: str, cursor: Cursor) -> tuple[str, str]:
    """The header that names the next page: the same search, from `cursor` on.

    `service`: the DICOMweb root that clients see, and `root` its path here.
    """
    kept = [each for each in request.query if each[0] not in (PARAMETER, "offset")]
    query = urlencode([*kept, (PARAMETER, written(cursor))])
    return ("Link", f'<{service}{request.path.removeprefix(root)}?{query}>; rel="next"')
