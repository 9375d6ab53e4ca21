"""Application entities, the log of associations, rules of routing and what is to be sent.

A database that an earlier revision made from today's tables has the tables already.
"""

from __future__ import annotations

from alembic import op

from vna.index.tables import (
    ae_peer,
    association,
    called_title,
    outgoing,
    routing_rule,
    stranger,
)

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables where they are missing."""
    for table in (ae_peer, called_title, stranger, association, routing_rule, outgoing):
        table.create(op.get_bind(), checkfirst=True)
