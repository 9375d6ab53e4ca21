"""How much the archive holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vna.errors import UnknownName
from vna.index import row_log, statistics
from vna.index.engine import Index
from vna.model.caller import Caller, Right
from vna.services.rights import require


class Statistics:
    """Counts over the whole archive, for its administrator."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def totals(self, caller: Caller) -> dict[str, int]:
        """patients, studies, series, instances, documents, objects, bytes, held, trashed,
        attention, segments, dead_jobs, unsent. Raises `Forbidden`."""
        require(caller, Right.ADMINISTER)
        with self._index.reading() as session:
            return statistics.totals(session)

    def waiting(self, caller: Caller) -> dict[str, int]:
        """held, attention, dead_jobs and unsent only, for who asks often; and unlogged, about how
        many rows the stores do not know yet. Raises `Forbidden`."""
        require(caller, Right.ADMINISTER)
        with self._index.reading() as session:
            return statistics.waiting(session) | {"unlogged": row_log.waiting(session)}

    def studies_by(self, caller: Caller, groups: Sequence[str]) -> list[dict[str, Any]]:
        """Studies and instances for each combination of organisation, modality, year.

        Raises `UnknownName` for another group, `Forbidden`.
        """
        require(caller, Right.ADMINISTER)
        for name in groups:
            if name not in statistics.GROUPS:
                raise UnknownName("group", name, statistics.GROUPS)
        with self._index.reading() as session:
            return statistics.studies_by(session, groups)
