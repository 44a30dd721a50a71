"""Asks the model's server what the bot would ask it, as little as possible."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx

from bot.errors import ModelError, ModelKeyRefused, ModelThreadLost
from bot.findings import Finding, failed, unchecked, warning, well
from bot.responses.client import ResponsesClient
from bot.responses.failures import network_error, read_failure
from bot.responses.fields import mapping, sequence, words
from bot.responses.remedies import no_answer
from bot.responses.request import request_body
from bot.turns.answer import Finished, Searched, TextDelta
from bot.turns.question import Asked, Question, Thread
from bot.turns.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.findings import Looked
    from bot.responses.request import RequestOptions
    from bot.turns.chains import Chaining
    from bot.turns.unsupported import Unsupported

MODEL, ANSWER, CHAIN, BACKGROUND = "model", "answer", "chaining", "background"
REQUESTS, DIGESTS = "requests", "digests"

NOTICE_DAYS = 60  # before a model is shut down
ASKED = Asked("What is the capital of Austria? Search the web once. Answer in one word.", None)
ASKED_ON = Asked("And of Hungary? Answer in one word, and do not search.", None)
THREAD = Thread(team="doctor", channel="doctor", thread_ts="0")
QUESTION = Question(thread=THREAD, ts="0", user="doctor", user_team="doctor", text=ASKED.text)
ENDINGS = {  # that are none of a whole answer, with what to do
    "max_output_tokens": "Raise OPENAI_MAX_OUTPUT_TOKENS.",
    "content_filter": "Look at the content filter of the provider.",
    "refusal": "Look whether INSTRUCTIONS_FILE lets the model decline harmless questions.",
    "incomplete": "Try again; if it stays so, ask the provider why.",
}
NO_NEED = "Research runs in the foreground then: a restart of the bot begins it anew."


@dataclass(frozen=True, slots=True)
class Served:
    """What a server says with any answer."""

    date: str | None  #: by its clock, as its header has it


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom to ask, and how the bot asks."""

    http: httpx.AsyncClient
    options: RequestOptions
    unsupported: Unsupported


async def check_model(http: httpx.AsyncClient, model: str, today: date) -> Looked[Served]:
    """Look the model up in the server's list, with the day on which it is to be shut down."""
    try:
        response = await http.get("models", headers={"Accept": "application/json"})
    except httpx.HTTPError as error:
        unheard = network_error(error, answered=False, request_id=None)
        return no_answer(MODEL, unheard), None
    served = Served(response.headers.get("Date"))
    if response.status_code == httpx.codes.UNAUTHORIZED:
        return no_answer(MODEL, ModelKeyRefused("status=401")), served
    said = mapping(_json(response))
    if not response.is_success or not isinstance(said.get("data"), list):
        why = f"The server shows no list of its models (status={response.status_code})."
        return unchecked(MODEL, why), served
    listed = {words(each.get("id")): each for each in map(mapping, sequence(said["data"]))}
    return _listed(model, listed, today), served


async def check_answer(subject: Subject) -> Looked[Finished]:
    """Ask a small question as the bot asks, streamed and with a search of the web."""
    searches, characters, finished = 0, 0, None
    options = subject.options
    small = replace(options, max_tool_calls=options.max_tool_calls and 1)
    try:
        client = ResponsesClient(subject.http, small, subject.unsupported)
        async with aclosing(client.respond(ASKED, _turn())) as parts:
            async for part in parts:
                searches += isinstance(part, Searched) and not part.failed
                characters += len(part.text) if isinstance(part, TextDelta) else 0
                finished = part if isinstance(part, Finished) else finished
    except ModelError as error:
        return no_answer(ANSWER, error), None
    if finished is None:
        return failed(ANSWER, "The answer has no end.", "Try again."), None
    return _answered(finished, options, searches, characters), finished


async def check_chain(subject: Subject, chaining: Chaining, earlier: Finished) -> Finding:
    """Ask on, naming the earlier response, and look whether the server knows it."""
    if chaining == "replay":
        return unchecked(CHAIN, "With CHAINING=replay a thread is told again each time.")
    if earlier.stored is False or not earlier.response_id:
        return _lost("The server keeps no responses that could be named.", chaining)
    calls = subject.options.max_tool_calls and 1
    small = replace(subject.options, check_parent=True, max_tool_calls=calls)
    turn = _turn(earlier.response_id)
    try:
        client = ResponsesClient(subject.http, small, subject.unsupported)
        async with aclosing(client.respond(ASKED_ON, turn)) as parts:
            async for _ in parts:
                pass
    except ModelThreadLost as error:
        return _lost(f"The server does not know its own last response ({error}).", chaining)
    except ModelError as error:
        return no_answer(CHAIN, error)
    return well(CHAIN, "The server goes on from its last response.")


