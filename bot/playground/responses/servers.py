"""The servers that a bot may meet, each as its vendor's documentation or its source has it.

What is said there of no server in particular is left at OpenAI's way. `[3]` marks what only a third
party reports; `[?]` marks a choice where nothing is written down.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.playground.responses import refusals
from bot.playground.responses.dialect import Search
from bot.playground.responses.own_servers import (
    COMPATIBLE,
    LITELLM,
    LITELLM_BRIDGED,
    LLAMA_CPP,
    LM_STUDIO,
    LM_STUDIO_OLD,
    OLLAMA,
    SGLANG,
    SGLANG_STORE,
    VLLM,
    VLLM_STORE,
)
from bot.playground.responses.profile import KEPT, MODELS, WEB_SEARCH_TYPES, Profile

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCES = "web_search_call.action.sources"
UNSTORED = ("store", "previous_response_id", "truncation", "include")

# Vendor's documentation: any other server's measure.
OPENAI = Profile()
# A refusal reported in issues: an organisation of which nothing is kept, whatever it asks for.
OPENAI_ZDR = Profile(chaining="zdr", store=False)
# Vendor's documentation and a recording: `api-key`, searches left at `searching`, [Title](url).
AZURE = Profile(
    path="/openai/v1",
    key_header="api-key",
    shutdown_dates=False,
    search=Search(links="title", tracked=False, item_status="searching"),
    content_filters=True,
)
# Vendor's documentation: stateless, a tool of its own, no sources; [3] no place in annotations.
OPENROUTER = replace(
    COMPATIBLE,
    path="/api/v1",
    tool_types=("openrouter:web_search",),
    chaining=refusals.STATELESS,
    store=False,
    refused_parameters=("store",),
    refused_includes=(SOURCES,),
    errors="prompt",
    search=Search(
        fields="openrouter",
        item_type="openrouter:web_search",
        links="none",
        tracked=False,
        annotations="zero",
    ),
    ids="gen",
    left_out=("store", "previous_response_id", "background"),
    include_sources=False,
    send_queries=False,
    billing="cost",
    comments=True,
    comment="OPENROUTER PROCESSING",
    done_frame=True,
)
# Vendor's documentation: what needs a store is refused by its name.
GROQ = replace(
    COMPATIBLE,
    path="/openai/v1",
    tool_types=("browser_search",),
    store=False,
    refused_parameters=UNSTORED,
)
# Vendor's documentation: few domains and no other field, numbered links, a list of all pages.
XAI = replace(
    COMPATIBLE,
    endpoints=("retrieve", "delete", *MODELS),
    tool_types=("web_search", "x_search"),
    lost_parent=refusals.LOST_AT_XAI,
    errors="flat",
    search=Search(fields="xai", links="number", tracked=False, annotations="bare"),
    ids="uuid",
    billing="sources",
    listed_citations=True,
)
# Vendor's documentation: older answers tell a search by `name` and `arguments`.
XAI_OLDER = replace(XAI, search=replace(XAI.search, steps="arguments"))
# A refusal reported in issues: the same as OpenAI's, with another status and form.
XAI_ZDR = replace(XAI, chaining=refusals.ZERO_DATA_RETENTION_AT_XAI, store=False)
# Vendor's documentation: typed items, marks in the text, an item of results; [?] no list of models.
PERPLEXITY = replace(
    COMPATIBLE,
    endpoints=("retrieve", "cancel"),
    tool_types=("web_search", "fetch_url"),
    typed_items=True,
    no_background=None,
    completed_parents=True,
    failed_runs=True,
    search=Search(
        fields="perplexity",
        steps="none",
        links="mark",
        tracked=False,
        annotations="none",
        results_item=True,
    ),
    billing="cost object",
)
# Vendor's documentation, as it used to be: a parent has no effect.
PERPLEXITY_OLDER = replace(PERPLEXITY, chaining="ignored", no_background=refusals.NO_BACKGROUND)
# Vendor's documentation: only GPT models are passed through; [?] the limits of the search.
DATABRICKS = replace(
    COMPATIBLE,
    path="/serving-endpoints",
    endpoints=(),
    tool_types=("web_search",),
    chained_models=("gpt",),
    search=Search(fields="basic", tracked=False),
)
# Vendor's documentation: it keeps responses and works in the background; [?] no web search.
BEDROCK_MANTLE = replace(COMPATIBLE, endpoints=(*KEPT, *MODELS), tool_types=(), no_background=None)
# Vendor's documentation: stateless, at once only; [?] that a parent is ignored.
BEDROCK_RUNTIME = replace(
    BEDROCK_MANTLE,
    path="/openai/v1",
    endpoints=MODELS,
    no_background=refusals.NO_BACKGROUND,
    chaining="ignored",
    store=False,
)
# Vendor's documentation: it always searches, marks what a source backs and keeps everything; what
# it has no use for it takes all the same.
PARALLEL = replace(
    COMPATIBLE,
    models=("parallel",),
    tool_types=("web_search",),
    other_tools="ignored",
    ignored_parameters=("tool_choice", "truncation", "include", "max_output_tokens"),
    ignores_unknown=True,
    store=True,
    search=Search(
        fields="filters",
        always=True,
        single=True,
        links="none",
        tracked=False,
        annotations="claim",
    ),
)
# [3]: `store` is accepted and echoed, and nothing is found again; a page of HTML where nothing is.
DIGITALOCEAN = replace(
    COMPATIBLE,
    tool_types=(),
    ignored_parameters=("background",),
    chaining=refusals.DIGITALOCEAN,
    html_not_found=True,
)
# [3]: a parent is refused by a text alone.
UPSTAGE = replace(
    COMPATIBLE,
    tool_types=(),
    chaining=refusals.UPSTAGE,
    store=False,
)
# [3]: stateless; [?] that a parent is neither refused nor echoed.
DEEPSEEK = replace(
    COMPATIBLE,
    tool_types=(),
    chaining="silent",
    store=False,
)
# [3]: it keeps responses; [?] it has OpenAI's search without its fields.
QWEN = replace(
    COMPATIBLE,
    endpoints=("retrieve", "delete", *MODELS),
    tool_types=("web_search",),
    search=Search(fields="basic", tracked=False),
)
# [3]: it keeps responses; [?] no web search.
FIREWORKS = replace(
    COMPATIBLE,
    endpoints=("retrieve", "delete", *MODELS),
    tool_types=(),
)
# [3]: OpenAI's search for GPT and for Grok.
LAOZHANG = replace(
    COMPATIBLE,
    models=("gpt-6.1-sol", "gpt-6-luna", "grok-4.5"),
    tool_types=WEB_SEARCH_TYPES,
    event_lines=False,
    done_frame=True,
)
# [?] A gateway in Python that forbids what it does not know, as FastAPI words it.
GATEWAY_422 = replace(
    COMPATIBLE,
    refused_parameters=("safety_identifier", "prompt_cache_key", "stream_options"),
    refused_as="unknown_parameter",
    errors="detail",
    store=False,
)
# [?] A gateway that refuses the same by name, and streams no more than it must.
GATEWAY_400 = replace(
    COMPATIBLE,
    endpoints=(),
    refused_parameters=("include", "metadata", "safety_identifier"),
    store=False,
    html_not_found=True,
    billing="none",
    empty_final_output=True,
    event_lines=False,
)

SERVERS: Mapping[str, Profile] = {
    "openai": OPENAI,
    "openai-zdr": OPENAI_ZDR,
    "azure": AZURE,
    "openrouter": OPENROUTER,
    "ollama": OLLAMA,
    "lm-studio": LM_STUDIO,
    "lm-studio-old": LM_STUDIO_OLD,
    "vllm": VLLM,
    "vllm-store": VLLM_STORE,
    "sglang": SGLANG,
    "sglang-store": SGLANG_STORE,
    "llama.cpp": LLAMA_CPP,
    "litellm": LITELLM,
    "litellm-bridged": LITELLM_BRIDGED,
    "groq": GROQ,
    "xai": XAI,
    "xai-older": XAI_OLDER,
    "xai-zdr": XAI_ZDR,
    "perplexity": PERPLEXITY,
    "perplexity-older": PERPLEXITY_OLDER,
    "databricks": DATABRICKS,
    "bedrock-mantle": BEDROCK_MANTLE,
    "bedrock-runtime": BEDROCK_RUNTIME,
    "parallel": PARALLEL,
    "digitalocean": DIGITALOCEAN,
    "upstage": UPSTAGE,
    "deepseek": DEEPSEEK,
    "qwen": QWEN,
    "fireworks": FIREWORKS,
    "laozhang": LAOZHANG,
    "gateway": Profile.gateway(),
    "gateway-422": GATEWAY_422,
    "gateway-400": GATEWAY_400,
}
