"""Stores know their marker; copies of segments are found by when they were checked.

A database that an earlier revision made from today's tables has both already.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column and the index where they are missing."""
    inspector = sa.inspect(op.get_bind())
    if all(column["name"] != "identity" for column in inspector.get_columns("store")):
        op.add_column("store", sa.Column("identity", sa.Text(), nullable=False, server_default=""))
    name = "ix_segment_copy_verified_at"
    if all(index["name"] != name for index in inspector.get_indexes("segment_copy")):
        op.create_index(name, "segment_copy", ["verified_at"])
