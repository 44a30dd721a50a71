# ruff: noqa: INP001 - Alembic loads this file by its path
"""Owners of turns, the messages they post, and the processes that share a database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXTS = (
    "team",
    "channel",
    "thread_ts",
    "ts",
    "user",
    "user_team",
    "previous_response_id",
    "response_id",
    "model",
    "request_id",
)
TOKENS = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")
ADDED = ("owner", "epoch", "attempt", "started_at", "ended_at")


def upgrade() -> None:
    """Add what a turn is taken over by, and leave the lengths of what others send to them."""
    if op.get_context().dialect.name == "postgresql":  # SQLite holds nobody to a length
        for name in TEXTS:
            op.alter_column("turns", name, type_=sa.Text)
        for name in TOKENS:
            op.alter_column("turns", name, type_=sa.BigInteger)
    op.add_column("turns", sa.Column("owner", sa.String(64)))
    op.add_column("turns", sa.Column("epoch", sa.Integer, nullable=False, server_default="0"))
    op.add_column("turns", sa.Column("attempt", sa.Integer, nullable=False, server_default="0"))
    op.add_column("turns", sa.Column("started_at", sa.DateTime(timezone=True)))
    op.add_column("turns", sa.Column("ended_at", sa.DateTime(timezone=True)))
    op.execute(
        "UPDATE turns SET ended_at = updated_at WHERE state IN ('answered', 'failed', 'stopped')"
    )
    # The version before held the order of a thread in memory, so two of them may be running.
    op.execute(
        "UPDATE turns SET state = 'waiting' WHERE state = 'running' AND EXISTS ("
        "SELECT 1 FROM turns AS earlier WHERE earlier.state = 'running'"
        " AND earlier.team = turns.team AND earlier.channel = turns.channel"
        " AND earlier.thread_ts = turns.thread_ts AND earlier.ts_order < turns.ts_order)"
    )
    op.create_index(
        "uq_turns_running",
        "turns",
        ["team", "channel", "thread_ts"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_table(
        "messages",
        sa.Column("turn_id", sa.Integer, nullable=False),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("streamed", sa.Boolean, nullable=False),
        sa.Column("ts", sa.String(32).with_variant(sa.Text, "postgresql")),
        sa.Column("delivered", sa.Integer, nullable=False, server_default="0"),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("turn_id", "part", name="pk_messages"),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["turns.id"], name="fk_messages_turn_id_turns", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "processes",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_processes"),
    )


def downgrade() -> None:
    """Drop it again. What a command asked and has no thread yet is given up.

    On PostgreSQL the types stay as wide as they are: what is stored might not fit the old ones.
    """
    op.drop_table("processes")
    op.drop_table("messages")
    op.drop_index("uq_turns_running", "turns")
    op.execute("UPDATE turns SET state = 'failed' WHERE state = 'placing'")
    for name in ADDED:
        op.drop_column("turns", name)
