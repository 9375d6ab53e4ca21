"""Rows that the stores do not know yet are noted by triggers; the log begins with all there are."""

from __future__ import annotations

from alembic import op
from sqlalchemy import insert, select

from vna.index import row_log
from vna.index.tables import log_head, unlogged

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Create tables and triggers where they are missing, and note every row."""
    connection = op.get_bind()
    for table in (unlogged, log_head):
        table.create(connection, checkfirst=True)
    if connection.execute(select(log_head.c.pk)).first() is None:
        connection.execute(insert(log_head).values(pk=1))
    row_log.install(connection)
    row_log.note_all(connection)
