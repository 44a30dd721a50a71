# ruff: noqa: INP001 - Alembic loads this file by its path
"""Digests that come by themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SLACK_ID = sa.String(32).with_variant(sa.Text, "postgresql")


def upgrade() -> None:
    """Make room for them."""
    op.create_table(
        "schedules",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("team", SLACK_ID, nullable=False),
        sa.Column("user", SLACK_ID, nullable=False),
        sa.Column("user_team", SLACK_ID, nullable=False),
        sa.Column("source", SLACK_ID, nullable=False),
        sa.Column("target", SLACK_ID, nullable=False),
        sa.Column("cron", sa.String(255), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("next_due", sa.DateTime(timezone=True)),
        sa.Column("skipped", sa.Text, nullable=False),
        sa.Column("paused_why", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schedules"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_schedules_next_due", "schedules", ["next_due"])


def downgrade() -> None:
    """Forget them."""
    op.drop_index("ix_schedules_next_due", "schedules")
    op.drop_table("schedules")
