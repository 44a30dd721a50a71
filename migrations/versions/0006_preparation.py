# ruff: noqa: INP001 - Alembic loads this file by its path
"""What comes before a research: what was asked back, its brief, and what that cost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it."""
    op.add_column("runs", sa.Column("questions", sa.Text))
    op.add_column("runs", sa.Column("brief", sa.Text))
    op.add_column("runs", sa.Column("spent", sa.Text))
    op.add_column(
        "runs", sa.Column("taken_up_by", sa.String(32).with_variant(sa.Text, "postgresql"))
    )


def downgrade() -> None:
    """Forget it."""
    for name in ("taken_up_by", "spent", "brief", "questions"):
        op.drop_column("runs", name)
