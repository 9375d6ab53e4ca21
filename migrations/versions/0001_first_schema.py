"""The first schema.

Until the first release it is made from the tables themselves; later revisions spell out
their steps.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import insert

from vna.index.tables import authority, feed_head, metadata, organisation, store

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table, the head of the feed and the rows that each archive starts with."""
    connection = op.get_bind()
    metadata.create_all(connection)
    connection.execute(insert(feed_head).values(pk=1, last=0))
    connection.execute(insert(authority).values(name=""))
    connection.execute(insert(organisation).values(code="default", name="Default organisation"))
    connection.execute(insert(store).values({"name": "main", "class": "hot", "domain": "here"}))
