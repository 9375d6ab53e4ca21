"""Segments with purged objects in them are found without reading every object.

A database that an earlier revision made from today's tables has the index already.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the index where it is missing."""
    name = "ix_object_purged"
    present = sa.inspect(op.get_bind()).get_indexes("object")
    if all(index["name"] != name for index in present):
        purged = sa.text("state = 2")
        op.create_index(
            name, "object", ["segment_fk"], sqlite_where=purged, postgresql_where=purged
        )
