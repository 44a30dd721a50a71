from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot import errors
from bot.errors import (
    FootnoteError,
    ModelCutOff,
    ModelInputTooLong,
    ModelOverloaded,
    ModelThreadLost,
    SlackRefused,
    SlackUnreachable,
    StoppedByUser,
    StoreUnreachable,
    TurnInterrupted,
)
from bot.metrics import Metrics
from bot.turns.answer import (
    EMPTY,
    NO_ROOM,
    NOTES,
    Answer,
    Cited,
    Ending,
    Finished,
    Part,
    Search,
    Searched,
    Searching,
    Started,
    TextDelta,
    Usage,
    Waiting,
)
from bot.turns.chains import Chaining, Chains
from bot.turns.memory import Memory
from bot.turns.prices import Price, Prices
from bot.turns.question import Asked, Exchange, Question
from bot.turns.run import TurnRunner
from bot.turns.transcript import Past, Transcript
from bot.turns.turn import ATTEMPTS, Turn, TurnLost
from tests.fakes import (
    FakeHistory,
    FakeModel,
    FakeNotes,
    FakeReply,
    FakeSlack,
    FakeStore,
    a_question,
)

SEARCH = Search("search", ("moon distance",), sources=("https://moon.example/far",))
FINISHED = Finished("resp_1", "gpt-test", "completed")
PARTS = (
    Started("resp_1"),
    Searching("ws_1"),
    Searched("ws_1", SEARCH),
    TextDelta("About 384,400 km ([moon.example](https://moon."),
    TextDelta("example/far))."),
    Cited("https://moon.example/far", "How far"),
    FINISHED,
)


def a_runner(
    slack: FakeSlack,
    model: FakeModel,
    store: FakeStore,
    chaining: Chaining = "auto",
    history: FakeHistory | None = None,
) -> TurnRunner:
    chains, prices = (
        Chains(chaining, FakeNotes().unsupported()),
        Prices({"gpt-test": Price(2, 10, 0.1, 2.5)}, 0.01),
    )
    memory, metrics = Memory(slack, history or FakeHistory(), store), Metrics(0.0)
    return TurnRunner(slack, memory, model, store, metrics, model.clock, chains, prices)


async def run(
    model: FakeModel,
    slack: FakeSlack | None = None,
    store: FakeStore | None = None,
    text: str = "How far is the moon?",
) -> tuple[FakeSlack, FakeStore]:
    slack, store = slack or FakeSlack(), store or FakeStore()
    runner = a_runner(slack, model, store)
    await runner.run(Turn(7, a_question(text), "resp_0"))
    return slack, store


def the_answer(reply: FakeReply) -> Answer:
    answer = reply.done[-1][1]
    assert isinstance(answer, Answer)
    return answer


async def test_an_answer_is_shown_search_by_search_and_then_finished_with_its_citations() -> None:
    slack, store = await run(FakeModel(PARTS))

    assert slack.reply.done[:2] == [
        ("search", "ws_1", None, False),
        ("search", "ws_1", SEARCH, False),
    ]
    assert slack.reply.text == "About 384,400 km [1](https://moon.example/far)."
    answer = the_answer(slack.reply)
    assert answer.text == slack.reply.text
    assert [(c.number, c.title, c.site) for c in answer.citations] == [
        (1, "How far", "moon.example")
    ]
    assert (answer.searches, answer.unlinked, answer.seconds) == ((SEARCH,), 0, 3.5)
    assert store.ends == [("answered", 7)]
    assert store.responses == ["7:resp_1"]
    assert slack.left == 1


async def test_an_answer_in_a_chain_knows_the_whole_thread() -> None:
    slack, _ = await run(FakeModel(PARTS))

    assert the_answer(slack.reply).is_told_whole


async def test_the_first_text_of_an_answer_is_measured_and_not_those_that_follow() -> None:
    runner = a_runner(FakeSlack(), FakeModel(PARTS), FakeStore())
    await runner.run(Turn(7, a_question(), "resp_0"))

    metrics = runner.metrics
    assert (sum(metrics.first_text_seconds.counts), sum(metrics.answer_seconds.counts)) == (1, 1)


async def test_each_end_of_a_turn_is_counted() -> None:
    runner = a_runner(FakeSlack(), FakeModel(PARTS, then=[[ModelCutOff()]]), FakeStore())
    await runner.run(Turn(7, a_question(), "resp_0"))
    await runner.run(Turn(8, a_question(), "resp_0"))
    stopping = FakeSlack(FakeReply(failing={"write": StoppedByUser()}))
    await replace(runner, model=FakeModel(PARTS), replies=stopping).run(Turn(9, a_question(), None))
    unposted = FakeSlack(refuses=SlackRefused("chat.postMessage", "is_archived"))
    await replace(runner, replies=unposted).run(Turn(10, a_question(), None))

    metrics = runner.metrics
    assert (metrics.answered.count, metrics.failed.count, metrics.stopped.count) == (1, 2, 1)


