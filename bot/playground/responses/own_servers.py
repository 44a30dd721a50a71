"""Servers that people run themselves, as their sources and documentation have them."""

from __future__ import annotations

from dataclasses import replace

from bot.playground.responses import refusals
from bot.playground.responses.dialect import Search
from bot.playground.responses.profile import MODELS, Profile

PLAIN = Search(tracked=False)  # OpenAI's search without the parameter that OpenAI adds to links

# What compatible servers have in common: no dates in the list of models, no bill of tools, no
# compaction, no counting of tokens, no background, and no way back to a response once given.
COMPATIBLE = Profile(
    endpoints=MODELS,
    search=PLAIN,
    compacts=False,
    no_background=refusals.NO_BACKGROUND,
    usage_details=False,
    shutdown_dates=False,
)

# Ollama's source: fields it does not know are left unread, the parent is one; no annotations.
OLLAMA = replace(
    COMPATIBLE,
    tool_types=("web_search",),
    other_tools="ignored",
    chaining="ignored",
    store=False,
    ignored_parameters=("background", "tool_choice", "include"),
    ignores_unknown=True,
    search=Search(tracked=False, annotations="none"),
    ids="int",
    include_sources=False,
)
# Vendor's documentation: a chain in memory, and no search.
LM_STUDIO = replace(COMPATIBLE, tool_types=())
# Reported as bug 1188: what was streamed cannot be followed.
LM_STUDIO_OLD = replace(LM_STUDIO, keeps_streamed=False)
# vLLM's source: `store` has no effect, so no parent is ever found; no event says that it failed.
VLLM = replace(
    COMPATIBLE,
    endpoints=("retrieve", "cancel", *MODELS),
    tool_types=("web_search_preview",),
    other_tools="ignored",
    chaining=refusals.VLLM,
    store=False,
    ignores_unknown=True,
    no_background=refusals.NO_BACKGROUND_AT_VLLM,
    errors="numeric",
    search=Search(tracked=False, annotations="none"),
    left_out=("store",),
    reasoning_text=True,
    always_completed=True,
)
# vLLM's source: the same with VLLM_ENABLE_RESPONSES_API_STORE=1.
VLLM_STORE = replace(
    VLLM, chaining="yes", lost_parent=refusals.VLLM, store=None, no_background=None
)
# SGLang's source: whatever needs a store is refused, loudly.
SGLANG = replace(
    COMPATIBLE,
    endpoints=("retrieve", "cancel", *MODELS),
    tool_types=(),
    chaining=refusals.SGLANG,
    store=False,
    no_background=refusals.SGLANG,
    errors="numeric",
)
# SGLang's source: the same with --enable-response-store.
SGLANG_STORE = replace(
    SGLANG, chaining="yes", lost_parent=refusals.VLLM, store=None, no_background=None
)
# llama.cpp's source: a chat behind it, a parent and every tool are refused; codes are numbers.
LLAMA_CPP = replace(
    COMPATIBLE,
    tool_types=(),
    chaining=refusals.LLAMA_CPP,
    store=False,
    ignores_unknown=True,
    errors="numeric",
    comments=True,
    comment="",
)
# Vendor's documentation: OpenAI passed through, with ids that hold the way back.
LITELLM = Profile(ids="wrapped", shutdown_dates=False)
# Vendor's documentation: others are chats, whose threads are read from its own database.
LITELLM_BRIDGED = replace(
    LITELLM,
    compacts=False,
    usage_details=False,
    no_background=refusals.NO_BACKGROUND,
    search=Search(steps="none", tracked=False),
)
