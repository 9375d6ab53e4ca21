"""Storage commitment that we ask of others.

A database that an earlier revision made from today's tables has the table already.
"""

from __future__ import annotations

from alembic import op

from vna.index.tables import asked_commitment

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table where it is missing."""
    asked_commitment.create(op.get_bind(), checkfirst=True)
