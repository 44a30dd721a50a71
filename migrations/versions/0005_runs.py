# ruff: noqa: INP001 - Alembic loads this file by its path
"""Research: what kind of answer is wanted, and the runs at the model's server."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them."""
    op.add_column(
        "turns", sa.Column("kind", sa.String(16), nullable=False, server_default="answer")
    )
    op.create_table(
        "runs",
        sa.Column("turn_id", sa.Integer, nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("response_id", sa.String(255).with_variant(sa.Text, "postgresql")),
        sa.Column("sequence_number", sa.Integer),
        sa.Column("stop_asked_at", sa.DateTime(timezone=True)),
        sa.Column("trail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("turn_id", name="pk_runs"),
        sa.ForeignKeyConstraint(
            ["turn_id"], ["turns.id"], name="fk_runs_turn_id_turns", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    """Forget the runs; what they answered stays."""
    op.drop_table("runs")
    op.drop_column("turns", "kind")
