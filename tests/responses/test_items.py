from __future__ import annotations

import json

import pytest

from bot.turns.answer import (
    Cited,
    Search,
    Searched,
    Searching,
    Started,
    TextDelta,
)
from tests.responses.examples import (
    Json,
    a_completed,
    a_message,
    added,
    cited_of,
    delta,
    done,
    ended,
    read,
    searches_of,
    text_of,
)

A = "https://example.org/a"

ANNOTATION = {
    "type": "url_citation",
    "url": "https://example.org/a",
    "title": "A",
    "start_index": 0,
    "end_index": 5,
}


def test_citations_are_told_once() -> None:
    content = [{"type": "output_text", "text": "Hello.", "annotations": [ANNOTATION] * 2}]
    event = {
        "type": "response.output_text.annotation.added",
        "item_id": "msg_1",
        "annotation": ANNOTATION,
    }

    parts = read(
        delta("Hello."),
        event,
        {"type": "response.content_part.done", "item_id": "msg_1", "part": content[0]},
        done(a_message(content=content)),
        a_completed(output=[a_message(content=content)]),
    )

    assert cited_of(parts) == [Cited("https://example.org/a", "A")]


def test_citations_come_after_their_text() -> None:
    content = [{"type": "output_text", "text": "Hello.", "annotations": [ANNOTATION]}]

    parts = read(a_completed(output=[a_message(content=content)]))

    assert parts[1:3] == [TextDelta("Hello."), Cited("https://example.org/a", "A")]


@pytest.mark.parametrize(
    "annotation",
    [
        {"type": "file_citation", "file_id": "f", "filename": "x"},
        {"type": "url_citation"},
        {"type": "url_citation", "url": 7},
        {"type": "url_citation", "url": None, "title": "A"},
        "https://example.org",
        None,
    ],
)
def test_citations_without_a_page_are_skipped(annotation: object) -> None:
    event = {"type": "response.output_text.annotation.added", "annotation": annotation}

    assert read(event, a_completed()) == [Started("resp_1"), ended()]


def test_citations_may_be_nested_as_in_chat_completions() -> None:
    nested = {"type": "url_citation", "url_citation": {"url": "https://example.org/a"}}
    event = {"type": "response.output_text.annotation.added", "annotation": nested}

    assert cited_of(read(event, a_completed())) == [Cited("https://example.org/a")]


def test_citations_may_stand_beside_the_output() -> None:
    citations = ["https://example.org/a", {"url": "https://example.org/b", "title": "B"}, "", 7]

    parts = read(a_completed(citations=citations))

    assert cited_of(parts) == [
        Cited("https://example.org/a"),
        Cited("https://example.org/b", "B"),
    ]


def test_search_results_are_a_search_whose_pages_have_numbers() -> None:
    results = [
        {"id": 4, "url": "https://example.org/a", "title": "A", "snippet": "x"},
        {"title": "B"},
        {"url": "https://example.org/c"},
    ]
    item = {"type": "search_results", "id": "sr_1", "queries": ["moon"], "results": results}
    pages = ("https://example.org/a", "https://example.org/c")

    for parts in (read(done(item), a_completed()), read(a_completed(output=[item]))):
        assert cited_of(parts) == [Cited(pages[0], "A", 4), Cited(pages[1], "", 3)]
        assert [part for part in parts if isinstance(part, Searched)] == [
            Searched("sr_1", Search("search", ("moon",), sources=pages))
        ]


def test_searches_begin_once_and_end_once() -> None:
    item = {"type": "web_search_call", "id": "ws_1"}
    action = {"type": "search", "query": "moon", "queries": ["moon", "sun", "moon"]}
    running = {"item_id": "ws_1", "output_index": 0}

    parts = read(
        added(item),
        {"type": "response.web_search_call.in_progress"} | running,
        {"type": "response.web_search_call.searching"} | running,
        {"type": "response.web_search_call.completed"} | running,
        done(item | {"action": action}),
        a_completed(output=[item | {"action": action}]),
    )

    assert searches_of(parts) == [
        Searching("ws_1"),
        Searched("ws_1", Search("search", ("moon", "sun"))),
    ]


def test_searches_of_a_server_without_items_begin_with_their_event() -> None:
    parts = read({"type": "response.web_search_call.searching", "item_id": "ws_1"}, a_completed())

    assert searches_of(parts) == [Searching("ws_1"), Searched("ws_1", Search("search"))]


def test_searches_that_are_only_known_as_done_begin_first() -> None:
    item = {"type": "web_search_call", "id": "ws_1", "action": {"query": "moon"}}

    assert searches_of(read(done(item), a_completed())) == [
        Searching("ws_1"),
        Searched("ws_1", Search("search", ("moon",))),
    ]


def test_searches_without_ids_are_told_apart() -> None:
    moon = {"type": "web_search_call", "action": {"query": "moon"}}
    sun = {"type": "web_search_call", "action": {"query": "sun"}}

    parts = read(
        added({"type": "web_search_call"}, None),
        done(moon, None),
        added({"type": "web_search_call"}, None),
        done(sun, None),
        a_completed(output=[moon, sun]),
    )

    assert searches_of(parts) == [
        Searching("search-1"),
        Searched("search-1", Search("search", ("moon",))),
        Searching("search-2"),
        Searched("search-2", Search("search", ("sun",))),
    ]


