from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.playground.slack import Limits, LocalSlack, sold
from bot.playground.slack.workspace import BOT_USER, Message
from tests.playground.slack.web_api import Api, Json, open_api

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

GENERAL = "C0GENERAL"


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with open_api() as api:
        yield api


async def test_a_message_is_posted_into_a_channel_or_a_thread(api: Api) -> None:
    root = await api.post(metadata={"event_type": "e", "event_payload": {}}, unfurl_media=False)
    reply = await api.post(thread_ts=root)
    deeper = await api.post(thread_ts=reply)
    thread = api.slack.thread(GENERAL, root)

    assert [m.ts for m in thread] == [root, reply, deeper]
    assert [m.thread_ts for m in thread] == [None, root, root]
    assert [m.unfurl for m in thread] == [False, True, True]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"channel": "C9"}, "channel_not_found"),
        ({"channel": "C0RANDOM"}, "not_in_channel"),
        ({"thread_ts": "1.1"}, "thread_not_found"),
        ({"text": ""}, "no_text"),
        ({"markdown_text": "x"}, "markdown_text_conflict"),
        ({"text": "", "markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"metadata": {"a": 1}}, "invalid_metadata_schema"),
        ({"blocks": "["}, "invalid_blocks_format"),
        ({"blocks": [1]}, "invalid_blocks_format"),
    ],
)
async def test_a_post_that_slack_refuses_is_refused(api: Api, params: Json, code: str) -> None:
    good = {"channel": GENERAL, "text": "hello"}

    assert await api.refused("chat.postMessage", **(good | params)) == code


async def test_a_private_channel_without_the_bot_and_an_archived_one_take_nothing(api: Api) -> None:
    channels = api.slack.workspace.channels
    channels["G0PRIVATE"].members.discard(BOT_USER)
    channels[GENERAL].is_archived = True

    assert await api.refused("chat.postMessage", channel="G0PRIVATE", text="x") == (
        "channel_not_found"
    )
    assert await api.refused("chat.postMessage", channel=GENERAL, text="x") == "is_archived"


async def test_long_texts_are_cut_when_posted_and_refused_when_changed(api: Api) -> None:
    ts = await api.post("x" * 40_001)

    assert len(api.slack.thread(GENERAL, ts)[0].text) == 40_000
    code = await api.refused("chat.update", channel=GENERAL, ts=ts, text="x" * 4_001)
    assert code == "msg_too_long"


async def test_a_message_is_changed_keeps_its_metadata_and_is_deleted(api: Api) -> None:
    ts = await api.post(metadata={"event_type": "e", "event_payload": {}})
    await api.call("chat.update", channel=GENERAL, ts=ts, text="new")
    [message] = api.slack.thread(GENERAL, ts)
    kept = message.metadata
    await api.call("chat.update", channel=GENERAL, ts=ts, text="new", metadata={})
    removed = message.metadata
    await api.call("chat.delete", channel=GENERAL, ts=ts)

    assert (message.text, message.edited, bool(kept), removed) == ("new", True, True, None)
    assert api.slack.thread(GENERAL, ts) == []


async def test_what_is_another_persons_cannot_be_changed(api: Api) -> None:
    ts = await api.slack.say("U0YOU", GENERAL, "mine")

    assert await api.refused("chat.update", channel=GENERAL, ts=ts, text="x") == (
        "cant_update_message"
    )
    assert await api.refused("chat.delete", channel=GENERAL, ts=ts) == "cant_delete_message"
    assert await api.refused("chat.delete", channel=GENERAL, ts="1.1") == "message_not_found"


async def test_an_ephemeral_message_is_one_persons(api: Api) -> None:
    await api.call("chat.postEphemeral", channel=GENERAL, user="U0YOU", text="psst")

    assert [m.text for m in api.slack.ephemerals(GENERAL, "U0YOU")] == ["psst"]
    assert api.slack.ephemerals(GENERAL, "U0COLLEAGUE") == []
    code = await api.refused("chat.postEphemeral", channel=GENERAL, user="U9", text="x")
    assert code == "user_not_in_channel"


MRKDWN = {"type": "mrkdwn", "text": "x"}
PLAIN = {"type": "plain_text", "text": "x"}
LONG_BUTTON = {"type": "button", "text": PLAIN | {"text": "x" * 76}}


