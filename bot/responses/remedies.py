"""What an operator is told about each failure of the model's server, and what to do about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot import errors
from bot.findings import Finding, failed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.errors import ModelError

REMEDIES: Mapping[type[ModelError], tuple[str, str]] = {
    errors.ModelKeyRefused: (
        "The server does not accept the key",
        "Copy OPENAI_API_KEY once more. It has to be one of the server at OPENAI_BASE_URL.",
    ),
    errors.ModelForbidden: (
        "The server does not let this key or this machine in",
        (
            "Allow the key's project to use the model, and look whether the provider serves the "
            "country and the address of this machine."
        ),
    ),
    errors.ModelNotFound: (
        "The server does not have the model",
        "Set OPENAI_MODEL to one that it has.",
    ),
    errors.ModelQuotaUsedUp: (
        "The account's money is used up",
        "Top up the account that OPENAI_API_KEY belongs to, or raise its limit of spending.",
    ),
    errors.ModelRateLimited: (
        "The account gets more questions than it may ask",
        "Try again in a minute. If it stays so, have the account's limits raised.",
    ),
    errors.ModelOverloaded: (
        "The server has trouble of its own",
        "Try again in a few minutes, and look at the provider's page on its state.",
    ),
    errors.ModelRequestRefused: (
        "The server does not accept the question as the settings make it",
        (
            "Leave out what it does not know: empty OPENAI_REASONING_EFFORT, OPENAI_VERBOSITY, "
            "OPENAI_MAX_TOOL_CALLS and OPENAI_MAX_OUTPUT_TOKENS one by one."
        ),
    ),
    errors.ModelPolicyRefused: (
        "The provider's policy stops a harmless question",
        "Look whether INSTRUCTIONS_FILE says something that the policy forbids.",
    ),
    errors.ModelThreadLost: (
        "The server does not know its last response any more",
        "Set CHAINING=auto, and the bot tells it the thread again.",
    ),
    errors.ModelInputTooLong: (
        "The question does not fit the model",
        "Shorten INSTRUCTIONS_FILE, or set OPENAI_MODEL to a model with more room.",
    ),
    errors.ModelTimedOut: (
        "The server says nothing for too long",
        "Raise OPENAI_SILENCE_SECONDS, or lower OPENAI_REASONING_EFFORT.",
    ),
    errors.ModelUnreachable: (
        "The server cannot be reached",
        (
            "Check OPENAI_BASE_URL, that the server runs, this machine's network, and the proxy "
            "that HTTPS_PROXY may name."
        ),
    ),
    errors.ModelCutOff: (
        "The connection breaks off in the middle of the answer",
        "Look at what is between here and OPENAI_BASE_URL: a proxy may end long answers.",
    ),
    errors.ModelRunLost: (
        "The server no longer has a response that it was writing in the background",
        "Look how long it keeps responses, and whether somebody deletes them.",
    ),
    errors.ModelRunCancelled: (
        "A response in the background was cancelled at the provider",
        "Look whether somebody or something cancels responses there.",
    ),
    errors.ModelRunTooLong: (
        "A research takes longer than it may",
        "Raise RESEARCH_MINUTES, or lower RESEARCH_MAX_TOOL_CALLS.",
    ),
    errors.ModelApiMissing: (
        "There is no Responses API at that address",
        "Set OPENAI_BASE_URL to what stands before /responses; mostly it ends with /v1.",
    ),
}
BY_PARAMETER = {  # that a server refuses
    "include": "Set OPENAI_INCLUDE_SOURCES=false.",
    "max_output_tokens": "Change OPENAI_MAX_OUTPUT_TOKENS, or leave it empty.",
    "max_tool_calls": "Change OPENAI_MAX_TOOL_CALLS, or leave it empty.",
    "reasoning": "Set OPENAI_REASONING_EFFORT to what the model knows, or leave it empty.",
    "stream_options": "Set OPENAI_STREAM_OPTIONS=false.",
    "text": "Set OPENAI_VERBOSITY to what the model knows, or leave it empty.",
    "tools": "Set WEB_SEARCH_TOOL to web_search_preview, or to none, and look at the other "
    "WEB_SEARCH settings.",
}
UNKNOWN = ("The server gave no answer", "Try again in a few minutes.")
_PARAMETER = re.compile(r"\bparam=([a-z_]+)")


def no_answer(name: str, error: ModelError) -> Finding:
    """Say why there is no answer and what to do about it."""
    said, fix = REMEDIES.get(type(error), UNKNOWN)
    refused = _PARAMETER.search(str(error))
    if isinstance(error, errors.ModelRequestRefused) and refused:
        fix = BY_PARAMETER.get(refused[1], fix)
    facts = [str(error), f"request {error.request_id}" if error.request_id else ""]
    known = ", ".join(filter(None, facts))
    return failed(name, f"{said} ({known})." if known else f"{said}.", fix)
