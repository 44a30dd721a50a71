# ruff: noqa: INP001 - Alembic loads this file by its path
"""What a model's server was seen not to support, and the tokens that it kept for later."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for them."""
    tokens = sa.Integer().with_variant(sa.BigInteger, "postgresql")
    op.add_column("turns", sa.Column("cache_write_tokens", tokens))
    op.create_table(
        "unsupported",
        sa.Column("server", sa.Text, nullable=False),
        sa.Column("model", sa.String(255).with_variant(sa.Text, "postgresql"), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("server", "model", "name", name="pk_unsupported"),
    )


def downgrade() -> None:
    """Forget both."""
    op.drop_table("unsupported")
    op.drop_column("turns", "cache_write_tokens")
