"""What was said of a patient, once per identifier and content."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import xxhash
from sqlalchemy import insert, select

from vna.index import columns
from vna.index.engine import Session
from vna.index.tables import demographics


def keep(session: Session, identifier_fk: int, attributes: Mapping[str, Any]) -> int:
    """The key of the row that says `attributes` (DICOM JSON, patient level) of an identifier.

    Two transactions that first say the same at once meet on the unique constraint: the later one
    runs again (`Index.transact`).
    """
    body = orjson.dumps(dict(sorted(attributes.items())))
    digest = xxhash.xxh3_128_digest(body)
    found = session.execute(
        select(demographics.c.pk).where(
            demographics.c.identifier_fk == identifier_fk, demographics.c.digest == digest
        )
    ).scalar()
    if found is not None:
        return int(found)
    inserted = session.execute(
        insert(demographics).values(
            identifier_fk=identifier_fk,
            digest=digest,
            attributes=body,
            **columns.demographics(attributes),
        )
    ).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])
