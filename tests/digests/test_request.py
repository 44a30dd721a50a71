"""A request for a digest comes back from the database as it went in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.digests.digest import Period
from bot.digests.request import (
    DigestRequest,
    UnreadableRequest,
    read_request,
    request_text,
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