@pytest.mark.parametrize(
    "blocks",
    [
        pytest.param([{"type": "surprise"}], id="an unknown block"),
        pytest.param([{"type": "alert", "text": MRKDWN}], id="an alert, which is for modals"),
        pytest.param([{"type": "section"}], id="a section of nothing"),
        pytest.param([{"type": "section", "text": "x"}], id="a section's bare string"),
        pytest.param([{"type": "section", "text": MRKDWN | {"text": "x" * 3_001}}], id="3,001"),
        pytest.param([{"type": "section", "text": MRKDWN | {"text": ""}}], id="an empty text"),
        pytest.param([{"type": "section", "fields": [MRKDWN] * 11}], id="11 fields"),
        pytest.param([{"type": "context", "elements": [MRKDWN] * 11}], id="11 elements"),
        pytest.param([{"type": "context", "elements": []}], id="no elements"),
        pytest.param([{"type": "header", "text": PLAIN | {"text": "x" * 151}}], id="151"),
        pytest.param([{"type": "header", "text": MRKDWN}], id="a header of mrkdwn"),
        pytest.param([{"type": "markdown", "text": ""}], id="no markdown"),
        pytest.param([{"type": "divider", "block_id": "x" * 256}], id="a long block_id"),
        pytest.param([{"type": "table", "rows": [[]] * 101}], id="101 rows"),
        pytest.param([{"type": "section", "text": PLAIN | {"verbatim": True}}], id="verbatim"),
        pytest.param(
            [{"type": "actions", "elements": [LONG_BUTTON]}],
            id="a long button",
        ),
        pytest.param([{"type": "actions", "elements": [{"value": "x" * 2_001}]}], id="value"),
        pytest.param(
            [{"type": "container", "title": PLAIN, "child_blocks": [{"type": "x"}]}],
            id="a child that is unknown",
        ),
    ],
)  # fmt: skip
async def test_blocks_that_slack_refuses_are_refused(api: Api, blocks: list[Json]) -> None:
    code = await api.refused("chat.postMessage", channel=GENERAL, text="x", blocks=blocks)

    assert code == "invalid_blocks"


@pytest.mark.parametrize(
    ("blocks", "code"),
    [
        ([{"type": "divider"}] * 51, "msg_blocks_too_many"),
        ([{"type": "markdown", "text": "x" * 6_001}] * 2, "msg_blocks_too_long"),
        ([{"type": "section", "text": MRKDWN | {"text": "x" * 2_700}}] * 5, "msg_blocks_too_long"),
        ([{"type": "table", "rows": [[]]}] * 2, "invalid_attachments"),
    ],
)
async def test_too_many_blocks_are_refused(api: Api, blocks: list[Json], code: str) -> None:
    assert await api.refused("chat.postMessage", channel=GENERAL, text="x", blocks=blocks) == code


async def test_good_blocks_are_taken(api: Api) -> None:
    button = {"type": "button", "text": PLAIN, "action_id": "a", "value": "v"}
    blocks: list[Json] = [
        {"type": "section", "text": MRKDWN | {"verbatim": True}, "accessory": button},
        {"type": "section", "fields": [PLAIN, MRKDWN]},
        {"type": "context", "elements": [MRKDWN, {"type": "image", "image_url": "u"}]},
        {"type": "container", "title": PLAIN, "child_blocks": [{"type": "divider"}]},
        {"type": "actions", "elements": [button]},
        {"type": "markdown", "text": "x" * 12_000},
    ]
    ts = await api.post(blocks=blocks)

    assert api.slack.thread(GENERAL, ts)[0].blocks == blocks


async def test_history_is_newest_first_without_replies_and_in_pages(api: Api) -> None:
    posted = [await api.post(str(n)) for n in range(5)]
    await api.post("a reply", thread_ts=posted[0])
    first = await api.call("conversations.history", channel=GENERAL, limit=3)
    cursor = first["response_metadata"]["next_cursor"]
    second = await api.call("conversations.history", channel=GENERAL, limit=3, cursor=cursor)

    texts = [m["text"] for m in first["messages"] + second["messages"]]
    assert texts == ["4", "3", "2", "1", "0"]
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert second["messages"][-1]["reply_count"] == 1
    code = await api.refused("conversations.history", channel=GENERAL, cursor="!")
    assert code == "invalid_cursor"


