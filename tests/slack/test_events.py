from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.events import Bot, Candidate, is_readable, read_event, shape_of
from bot.turns.question import Question, Thread

BOT = Bot("UBOT", "BBOT", "T1")
MENTION: dict[str, Any] = {
    "type": "app_mention",
    "user": "U1",
    "text": "<@UBOT> how far is the moon?",
    "ts": "1763900000.000100",
    "event_ts": "1763900000.000100",
    "channel": "C1",
    "team": "T1",
    "client_msg_id": "1",
}
TWIN = MENTION | {"type": "message", "channel_type": "channel"}
REPLY = TWIN | {"text": "and Mars?", "ts": "1763900009.000100", "thread_ts": MENTION["ts"]}
DIRECT = TWIN | {"channel": "D1", "channel_type": "im", "text": "hello"}


def read(event: Any, **body: Any) -> Candidate | None:  # noqa: ANN401 - whatever comes
    return read_event({"type": "event_callback", "team_id": "T1", "event": event} | body, BOT)


def question(event: Any, **body: Any) -> Question:  # noqa: ANN401 - whatever comes
    candidate = read(event, **body)
    assert candidate is not None
    return candidate.question


def test_a_mention_and_its_twin_are_one_question() -> None:
    asked = Question(
        thread=Thread(team="T1", channel="C1", thread_ts=MENTION["ts"]),
        ts=MENTION["ts"],
        user="U1",
        user_team="T1",
        text="how far is the moon?",
    )

    assert read(MENTION) == read(TWIN) == Candidate(asked, "mention", addresses_other=False)


def test_characters_that_no_database_stores_are_left_out_of_what_is_asked() -> None:
    odd = TWIN | {"channel_type": "im", "text": "a\x00b \ud83d\ude00 c\ud83d", "user": "U\x001"}
    asked = question(odd)

    assert (asked.text, asked.user) == ("ab \N{GRINNING FACE} c\N{REPLACEMENT CHARACTER}", "U1")


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        pytest.param(DIRECT, "direct", id="a direct message"),
        pytest.param(DIRECT | {"text": MENTION["text"]}, "direct", id="with a mention in it"),
        pytest.param(REPLY, "reply", id="a reply in a thread"),
        pytest.param(REPLY | {"text": "<@UBOT|bot> hm"}, "mention", id="a mention in a thread"),
        pytest.param(TWIN | {"subtype": "file_share"}, "mention", id="with a file"),
        pytest.param(REPLY | {"subtype": "thread_broadcast"}, "reply", id="sent to all"),
        pytest.param(MENTION | {"edited": {"user": "U1"}}, "mention", id="added by an edit"),
    ],
)
def test_messages_that_may_ask_something_are_told_apart(event: dict[str, Any], kind: str) -> None:
    candidate = read(event)

    assert candidate is not None
    assert candidate.kind == kind


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(TWIN | {"text": "no mention"}, id="a channel's message without a mention"),
        pytest.param(TWIN | {"subtype": "message_changed", "hidden": True}, id="an edit"),
        pytest.param(TWIN | {"subtype": "message_deleted"}, id="a deletion"),
        pytest.param(TWIN | {"subtype": "channel_join"}, id="a join"),
        pytest.param(TWIN | {"subtype": "bot_message"}, id="a bot's message"),
        pytest.param(TWIN | {"bot_id": "B2"}, id="a message with a bot's id"),
        pytest.param(TWIN | {"user": "UBOT"}, id="the bot's own"),
        pytest.param(TWIN | {"user": None}, id="nobody's"),
        pytest.param(TWIN | {"hidden": True}, id="a hidden one"),
        pytest.param(REPLY | {"subtype": "file_share", "text": " "}, id="a reply of only a file"),
    ],
)
def test_messages_that_ask_nothing_are_none(event: dict[str, Any]) -> None:
    assert read(event) is None


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("<@UBOT> what?", "what?"),
        ("what, <@UBOT>, is it?", "what, , is it?"),
        ("<@UBOT|footnote>   what?", "what?"),
        ("<@UBOT> ask <@U2> about <@UBOT>", "ask <@U2> about <@UBOT>"),
        ("<@UBOT>", ""),
        ("<@UBOT> help", "help"),
    ],
)
def test_the_bots_own_mention_is_taken_out_once(text: str, asked: str) -> None:
    assert question(MENTION | {"text": text}).text == asked


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("<@U2> look", True),
        ("  <!subteam^S1> look", True),
        ("<!here> look", True),
        ("look, <@U2>", False),
        ("<#C1> is where?", False),
    ],
)
def test_a_reply_that_begins_by_addressing_somebody_is_known(text: str, *, other: bool) -> None:
    candidate = read(REPLY | {"text": text})

    assert candidate is not None
    assert candidate.addresses_other is other


