"""What PostgreSQL needs: connections of its own settings, and words for why there is none."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.errors import SettingsError

if TYPE_CHECKING:
    from sqlalchemy import URL

SERVER_CONNECTIONS = 10  # of one process; PostgreSQL gives out 100 if it is not told otherwise
SERVER_SECONDS = 5.0  # for a connection, or a statement; each takes milliseconds
OLDEST = 11  # the first with hashtextextended(), of which the locks are made
CHECK = "Check host and port of its address, that the server runs, and what is between here and it."
AUTHORITY = "Name the file of its authority in PGSSLROOTCERT, or check sslmode."

WORDS = {  # by SQLSTATE
    "28P01": "it does not accept this user name and password. Check both in its address.",
    "28000": (
        "it does not let this user in from here. Check the user's name, whether sslmode=require "
        "is missing at the end of the address, and the server's pg_hba.conf."
    ),
    "3D000": "there is no such database. Create it, or correct its name in the address.",
    "42501": "the user may not use it. Give the user the right to connect and to create tables.",
    "53300": "the server has no connection left. Raise its max_connections, or end other users.",
    "57P03": "the server is starting or stopping. Try again in a moment.",
}


def server_engine(url: URL) -> AsyncEngine:
    """Make an engine with a small pool."""
    name = url.query.get("application_name", "footnote")  # as the server's own views show it
    return create_async_engine(
        url.difference_update_query(["application_name"]),
        hide_parameters=True,
        pool_size=SERVER_CONNECTIONS,
        max_overflow=0,
        pool_timeout=SERVER_SECONDS,
        connect_args={
            "timeout": SERVER_SECONDS,
            "command_timeout": SERVER_SECONDS,
            "server_settings": {"application_name": name},
        },
    )


async def try_server(engine: AsyncEngine) -> None:
    """Connect, and look whether the database is of use. Raises SettingsError, without password."""
    try:
        async with engine.connect() as connection:
            row = (await connection.execute(_FACTS)).one()
    except DBAPIError as error:
        raise _refusal(engine.url, _server_words(error, engine.url)) from error
    except (OSError, UnicodeError) as error:  # the latter of a host's name
        raise _refusal(engine.url, _network_words(error, engine.url)) from error
    check_facts(engine.url, *row)


def check_facts(url: URL, version: int, encoding: str, read_only: str) -> None:
    """Raise SettingsError where the server or the database is not fit for the bot."""
    if version // 10_000 < OLDEST:
        raise _refusal(url, f"the server is too old. It takes PostgreSQL {OLDEST} or newer.")
    if encoding != "UTF8":
        raise _refusal(
            url,
            f"its encoding is {encoding}, which cannot hold every text. "
            "Create it with ENCODING 'UTF8' TEMPLATE template0.",
        )
    if read_only == "on":
        raise _refusal(url, "it may only be read. Name the primary server in the address.")


def where(url: URL) -> str:
    """Say which database an address names, with nothing that is secret."""
    host = url.host or url.query.get("host", "")
    return f"{url.database} at {host}:{url.port or 5432}"


_FACTS = text(
    "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),"
    " current_setting('transaction_read_only')"
)


def _refusal(url: URL, words: str) -> SettingsError:
    return SettingsError(f"The PostgreSQL database {where(url)} cannot be used: {words}")


def _server_words(error: DBAPIError, url: URL) -> str:
    words = WORDS.get(getattr(error.orig, "sqlstate", None) or "")
    if words is not None:
        return words
    cause = error.orig and error.orig.__cause__  # what the driver itself says
    said = str(cause or error.orig).partition("\n")[0]
    if "certificate" in said:
        said = f"{said}. {AUTHORITY}"
    return said.replace(url.password, "***") if isinstance(url.password, str) else said


def _network_words(error: Exception, url: URL) -> str:
    if isinstance(error, socket.gaierror | UnicodeError):
        return "there is no host of that name. Check the host in its address."
    if isinstance(error, TimeoutError):
        return f"there was no answer within {SERVER_SECONDS:g} seconds. {CHECK}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed, or the server's certificate is not trusted. {AUTHORITY}"
    if "SSL" in str(error) and "ssl" in url.query:  # asyncpg's words for a server that has no TLS
        return "the server has no TLS, which sslmode in its address demands. Change one of them."
    return f"no connection could be made. {CHECK}"
