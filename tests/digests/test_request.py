"""A request for a digest comes back from the database as it went in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.digests.digest import Period
from bot.digests.request import (
    LISTED,
    DigestRequest,
    UnreadableRequest,
    read_request,
    request_text,
    skipped_words,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
WEEK = DigestRequest(channel="C1", period=Period(NOON - timedelta(days=7), NOON))


@pytest.mark.parametrize(
    "request_",
    [
        WEEK,
        DigestRequest(
            channel="G1",
            period=WEEK.period,
            thread_ts="1795435200.000100",
            about='"prices" \n and {plans}',
            zone="Australia/Lord_Howe",
            schedule_id=7,
            skipped=(NOON, NOON - timedelta(days=1)),
        ),
    ],
)
def test_a_request_is_read_as_it_was_written(request_: DigestRequest) -> None:
    assert read_request(request_text(request_)) == request_


@pytest.mark.parametrize("text", ["", "7d", "[]", "{}", '{"channel": "C1"}', "null", "7"])
def test_what_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(UnreadableRequest):
        read_request(text)


def test_only_what_a_schedule_wants_is_scheduled() -> None:
    assert not WEEK.is_scheduled


def test_what_was_skipped_is_said_in_the_readers_time() -> None:
    late = replace(WEEK, zone="Europe/Berlin", skipped=(NOON, NOON + timedelta(days=1)))

    assert skipped_words(late) == (
        "Not posted, as I was not running or Slack could not be reached: "
        "23 November 13:00, 24 November 13:00."
    )
    assert skipped_words(WEEK) == ""


def test_of_many_that_were_skipped_the_number_is_said() -> None:
    hours = tuple(NOON + timedelta(hours=number) for number in range(LISTED + 700))
    words = skipped_words(replace(WEEK, skipped=hours))

    assert words.endswith("24 November 11:00, and 700 more until 23 December 15:00.")
    assert words.count(":00") == LISTED + 1