def test_an_asker_from_another_workspace_keeps_their_team_and_the_thread_keeps_ours() -> None:
    asked = question(MENTION | {"user_team": "T2", "source_team": "T2", "team": "T2"})

    assert (asked.user_team, asked.thread.team) == ("T2", "T1")
    assert question(MENTION | {"team": None}, team_id=None).thread.team == "T1"


@pytest.mark.parametrize("authorizations", [None, [], ["x"], {"a": 1}, [{"team_id": 5}]])
def test_a_thread_belongs_to_the_workspace_the_bot_is_installed_in(authorizations: object) -> None:
    foreign = {"team_id": "T2", "authorizations": [{"team_id": "T1", "user_id": "UBOT"}]}

    assert question(MENTION, **foreign).thread.team == "T1"
    assert question(MENTION, team_id="T3", authorizations=authorizations).thread.team == "T3"


@pytest.mark.parametrize(
    "event",
    [
        pytest.param([], id="a list"),
        pytest.param("x", id="a string"),
        pytest.param(MENTION | {"text": 5}, id="text that is none"),
        pytest.param(MENTION | {"ts": 1763900000.0001}, id="a ts that is a number"),
        pytest.param(MENTION | {"ts": "now"}, id="a ts that is none"),
        pytest.param(MENTION | {"thread_ts": {"a": 1}}, id="a thread_ts that is an object"),
        pytest.param(MENTION | {"channel": None}, id="no channel"),
        pytest.param(MENTION | {"user": {"id": "U1"}}, id="a user that is an object"),
    ],
)
def test_a_shape_that_is_not_slacks_is_refused(event: Any) -> None:  # noqa: ANN401 - anything
    with pytest.raises(ValueError, match=r"\w+"):
        read(event)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*sorted(REPLY), "subtype", "bot_id", "hidden"]), JSON))
def test_anything_in_place_of_a_field_is_read_or_refused(fields: dict[str, Any]) -> None:
    try:
        candidate = read(REPLY | fields)
    except ValueError:
        return
    assert candidate is None or isinstance(candidate.question.text, str)


@pytest.mark.parametrize(
    ("body", "readable"),
    [
        pytest.param({"type": "event_callback", "event": REPLY}, True, id="an event"),
        pytest.param({"command": "/ask"}, True, id="a command"),
        pytest.param(
            {"type": "block_actions", "actions": [{"action_id": "a"}]}, True, id="a click"
        ),
        pytest.param({"type": "event_callback"}, False, id="an event that is missing"),
        pytest.param({"event": {}}, False, id="an event without a type"),
        pytest.param({"type": "block_actions", "actions": [5]}, False, id="a click of a number"),
        pytest.param([], False, id="a list"),
        pytest.param(None, False, id="null"),
    ],
)
def test_what_bolt_would_raise_on_is_known_beforehand(body: object, *, readable: bool) -> None:
    assert is_readable(body) is readable


def test_a_shape_is_described_without_its_texts() -> None:
    described = shape_of({"type": "event_callback", "event": {"text": "secret", "ts": 1}})

    assert described == "event_callback ['text', 'ts']"
    assert shape_of([1]) == "list"
    assert shape_of({"event": "secret"}) == "None str"
