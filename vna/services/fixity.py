"""What an auditor asks of an archive: how much there is, in how many copies, read when, how good.

Signed, so that it can be shown later what was known now (ISO 16363 4.2.9, 5.1.1.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import orjson

from vna.index import copies, statistics
from vna.index.engine import Index
from vna.model.caller import Caller, Right
from vna.services.copies import OPEN_MILLISECONDS
from vna.services.custody import Custody
from vna.services.rights import require

if TYPE_CHECKING:
    from vna.services.signing import SigningKey

FORMAT = 1
DUE_MILLISECONDS = 2 * OPEN_MILLISECONDS  # by then a segment is closed and copied, if all is well
MOST_NAMED = 10_000  # damaged objects that a report names


@dataclass(frozen=True, slots=True)
class Report:
    """`content`: JSON; `signature`: under exactly these bytes. `whole`: nothing is damaged, and no
    segment that is due has too few copies."""

    content: bytes
    signature: bytes
    whole: bool


class Fixity:
    """Makes reports. `days`: within which every copy is to be read; `wanted`: how many copies."""

    def __init__(self, index: Index, custody: Custody, *, days: int, wanted: int) -> None:
        self._index, self._custody = index, custody
        self._days, self._wanted = days, wanted

    def report(self, caller: Caller, key: SigningKey) -> Report:
        """What the index knows; `vna scrub` reads. Raises `Forbidden`, `IndexUnavailable`."""
        require(caller, Right.ADMINISTER)
        stores = self._custody.stores(caller)
        with self._index.reading() as session:
            now = session.now()
            overdue = copies.overdue(session, before=now - self._days * 24 * 3600 * 1000)
            lacking, young = copies.count_wanting(
                session, self._wanted, before=now - DUE_MILLISECONDS
            )
            found: dict[str, Any] = {
                "format": FORMAT,
                "made_at": _time(now),
                "software": f"regional-vna {version('regional-vna')}",
                "digest": "SHA-256",
                "checked_within_days": self._days,
                "copies_wanted": self._wanted,
                "totals": statistics.totals(session),
                "segments_lacking_copies": lacking,
                "segments_not_yet_copied": young,
                "damaged_objects": [
                    each.hex() for each in copies.damaged_objects(session, limit=MOST_NAMED)
                ],
                "stores": [
                    {
                        "name": each.name,
                        "identity": each.identity,
                        "class": each.tier,
                        "domain": each.domain,
                        "here": each.here,
                        "segments": each.figures.copies,
                        "bytes": each.figures.size,
                        "damaged": each.figures.damaged,
                        "never_read_back": each.figures.unverified,
                        "overdue": overdue.get(each.name, 0),
                        "oldest_check": _time(each.figures.oldest),
                    }
                    for each in stores
                ],
                "signing_key_sha256": key.fingerprint,
            }
            damaged = sum(each.figures.damaged for each in stores) or found["damaged_objects"]
            whole = not damaged and not found["segments_lacking_copies"]
        content = orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        return Report(content, key.sign(content), whole)


def _time(milliseconds: int) -> str | None:
    if not milliseconds:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
