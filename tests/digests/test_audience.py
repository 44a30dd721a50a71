"""Who may have which digest where: every cell of source, target and person."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from bot.digests.audience import Person, Place, may_ask, may_post

PUBLIC = Place(id="C1", kind="public", is_shared=False, is_readable=True)
PRIVATE = replace(PUBLIC, id="G1", kind="private")
SHARED = replace(PUBLIC, id="C2", is_shared=True)
ARCHIVED = replace(PUBLIC, id="C3", is_archived=True)
HIDDEN = replace(PUBLIC, id="G2", kind="unknown", is_readable=False)
UNKNOWN = replace(PUBLIC, id="C4", kind="unknown")
HALF_KNOWN = replace(PUBLIC, id="C5", is_shared=None)
WITHOUT_BOT = replace(PUBLIC, id="C6", is_readable=False)
OWN = replace(PUBLIC, id="D1", kind="direct", of_user="U1")
OTHERS = replace(PUBLIC, id="D2", kind="direct", of_user="U2")
GROUP = replace(PUBLIC, id="G9", kind="group")
OTHER_PUBLIC = replace(PUBLIC, id="C9")

MEMBER = Person(id="U1", kind="member", is_in_source=True)
PEOPLE = {
    "member": MEMBER,
    "non-member": replace(MEMBER, is_in_source=False),
    "perhaps": replace(MEMBER, is_in_source=None),
    "guest": replace(MEMBER, kind="guest"),
    "external": replace(MEMBER, kind="external"),
    "gone": replace(MEMBER, kind="gone"),
    "unknown": replace(MEMBER, kind="unknown"),
}
SOURCES = {
    "public": PUBLIC,
    "private": PRIVATE,
    "shared": SHARED,
    "archived": ARCHIVED,
    "hidden": HIDDEN,
    "unknown": UNKNOWN,
    "half known": HALF_KNOWN,
    "without the bot": WITHOUT_BOT,
    "private without the bot": replace(WITHOUT_BOT, kind="private"),
    "direct": OWN,
    "group": GROUP,
}
TARGETS = {
    "itself": None,
    "own": OWN,
    "own shared": replace(OWN, is_shared=True),
    "others": OTHERS,
    "group": GROUP,
    "public": OTHER_PUBLIC,
    "other private": replace(PRIVATE, id="G8"),
    "other shared": replace(OTHER_PUBLIC, id="C8", is_shared=True),
    "unknown": replace(UNKNOWN, id="C7"),
    "half known": replace(HALF_KNOWN, id="C6"),
}

CODES = {
    ".": "",  # they may
    "n": "not_a_member",
    "m": "unknown_member",
    "g": "guest",
    "e": "external",
    "x": "gone",
    "p": "unknown_person",
    "r": "unreadable",
    "v": "not_visible",
    "c": "unknown_channel",
    "d": "no_channel",
    "w": "wider_audience",
    "t": "not_theirs",
    "a": "archived",
}
# By source, a letter for each of PEOPLE: what they are told who ask.
ASKING = {
    "public": ". n m g e x p",
    "private": ". v m g e x p",
    "shared": ". n m g e x p",
    "archived": ". n m g e x p",
    "hidden": "v v v g e x p",
    "unknown": "c c c g e x p",
    "half known": "c c c g e x p",
    "without the bot": "r r r g e x p",
    "private without the bot": "v v v g e x p",
    "direct": "d d d d d d d",
    "group": "d d d d d d d",
}
# By source, a letter for each of TARGETS: what a member is told there.
POSTING = {
    "public": ". . t t w w w w c c",
    "private": ". . t t w w w w c c",
    "shared": ". . t t w w w w c c",
    "archived": "a . t t w w w w c c",
}


def told(table: dict[str, str], source: str, column: int) -> str:
    return CODES[table[source].split()[column]]


@pytest.mark.parametrize(("source", "person"), list(product(SOURCES, PEOPLE)))
def test_who_may_have_a_digest_of_what(source: str, person: str) -> None:
    refusal = may_ask(PEOPLE[person], SOURCES[source])

    assert (refusal.code if refusal else "") == told(ASKING, source, list(PEOPLE).index(person))


@pytest.mark.parametrize(("source", "target", "person"), list(product(SOURCES, TARGETS, PEOPLE)))
def test_where_whose_digest_may_be_posted(source: str, target: str, person: str) -> None:
    refusal = may_post(SOURCES[source], TARGETS[target] or SOURCES[source], PEOPLE[person])

    expected = told(ASKING, source, list(PEOPLE).index(person))
    if not expected:  # who may ask at all is a member
        expected = told(POSTING, source, list(TARGETS).index(target))
    assert (refusal.code if refusal else "") == expected


@pytest.mark.parametrize(("source", "person"), list(product(SOURCES, PEOPLE)))
def test_each_refusal_says_in_a_sentence_why(source: str, person: str) -> None:
    refusal = may_ask(PEOPLE[person], SOURCES[source])

    assert refusal is None or (refusal.words[0].isupper() and refusal.words.endswith("."))
