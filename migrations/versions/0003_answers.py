# ruff: noqa: INP001 - Alembic loads this file by its path
"""The texts of answers, to be told again where a server has forgotten a thread, and their costs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for the texts; what was answered before has none."""
    op.add_column("turns", sa.Column("answer", sa.Text))
    op.add_column("turns", sa.Column("usd", sa.Double))


def downgrade() -> None:
    """Drop the texts."""
    op.drop_column("turns", "usd")
    op.drop_column("turns", "answer")