async def test_history_is_bounded_by_times(api: Api) -> None:
    posted = [await api.post(str(n)) for n in range(4)]
    within = {"channel": GENERAL, "oldest": posted[0], "latest": posted[3]}
    between = await api.call("conversations.history", **within)
    inclusive = await api.call("conversations.history", **within, inclusive=True)

    assert [m["text"] for m in between["messages"]] == ["2", "1"]
    assert len(inclusive["messages"]) == 4
    assert await api.refused("conversations.history", channel=GENERAL, oldest="x") == (
        "invalid_ts_oldest"
    )


async def test_replies_are_oldest_first_with_the_root_before_them(api: Api) -> None:
    metadata = {"event_type": "e", "event_payload": {"n": 1}}
    root = await api.post("root")
    replies = [await api.post(str(n), thread_ts=root, metadata=metadata) for n in range(3)]
    found = await api.call("conversations.replies", channel=GENERAL, ts=replies[1])
    late = await api.call(
        "conversations.replies",
        channel=GENERAL, ts=root, oldest=replies[1], include_all_metadata=True,
    )  # fmt: skip

    assert [m["text"] for m in found["messages"]] == ["root", "0", "1", "2"]
    assert "metadata" not in found["messages"][1]
    assert [m["text"] for m in late["messages"]] == ["root", "2"]
    assert late["messages"][1]["metadata"] == metadata
    code = await api.refused("conversations.replies", channel=GENERAL, ts="1.1")
    assert code == "thread_not_found"
    assert await api.refused("conversations.replies", channel="C0RANDOM", ts="1.1") == (
        "not_in_channel"
    )


async def test_broadcasts_stand_in_the_channel_and_other_replies_do_not(api: Api) -> None:
    root = await api.post("root")
    told = await api.post("told to all", thread_ts=root)
    await api.post("a reply", thread_ts=root)
    api.slack.workspace.channels[GENERAL].messages[told].subtype = "thread_broadcast"
    found = await api.call("conversations.history", channel=GENERAL)
    thread = await api.call("conversations.replies", channel=GENERAL, ts=root)

    assert [(m["text"], m.get("subtype")) for m in found["messages"]] == [
        ("told to all", "thread_broadcast"),
        ("root", None),
    ]
    assert [m["text"] for m in thread["messages"]] == ["root", "told to all", "a reply"]


async def test_a_root_says_how_many_replies_it_has_and_when_the_latest_came(api: Api) -> None:
    root = await api.post("root")
    replies = [await api.post(str(n), thread_ts=root) for n in range(2)]
    alone = await api.post("alone")
    found = await api.call("conversations.history", channel=GENERAL)

    assert found["messages"][0] == {**found["messages"][0], "ts": alone, "text": "alone"}
    assert "reply_count" not in found["messages"][0]
    assert (
        found["messages"][1] | {"reply_count": 2, "latest_reply": replies[1]}
        == (found["messages"][1])
    )
    assert found["messages"][1]["thread_ts"] == root


async def test_the_root_stands_on_each_page_of_its_replies(api: Api) -> None:
    root = await api.post("root")
    for n in range(3):
        await api.post(str(n), thread_ts=root)
    pages, cursor = [], None
    while cursor != "":
        thread = {"channel": GENERAL, "ts": root, "limit": 3, "cursor": cursor}
        page = await api.call("conversations.replies", **thread)
        cursor = page["response_metadata"]["next_cursor"]
        pages.append([m["text"] for m in page["messages"]])

    assert pages == [["root", "0", "1"], ["root", "2"]]


