"""Requests for storage commitment over the web (PS3.18 §13).

A database that the first revision made from today's tables has the table already.
"""

from __future__ import annotations

from alembic import op

from vna.index.tables import commitment

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table where it is missing."""
    commitment.create(op.get_bind(), checkfirst=True)
