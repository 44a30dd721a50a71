# ruff: noqa: INP001 - Alembic loads this file by its path
"""Until when the digests of a schedule have told, whatever its times are by now."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for it: what was posted before is not known."""
    op.add_column("schedules", sa.Column("covered_until", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("schedules", "covered_until")