def look_at_requests(subject: Subject) -> Finding:
    """Name what the server was seen not to support, now or by a bot within the last day."""
    names = list(subject.unsupported)
    if not names:
        return well(REQUESTS, "The server takes requests as the bot makes them.")
    return warning(
        REQUESTS,
        f"The server does not support {', '.join(names)}.",
        "Nothing has to be done: the bot asks it without, and tries again a day later.",
    )


def look_at_digests(*, searches_by_itself: bool) -> Finding:
    """Say whether the model may be told what was written in channels."""
    if searches_by_itself:
        return warning(
            DIGESTS,
            "The model searches the web by itself, so it is shown nothing of what was written in "
            "channels, and there are no digests.",
            "If digests are wanted, set OPENAI_MODEL to one that searches only with a tool.",
        )
    return well(DIGESTS, "The model is not known to search the web where it is given no tool.")


async def check_background(subject: Subject) -> Finding:
    """Begin a response in the background, and cancel it at once."""
    http = subject.http
    body = request_body(subject.options, ASKED_ON, _turn(), subject.unsupported)
    body |= {"background": True, "stream": False}
    body.pop("stream_options", None)  # which is refused where nothing is streamed
    try:
        response = await http.post("responses", json=body, headers={"Accept": "application/json"})
        said = mapping(_json(response))
        if not response.is_success:
            refusal = read_failure(said, status=response.status_code).detail
            return warning(
                BACKGROUND, f"The server refuses to answer in the background ({refusal}).", NO_NEED
            )
        if said.get("background") is not True:
            return warning(
                BACKGROUND, "The server answers at once, where it was told to do so later.", NO_NEED
            )
        path = f"responses/{quote(words(said.get('id')), safe='')}/cancel"
        cancelled = await http.post(path, headers={"Accept": "application/json"})
    except httpx.HTTPError as error:
        return no_answer(BACKGROUND, network_error(error, answered=False, request_id=None))
    if not cancelled.is_success:
        found = f"What begins cannot be cancelled (status={cancelled.status_code})."
        return warning(BACKGROUND, found, NO_NEED)
    return well(BACKGROUND, "A response begins in the background, and can be cancelled.")


def _listed(model: str, listed: Mapping[str, Mapping[str, object]], today: date) -> Finding:
    if model not in listed:
        return warning(
            MODEL,
            f"{model} is not among the {len(listed)} models that the server lists.",
            "If no answer comes either, set OPENAI_MODEL to one of them.",
        )
    try:
        ends = date.fromisoformat(words(listed[model].get("shutdown_date")))
    except ValueError:
        return well(MODEL, f"The server has {model}, and names no day on which it ends.")
    days = (ends - today).days
    if days > NOTICE_DAYS:
        return well(MODEL, f"The server has {model} until {ends}.")
    when = f"is to be shut down on {ends}, in {days} days" if days > 0 else f"was to end on {ends}"
    return warning(MODEL, f"{model} {when}.", "Set OPENAI_MODEL to one that stays.")


def _answered(
    finished: Finished, options: RequestOptions, searches: int, characters: int
) -> Finding:
    model, usage = finished.model, finished.usage
    tokens = f", for {usage.input_tokens + usage.output_tokens:,} tokens" if usage else ""
    if finished.ending != "completed":
        found = f"{model} did not end its answer ({finished.ending})."
        return warning(ANSWER, found, ENDINGS[finished.ending])
    if not characters:
        return warning(ANSWER, f"{model} ended without a word.", "Try again, or another model.")
    if finished.search_refused:
        return warning(
            ANSWER,
            f"{model} answers{tokens}, and its server refuses every tool to search the web with.",
            "Set WEB_SEARCH_TOOL to one that it has, or choose a server that searches.",
        )
    if not options.dialects:
        return well(ANSWER, f"{model} answers without the web, as WEB_SEARCH_TOOL=none{tokens}.")
    if not searches:
        return warning(
            ANSWER,
            f"{model} answers, and has not searched the web though it was told to.",
            "Try again. If it never does, the server does not run the tool: set WEB_SEARCH_TOOL to "
            "one that it has, or to none.",
        )
    return well(ANSWER, f"{model} searches the web and answers{tokens}.")


def _lost(found: str, chaining: Chaining) -> Finding:
    if chaining == "auto":
        fix = "Nothing has to be done: the bot tells it the thread again. That takes more tokens."
        return warning(CHAIN, found, fix)
    return failed(CHAIN, found, "Set CHAINING=auto, and the bot tells it the thread again.")


def _turn(previous: str | None = None) -> Turn:
    return Turn(id=0, question=QUESTION, previous_response_id=previous)


def _json(response: httpx.Response) -> object:
    try:
        said: object = response.json()
    except (ValueError, RecursionError):
        return None
    return said
