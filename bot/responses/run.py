"""A run in the background, as far as it is known over however many connections."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.errors import ModelRunCancelled
from bot.responses.fields import mapping, position, sequence, words
from bot.responses.stream import StreamReader
from bot.turns.answer import (
    Cited,
    Finished,
    Foreground,
    Searched,
    Searching,
    Started,
    TextDelta,
    Writing,
)
from bot.turns.research import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.responses.stream import Event
    from bot.turns.answer import Part

# No `response.cancelled` is documented as an event; a server that sends one means what it says.
TERMINAL = {f"response.{ending}" for ending in ("completed", "incomplete", "failed", "cancelled")}
RUNNING = {"queued", "in_progress"}
FRUITLESS = 3  # streams that tell nothing new of a run that goes on; then it is only looked at


class Told:
    """Makes signs of life of what a model says, and keeps its text for the end."""

    def __init__(self, *, is_whole: bool = True) -> None:
        self.written: list[Part] = []
        self.is_whole = is_whole  #: whether the text is known from its beginning on
        self._searches: set[tuple[type, str]] = set()

    def signs(self, parts: Iterable[Part]) -> list[Part]:
        """Return what is shown of these parts at once, each search only once."""
        signs: list[Part] = []
        for part in parts:
            match part:
                case Searching() | Searched() if self.is_new(part):
                    signs.append(part)
                case TextDelta() | Cited():
                    heard = Writing(part, begins=not self.written)
                    signs.append(heard if self.is_whole else Writing())
                    self.written.append(part)
        return signs

    def is_new(self, part: Part) -> bool:
        """Whether a part is no search, or one that was not told yet; it counts as told then."""
        if not isinstance(part, (Searching, Searched)):
            return True
        key = (type(part), part.key)
        if key in self._searches:
            return False
        self._searches.add(key)
        return True


class Run:
    """A run, and the place in its stream up to which it is known."""

    def __init__(
        self,
        model: str,
        parent: str | None = None,
        response_id: str | None = None,
        after: int | None = None,
    ) -> None:
        """Follow a new run, or the one of this id from a place in its stream."""
        self.response_id = response_id or ""
        self.place = after
        self.since = float("-inf")  # when it was asked for, or begun to be followed
        self.request_id: str | None = None  # of the latest answer about it
        self.is_kept = True if response_id else None  # in the background; None while unknown
        self.streams = True
        self.end: Event | None = None
        self.told_end: Event | None = None  # of the stream, where it lacks the output
        self._model = model
        self._parent = parent
        self.live = self._reader()
        self._told = Told(is_whole=response_id is None)
        self._fruitless = 0
        self._known_before = after
        self._is_known_whole = response_id is None or after is None

    def has_ended(self) -> bool:
        """Whether its end is known."""
        return self.end is not None

    def resume(self) -> None:
        """Take what comes next as a new connection's."""
        self._known_before = self.place
        if self.place is None:  # it is told from its beginning
            self.live = self._reader()
            self._told.written.clear()
            self._told.is_whole = True

    def feed(self, event: object) -> list[Step]:
        """Take an event, or the object from a server that does not stream.

        Raises a ModelError if it says that there will be no answer.
        """
        event = mapping(event)
        number = position(event.get("sequence_number"))
        opening = self._open(event, number)
        if self._is_known(event, number):
            return []
        self._advance(number)
        if _is_end(event):
            self._take_end(event)
            return opening
        if self.is_kept and _is_no_event_of_a_run(event):
            self.streams = self.streams and "status" not in event
            return opening  # of an error, the run itself says whether it ended it
        if _begins_text(event) and not self._told.written:
            self._told.is_whole = True
        signs = self._told.signs(self.live.feed(event))
        if signs and self.is_kept is None:
            self.is_kept = False
            opening = [Step(Foreground())]
        return [*opening, *(Step(sign, number if self.is_kept else None) for sign in signs)]

    def look(self, said: object) -> None:
        """Take the whole object, as it is now."""
        response = mapping(said)
        if _is_end(response):
            self.end = response
        elif self.streams:
            self._fruitless += 1
            self.streams = self._fruitless < FRUITLESS

    def ending(self, *, search_refused: bool) -> list[Step]:
        """Return the whole text with its citations, and how the run ended.

        Raises a ModelError if nothing came of it.
        """
        end = mapping(self.end)
        if _is_cancelled(end):
            raise ModelRunCancelled("status=cancelled", request_id=self.request_id)
        as_told = not self.is_kept or (self._is_known_whole and not _has_output(end))
        reader = self.live if as_told else self._reader()
        last = reader.feed(end if "type" in end else {"output": [], **end})
        reader.finish()
        parts = [*(self._told.written if as_told else []), *last]
        return [
            Step(self._signed(part, search_refused=search_refused))
            for part in parts
            if not isinstance(part, Started) and self._told.is_new(part)
        ]

    def _reader(self) -> StreamReader:
        return StreamReader(model=self._model, parent=self._parent)

    def _signed(self, part: Part, *, search_refused: bool) -> Part:
        if not isinstance(part, Finished):
            return part
        return replace(part, request_id=self.request_id, search_refused=search_refused)

    def _open(self, event: Event, number: int | None) -> list[Step]:
        """Find out from the first event that tells of the response whether the server keeps it."""
        response = _response_in(event)
        response_id = words(response.get("id"))
        if self.is_kept is not None or not (response_id or _is_end(event)):
            return []
        self.response_id = response_id
        self.is_kept = bool(response_id) and response.get("background") is True
        return [Step(Started(response_id), number) if self.is_kept else Step(Foreground())]

    def _is_known(self, event: Event, number: int | None) -> bool:
        """Whether a server tells again what is known, though it was asked for what comes after."""
        if number is None or self._known_before is None or _is_end(event):
            return False
        return number <= self._known_before

    def _advance(self, number: int | None) -> None:
        if number is not None and (self.place is None or number > self.place):
            self.place = number
            self._fruitless = 0

    def _take_end(self, event: Event) -> None:
        """Take how the stream ended; where it lacks the output, that is to be looked at."""
        failed = words(_response_in(event).get("status")) in {"failed", "cancelled"}
        if self.is_kept and not failed and not _has_output(event):
            self.told_end = event
            self.streams = False
        else:
            self.end = event


def _response_in(event: Event) -> Mapping[str, object]:
    return mapping(event.get("response")) if words(event.get("type")) else event


def _has_output(end: Event) -> bool:
    return bool(sequence(_response_in(end).get("output")))


def _is_cancelled(end: Event) -> bool:
    is_said = end.get("type") == "response.cancelled"
    return is_said or _response_in(end).get("status") == "cancelled"


def _is_end(event: Event) -> bool:
    if kind := words(event.get("type")):
        return kind in TERMINAL
    status = words(event.get("status"))
    return bool(status) and status not in RUNNING and ("output" in event or "id" in event)


def _begins_text(event: Event) -> bool:
    is_added = event.get("type") == "response.output_item.added"
    return is_added and mapping(event.get("item")).get("type") == "message"


def _is_no_event_of_a_run(event: Event) -> bool:
    """Whether it is an error of the stream's, or the object of a server that does not stream."""
    return event.get("type") == "error" or not words(event.get("type"))