@pytest.mark.parametrize(
    ("limits", "most"),
    [(Limits(), (999, 1_000)), (sold(Limits()), (15, 15))],
    ids=["as documented", "for apps that are sold"],
)
async def test_a_page_has_no_more_than_slack_gives(limits: Limits, most: tuple[int, int]) -> None:
    async with LocalSlack.start(limits=limits) as slack:
        channel = slack.workspace.channels[GENERAL]
        for n in range(1_200):
            for ts, thread_ts in ((f"1.{n:06}", None), (f"2.{n:06}", "1.000000")):
                slack.workspace.put(channel, Message(ts, "U0YOU", "x", thread_ts=thread_ts))
        api = Api(slack, slack.bot_token)
        asked = {"channel": GENERAL, "limit": 5_000}
        history = await api.call("conversations.history", **asked)
        replies = await api.call("conversations.replies", **asked, ts="1.000000")

    assert (len(history["messages"]), len(replies["messages"])) == most
    assert history["has_more"]
    assert replies["has_more"]


async def test_an_app_that_is_sold_reads_once_a_minute() -> None:
    async with LocalSlack.start(limits=sold(Limits(clock=lambda: 0.0))) as slack:
        api = Api(slack, slack.bot_token)
        await api.call("conversations.history", channel=GENERAL)
        assert await api.refused("conversations.history", channel=GENERAL) == "ratelimited"


async def test_channels_and_people_are_described(api: Api) -> None:
    info = await api.call("conversations.info", channel="G0PRIVATE")
    members = await api.call("conversations.members", channel=GENERAL)
    mine = await api.call("users.conversations")
    listed = await api.call("conversations.list")
    guest = await api.call("users.info", user="U0GUEST")
    stranger = await api.call("users.info", user="U0STRANGER")
    bot = await api.call("bots.info", bot=api.slack.bot_id)
    dm = await api.call("conversations.open", users="U0YOU")
    await api.call("conversations.join", channel="C0RANDOM")

    assert (info["channel"]["is_private"], info["channel"]["is_member"]) == (True, True)
    assert "U0YOU" in members["members"]
    assert {c["name"] for c in mine["channels"]} == {"general", "private"}
    assert {c["name"] for c in listed["channels"]} == {"general", "private", "random"}
    assert guest["user"]["is_restricted"] is True
    assert (stranger["user"]["team_id"], stranger["user"]["is_stranger"]) == ("T0OTHER", True)
    assert bot["bot"]["user_id"] == BOT_USER
    assert dm["channel"]["id"] == api.slack.dm("U0YOU")
    assert await api.post(channel="C0RANDOM")


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("users.info", {"user": "U9"}, "user_not_found"),
        ("bots.info", {"bot": "B9"}, "bot_not_found"),
        ("conversations.open", {"users": "U9"}, "user_not_found"),
        ("conversations.join", {"channel": "G0PRIVATE"}, "method_not_supported_for_channel_type"),
        ("chat.getPermalink", {"channel": GENERAL, "message_ts": "1.1"}, "message_not_found"),
        ("conversations.history", {"channel": GENERAL, "limit": "x"}, "invalid_arguments"),
        ("conversations.info", {}, "invalid_arguments"),
        ("no.such.method", {}, "unknown_method"),
    ],
)
async def test_what_there_is_not_is_refused(api: Api, method: str, params: Json, code: str) -> None:
    assert await api.refused(method, **params) == code


async def test_a_permalink_names_channel_and_message(api: Api) -> None:
    ts = await api.post()
    answer = await api.call("chat.getPermalink", channel=GENERAL, message_ts=ts)

    assert answer["permalink"].endswith(f"/archives/{GENERAL}/p{ts.replace('.', '')}")


async def test_a_permalink_of_a_reply_names_its_thread(api: Api) -> None:
    root = await api.post()
    reply = await api.post(thread_ts=root)
    answer = await api.call("chat.getPermalink", channel=GENERAL, message_ts=reply)

    place = f"/archives/{GENERAL}/p{reply.replace('.', '')}"
    assert answer["permalink"].endswith(f"{place}?thread_ts={root}&cid={GENERAL}")


