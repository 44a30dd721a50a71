"""What is told again fits, and what was said last is in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.turns.question import Exchange
from bot.turns.transcript import BYTES_PER_TOKEN, CUT, bytes_per_token, transcript

FIRST = Exchange("Why?", "Ann", "a" * 900)
SECOND = Exchange("And then?", None, "b" * 900)
THIRD = Exchange("Really?", "Bob", "c" * 900)
ALL = (FIRST, SECOND, THIRD)


def test_what_fits_is_told_whole_in_its_order() -> None:
    told = transcript(ALL, 1_000)

    assert (told.exchanges, told.is_whole) == (ALL, True)


def test_the_oldest_is_shortened_before_any_other_and_then_left_out() -> None:
    shortened = transcript(ALL, 800)
    left_out = transcript(ALL, 620)

    assert shortened.exchanges[1:] == (SECOND, THIRD)
    assert shortened.exchanges[0].answer.startswith("aaa")
    assert shortened.exchanges[0].answer.endswith(CUT)
    assert left_out.exchanges == (SECOND, THIRD)
    assert (shortened.is_whole, left_out.is_whole) == (False, False)


def test_a_server_that_counts_fewer_tokens_leaves_room_for_more() -> None:
    told = transcript(ALL, 310)
    rate = bytes_per_token(told, 150)

    assert len(told.exchanges) == 1
    assert rate == pytest.approx(907 / 150, abs=0.1)
    assert len(transcript(ALL, 310, rate).exchanges) == 2


def test_a_measure_that_takes_more_tokens_than_are_assumed_changes_nothing() -> None:
    assert bytes_per_token(transcript(ALL, 1_000), 10_000) == BYTES_PER_TOKEN


def test_a_thread_with_nothing_before_is_told_whole() -> None:
    assert transcript((), 10).is_whole


def test_what_fits_to_the_byte_is_told() -> None:
    whole = (Exchange("abc", "def", ""), Exchange("äö", None, "12345"))  # 15 bytes

    assert transcript(whole, 5).is_whole
    assert not transcript(whole, 5, 2.9).is_whole


def test_a_shortened_answer_fits_with_its_mark() -> None:
    (told,) = transcript([Exchange("abc", "def", "a" * 3_000)], 300).exchanges

    assert len((told.text + (told.name or "") + told.answer).encode()) == 900


def test_what_is_left_of_an_answer_is_told_from_200_bytes_on() -> None:
    long = Exchange("", None, "a" * 3_000)

    assert transcript([long], 200, 1.0).exchanges
    assert not transcript([long], 199, 1.0).exchanges


def test_a_measure_counts_questions_and_names_too() -> None:
    told = transcript([Exchange("q" * 300, "n" * 300, "a" * 300)], 1_000)

    assert bytes_per_token(told, 100) == 9.0


words = st.text(max_size=400)
exchanges = st.lists(st.builds(Exchange, words, st.none() | words, words), max_size=8)


@given(exchanges, st.integers(0, 600))
def test_it_never_says_more_than_its_measure_and_never_skips(
    said: list[Exchange], tokens: int
) -> None:
    told = transcript(said, tokens)
    texts = [
        each
        for exchange in told.exchanges
        for each in (exchange.text, exchange.name or "", exchange.answer)
    ]
    newest = said[len(said) - len(told.exchanges) :]

    assert sum(len(text.encode()) for text in texts) <= tokens * BYTES_PER_TOKEN
    assert [exchange.text for exchange in told.exchanges] == [exchange.text for exchange in newest]
    assert list(told.exchanges[1:]) == newest[1:]
    assert told.is_whole == (list(told.exchanges) == said)
