"""Attributes that are made searchable later (`vna index-tag`).

A database that an earlier revision made from today's tables has the tables already.
"""

from __future__ import annotations

from alembic import op

from vna.index.tables import tag_index, tag_value

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables where they are missing."""
    tag_index.create(op.get_bind(), checkfirst=True)
    tag_value.create(op.get_bind(), checkfirst=True)