async def test_the_model_is_asked_in_plain_words_with_the_turn_it_is_chained_to() -> None:
    model = FakeModel(PARTS)
    await run(model)

    [(asked, turn)] = model.asked
    assert (asked.text, asked.name) == ("How far is the moon?", "You")
    assert turn.previous_response_id == "resp_0"


PAST = Past(a_question("How big is it?", ts="100.000100"), "3,474 km across.")
TOLD = (Exchange("How big is it?", "You", "3,474 km across."),)


async def test_where_the_server_has_lost_the_thread_it_is_told_again() -> None:
    model = FakeModel([ModelThreadLost("gone")], then=[PARTS])
    slack, store = await run(model, store=FakeStore(said=[PAST]))

    [(_, chained), (asked, alone)] = model.asked
    assert (chained.previous_response_id, alone.previous_response_id) == ("resp_0", None)
    assert asked == Asked("How far is the moon?", "You", TOLD)
    assert store.ends == [("answered", 7)]
    assert the_answer(slack.reply).is_told_whole


async def test_who_wants_a_thread_told_again_each_time_names_no_response() -> None:
    model, slack, store = FakeModel(PARTS), FakeSlack(), FakeStore(said=[PAST])
    runner = a_runner(slack, model, store, "replay")
    await runner.run(Turn(7, a_question(), "resp_0"))

    [(asked, turn)] = model.asked
    assert (asked.earlier, turn.previous_response_id) == (TOLD, None)


async def test_who_wants_nothing_but_a_chain_is_told_when_it_is_lost() -> None:
    model, slack, store = FakeModel([ModelThreadLost("gone")]), FakeSlack(), FakeStore(said=[PAST])
    runner = a_runner(slack, model, store, "previous_response_id")
    await runner.run(Turn(7, a_question(), "resp_0"))

    assert slack.reply.done == [("fail", ModelThreadLost.public, "7")]
    assert len(model.asked) == 1


async def test_an_answer_has_its_price_where_the_model_is_in_the_list() -> None:
    usage, answers = Usage(input_tokens=1_000, output_tokens=100), []
    for model in ("gpt-test", "gpt-other"):
        last = replace(FINISHED, model=model, usage=usage)
        slack, _ = await run(FakeModel([*PARTS[:-1], last]))
        answers.append(the_answer(slack.reply))

    assert [answer.usd for answer in answers] == [pytest.approx(0.002 + 0.001 + 0.01), None]


@pytest.mark.parametrize(("billed", "usd"), [(None, 0.01), (5, 0.05), (0, 0.0)])
async def test_searches_cost_what_is_billed_or_as_many_as_were_no_opened_pages(
    billed: int | None, usd: float
) -> None:
    opened = Searched("ws_2", Search("open_page", url="https://moon.example/far"))
    last = replace(FINISHED, usage=Usage(0, 0), billed_searches=billed)
    slack, _ = await run(FakeModel([*PARTS[:3], opened, *PARTS[3:-1], last]))

    assert the_answer(slack.reply).usd == pytest.approx(usd)


async def test_a_wait_for_a_busy_model_is_shown() -> None:
    slack, _ = await run(FakeModel([Waiting(), *PARTS]))

    assert slack.reply.done[0] == ("wait",)


async def test_a_thread_that_was_never_kept_is_told_without_asking_for_it() -> None:
    model, slack, store = FakeModel(PARTS), FakeSlack(), FakeStore(said=[PAST])
    runner = a_runner(slack, model, store)
    await runner.run(Turn(7, a_question(), None))

    [(asked, _)] = model.asked
    assert asked.earlier == TOLD


@pytest.mark.parametrize("said", [[], [Past(a_question("Why?"), None)]], ids=["nothing", "half"])
async def test_what_the_database_lacks_is_read_from_the_thread(said: list[Past]) -> None:
    model, slack, store = FakeModel(PARTS), FakeSlack(), FakeStore(said=said)
    history = FakeHistory(Transcript(TOLD, is_whole=False))
    await a_runner(slack, model, store, history=history).run(Turn(7, a_question(), None))

    [(asked, _)] = model.asked
    assert asked.earlier == TOLD
    assert not the_answer(slack.reply).is_told_whole