def test_searches_announced_twice_begin_once() -> None:
    item = {"type": "web_search_call", "id": "ws_1"}

    parts = read(added(item), added(item), a_completed())

    assert searches_of(parts)[:1] == [Searching("ws_1")]
    assert len(searches_of(parts)) == 2


@pytest.mark.parametrize(
    ("status", "failed"),
    [("completed", False), ("searching", False), ("failed", True), ("incomplete", True)],
)
def test_searches_tell_whether_they_came_to_nothing(status: str, *, failed: bool) -> None:
    item = {"type": "web_search_call", "id": "ws_1", "status": status}

    parts = read(done(item), a_completed())

    assert searches_of(parts)[1] == Searched("ws_1", Search("search"), failed)


def test_searches_that_were_cut_short_have_failed() -> None:
    item = {"type": "web_search_call", "id": "ws_1"}
    incomplete = {"type": "response.incomplete", "response": {"id": "resp_1"}}

    parts = read(added(item), incomplete)

    assert searches_of(parts)[1] == Searched("ws_1", Search("search"), failed=True)


@pytest.mark.parametrize(
    ("fields", "search"),
    [
        pytest.param({}, Search("search"), id="nothing"),
        pytest.param({"action": None}, Search("search"), id="no action"),
        pytest.param({"action": "search"}, Search("search"), id="an action that is a word"),
        pytest.param(
            {"action": {"type": "search", "queries": "moon", "query": ["sun"]}},
            Search("search"),
            id="queries of another type",
        ),
        pytest.param(
            {"action": {"type": "search", "queries": [" moon ", "", None, "moon", 7]}},
            Search("search", ("moon",)),
            id="queries that are none",
        ),
        pytest.param(
            {
                "action": {
                    "type": "search",
                    "sources": [
                        {"type": "url", "url": "https://example.org"},
                        {"type": "url", "url": "https://example.org"},
                        {"type": "api", "name": "oai-weather", "url": "https://example.com"},
                        {"type": "url"},
                        "https://example.net",
                    ],
                }
            },
            Search("search", sources=("https://example.org",)),
            id="sources, of which only pages count",
        ),
        pytest.param(
            {"action": {"type": "open_page", "url": "https://example.org"}},
            Search("open_page", url="https://example.org"),
            id="a page",
        ),
        pytest.param({"action": {"type": "open_page"}}, Search("open_page"), id="some page"),
        pytest.param(
            {"action": {"type": "find_in_page", "url": "https://example.org", "pattern": "x"}},
            Search("find_in_page", url="https://example.org"),
            id="something in a page",
        ),
        pytest.param(
            {"action": {"type": "screenshot", "url": "https://example.org"}},
            Search("open_page", url="https://example.org"),
            id="an unknown look at a page",
        ),
        pytest.param(
            {"name": "web_search", "arguments": '{"query":"moon"}'},
            Search("search", ("moon",)),
            id="xAI's search",
        ),
        pytest.param(
            {"name": "open_page", "arguments": {"url": "https://example.org"}},
            Search("open_page", url="https://example.org"),
            id="xAI's page",
        ),
        pytest.param(
            {"name": "web_search", "arguments": '{"query":'}, Search("search"), id="half JSON"
        ),
        pytest.param(
            {"name": "web_search", "arguments": "[" * 100_000}, Search("search"), id="deep JSON"
        ),
    ],
)
def test_searches_say_what_was_looked_for(fields: Json, search: Search) -> None:
    item = {"type": "web_search_call", "id": "ws_1"} | fields

    assert searches_of(read(done(item), a_completed())) == [
        Searching("ws_1"),
        Searched("ws_1", search),
    ]


def test_a_message_of_somebody_else_is_no_answer() -> None:
    theirs, own = a_message("Why?", role="user"), a_message("So.", item_id="msg_2")
    del own["role"]

    parts = read(done(theirs), done(own, 1), a_completed(output=[theirs, own]))

    assert text_of(parts) == "So."


@pytest.mark.parametrize(
    ("fields", "search"),
    [
        ({"action": {"query": "moon", "url": A}}, Search("search", ("moon",), A)),
        ({"action": {"url": A}}, Search("open_page", url=A)),
        ({"action": {"type": "find_in_page", "url": A}}, Search("find_in_page", url=A)),
        (
            {"name": "find_in_page", "arguments": json.dumps({"url": A})},
            Search("find_in_page", url=A),
        ),
    ],
    ids=["asked", "opened", "looked through", "looked through, as xAI writes it"],
)
def test_a_search_is_what_it_says_or_what_it_has(fields: Json, search: Search) -> None:
    item = {"type": "web_search_call", "id": "ws_1", "status": "completed"} | fields

    assert searches_of(read(done(item), a_completed(output=[item])))[-1] == Searched("ws_1", search)
