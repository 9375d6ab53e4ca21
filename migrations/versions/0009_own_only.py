"""An application entity may be kept to what its organisation owns.

A database that an earlier revision made from today's tables has the column already.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the column where it is missing."""
    present = {each["name"] for each in sa.inspect(op.get_bind()).get_columns("ae_peer")}
    if "own_only" not in present:
        column = sa.Column("own_only", sa.SmallInteger(), nullable=False, server_default="0")
        op.add_column("ae_peer", column)