async def test_a_thread_of_which_the_database_lacks_one_answer_is_read() -> None:
    said = [PAST, Past(a_question("Why?", ts="100.000200"), None)]
    model, history = FakeModel(PARTS), FakeHistory(Transcript(TOLD, is_whole=True))
    runner = a_runner(FakeSlack(), model, FakeStore(said=said), history=history)
    await runner.run(Turn(7, a_question(), None))

    assert [asked.earlier for asked, _ in model.asked] == [TOLD]


async def test_a_thread_of_which_nothing_could_be_read_is_not_told_whole() -> None:
    slack, history = FakeSlack(), FakeHistory(Transcript((), is_whole=False))
    runner = a_runner(slack, FakeModel(PARTS), FakeStore(), history=history)
    await runner.run(Turn(7, a_question(), None))

    assert not the_answer(slack.reply).is_told_whole


async def test_what_the_database_has_is_told_where_the_thread_says_nothing() -> None:
    said = [Past(a_question("Why?"), None)]
    model, slack, store = FakeModel(PARTS), FakeSlack(), FakeStore(said=said)
    await a_runner(slack, model, store).run(Turn(7, a_question(), None))

    [(asked, _)] = model.asked
    assert asked.earlier == (Exchange("Why?", "You", ""),)


async def test_a_thread_that_the_database_has_is_not_read() -> None:
    history = FakeHistory()
    runner = a_runner(FakeSlack(), FakeModel(PARTS), FakeStore(said=[PAST]), history=history)
    await runner.run(Turn(7, a_question(), None))

    assert history.read_for == []


async def test_where_text_was_shown_before_that_is_known_the_reply_is_begun_anew() -> None:
    model = FakeModel([*PARTS[:4], ModelThreadLost("not echoed")], then=[PARTS])
    slack, store = await run(model, store=FakeStore(said=[PAST]))

    assert slack.opened[0].sent == ()
    assert [sent.ts for sent in slack.opened[1].sent] == ["9.9"]
    assert model.asked[1][0].earlier == TOLD
    assert store.ends == [("answered", 7)]


def lost(*, keeps_none: bool = False) -> ModelThreadLost:
    error = ModelThreadLost("gone")
    error.keeps_none = keeps_none
    return error


@pytest.mark.parametrize(
    ("said", "names"),
    [
        pytest.param([[lost()], PARTS], True, id="one is lost"),
        pytest.param([[lost()], PARTS, [lost()], PARTS], False, id="two in a row"),
        pytest.param(
            [[*PARTS[:4], lost()], PARTS, [*PARTS[:4], lost()], PARTS],
            False,
            id="two in a row, after text",
        ),
        pytest.param([[lost()], PARTS, PARTS, [lost()], PARTS], True, id="two, one known between"),
        pytest.param([[lost(keeps_none=True)], PARTS], False, id="none are kept, it says"),
        pytest.param(
            [[lost(keeps_none=True)], [ModelOverloaded("x")]],
            True,
            id="what it says of the chain it says of the question alone",
        ),
    ],
)
async def test_responses_are_named_until_the_server_was_seen_to_forget_them(
    said: list[list[Part | Exception]], *, names: bool
) -> None:
    first, *then = said
    model = FakeModel(first, then=[*then])
    runner = a_runner(FakeSlack(), model, FakeStore(said=[PAST]))
    while len(model.asked) < len(said):
        await runner.run(Turn(7, a_question(), "resp_0"))

    assert runner.chains.may_name is names


async def test_a_thread_is_told_in_4000_tokens_at_last() -> None:
    long, too_long = [Past(a_question("Why?"), "x" * 30_000)] * 10, [ModelInputTooLong()]
    model = FakeModel(too_long, then=[too_long, too_long, PARTS])
    _, store = await run(model, store=FakeStore(said=long))

    (told,) = model.asked[3][0].earlier
    assert len((told.text + (told.name or "") + told.answer).encode()) == 12_000
    assert store.ends == [("answered", 7)]


async def test_a_thread_that_is_too_long_once_text_was_shown_is_not_told_in_part() -> None:
    long = [Past(a_question(f"Question {n}?"), "x" * 30_000) for n in range(10)]
    model = FakeModel([*PARTS[:4], ModelInputTooLong()], then=[PARTS])
    slack, store = FakeSlack(), FakeStore(said=long)
    await a_runner(slack, model, store).run(Turn(7, a_question(), None))

    assert len(model.asked) == 1
    assert store.ends == [("failed", 7, "ModelInputTooLong")]


