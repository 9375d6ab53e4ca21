"""The first request after a start, before anybody asks it."""

from __future__ import annotations

from contextlib import suppress

from vna.errors import NotFound, Unavailable
from vna.index import places, series_metadata
from vna.index.engine import Index
from vna.index.search import find
from vna.model.caller import local_administrator
from vna.model.query import Exact, Key, Level, Query

_KEYS = {Level.STUDY: ((0x00100020, "LO"), (0x0020000D, "UI")), Level.SERIES: ((0x0020000D, "UI"),)}


def warm(index: Index) -> None:
    """Have the statements of the commonest requests compiled and a connection open: without, the
    first of each costs ten times what the others do. Reads a few rows; nothing is audited, as
    nothing is given to anybody. A database that is away is no error here."""
    caller = local_administrator("127.0.0.1")
    try:
        with index.reading() as session:
            for level, keys in _KEYS.items():
                for tag, vr in keys:
                    find(session, Query(level, (Key((tag,), vr, Exact("0")),), limit=1), caller)
            page = find(session, Query(Level.INSTANCE, limit=1), caller)
            for row in page.rows:
                uids = (row.study_uid, row.series_uid, row.sop_uid)
                stamps = places.series_stamps(session, caller, *uids[:2])
                series_metadata.find(session, {each.key: "" for each in stamps})
                places.shown(session, caller, *uids)
            for read in (
                places.series_stamps,
                places.shown,
            ):  # of whole studies, which may be large
                with suppress(NotFound):
                    read(session, caller, "0")
    except Unavailable:
        return
