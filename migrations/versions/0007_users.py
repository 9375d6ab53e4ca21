"""Users, their sessions and their attempts to sign in.

A database that an earlier revision made from today's tables has the tables already.
"""

from __future__ import annotations

from alembic import op

from vna.index.tables import account, account_session, sign_in_attempt

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the tables where they are missing."""
    for table in (account, account_session, sign_in_attempt):
        table.create(op.get_bind(), checkfirst=True)