async def test_a_thread_that_is_too_long_for_the_model_is_told_in_part() -> None:
    long = [Past(a_question(f"Question {n}?"), "x" * 30_000) for n in range(10)]
    too_long = [ModelInputTooLong()]
    model = FakeModel(too_long, then=[too_long, PARTS])
    slack, store = await run(model, store=FakeStore(said=long))

    told = [len(asked.earlier) for asked, _ in model.asked]
    assert told == [0, 6, 2]
    assert model.asked[2][0].earlier[-1].answer == "x" * 30_000
    assert not the_answer(slack.reply).is_told_whole
    assert store.ends == [("answered", 7)]


async def test_a_short_thread_is_not_told_twice_where_it_is_too_long_nevertheless() -> None:
    too_long = [ModelInputTooLong()]
    model = FakeModel(too_long, then=[too_long, PARTS])
    _, store = await run(model, store=FakeStore(said=[PAST]))

    assert [asked.earlier for asked, _ in model.asked] == [(), TOLD]
    assert store.ends == [("failed", 7, "ModelInputTooLong")]


async def test_a_server_that_counts_tokens_is_told_as_much_as_fits() -> None:
    past = [Past(a_question(str(n)), "word " * 30_000) for n in range(6)]
    store, model = FakeStore(said=past), FakeModel(PARTS)
    model.counts = lambda asked: sum(len(e.answer) for e in asked.earlier) // 10
    slack = FakeSlack()
    await a_runner(slack, model, store).run(Turn(7, a_question(), None))

    [(asked, _)] = model.asked
    assert len(model.counted[0].earlier) < len(asked.earlier) < 6
    assert not the_answer(slack.reply).is_told_whole


async def test_a_thread_that_fits_is_not_counted() -> None:
    store, model = FakeStore(said=[Past(a_question("Why?"), "So.")]), FakeModel(PARTS)
    await a_runner(FakeSlack(), model, store).run(Turn(7, a_question(), None))

    assert model.counted == []


async def test_a_question_that_is_too_long_by_itself_is_told_so() -> None:
    model = FakeModel([ModelInputTooLong()])
    _, store = await run(model)

    assert len(model.asked) == 2
    assert store.ends == [("failed", 7, "ModelInputTooLong")]


@pytest.mark.parametrize("text", ["", "  ", "help", "HELP "], ids=repr)
async def test_an_empty_question_or_help_is_answered_without_asking_the_model(text: str) -> None:
    model = FakeModel(PARTS)
    slack, store = await run(model, text=text)

    assert slack.reply.done == [("help",)]
    assert model.asked == []
    assert store.ends == [("answered", 7)]


@pytest.mark.parametrize(
    "error",
    [ModelOverloaded("x", request_id="req_1"), ModelCutOff(), KeyError("secret")],
    ids=["the model is overloaded", "the stream is cut off", "a fault of our own"],
)
async def test_a_failure_is_told_in_the_thread_after_what_was_written_so_far(
    error: Exception,
) -> None:
    parts: list[Part | Exception] = [*PARTS[:3], TextDelta("It is far"), error]
    slack, store = await run(FakeModel(parts))

    words = error.public if isinstance(error, FootnoteError) else FootnoteError.public
    assert slack.reply.text == "It is far"
    assert slack.reply.done[-1] == ("fail", words, "7")
    assert store.ends == [("failed", 7, type(error).__name__)]
    assert slack.left == 1


@pytest.mark.parametrize(
    ("error", "is_traced"),
    [(ModelCutOff(), False), (KeyError("secret"), True)],
    ids=["foreseen", "a fault of our own"],
)
async def test_only_a_fault_of_our_own_is_logged_with_where_it_happened(
    error: Exception, whole_log: pytest.LogCaptureFixture, *, is_traced: bool
) -> None:
    await run(FakeModel([error]))

    [failed] = [record for record in whole_log.records if record.message == "turn failed"]
    assert bool(failed.exc_info) is is_traced


async def test_a_stream_that_ends_without_an_end_is_a_failure() -> None:
    slack, store = await run(FakeModel(PARTS[:-1]))

    assert slack.reply.done[-1] == ("fail", ModelCutOff.public, "7")
    assert store.ends == [("failed", 7, "ModelCutOff")]


async def test_when_slack_fails_midway_the_model_is_hung_up_on_and_the_thread_told() -> None:
    lost = SlackUnreachable("chat.appendStream", "x")
    reply = FakeReply(failing={"write": lost})
    model = FakeModel(PARTS)
    slack, store = await run(model, FakeSlack(reply))

    assert model.hung_up == 1
    assert slack.reply.done[-1] == ("fail", SlackUnreachable.public, "7")
    assert store.ends == [("failed", 7, "SlackUnreachable")]


