"""Why a PostgreSQL cannot be used is said in one line, which holds no password."""

from __future__ import annotations

import asyncio
import socket
import traceback
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url, text

from bot.errors import SettingsError
from bot.store.database import open_database
from bot.store.server import check_facts
from tests.postgres import STRICT, execute

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import URL

PASSWORD = "tell%nobody/"


@pytest.fixture
def strict_url(postgres_server: str, empty_postgres_url: str) -> Iterator[URL]:
    """The address of a database, for a user who needs the password."""
    url = make_url(empty_postgres_url)
    role = f"{STRICT}{url.database}"
    asyncio.run(execute(postgres_server, f"CREATE ROLE \"{role}\" LOGIN PASSWORD '{PASSWORD}'"))
    try:
        yield url.set(username=role, password=PASSWORD)
    finally:
        asyncio.run(execute(postgres_server, f'DROP ROLE "{role}"'))


async def refusal(url: URL) -> str:
    """Return why the database cannot be used, behind its name."""
    whole = url.render_as_string(hide_password=False)
    with pytest.raises(SettingsError) as caught:
        async with open_database(whole):
            pass
    told, trace = str(caught.value), "".join(traceback.format_exception(caught.value))
    name, _, why = told.partition(" cannot be used: ")

    assert name == f"The PostgreSQL database {url.database} at {url.host}:{url.port}"
    assert not [secret for secret in (PASSWORD, "tell%25nobody", whole) if secret in told + trace]
    assert "\n" not in told
    return why


async def test_a_user_with_the_right_password_is_let_in(strict_url: URL) -> None:
    async with open_database(strict_url.render_as_string(hide_password=False)) as database:
        name = await database.run(lambda c: c.scalar(text("SHOW application_name")))

    assert name == "footnote"


async def test_a_wrong_password_is_told(strict_url: URL) -> None:
    why = await refusal(strict_url.set(password=PASSWORD * 2))

    assert why == "it does not accept this user name and password. Check both in its address."


async def test_a_password_that_is_not_given_is_told(strict_url: URL) -> None:
    without = strict_url._replace(password=None)

    assert (await refusal(without)).startswith("it does not accept this user name and password.")


async def test_a_user_the_server_does_not_know_is_told(strict_url: URL) -> None:
    why = await refusal(strict_url.set(username="unknown"))

    assert why.startswith("it does not let this user in from here. Check the user's name")


async def test_a_database_that_is_not_there_is_told(strict_url: URL) -> None:
    why = await refusal(strict_url.set(database="unknown"))

    assert why == "there is no such database. Create it, or correct its name in the address."


async def test_a_user_who_may_not_connect_is_told(strict_url: URL, postgres_server: str) -> None:
    await execute(
        postgres_server, f'REVOKE CONNECT ON DATABASE "{strict_url.database}" FROM PUBLIC'
    )

    assert (await refusal(strict_url)).startswith("the user may not use it. Give the user the")


async def test_a_port_at_which_nothing_listens_is_told(strict_url: URL) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        why = await refusal(strict_url.set(host="127.0.0.1", port=probe.getsockname()[1]))

    assert why.startswith("no connection could be made. Check host and port of its address")


async def test_a_server_that_hangs_up_is_told(strict_url: URL) -> None:
    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        why = await refusal(strict_url.set(host="127.0.0.1", port=port))

    assert "Check host and port of its address" in why


async def test_a_host_that_has_no_possible_name_is_told(strict_url: URL) -> None:
    why = await refusal(strict_url.set(host=f"{'a' * 64}.example"))

    assert why == "there is no host of that name. Check the host in its address."


async def test_a_server_without_the_tls_that_is_demanded_is_told(strict_url: URL) -> None:
    why = await refusal(strict_url.update_query_dict({"ssl": "require"}))

    assert why.startswith("the server has no TLS, which sslmode in its address demands")


async def test_a_certificate_that_is_not_there_is_told(
    strict_url: URL, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    why = await refusal(strict_url.update_query_dict({"ssl": "verify-full"}))

    assert why.startswith("root certificate file")
    assert why.endswith("Name the file of its authority in PGSSLROOTCERT, or check sslmode.")


async def test_an_encoding_that_cannot_hold_every_text_is_told(
    strict_url: URL, postgres_server: str
) -> None:
    name = f"{strict_url.database}_ascii"
    made = f"CREATE DATABASE \"{name}\" ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"
    await execute(postgres_server, made)
    try:
        why = await refusal(strict_url.set(database=name))
    finally:
        await execute(postgres_server, f'DROP DATABASE "{name}" WITH (FORCE)')

    assert why.startswith("its encoding is SQL_ASCII, which cannot hold every text. Create it")


async def test_a_database_that_may_only_be_read_is_told(
    strict_url: URL, postgres_server: str
) -> None:
    limit = f'ALTER DATABASE "{strict_url.database}" SET default_transaction_read_only = on'
    await execute(postgres_server, limit)

    assert (await refusal(strict_url)).startswith("it may only be read. Name the primary server")


def test_a_server_that_is_too_old_is_told(strict_url: URL) -> None:
    check_facts(strict_url, 110_000, "UTF8", "off")
    with pytest.raises(SettingsError, match=r"is too old. It takes PostgreSQL 11 or newer"):
        check_facts(strict_url, 100_023, "UTF8", "off")