async def test_statuses_sessions_and_prompts_are_kept(api: Api) -> None:
    root = await api.post()
    thread = {"channel_id": GENERAL, "thread_ts": root}
    dm = api.slack.dm("U0YOU")
    prompts = [{"title": "T", "message": "M"}]
    await api.call("assistant.threads.setStatus", **thread, status="is searching…")
    shown = api.slack.status(GENERAL, root)
    await api.call("assistant.threads.setTitle", **thread, title="One")
    await api.call("agents.sessions.rename", **thread, title="Two")
    await api.call("agents.sessions.setStatus", **thread, status="suspended")
    await api.call("assistant.threads.setSuggestedPrompts", channel_id=dm, prompts=prompts)
    await api.post(thread_ts=root)

    assert (shown, api.slack.status(GENERAL, root)) == ("is searching…", None)
    assert "suspended" in str(api.slack.session(GENERAL, root))
    assert "Two" in str(api.slack.session(GENERAL, root))
    assert api.slack.prompts("U0YOU") == prompts


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("agents.sessions.setStatus", {"status": "active"}, "thread_ts_required"),
        ("agents.sessions.setStatus", {"status": "x", "thread_ts": "root"}, "invalid_status"),
        ("agents.sessions.rename", {"title": "x", "thread_ts": "root"}, "session_not_found"),
        ("assistant.threads.setStatus", {"status": "x", "thread_ts": "1.1"}, "invalid_thread_ts"),
        ("assistant.threads.setStatus", {"status": 1, "thread_ts": "root"}, "invalid_arguments"),
        ("assistant.threads.setTitle", {"title": "x" * 201, "thread_ts": "root"}, "invalid_name"),
        ("assistant.threads.setSuggestedPrompts", {"prompts": []}, "not_agent_app"),
    ],
)
async def test_what_the_agent_surface_refuses_is_refused(
    api: Api, method: str, params: dict[str, Any], code: str
) -> None:
    root = await api.post()
    given = {name: root if value == "root" else value for name, value in params.items()}

    assert await api.refused(method, channel_id=GENERAL, **given) == code


async def test_views_are_published_and_a_modal_opens_once_for_each_press(api: Api) -> None:
    home = {"type": "home", "blocks": []}
    modal = {"type": "modal", "title": PLAIN, "blocks": []}
    trigger = api.slack.new_trigger()
    await api.call("views.publish", user_id="U0YOU", view=home)
    await api.call("views.open", trigger_id=trigger, view=modal)

    assert api.slack.views["U0YOU"] == home
    assert await api.refused("views.open", trigger_id=trigger, view=modal) == (
        "exchanged_trigger_id"
    )
    assert await api.refused("views.publish", user_id="U0YOU", view={"type": "x"}) == (
        "invalid_arguments"
    )


@pytest.mark.parametrize(
    ("token", "method", "code"),
    [
        ("", "auth.test", "not_authed"),
        ("xoxb-other", "auth.test", "invalid_auth"),
        ("xapp-local", "auth.test", "not_allowed_token_type"),
        ("xoxb-local", "apps.connections.open", "not_allowed_token_type"),
    ],
)
async def test_each_method_wants_its_token(api: Api, token: str, method: str, code: str) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(api.slack.api_url + method) as response,
    ):
        answer = await response.json()

    assert answer == {"ok": False, "error": code}


async def test_arguments_come_as_json_as_a_form_or_in_the_query(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.token}"}
    url = f"{api.slack.api_url}chat.postMessage"
    form = {"channel": GENERAL, "text": "form", "blocks": '[{"type":"divider"}]'}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.post(url, data=form) as response:
            first = await response.json()
        async with session.post(url, params={"channel": GENERAL, "text": "query"}) as response:
            second = await response.json()
        async with session.post(url, data=b"{", headers={"Content-Type": "application/json"}) as r:
            third = await r.json()
        async with session.post(url, json=[]) as r:
            fourth = await r.json()

    assert (first["message"]["text"], second["message"]["text"]) == ("form", "query")
    assert (third["error"], fourth["error"]) == ("invalid_json", "json_not_object")


async def test_ordered_faults_strike_and_pass(api: Api) -> None:
    api.slack.fail("auth.test", error="fatal", skip=1)
    api.slack.fail("auth.test", status=500)
    await api.call("auth.test")

    assert await api.refused("auth.test") == "fatal"
    assert (await api.call("bots.info", bot=api.slack.bot_id))["ok"]


async def test_what_never_comes_to_be_is_told_with_what_there_is(api: Api) -> None:
    await api.post("there")

    with pytest.raises(TimeoutError, match="there"):
        await api.slack.until(lambda _: False, seconds=0.01)