async def test_when_slack_takes_no_reply_at_all_the_turn_is_recorded_as_failed() -> None:
    slack = FakeSlack(refuses=SlackRefused("chat.postMessage", "is_archived"))
    model = FakeModel(PARTS)
    _, store = await run(model, slack)

    assert model.asked == []
    assert store.ends == [("failed", 7, "SlackRefused")]


async def test_when_even_the_failure_cannot_be_told_the_turn_is_recorded_once() -> None:
    gone = SlackRefused("chat.stopStream", "channel_not_found")
    slack = FakeSlack(FakeReply(failing={"fail": gone}))
    _, store = await run(FakeModel([ModelCutOff()]), slack)

    assert store.ends == [("failed", 7, "SlackRefused")]


async def test_a_stop_by_the_person_is_no_failure_and_nothing_is_posted_after_it() -> None:
    reply = FakeReply(failing={"write": StoppedByUser()})
    model = FakeModel(PARTS)
    slack, store = await run(model, FakeSlack(reply))

    assert slack.reply.done[-1] == ("stopped",)
    assert store.ends == [("stopped", 7)]
    assert model.hung_up == 1


async def test_closing_the_bot_hands_over_what_is_running() -> None:
    class Endless(FakeModel):
        async def respond(self, asked, turn):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
            async for part in FakeModel.respond(self, asked, turn):
                yield part
            started.set()
            await asyncio.Event().wait()

    started = asyncio.Event()
    slack, store = FakeSlack(), FakeStore()
    model = Endless(PARTS[:2])
    runner = a_runner(slack, model, store)
    task = asyncio.create_task(runner.run(Turn(7, a_question(), None)))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert slack.left == 1
    assert store.ends == [("handed over", 7)]


async def test_closing_the_bot_is_not_held_up_by_a_turn_that_cannot_be_handed_over() -> None:
    class Away(FakeStore):
        async def hand_over(self, turn: Turn) -> None:
            raise StoreUnreachable(str(turn.id))

    class Slow(FakeSlack):
        async def read(self, question: Question) -> Asked:
            started.set()
            await asyncio.Event().wait()
            return await super().read(question)

    started = asyncio.Event()
    runner = a_runner(Slow(), FakeModel(PARTS), Away())
    task = asyncio.create_task(runner.run(Turn(7, a_question(), None)))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("lost", [TurnLost(7), StoreUnreachable("away")], ids=["turn", "database"])
async def test_who_has_lost_a_turn_says_nothing_and_records_nothing_more(lost: Exception) -> None:
    slack, store = await run(FakeModel(PARTS), FakeSlack(FakeReply(failing={"finish": lost})))

    assert store.ends == []
    assert [done[0] for done in slack.reply.done] == ["search", "search"]


async def test_after_three_attempts_the_thread_is_told_instead_of_the_model_asked() -> None:
    model, slack, store = FakeModel(PARTS), FakeSlack(), FakeStore()
    runner = a_runner(slack, model, store)
    await runner.run(Turn(7, a_question(), None, epoch=4, attempt=ATTEMPTS + 1))

    assert model.asked == []
    assert slack.reply.done == [("fail", TurnInterrupted.public, "7")]
    assert store.ends == [("failed", 7, "TurnInterrupted")]


@pytest.mark.parametrize(
    ("ending", "text", "note"),
    [
        ("completed", "Yes.", None),
        ("completed", " ", EMPTY),
        ("max_output_tokens", "Yes", NOTES["max_output_tokens"]),
        ("max_output_tokens", "", NO_ROOM),
        ("content_filter", "", NOTES["content_filter"]),
        ("refusal", "No.", NOTES["refusal"]),
        ("incomplete", "Y", NOTES["incomplete"]),
    ],
)
async def test_an_answer_that_did_not_end_well_says_so(
    ending: Ending, text: str, note: str | None
) -> None:
    parts: list[Part | Exception] = [TextDelta(text), Finished("resp_1", "m", ending)]
    slack, _ = await run(FakeModel(parts))

    assert the_answer(slack.reply).note == note


def test_every_error_has_words_of_its_own_that_tell_what_to_do() -> None:
    classes = [c for c in vars(errors).values() if isinstance(c, type) and c.__mro__[-3:-2]]
    known = [c for c in classes if issubclass(c, FootnoteError)]

    assert len(known) > 20
    models = [c for c in known if issubclass(c, errors.ModelError) and c is not errors.ModelError]
    assert len({c.public for c in models}) == len(models)
    assert all(c.public.endswith(".") for c in known)
