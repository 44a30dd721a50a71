"""What the settings make of a request."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from bot.errors import ModelSearchesByItself, SettingsError
from bot.responses.client import open_http
from bot.responses.dialect import OPENAI, PREVIEW
from bot.responses.model import (
    build_models,
    request_options,
    research_options,
    tells_the_web,
)
from bot.responses.patience import Pace
from bot.settings import load_settings
from bot.turns.answer import Finished, Started, TextDelta, Waiting
from tests.fakes import FakeNotes
from tests.responses.examples import ASKED, a_completed, a_created, a_turn, delta, frames
from tests.responses.server import STREAM, byte_server

if TYPE_CHECKING:
    from bot.responses.request import RequestOptions
    from bot.settings import Settings

XAI, OPENROUTER, AZURE = (
    "https://api.x.ai/v1",
    "https://openrouter.ai/api/v1",
    "https://acme.openai.azure.com/openai/v1",
)


def given(**settings: str) -> Settings:
    enough = {
        "slack_bot_token": "xoxb-1111-2222-bottokenbottoken",
        "slack_app_token": "xapp-1-A1-3333-apptokenapptoken",
        "openai_api_key": "sk-proj-keykeykeykeykeykey",
    }
    return load_settings(None, **{**enough, **settings})


def options(**settings: str) -> RequestOptions:
    return request_options(given(**settings), "this installation")


def test_each_limit_is_taken_from_its_own_setting() -> None:
    taken = options(
        openai_model="gpt-test",
        openai_reasoning_effort="low",
        openai_verbosity="high",
        openai_max_tool_calls="3",
        openai_max_output_tokens="900",
    )

    assert (taken.model, taken.installation_key) == ("gpt-test", "this installation")
    assert (taken.reasoning_effort, taken.verbosity) == ("low", "high")
    assert (taken.max_tool_calls, taken.max_output_tokens) == (3, 900)


def test_the_search_is_taken_from_its_settings() -> None:
    taken = options(
        web_search_context_size="high",
        web_search_country="AT",
        web_search_city="Graz",
        web_search_allowed_domains="example.org",
    ).search

    assert taken.context_size == "high"
    assert taken.location == (("country", "AT"), ("city", "Graz"))
    assert (taken.allowed_domains, taken.blocked_domains) == (("example.org",), ())


@pytest.mark.parametrize(
    ("chaining", "is_checked"),
    [("auto", True), ("previous_response_id", False), ("replay", False)],
)
def test_the_echo_of_a_chain_is_looked_for_where_the_thread_may_be_told_again(
    chaining: str, *, is_checked: bool
) -> None:
    assert options(chaining=chaining).check_parent is is_checked


@pytest.mark.parametrize(
    ("base_url", "threshold"),
    [("https://api.openai.com/v1", 5_000), (AZURE, 5_000), (XAI, None), (OPENROUTER, None)],
)
def test_only_a_server_that_takes_all_of_openais_is_asked_to_shorten_a_chain(
    base_url: str, threshold: int | None
) -> None:
    taken = options(openai_base_url=base_url, openai_compact_threshold="5000")

    assert taken.compact_threshold == threshold


def test_a_server_that_keeps_nothing_is_not_asked_to() -> None:
    assert options(openai_base_url=OPENROUTER).never_sent == {"store"}
    assert options().never_sent == set()


@pytest.mark.parametrize(("wanted", "sent"), [("yes", False), ("no", None)])
def test_the_options_of_a_stream_are_sent_unless_they_are_not_wanted(
    wanted: str, *, sent: bool | None
) -> None:
    assert options(openai_stream_options=wanted).include_obfuscation is sent


def test_sources_are_asked_for_unless_they_are_not_wanted() -> None:
    assert options().include_sources
    assert not options(openai_include_sources="no").include_sources


def test_a_tool_is_only_left_out_where_no_setting_names_it() -> None:
    found_out, named = options(), options(web_search_tool="web_search")

    assert (found_out.dialects, found_out.may_lack_search) == ((OPENAI, PREVIEW), True)
    assert (named.dialects, named.may_lack_search) == ((OPENAI,), False)


def test_names_are_shared_unless_that_is_not_wanted() -> None:
    assert options().share_names
    assert not options(share_names="no").share_names


def test_lists_of_sites_that_the_server_would_not_obey_end_the_start() -> None:
    six = ",".join(f"{n}.example" for n in range(6))

    with pytest.raises(SettingsError, match="this server takes 5"):
        options(openai_base_url=XAI, web_search_blocked_domains=six)


async def test_a_limit_that_is_used_up_is_heeded_by_the_next_question() -> None:
    used_up = {
        "x-ratelimit-limit-requests": "100",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "60s",
    }
    async with byte_server() as server:
        server.play(frames(a_created(), delta("Yes."), a_completed()), headers=STREAM | used_up)
        settings = given(openai_base_url=server.base_url)
        async with open_http(server.base_url, None) as http:
            model = build_models(settings, http, FakeNotes().unsupported(), "", Pace()).answering
            first = [part async for part in model.respond(ASKED, a_turn())]
            async with aclosing(model.respond(ASKED, a_turn())) as second:
                waits = await anext(second)

    assert [type(part) for part in first] == [Started, TextDelta, Finished]
    assert waits == Waiting()


@pytest.mark.parametrize(
    ("settings", "tells"),
    [
        ({}, False),
        ({"openai_base_url": "https://api.parallel.ai/v1"}, True),
        ({"openai_base_url": "https://api.parallel.ai/v1", "openai_dialect": "openai"}, True),
        ({"openai_base_url": "http://localhost:4000/v1", "openai_dialect": "parallel"}, True),
        ({"openai_base_url": OPENROUTER, "openai_model": "openai/gpt-6.1-sol:online"}, True),
        ({"openai_base_url": OPENROUTER, "openai_model": "openai/gpt-6.1-sol"}, False),
    ],
)
async def test_what_was_read_in_slack_is_told_to_no_model_that_searches_by_itself(
    settings: dict[str, str], *, tells: bool
) -> None:
    taken = given(**settings)
    assert tells_the_web(taken) is tells

    async with open_http(taken.openai_base_url, None) as http:
        models = build_models(taken, http, FakeNotes().unsupported(), "", Pace())
    for check in (models.digesting.check, models.talking.check):
        if tells:
            with pytest.raises(ModelSearchesByItself):
                check()
        else:
            check()


def test_research_has_a_model_of_its_own_and_more_of_everything() -> None:
    at_openai = research_options(given(), "")
    address = "http://localhost:11434/v1"
    elsewhere = research_options(given(openai_base_url=address, openai_model="llama"), "")
    chosen = research_options(given(openai_research_model="strong"), "")

    assert [options.model for options in (at_openai, elsewhere, chosen)] == [
        "gpt-6-astra",
        "llama",
        "strong",
    ]
    assert (elsewhere.reasoning_effort, elsewhere.max_tool_calls) == ("high", 60)
    assert elsewhere.max_output_tokens is None
    assert "You are Footnote." in elsewhere.instructions
    assert "# This is research" in elsewhere.instructions
