# ruff: noqa: INP001 - Alembic loads this file by its path
"""Turns: every question taken, and what became of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "turns",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("team", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("thread_ts", sa.String(32), nullable=False),
        sa.Column("ts", sa.String(32), nullable=False),
        sa.Column("ts_order", sa.BigInteger, nullable=False),
        sa.Column("user", sa.String(32), nullable=False),
        sa.Column("user_team", sa.String(32), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("previous_response_id", sa.String(255)),
        sa.Column("response_id", sa.String(255)),
        sa.Column("model", sa.String(255)),
        sa.Column("request_id", sa.String(255)),
        sa.Column("input_tokens", sa.Integer),
        sa.Column("output_tokens", sa.Integer),
        sa.Column("cached_tokens", sa.Integer),
        sa.Column("reasoning_tokens", sa.Integer),
        sa.Column("searches", sa.Integer),
        sa.Column("seconds", sa.Double),
        sa.Column("error", sa.String(255)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
        sa.UniqueConstraint("team", "channel", "ts", name="uq_turns_team_channel_ts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_turns_team_channel_thread_ts", "turns", ["team", "channel", "thread_ts"])
    op.create_index("ix_turns_state", "turns", ["state"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_index("ix_turns_state", "turns")
    op.drop_index("ix_turns_team_channel_thread_ts", "turns")
    op.drop_table("turns")
