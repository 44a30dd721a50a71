"""The tables, in types that SQLite and PostgreSQL share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
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


# Named constraints can be changed by a later migration.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
state_type = Enum(
    TurnState,
    native_enum=False,
    length=16,
    values_callable=lambda states: [state.value for state in states],
)

# SQLite holds nobody to a length; PostgreSQL would refuse what somebody else's server sent.
SLACK_ID = String(32).with_variant(Text, "postgresql")
MODEL_ID = String(255).with_variant(Text, "postgresql")
TOKENS = Integer().with_variant(BigInteger, "postgresql")

# A turn: its question from the moment it is taken, and what became of it.
turns = Table(
    "turns",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("state", state_type, nullable=False),
    Column("team", SLACK_ID, nullable=False),
    Column("channel", SLACK_ID, nullable=False),
    Column("thread_ts", SLACK_ID, nullable=False),
    Column("ts", SLACK_ID, nullable=False),
    Column("ts_order", BigInteger, nullable=False),  # see bot.store.rows.ts_order
    Column("user", SLACK_ID, nullable=False),
    Column("user_team", SLACK_ID, nullable=False),
    # Slack does not send an acknowledged event again, so what was asked is kept here: after a
    # restart a question that waited is still known in full.
    Column("text", Text, nullable=False),
    Column("kind", String(16), nullable=False, server_default="answer"),
    # Who answers it, and how many have owned it before: together the key to every further step.
    Column("owner", String(64)),
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("started_at", UtcDateTime),  # the attempt, which begins with asking the model
    Column("ended_at", UtcDateTime),
    # Told to a model that does not remember the thread, as its server forgot or never kept it.
    Column("answer", Text),
    Column("previous_response_id", MODEL_ID),
    Column("response_id", MODEL_ID),
    Column("model", MODEL_ID),
    Column("request_id", MODEL_ID),
    Column("input_tokens", TOKENS),
    Column("output_tokens", TOKENS),
    Column("cached_tokens", TOKENS),
    Column("reasoning_tokens", TOKENS),
    Column("cache_write_tokens", TOKENS),
    Column("searches", Integer),
    Column("usd", Double),  # by the list of prices of that day
    Column("seconds", Double),
    Column("error", String(255)),  # the class's name, never its text
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    # Slack sends a mention in a channel twice, as `message` and as `app_mention`, with one ts
    # and different event ids; this key is what both of them, and redeliveries, have in common.
    UniqueConstraint("team", "channel", "ts"),
    Index(None, "team", "channel", "thread_ts"),
    Index(None, "state"),
    # A turn's id stands in logs and in the thread, so that of a deleted turn is not used again.
    sqlite_autoincrement=True,
)
# One turn of a thread runs at a time, whoever tries to start another.
Index(
    "uq_turns_running",
    turns.c.team,
    turns.c.channel,
    turns.c.thread_ts,
    unique=True,
    sqlite_where=turns.c.state == TurnState.RUNNING,
    postgresql_where=turns.c.state == TurnState.RUNNING,
)

# The messages that a turn has in its thread: a row before Slack is called, its ts after it.
messages = Table(
    "messages",
    metadata,
    Column("turn_id", Integer, ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("streamed", Boolean, nullable=False),
    Column("ts", SLACK_ID),
    Column("delivered", Integer, nullable=False, server_default="0"),  # characters Slack has
    Column("intended_at", UtcDateTime, nullable=False),
)

# A research: its run at the model's server, which goes on without this process.
runs = Table(
    "runs",
    metadata,
    Column("turn_id", Integer, ForeignKey("turns.id", ondelete="CASCADE"), primary_key=True),
    Column("began_at", UtcDateTime, nullable=False),
    Column("response_id", MODEL_ID),
    Column("sequence_number", Integer),  # of the last event that was heard
    Column("stop_asked_at", UtcDateTime),
    Column("trail", Text, nullable=False),  # what was searched and read, as JSON
    Column("questions", Text),  # that were asked before it, as JSON; null until that is decided
    Column("brief", Text),
    Column("spent", Text),  # on preparing it, as JSON
    Column("taken_up_by", SLACK_ID),  # the ts of what answered the questions; "" for the button
)

# A digest that comes by itself.
schedules = Table(
    "schedules",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("team", SLACK_ID, nullable=False),
    Column("user", SLACK_ID, nullable=False),
    Column("user_team", SLACK_ID, nullable=False),
    Column("source", SLACK_ID, nullable=False),
    Column("target", SLACK_ID, nullable=False),
    Column("cron", String(255), nullable=False),
    Column("zone", String(64), nullable=False),
    Column("about", Text, nullable=False),
    # Moved on in the transaction that takes the question of a due time: so it is taken once.
    Column("next_due", UtcDateTime),
    # The last due time that was posted or skipped: a change of its times leaves no gap. Null before
    # the first one, and after a pause.
    Column("covered_until", UtcDateTime),
    Column("skipped", Text, nullable=False),  # times that are still to be told of, as JSON
    Column("paused_why", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index(None, "next_due"),
    sqlite_autoincrement=True,
)

# The processes that share a PostgreSQL: each says again and again that it lives.
processes = Table(
    "processes",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("lease_until", UtcDateTime, nullable=False),  # by the database's clock
)

# What a model's server was seen not to support; it is tried again a day after it was noted.
unsupported = Table(
    "unsupported",
    metadata,
    Column("server", Text, primary_key=True),  # its base URL
    Column("model", MODEL_ID, primary_key=True),
    Column("name", String(64), primary_key=True),  # see bot.turns.unsupported
    Column("noted_at", UtcDateTime, nullable=False),
)
