"""Bearer tokens.

A database that an earlier revision made from today's tables has the table already.
"""

from __future__ import annotations

from alembic import op

from vna.index.tables import token

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the table where it is missing."""
    token.create(op.get_bind(), checkfirst=True)
