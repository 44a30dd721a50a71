"""The tables, in types that SQLite and PostgreSQL share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, DateTime, Enum, Index, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from bot.turns.turn import TurnState

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite keeps no offset, so it is made UTC going in and marked coming out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without an offset: nobody could say when it was."""
        del dialect
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the moment in UTC."""
        del dialect
        if value is None or value.tzinfo is None:
            return value and value.replace(tzinfo=UTC)
        return value.astimezone(UTC)


class Base(DeclarativeBase):
    """What all tables share. Named constraints can be changed by a later migration."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class TurnRow(Base):
    """A turn: its question from the moment it is taken, and what became of it."""

    __tablename__ = "turns"
    __table_args__ = (
        # Slack sends a mention in a channel twice, as `message` and as `app_mention`, with one ts
        # and different event ids; this key is what both of them, and redeliveries, have in common.
        UniqueConstraint("team", "channel", "ts"),
        Index(None, "team", "channel", "thread_ts"),
        Index(None, "state"),
        # A turn's id stands in logs and in the thread, so that of a deleted turn is not used again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[TurnState] = mapped_column(
        Enum(
            TurnState,
            native_enum=False,
            length=16,
            values_callable=lambda states: [state.value for state in states],
        )
    )
    team: Mapped[str] = mapped_column(String(32))
    channel: Mapped[str] = mapped_column(String(32))
    thread_ts: Mapped[str] = mapped_column(String(32))
    ts: Mapped[str] = mapped_column(String(32))
    ts_order: Mapped[int] = mapped_column(BigInteger)  # see bot.store.turns.ts_order
    user: Mapped[str] = mapped_column(String(32))
    user_team: Mapped[str] = mapped_column(String(32))
    # Slack does not send an acknowledged event again, so what was asked is kept here: after a
    # restart a question that waited is still known in full.
    text: Mapped[str] = mapped_column(Text)

    previous_response_id: Mapped[str | None] = mapped_column(String(255))
    response_id: Mapped[str | None] = mapped_column(String(255))
    model: Mapped[str | None] = mapped_column(String(255))
    request_id: Mapped[str | None] = mapped_column(String(255))
    input_tokens: Mapped[int | None]
    output_tokens: Mapped[int | None]
    cached_tokens: Mapped[int | None]
    reasoning_tokens: Mapped[int | None]
    searches: Mapped[int | None]
    seconds: Mapped[float | None]
    error: Mapped[str | None] = mapped_column(String(255))  # the class's name, never its text

    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
