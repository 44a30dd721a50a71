"""`bot doctor` between the local servers: what it finds, what it says, and what it leaves alone."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot.doctor import examine, in_time
from bot.findings import Finding, well
from bot.playground.responses import LocalResponses, Profile
from bot.playground.responses.refusals import NO_BACKGROUND
from bot.playground.responses.scripts import Scripted
from bot.playground.slack import LocalSlack
from bot.settings import Settings
from bot.store.database import open_database, open_file
from bot.store.migrate import upgrade
from bot.store.unsupported import UnsupportedStore
from tests.stage import open_bot_between
from tests.store.examples import THREAD, a_question, a_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parents[1]
OF_THE_STORE = ["database", "migrations"]
OF_THE_MODEL = [
    "model",
    "clock (model)",
    "answer",
    "chaining",
    "background",
    "requests",
    "digests",
]
OF_SLACK = [
    "bot token",
    "clock (Slack)",
    "scopes",
    "history",
    "events",
    "app token",
    "socket",
    "one app",
]
EVERYTHING = ["settings", *OF_THE_STORE, *OF_THE_MODEL, *OF_SLACK]
PASSWORD = "tellnobody-what-this-is"


@dataclass
class Outside:
    """All that a bot needs, and a look at it."""

    slack: LocalSlack
    responses: LocalResponses
    folder: Path

    @property
    def settings(self) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": self.slack.api_url,
            "OPENAI_BASE_URL": self.responses.base_url,
            "OPENAI_API_KEY": self.responses.api_key,
            "DATABASE_URL": f"sqlite+aiosqlite:///{self.folder}/footnote.db",
        }

    async def findings(self, **settings: str) -> list[Finding]:
        file = self.folder / ".env"
        given = self.settings | settings
        file.write_text("".join(f"{name}={value}\n" for name, value in given.items()))
        return [finding async for finding in examine(file)]

    async def found(self, name: str, **settings: str) -> Finding:
        [finding] = [each for each in await self.findings(**settings) if each.name == name]
        return finding

    async def states(self, **settings: str) -> dict[str, str]:
        return {each.name: each.state for each in await self.findings(**settings)}

    async def run(self, *arguments: str, **settings: str) -> tuple[int, str, str]:
        """Run the command as it is run in a folder, with nothing else set."""
        needed = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bot", "doctor", *arguments),
            cwd=self.folder,
            env={**needed, "PYTHONPATH": str(ROOT), **self.settings, **settings},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()


@pytest.fixture
async def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Outside]:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    async with open_outside(tmp_path) as outside:
        yield outside


@asynccontextmanager
async def open_outside(folder: Path, profile: Profile | None = None) -> AsyncIterator[Outside]:
    async with (
        LocalSlack.start() as slack,
        LocalResponses.start(profile=profile or Profile(delta_seconds=0)) as responses,
    ):
        yield Outside(slack, responses, folder)


async def test_where_all_is_well_every_check_says_so_and_the_status_is_0(
    outside: Outside,
) -> None:
    status, out, err = await outside.run("--json")
    said = json.loads(out)

    assert (status, err, said["ok"]) == (0, "", True)
    assert [finding["name"] for finding in said["findings"]] == EVERYTHING
    assert {tuple(finding) for finding in said["findings"]} == {("name", "state", "found", "fix")}
    assert {f["name"] for f in said["findings"] if f["state"] != "ok"} == {
        "migrations",
        "history",
        "events",
    }
    assert {f["state"] for f in said["findings"]} == {"ok", "not checked"}


async def test_what_failed_is_printed_with_its_fix_below_and_the_status_is_1(
    outside: Outside,
) -> None:
    url = f"postgresql://user:{PASSWORD}@127.0.0.1:1/name"
    status, out, err = await outside.run(SLACK_BOT_TOKEN=f"xoxb-{PASSWORD}", DATABASE_URL=url)
    lines = out.splitlines()
    token = next(number for number, line in enumerate(lines) if "  bot token " in f"  {line} ")

    assert (status, err) == (1, "")
    assert lines[token].startswith("failed       bot token      Slack does not accept SLACK_BOT")
    assert lines[token + 1] == " " * 28 + (
        "→ Copy the bot token (xoxb-…) once more from “OAuth & Permissions”."
    )
    assert lines[-1] == (
        "10 ok, 2 failed, 6 not checked: the bot cannot do its work until what failed is mended."
    )
    assert max(map(len, lines)) <= 100
    for secret in (PASSWORD, outside.slack.app_token, outside.responses.api_key):
        assert secret not in out


async def test_a_secret_is_not_shown_where_it_is_a_piece_of_something_else(
    outside: Outside,
) -> None:
    url = f"sqlite+aiosqlite:///{outside.folder}/{PASSWORD}.db"
    finding = await outside.found("database", DATABASE_URL=url, SLACK_SIGNING_SECRET=PASSWORD)

    assert finding.found.endswith("/[redacted].db yet; the first start makes it.")


async def test_nothing_is_posted_stored_or_left_behind(outside: Outside) -> None:
    before = {channel.id: len(channel.messages) for channel in all_channels(outside)}
    await outside.run()
    after = {channel.id: len(channel.messages) for channel in all_channels(outside)}

    assert after == before
    assert names_in(outside.folder) == []
    assert {call.method for call in outside.slack.calls} == {
        "auth.test",
        "apps.connections.open",
        "bots.info",
    }


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def all_channels(outside: Outside) -> list[Any]:
    return list(outside.slack.workspace.channels.values())


async def test_a_bot_that_runs_goes_on_beside_it(outside: Outside, tmp_path: Path) -> None:
    async with open_bot_between(tmp_path, outside.slack, outside.responses) as stage:
        first = await stage.mention("Who sees the answer?")
        await stage.answers(stage.general, first)
        before = names_in(tmp_path)
        status, out, _ = await outside.run("--json")
        after = names_in(tmp_path)
        second = await stage.mention("And who does not?")
        [answer] = await stage.answers(stage.general, second)
    said = {finding["name"]: finding for finding in json.loads(out)["findings"]}

    assert status == 0
    assert said["database"]["found"].endswith("can be read, and a running bot uses it.")
    assert said["migrations"]["state"] == said["history"]["state"] == "ok"
    assert said["socket"]["found"].endswith("the app has one other connection.")
    assert after == before
    assert answer.thread_ts == second


@pytest.mark.parametrize(
    ("settings", "wrong", "unchecked"),
    [
        pytest.param({"PORT": "x"}, ["PORT is 'x': set it"], [], id="that no check needs"),
        pytest.param(
            {"OPENAI_MODEL": "a b"}, ["OPENAI_MODEL is 'a b': "], OF_THE_MODEL, id="of the model"
        ),
        pytest.param(
            {"SLACK_APP_TOKEN": "oops"}, ["SLACK_APP_TOKEN: does"], OF_SLACK, id="of Slack"
        ),
        pytest.param(
            {"DATABASE_URL": "x", "CHAINING": "x"},
            ["DATABASE_URL: ", "CHAINING is 'x': "],
            [*OF_THE_STORE, *OF_THE_MODEL],
            id="of two",
        ),
    ],
)
async def test_a_wrong_setting_keeps_from_the_checks_that_need_it_and_from_no_others(
    outside: Outside, settings: dict[str, str], wrong: list[str], unchecked: list[str]
) -> None:
    findings = await outside.findings(**settings)
    failures = [finding for finding in findings if finding.state == "failed"]
    left_out = [f.name for f in findings if "must be put right first" in f.found]

    assert {failure.name for failure in failures} == {"settings"}
    assert sorted(f.found.startswith(w) for w in wrong for f in failures).count(True) == len(wrong)
    assert left_out == unchecked
    assert {finding.name for finding in findings} == set(EVERYTHING)


async def test_without_any_setting_all_that_is_missing_is_said_and_nothing_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/footnote.db")
    findings = [finding async for finding in examine(None)]

    assert [each.found.partition(":")[0] for each in findings if each.state == "failed"] == [
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "OPENAI_API_KEY",
    ]
    assert {each.name for each in findings if each.state == "not checked"} == {
        *OF_THE_MODEL,
        *OF_SLACK,
        "migrations",
    }


async def test_a_file_of_settings_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"PORT=\xff\n")
    first, *others = [finding async for finding in examine(file)]

    assert (first.name, first.state) == ("settings", "failed")
    assert "must be a file of UTF-8" in first.found
    assert [each.name for each in others] == EVERYTHING[1:]
    assert {each.state for each in others} == {"not checked"}


async def test_a_list_of_prices_that_is_none_is_a_wrong_setting(outside: Outside) -> None:
    (outside.folder / "prices.json").write_text("[]")
    finding = await outside.found("settings", PRICES_FILE=f"{outside.folder}/prices.json")

    assert finding.state == "failed"
    assert finding.found.startswith("PRICES_FILE: ")


async def test_the_history_is_read_where_the_bot_was_asked_last(outside: Outside) -> None:
    async with open_file(f"{outside.folder}/footnote.db") as database:
        await upgrade(database)
        await a_store(database).take(a_question())
    finding = await outside.found("history")
    [call] = outside.slack.calls_of("conversations.history")

    assert call.params["channel"] == THREAD.channel
    assert finding.found == "Where it was asked last, nothing can be read (channel_not_found)."


@pytest.mark.parametrize(
    ("setting", "token", "failure", "unchecked"),
    [
        (
            "SLACK_BOT_TOKEN",
            "xoxb-other",
            "bot token",
            ["clock (Slack)", "scopes", "history", "one app"],
        ),
        ("SLACK_APP_TOKEN", "xapp-other", "app token", ["socket", "one app"]),
    ],
)
async def test_a_token_that_slack_refuses_is_found_and_what_needs_it_left_unchecked(
    outside: Outside, setting: str, token: str, failure: str, unchecked: list[str]
) -> None:
    findings = {finding.name: finding for finding in await outside.findings(**{setting: token})}
    failed = findings[failure]

    assert failed.state == "failed"
    assert failed.found == f"Slack does not accept {setting} (invalid_auth)."
    assert [
        n for n, each in findings.items() if "must be accepted first" in each.found
    ] == unchecked


async def test_a_slack_that_is_not_there_is_not_taken_for_a_wrong_token(outside: Outside) -> None:
    findings = await outside.findings(SLACK_API_URL="http://127.0.0.1:1/api/")
    said = {finding.name: finding for finding in findings}

    assert said["bot token"].found == said["app token"].found
    assert said["bot token"].found.startswith("Slack cannot be reached (Client")
    assert "HTTPS_PROXY" in said["bot token"].fix


async def test_scopes_are_compared_with_the_manifests(outside: Outside) -> None:
    granted = [scope for scope in outside.slack.scopes if scope != "users:read"]
    outside.slack.scopes = (*granted, "files:read")
    missing, extra = [each for each in await outside.findings() if each.name == "scopes"]

    assert (missing.state, extra.state) == ("failed", "warning")
    assert (
        missing.found
        == "Not granted: users:read (for names instead of ids, time zones, and who is a guest)."
    )
    assert extra.found == "Granted, and never used: files:read."


async def test_tokens_of_two_apps_are_found(outside: Outside) -> None:
    outside.slack.app_of_bot_token = "A0OTHER"
    finding = await outside.found("one app")

    assert finding.state == "failed"
    assert finding.found == (
        "The bot token is of the app A0OTHER, and the app token of A0FOOTNOTE."
    )


async def test_over_http_it_says_where_to_look_and_opens_no_socket(outside: Outside) -> None:
    over_http = {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": "secret"}
    findings = {finding.name: finding for finding in await outside.findings(**over_http)}

    assert findings["posts"].state == "not checked"
    assert "Request URL" in findings["posts"].fix
    assert not findings.keys() & {"app token", "socket", "one app"}
    assert outside.slack.calls_of("apps.connections.open") == []


@pytest.mark.parametrize(
    ("seconds", "over_http", "state", "words"),
    [
        (30, True, "ok", "differs by"),
        (-90, True, "warning", " s ahead."),
        (400, False, "warning", " s behind."),
        (
            400,
            True,
            "failed",
            " s behind. More than five minutes, and Slack's posts are refused as forged.",
        ),
    ],
)
async def test_a_clock_that_is_wrong_matters_as_far_as_slack_signs_by_it(
    outside: Outside, seconds: float, over_http: bool, state: str, words: str
) -> None:
    outside.slack.clock_ahead = seconds
    mode = {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": "secret"} if over_http else {}
    findings = {finding.name: finding for finding in await outside.findings(**mode)}

    assert findings["clock (Slack)"].state == state
    assert words in findings["clock (Slack)"].found
    assert findings["clock (model)"].state == "ok"


def a_list(**model: object) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": "gpt-6.1-sol", "shutdown_date": None} | model]}


@pytest.mark.parametrize(
    ("status", "body", "state", "words"),
    [
        (200, a_list(id="other"), "warning", "gpt-6.1-sol is not among the 1 models that the"),
        (404, "<html>", "not checked", "The server shows no list of its models (status=404)."),
        (200, {"models": []}, "not checked", "The server shows no list of its models"),
        (403, {}, "not checked", "The server shows no list of its models (status=403)."),
        (401, {}, "failed", "The server does not accept the key (status=401)."),
    ],
)
async def test_a_server_may_have_no_list_of_models_and_still_be_well(
    outside: Outside, status: int, body: dict[str, Any] | str, state: str, words: str
) -> None:
    outside.responses.fail(status, body, on="models")
    findings = {finding.name: finding for finding in await outside.findings()}

    assert findings["model"].state == state
    assert findings["model"].found.startswith(words)
    assert findings["answer"].state == findings["clock (model)"].state == "ok"


async def test_a_model_server_that_is_not_there_is_said_to_be_so(outside: Outside) -> None:
    findings = await outside.findings(OPENAI_BASE_URL="http://127.0.0.1:1/v1")
    said = {finding.name: finding for finding in findings}

    assert said["model"].state == said["answer"].state == "failed"
    assert said["model"].found == "The server cannot be reached (ConnectError)."
    assert {said[name].state for name in ("chaining", "background", "clock (model)")} == {
        "not checked"
    }


async def test_the_model_is_asked_as_the_bot_asks_it_but_for_less(outside: Outside) -> None:
    await outside.findings(OPENAI_MAX_OUTPUT_TOKENS="777", WEB_SEARCH_COUNTRY="AT")
    first, second, third = outside.responses.creates

    assert first["tools"][0]["user_location"]["country"] == "AT"
    assert (first["stream"], first["max_output_tokens"], first["max_tool_calls"]) == (True, 777, 1)
    assert second["previous_response_id"] in outside.responses.stored
    assert (third["background"], third["store"], third["stream"]) == (True, True, False)
    assert [r.path.rpartition("/")[2] for r in outside.responses.requests] == [
        "models",
        "responses",
        "responses",
        "responses",
        "cancel",
    ]


@pytest.mark.parametrize(
    ("status", "error", "words", "fix"),
    [
        (401, {"code": "invalid_api_key"}, "The server does not accept the key", "OPENAI_API_KEY"),
        (404, {"code": "model_not_found"}, "The server does not have the model", "OPENAI_MODEL"),
        (429, {"code": "insufficient_quota"}, "The account's money is used up", "Top up"),
        (400, {"param": "reasoning.effort"}, "The server does not accept the", "REASONING_EFFORT"),
        (400, {"param": "include[0]"}, "The server does not accept the", "INCLUDE_SOURCES=false"),
        (400, {"param": "odd"}, "The server does not accept the", "one by one"),
    ],
)
async def test_a_model_that_does_not_answer_is_explained_in_names_of_settings(
    outside: Outside, status: int, error: dict[str, str], words: str, fix: str
) -> None:
    outside.responses.fail(status, {"error": {"message": f"it is {PASSWORD}"} | error})
    findings = {finding.name: finding for finding in await outside.findings()}
    answer = findings["answer"]

    assert answer.state == "failed"
    assert answer.found.startswith(words)
    assert fix in answer.fix
    assert PASSWORD not in str(findings)
    assert findings["chaining"].state == findings["background"].state == "not checked"


async def test_an_answer_without_a_search_is_a_warning_unless_none_is_wanted(
    outside: Outside,
) -> None:
    outside.responses.script(Scripted("Vienna"))
    told = await outside.found("answer")
    outside.responses.script(Scripted("Vienna"))
    not_told = await outside.found("answer", WEB_SEARCH_TOOL="none")

    assert (told.state, not_told.state) == ("warning", "ok")
    assert "has not searched the web" in told.found
    assert "as WEB_SEARCH_TOOL=none" in not_told.found


async def test_an_answer_without_a_word_is_a_warning(outside: Outside) -> None:
    outside.responses.script(Scripted(""))
    finding = await outside.found("answer")

    assert (finding.state, finding.found) == ("warning", "gpt-6.1-sol ended without a word.")


async def test_an_answer_that_is_cut_is_a_warning_with_the_setting_that_cut_it(
    outside: Outside,
) -> None:
    ended = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    response = {"id": "resp_1", "object": "response", "model": "short", "output": [], **ended}
    outside.responses.play(json.dumps(response).encode(), headers={"content-type": "text/json"})
    finding = await outside.found("answer")

    assert finding.state == "warning"
    assert finding.found == "short did not end its answer (max_output_tokens)."
    assert finding.fix == "Raise OPENAI_MAX_OUTPUT_TOKENS."


@pytest.mark.parametrize(
    "profile",
    [
        pytest.param(Profile(chaining="ignored", delta_seconds=0), id="echoes null"),
        pytest.param(Profile(chaining="silent", delta_seconds=0), id="echoes nothing"),
        pytest.param(Profile(chaining="zdr", delta_seconds=0), id="keeps nothing of anybody"),
        pytest.param(Profile(chaining=400, delta_seconds=0), id="refuses"),
        pytest.param(Profile(chaining=404, delta_seconds=0), id="does not find it"),
        pytest.param(Profile(store=False, delta_seconds=0), id="stores nothing"),
    ],
)
async def test_a_server_without_chains_is_a_warning_unless_the_bot_may_not_tell_again(
    tmp_path: Path, profile: Profile
) -> None:
    async with open_outside(tmp_path, profile) as outside:
        auto = await outside.found("chaining")
        forced = await outside.found("chaining", CHAINING="previous_response_id")
        replayed = await outside.found("chaining", CHAINING="replay")

    assert (auto.state, forced.state, replayed.state) == ("warning", "failed", "not checked")
    assert "the bot tells it the thread again" in auto.fix
    assert "Set CHAINING=auto" in forced.fix
    assert ("keeps no responses" in auto.found) is (profile.store is False)


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (
            Profile(no_background=NO_BACKGROUND, delta_seconds=0),
            "The server refuses to answer in the background",
        ),
        (Profile(ignored_parameters=("background",), delta_seconds=0), "The server answers at"),
    ],
)
async def test_a_server_without_a_background_is_a_warning(
    tmp_path: Path, profile: Profile, words: str
) -> None:
    async with open_outside(tmp_path, profile) as outside:
        finding = await outside.found("background")

    assert finding.state == "warning"
    assert finding.found.startswith(words)


async def test_what_the_server_refuses_is_named_be_it_seen_now_or_by_a_bot_before(
    tmp_path: Path,
) -> None:
    profile = Profile(refused_parameters=("prompt_cache_key",), delta_seconds=0)
    async with open_outside(tmp_path, profile) as outside:
        url = outside.settings["DATABASE_URL"]
        async with open_database(url) as database:
            await upgrade(database)
            for model in ("gpt-6.1-sol", "another"):
                notes = UnsupportedStore(database, outside.responses.base_url, model)
                await notes.note_unsupported(f"noted for {model}", datetime.now(UTC))
        finding = await outside.found("requests")
        async with open_database(url) as database:
            kept = await UnsupportedStore(
                database, outside.responses.base_url, "gpt-6.1-sol"
            ).noted()

    assert finding.state == "warning"
    assert finding.found == ("The server does not support noted for gpt-6.1-sol, prompt_cache_key.")
    assert kept.keys() == {"noted for gpt-6.1-sol"}


async def test_a_server_that_searches_by_itself_is_a_warning_for_digests(
    outside: Outside,
) -> None:
    finding = await outside.found("digests", OPENAI_DIALECT="parallel")

    assert finding.state == "warning"
    assert "searches the web by itself" in finding.found


async def test_a_server_that_searches_with_no_tool_is_a_warning(tmp_path: Path) -> None:
    async with open_outside(tmp_path, Profile(tool_types=(), delta_seconds=0)) as outside:
        finding = await outside.found("answer")

    assert finding.state == "warning"
    assert "refuses every tool to search the web with" in finding.found


async def test_a_background_that_cannot_be_cancelled_is_a_warning(outside: Outside) -> None:
    outside.responses.fail(500, on="cancel")
    finding = await outside.found("background")

    assert (finding.state, finding.found) == (
        "warning",
        "What begins cannot be cancelled (status=500).",
    )


async def test_a_database_on_a_server_is_looked_at_and_not_migrated(
    outside: Outside, empty_postgres_url: str
) -> None:
    findings = {f.name: f for f in await outside.findings(DATABASE_URL=empty_postgres_url)}
    async with open_database(empty_postgres_url) as database:
        await upgrade(database)
    migrated = await outside.found("migrations", DATABASE_URL=empty_postgres_url)

    assert findings["database"].found == "The PostgreSQL database answers."
    assert findings["migrations"].found == ("There are no tables yet; the first start makes them.")
    assert migrated.found.startswith("The tables are those of this version")


async def test_what_nobody_foresaw_is_a_failure_with_the_name_of_its_class() -> None:
    async def broken() -> tuple[Finding, None]:
        raise LookupError(PASSWORD)

    finding, learnt = await in_time("odd", broken())

    assert (finding.state, learnt) == ("failed", None)
    assert finding.found == "It broke off with LookupError, which nobody foresaw."


async def test_what_does_not_end_is_a_failure_after_its_time() -> None:
    async def endless() -> tuple[Finding, None]:
        await asyncio.Event().wait()
        return well("slow", "after all"), None

    finding, _ = await in_time("slow", endless(), 0.01)

    assert (finding.state, finding.found) == (
        "failed",
        "There was no end to it within 0.01 seconds.",
    )
