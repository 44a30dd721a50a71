"""What a person is in a channel is asked of Slack, and what is not known forbids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.digests.audience import Person, Place
from bot.playground.slack import Limits, LocalSlack
from bot.playground.slack.workspace import TEAM, Channel, User
from bot.slack.membership import Membership
from bot.slack.pacing import Pacing
from bot.slack.web import SlackWeb
from tests.slack.servers import slack_web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

GENERAL, PRIVATE, RANDOM = "C0GENERAL", "G0PRIVATE", "C0RANDOM"


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack.start(limits=Limits()) as slack:
        yield slack


async def facts(slack: LocalSlack, channel: str, user: str) -> tuple[Person, Place]:
    web = SlackWeb(AsyncWebClient(token=slack.bot_token, base_url=slack.api_url))
    return await Membership(web, Pacing()).facts(TEAM, channel, user)


async def test_a_member_is_known_in_a_private_and_in_a_shared_channel(slack: LocalSlack) -> None:
    person, place = await facts(slack, PRIVATE, "U0YOU")
    assert person == Person(id="U0YOU", kind="member", is_in_source=True)
    assert place == Place(id=PRIVATE, kind="private", is_shared=False, is_readable=True)

    _, shared = await facts(slack, GENERAL, "U0YOU")
    assert shared == Place(id=GENERAL, kind="public", is_shared=True, is_readable=True)


@pytest.mark.parametrize(
    ("user", "kind", "is_in"),
    [
        ("U0GUEST", "guest", False),
        ("U0STRANGER", "external", False),
        ("U0FOOTNOTE", "unknown", True),
        ("U0NOBODY", "gone", False),
        ("U0SINGLE", "guest", False),
        ("U0LEFT", "gone", False),
    ],
)
async def test_others_are_told_from_members(
    slack: LocalSlack, user: str, kind: str, is_in: bool
) -> None:
    people = slack.workspace.users
    people["U0SINGLE"] = User("U0SINGLE", "Single", is_ultra_restricted=True)
    people["U0LEFT"] = User("U0LEFT", "Left", deleted=True)
    person, _ = await facts(slack, PRIVATE, user)

    assert (person.kind, person.is_in_source) == (kind, is_in)


async def test_a_channel_without_the_bot_cannot_be_read(slack: LocalSlack) -> None:
    person, place = await facts(slack, RANDOM, "U0YOU")
    assert (place.kind, place.is_readable, person.is_in_source) == ("public", False, None)

    slack.workspace.channels["G0OTHERS"] = Channel("G0OTHERS", "x", {"U0YOU"}, is_private=True)
    _, hidden = await facts(slack, "G0OTHERS", "U0YOU")
    assert (hidden.kind, hidden.is_readable) == ("unknown", False)


async def test_a_direct_message_says_whose_it_is(slack: LocalSlack) -> None:
    _, place = await facts(slack, slack.workspace.dm("U0YOU").id, "U0YOU")

    assert (place.kind, place.of_user) == ("direct", "U0YOU")


async def test_a_person_is_found_on_any_page_of_a_large_channel(slack: LocalSlack) -> None:
    channel = slack.workspace.channels[PRIVATE]
    channel.members |= {f"U{number:05}" for number in range(2_500)}
    slack.workspace.users["U02499"] = User("U02499", "Last")
    person, _ = await facts(slack, PRIVATE, "U02499")

    assert person.is_in_source is True


async def test_an_archived_channel_is_known_as_one(slack: LocalSlack) -> None:
    slack.workspace.channels[PRIVATE].is_archived = True
    _, place = await facts(slack, PRIVATE, "U0YOU")

    assert place.is_archived


CHANNEL = {"id": "C1", "is_private": False, "is_member": True, "is_ext_shared": False}
PERSON = {"id": "U1", "team_id": "T1", "is_restricted": False}


async def asked(*said: dict[str, Any]) -> tuple[Person, Place]:
    async with slack_web() as (web, answers):
        answers.next = [{"json": {"ok": True, **each}} for each in said]
        return await Membership(web, Pacing()).facts("T1", "C1", "U1")


@pytest.mark.parametrize(
    "said",
    [
        ({}, {"user": PERSON}),
        ({"channel": []}, {"user": PERSON}),
        ({"channel": {"id": "C1", "is_member": True}}, {"user": PERSON}),
    ],
)
async def test_a_channel_of_unknown_shape_is_not_known(said: tuple[dict[str, Any], ...]) -> None:
    _, place = await asked(*said)

    assert place.kind == "unknown"


async def test_what_slack_does_not_say_of_a_person_is_not_known() -> None:
    person, _ = await asked({"channel": CHANNEL}, {"user": "U1"}, {"members": ["U1"]})
    assert person.kind == "unknown"

    stranger = PERSON | {"team_id": "T2"}
    person, _ = await asked({"channel": CHANNEL}, {"user": stranger}, {"members": None})
    assert (person.kind, person.is_in_source) == ("external", False)


@pytest.mark.parametrize("flag", ["is_ext_shared", "is_pending_ext_shared", "is_org_shared"])
async def test_any_way_of_being_shared_counts(flag: str) -> None:
    said = {"channel": CHANNEL | {flag: True}}
    _, place = await asked(said, {"user": PERSON}, {"members": ["U1"]})

    assert place == Place(id="C1", kind="public", is_shared=True, is_readable=True)


@pytest.mark.parametrize(("flag", "is_shared"), [("is_org_shared", False), ("is_ext_shared", True)])
async def test_a_direct_message_within_an_organisation_is_still_one_persons(
    flag: str, *, is_shared: bool
) -> None:
    async with slack_web() as (web, answers):
        said = {"id": "D1", "is_im": True, "user": "U1", flag: True}
        answers.next = [{"json": {"ok": True, "channel": said}}]
        place = await Membership(web, Pacing()).place("T1", "D1")

    assert (place.kind, place.of_user, place.is_shared) == ("direct", "U1", is_shared)


async def test_a_list_of_members_that_cannot_be_had_forbids() -> None:
    async with slack_web() as (web, answers):
        answers.next = [
            {"json": {"ok": True, "channel": CHANNEL}},
            {"json": {"ok": True, "user": PERSON}},
            {"json": {"ok": False, "error": "missing_scope"}},
        ]
        person, _ = await Membership(web, Pacing()).facts("T1", "C1", "U1")

    assert person == Person(id="U1", kind="member", is_in_source=None)


async def test_what_slack_leaves_out_is_not_taken_for_harmless() -> None:
    channel = {name: value for name, value in CHANNEL.items() if name != "is_ext_shared"}
    person = {"id": "U1", "team_id": "T1"}
    found, place = await asked({"channel": channel}, {"user": person}, {"members": ["U1"]})

    assert (found.kind, place.is_shared) == ("unknown", None)
