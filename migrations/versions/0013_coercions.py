"""What is changed of everything that an application entity sends.

A database that an earlier revision made from today's tables has the column already.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add the column where it is missing."""
    present = {each["name"] for each in sa.inspect(op.get_bind()).get_columns("ae_peer")}
    if "coercions" not in present:
        column = sa.Column("coercions", sa.Text(), nullable=False, server_default="")
        op.add_column("ae_peer", column)
