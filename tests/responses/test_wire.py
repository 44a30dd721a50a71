"""Every payload of the wire folder, as parts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import ModelCutOff, ModelError, ModelOverloaded, ModelQuotaUsedUp, ModelRateLimited
from bot.turns.answer import (
    Cited,
    Finished,
    Search,
    Searched,
    Searching,
    Started,
    TextDelta,
    Usage,
)
from tests.responses.examples import WIRE, cut, parts_of, wire

if TYPE_CHECKING:
    from bot.turns.answer import Ending, Part

WHATS_NEW = "https://docs.python.org/3/whatsnew/3.14.html"
TWIN = f"{WHATS_NEW}?utm_source=openai"


def _deltas(*texts: str) -> list[Part]:
    return [TextDelta(text) for text in texts]


def _search(key: str, search: Search, *, failed: bool = False) -> list[Part]:
    return [Searching(key), Searched(key, search, failed)]


def _finished(
    response_id: str,
    usage: Usage | None,
    *,
    model: str = "gpt-6-luna",
    ending: Ending = "completed",
    billed_searches: int | None = None,
) -> Finished:
    return Finished(
        response_id=response_id,
        model=model,
        ending=ending,
        usage=usage,
        stored=True,
        request_id="req_1",
        service_tier="default",
        billed_searches=billed_searches,
    )


MINIMAL_ID = "resp_43385991f0be5fed6db7fb640c5f510d41bcaac6ecca6c842a"
MINIMAL: list[Part] = [
    Started(MINIMAL_ID),
    *_search(
        "ws_bade9ea57931f2ef43df04da9c1afc263971bca2cc9d0eb931",
        Search("search", ("Python 3.14 release date",), sources=(WHATS_NEW,)),
    ),
    *_deltas(
        "It was released on 7 October 2025. ",
        "([docs.python.org](https://docs.python.o",
        "rg/3/whatsnew/3.14.html?utm_source=opena",
        "i))",
    ),
    Cited(TWIN, "What’s new in Python 3.14"),
    _finished(MINIMAL_ID, Usage(2710, 46)),
]

WEB_SEARCH_ID = "resp_4ddb3e96801a1ee2b77dc5247c0db478d5f97a93b90e7cdb09"
WEB_SEARCHES: list[Part] = [
    *_search(
        "ws_60c5590f72eef292f9545afc28bf63ca91d2016a0a288f90f9",
        Search(
            "search",
            ("Python 3.14 what's new", "PEP 779 free-threaded supported status"),
            sources=(
                WHATS_NEW,
                TWIN,
                "https://peps.python.org/pep-0779/",
                "https://peps.python.org/pep-0750/",
                "https://discuss.python.org/t/3-14-release/100001",
            ),
        ),
    ),
    *_search(
        "ws_06f8faea3b5f697691b6d063a07ba4ffaf1ece9a1d473c5885",
        Search("open_page", url=WHATS_NEW),
    ),
    *_search(
        "ws_55eae50b75e2b2990f2c18be84ca079727a85f61b839c33592",
        Search("find_in_page", url=WHATS_NEW),
    ),
]
WEB_BEGINNING = _deltas(
    "Python 3.14 came out in ",
    "October 2025. Two change",
    "s matter for us:\n\n",
    "- **Template strings.** ",
)
PEP_750 = Cited(
    "https://peps.python.org/pep-0750/?utm_source=openai",
    "PEP 750 – Template Strings | peps.python.org",
)
PEP_779 = Cited(
    "https://peps.python.org/pep-0779/?utm_source=openai",
    "PEP 779 – Criteria for supported status for free-threaded Python | peps.python.org",
)
PYTHON_DOCS = Cited(TWIN, "What’s new in Python 3.14 — Python documentation")
WEB_TEXT: list[Part] = [
    *WEB_BEGINNING,
    *_deltas(
        'A new `t"…"` literal yie',
        "lds a template object in",
        "stead of a string. ",
        "([peps.python.org](https",
        "://peps.python.org/pep-0",
        "750/?utm_source=openai))",
    ),
    PEP_750,
    *_deltas(
        "\n- **Free threading.** T",
        "he build without the GIL",
        " is no longer experiment",
        "al – it’s supported. ",
        "([peps.python.org](https",
        "://peps.python.org/pep-0",
        "779/?utm_source=openai),",
        " [docs.python.org](https",
        "://docs.python.org/3/wha",
        "tsnew/3.14.html?utm_sour",
        "ce=openai))",
    ),
    PEP_779,
    PYTHON_DOCS,
    *_deltas("\n\nSay so if you want the", " migration notes as well", "."),
]
WEB_FINISHED = _finished(WEB_SEARCH_ID, Usage(18312, 934, 9216, 512, 4096), billed_searches=1)

JOB_ID = "resp_89b91df19d9d75d4cf36d9033d0789e7ecae0c233160c3be0d"
JOB_SEARCH = _search(
    "ws_ab02eedd0712a148636d87b46a0c4c741ad4634745d829717b",
    Search(
        "search",
        ("OpenAI Responses API retention", "LLM API data retention"),
        sources=("https://developers.openai.com/api/docs/guides/your-data",),
    ),
)
JOB_TEXT = _deltas(
    "## Retention\n\nStored res",
    "ponses are kept for at l",
    "east 30 days. ",
    "([developers.openai.com]",
    "(https://developers.open",
    "ai.com/api/docs/guides/y",
    "our-data?utm_source=open",
    "ai))",
)
JOB_CITED = Cited(
    "https://developers.openai.com/api/docs/guides/your-data?utm_source=openai",
    "Data controls in the OpenAI platform",
)
JOB_FINISHED = _finished(JOB_ID, Usage(48210, 2950, 30720, 2304), model="gpt-6-astra")

CUT_ID = "resp_85554bb9dd4b57d6e5c850e0840dbac644cd5568d0e20a2000"
CUT_SEARCH = _search(
    "ws_0ef0102ed9e89adae2ece5540f6af13f4ca93afd305d7dd469",
    Search("search", ("Python 3.14 what's new",), sources=(WHATS_NEW,)),
)
CUT_TEXT = _deltas(
    "Python 3.14 came out in ",
    "October 2025. Two change",
    "s matter for us:\n\n- **Te",
    "mplate str",
)
CUT_FINISHED = _finished(CUT_ID, Usage(9120, 600, 0, 571), ending="max_output_tokens")

REFUSAL_ID = "resp_424fb0794608103b88e8671a3d8b723c393be64bc1c4a48389"
REFUSAL_FINISHED = _finished(REFUSAL_ID, Usage(402, 21, 0, 8), ending="refusal")
REFUSAL_TEXT = _deltas("I’m sorry", ", but I c", "an’t help", " with tha", "t.")

PHASES_ID = "resp_865bbcf9cc7c758b64ba450e408ceaff2f030572d129b9c925"
EDGE_ID = "resp_f394aa7979e5cc5d490493628d72a3847b31a79c38a81db1da"
FOLLOW_UP_ID = "resp_c990fae1b539eca722543751d422ae1ec1df9a606ec7d7cccf"
RESEARCH_ID = "resp_74611c1d6455b534323a21f8133a6f43dc3a8188e7b946f96d"
XAI_ID = "3f1c0d5b-0000-4000-8000-000000000001"
FILTERED_ID = "resp_22e4ce46a2aef123d50cedb7152a7179a38243e7f2a47a3f83"
NO_TEXT_ID = "resp_66461d10c07df9fe4bb4c94b7d473370d0be8dbb4552665b48"


def _joined(parts: list[Part]) -> list[Part]:
    """Say what a server says that does not stream: the text at once, citations after it."""
    text = "".join(part.text for part in parts if isinstance(part, TextDelta))
    return [TextDelta(text), *(part for part in parts if isinstance(part, Cited))]


ANSWERS: dict[str, list[Part]] = {
    "stream_minimal.sse": MINIMAL,
    "stream_gateway_data_only_done.sse": MINIMAL,
    "stream_web_search.sse": [Started(WEB_SEARCH_ID), *WEB_SEARCHES, *WEB_TEXT, WEB_FINISHED],
    "completed_web_search.json": [
        Started(WEB_SEARCH_ID),
        *WEB_SEARCHES,
        *_joined(WEB_TEXT),
        WEB_FINISHED,
    ],
    "background_stream.sse": [Started(JOB_ID), *JOB_SEARCH, *JOB_TEXT, JOB_CITED, JOB_FINISHED],
    "background_stream_resume_after_9.sse": [
        *JOB_SEARCH,
        *JOB_TEXT,
        JOB_CITED,
        Started(JOB_ID),  # a resumed stream names the response only in its end
        JOB_FINISHED,
    ],
    "background_completed.json": [
        Started(JOB_ID),
        *JOB_SEARCH,
        *_joined([*JOB_TEXT, JOB_CITED]),
        JOB_FINISHED,
    ],
    "stream_incomplete.sse": [Started(CUT_ID), *CUT_SEARCH, *CUT_TEXT, CUT_FINISHED],
    "incomplete_max_output_tokens.json": [
        Started(CUT_ID),
        *CUT_SEARCH,
        *_joined(CUT_TEXT),
        CUT_FINISHED,
    ],
    "incomplete_content_filter.json": [
        Started(FILTERED_ID),
        TextDelta("Here is the first"),
        _finished(FILTERED_ID, Usage(310, 4), ending="content_filter"),
    ],
    "incomplete_no_text.json": [
        Started(NO_TEXT_ID),
        _finished(NO_TEXT_ID, Usage(1200, 512, 0, 512), ending="max_output_tokens"),
    ],
    "stream_refusal.sse": [Started(REFUSAL_ID), *REFUSAL_TEXT, REFUSAL_FINISHED],
    "refusal.json": [Started(REFUSAL_ID), *_joined(REFUSAL_TEXT), REFUSAL_FINISHED],
    "completed_phases.json": [
        Started(PHASES_ID),
        *_search(
            "ws_30c952fab122c3f9759f02a6d95c3758b246b4fee239957b2d",
            Search("search", ("python release calendar",)),
        ),
        TextDelta(
            "The next feature release is due in October. "
            "([peps.python.org](https://peps.python.org/pep-0779/?utm_source=openai))"
        ),
        Cited("https://peps.python.org/pep-0779/?utm_source=openai", "PEP 779"),
        _finished(PHASES_ID, Usage(7020, 101, 0, 64), model="gpt-6.1-sol"),
    ],
    "completed_citation_edge_cases.json": [
        Started(EDGE_ID),
        *_search(
            "ws_e7bbf0eda002c1ba04bfadfc73ed17c8b71d212419685fe490",
            Search("search", ("launch notes",), sources=(WHATS_NEW, TWIN)),
        ),
        TextDelta(
            f"🚀 Launch notes 🐍: ([docs.python.org]({TWIN})) and again ([docs.python.org]({TWIN}))"
            " \ue200cite\ue202turn0search0\ue201 tail."
        ),
        Cited(TWIN, "What’s new"),
        Cited("https://example.org/no-span"),
        Cited("https://example.org/out-of-range", "Out of range"),
        _finished(EDGE_ID, Usage(3011, 80)),
    ],
    "completed_follow_up.json": [
        Started(FOLLOW_UP_ID),
        TextDelta("No date is fixed yet; annual releases land in October."),
        Finished(
            FOLLOW_UP_ID,
            "gpt-6-luna",
            "completed",
            Usage(19420, 61, 18176, 20),
            previous_response_id=WEB_SEARCH_ID,
            stored=True,
            request_id="req_1",
            service_tier="default",
        ),
    ],
    "deep_research_store_false.json": [
        Started(RESEARCH_ID),
        *_search(
            "ws_c5e394344110c595f64664925df79246bafa2348462ad8fbba",
            Search("search", ("LLM API retention rules",)),
        ),
        *_search(
            "ws_3cb1f0dfade0870a3670daae75cdb02aec0f651737a719b244",
            Search("open_page", url="https://openai.com/policies"),
        ),
        TextDelta(
            "# Findings\n\nRetention differs by vendor. "
            "([openai.com](https://openai.com/policies?utm_source=openai))"
        ),
        Cited("https://openai.com/policies?utm_source=openai", "Policies"),
        Finished(
            RESEARCH_ID,
            "o3-deep-research-2025-06-26",
            "completed",
            Usage(3420, 2219, 2686, 2176),
            stored=False,
            request_id="req_1",
            service_tier="default",
        ),
    ],
    "compat_xai_completed.json": [
        Started(XAI_ID),
        *_search("ws_1", Search("search", ("Python 3.14 release",))),
        TextDelta(f"It came out in October 2025.[[1]]({WHATS_NEW})"),
        Cited(WHATS_NEW),
        replace(_finished(XAI_ID, Usage(2110, 60, 0, 31), model="grok-synthetic"), service_tier=""),
    ],
    "compat_openrouter_completed.json": [
        Started("gen-1795435200-synthetic"),
        *_search("ws_1", Search("search", ("Python 3.14 release",))),
        TextDelta("It came out in October 2025."),
        Cited(WHATS_NEW, "What's new"),
        Finished(
            "gen-1795435200-synthetic",
            "vendor/model",
            "completed",
            Usage(900, 40),
            request_id="req_1",
        ),
    ],
}

BROKEN_ID = "resp_ef527af5f7ce9b3df9a3c59155ac310903cf177948e67f27a6"
QUOTA_ID = "resp_b878a6801d9a9e68b30ed63430bb5e0bddcd984a37a3ee385a"

FAILURES: dict[str, tuple[list[Part], type[ModelError]]] = {
    "stream_cut_off.sse": ([Started(WEB_SEARCH_ID), *WEB_SEARCHES, *WEB_BEGINNING], ModelCutOff),
    "stream_error_flat.sse": ([Started(BROKEN_ID)], ModelOverloaded),
    "stream_error_overloaded.sse": ([Started(BROKEN_ID)], ModelOverloaded),
    "stream_error_quota.sse": ([Started(QUOTA_ID)], ModelQuotaUsedUp),
    "failed_rate_limit.json": ([], ModelRateLimited),
    "failed_server_error.json": ([], ModelOverloaded),
    "background_queued.json": ([], ModelCutOff),
    "background_in_progress.json": ([], ModelCutOff),
    "background_cancelled.json": ([], ModelCutOff),
}

REQUESTS = {"request_first_turn.json", "request_follow_up.json", "http_errors.json"}


def test_every_payload_is_tested() -> None:
    names = {path.name for path in WIRE.iterdir()}

    assert names == ANSWERS.keys() | FAILURES.keys() | REQUESTS


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_is_read_from(name: str) -> None:
    assert await parts_of([wire(name)]) == ANSWERS[name]


@pytest.mark.parametrize("name", FAILURES)
async def test_a_failure_is_read_from(name: str) -> None:
    *parts, error = await parts_of([wire(name)])

    expected, error_class = FAILURES[name]
    assert parts == expected
    assert type(error) is error_class


@pytest.mark.parametrize("name", [*ANSWERS, *FAILURES])
@settings(max_examples=20, deadline=None)
@given(places=st.lists(st.integers(min_value=0)))
async def test_it_does_not_matter_where_the_network_cuts(name: str, places: list[int]) -> None:
    data = wire(name)

    assert repr(await parts_of(cut(data, places))) == repr(await parts_of([data]))


@pytest.mark.parametrize("size", [1, 2, 3])
async def test_a_stream_may_come_byte_by_byte(size: int) -> None:
    data = wire("stream_web_search.sse")
    pieces = [data[start : start + size] for start in range(0, len(data), size)]

    assert await parts_of(pieces) == ANSWERS["stream_web_search.sse"]


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"])
@settings(max_examples=20, deadline=None)
@given(places=st.lists(st.integers(min_value=0)))
async def test_lines_may_end_in_any_way(line_end: bytes, places: list[int]) -> None:
    data = wire("stream_minimal.sse").replace(b"\n", line_end)

    assert await parts_of(cut(data, places)) == MINIMAL
