from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.digests.digest import Digest, Period
from bot.digests.request import DigestRequest
from bot.digests.words import LISTED, as_text, coverage_words, skipped_words
from tests.digests.readings import at, claim, message, reading, topic

WEEK = DigestRequest(channel="C1", period=Period(at(0) - timedelta(days=7), at(0)))
IN_BERLIN = replace(WEEK, zone="Europe/Berlin")
DIGEST = Digest(topics=(topic("Roof", claim("It leaks.", 1)),))
NONE = Digest(topics=())


def test_it_is_said_what_was_read_when_and_in_whose_time() -> None:
    read = reading(
        replace(message(-9), is_before=True),
        message(1, thread=-9),
        message(2, name="Ben"),
        message(3, thread=2),
    )

    assert coverage_words(read, DIGEST, IN_BERLIN) == (
        "Read 3 messages by 2 people, with replies in 2 threads, "
        "from 16 Nov 10:00 to 23 Nov 10:00 (Europe/Berlin)."
    )


def test_it_is_said_what_was_not_read_and_what_was_left_out() -> None:
    read = reading(message(1), unread=["3 threads that are too long.", "2 files"])
    lost = replace(DIGEST, dropped_claims=2, dropped_messages=1)

    assert coverage_words(read, lost, WEEK) == (
        "Read 1 message by 1 person, from 16 Nov 09:00 to 23 Nov 09:00 (UTC). "
        "Not read: 3 threads that are too long; 2 files. "
        "2 lines without a source were left out. "
        "1 reference to messages that were not read was removed."
    )


def test_what_apps_wrote_is_said_to_be_left_out() -> None:
    one, some = (replace(reading(message(1)), by_apps=count) for count in (1, 1_200))

    assert "1 message by apps was left out." in coverage_words(one, DIGEST, WEEK)
    assert "1,200 messages by apps were left out." in coverage_words(some, DIGEST, WEEK)


def test_a_turn_of_the_year_is_said() -> None:
    winter = replace(WEEK, period=Period(at(0), at(0) + timedelta(days=60)))

    assert "from 23 Nov 2026 09:00 to 22 Jan 2027 09:00" in coverage_words(
        reading(message(1)), DIGEST, winter
    )


def test_of_a_thread_it_is_said_when_its_messages_were_written() -> None:
    thread = replace(WEEK, thread_ts=message(1).ts)
    words = coverage_words(reading(message(1), message(61, thread=1)), DIGEST, thread)

    assert words.endswith(", with replies in 1 thread, from 23 Nov 09:01 to 23 Nov 10:01 (UTC).")


def test_a_thread_in_which_only_apps_wrote_is_not_said_to_have_a_time() -> None:
    thread = replace(WEEK, thread_ts=message(1).ts)

    assert coverage_words(replace(reading(), by_apps=2), NONE, thread) == (
        "Nobody wrote in the thread. 2 messages by apps were left out."
    )


def test_a_time_in_which_nothing_was_written_is_said_to_be_one() -> None:
    assert coverage_words(reading(), NONE, IN_BERLIN) == (
        "Nobody wrote in the channel from 16 Nov 10:00 to 23 Nov 10:00 (Europe/Berlin)."
    )


def test_a_quiet_time_is_no_failure_where_only_older_threads_were_not_looked_at() -> None:
    words = coverage_words(reading(unseen=["replies in old threads"]), NONE, IN_BERLIN)

    assert words == (
        "Nothing new was found in the channel from 16 Nov 10:00 to 23 Nov 10:00 (Europe/Berlin). "
        "Not read: replies in old threads."
    )


def test_messages_without_anything_to_tell_are_not_called_silence() -> None:
    words = coverage_words(reading(message(1)), NONE, WEEK)

    assert words.startswith("Read 1 message by 1 person")
    assert words.endswith("None of it seemed worth a line.")


def test_that_nothing_could_be_read_is_never_said_as_if_nothing_had_happened() -> None:
    words = coverage_words(reading(unread=["Slack did not answer."]), NONE, WEEK)

    assert words == (
        "NOTHING COULD BE READ from 16 Nov 09:00 to 23 Nov 09:00 (UTC): Slack did not answer. "
        "This does not mean that nothing happened: I do not know what happened."
    )


def test_the_text_for_the_thread_has_its_lines_numbered_through() -> None:
    roof = topic(
        "Roof",
        claim("It leaks.", 1),
        decisions=(claim("It is mended.", 2),),
        questions=(claim("When?", 3),),
        actions=(claim("Call.", 3, owner="Ben"), claim("Look.", 3)),
    )
    digest = Digest(topics=(roof, topic("Party", claim("Soon.", 4))))

    assert as_text(digest) == (
        "## Roof\n1. It leaks.\n2. Decided: It is mended.\n3. Open: When?\n"
        "4. To do (Ben): Call.\n5. To do: Look.\n\n## Party\n6. Soon."
    )
    assert as_text(NONE) == ""


def test_what_was_skipped_is_said_in_the_readers_time() -> None:
    late = replace(IN_BERLIN, skipped=(at(0), at(24 * 60)))

    assert skipped_words(late) == (
        "Missed before this one, and not made up for: 23 Nov 10:00, 24 Nov 10:00."
    )
    assert skipped_words(WEEK) == ""


def test_of_many_that_were_skipped_the_number_is_said() -> None:
    hours = tuple(at(60 * number) for number in range(LISTED + 700))
    words = skipped_words(replace(WEEK, skipped=hours))

    assert words.endswith("24 Nov 08:00, and 700 more until 23 Dec 12:00.")
    assert words.count(":00") == LISTED + 1
