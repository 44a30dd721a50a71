"""Events of a response stream become parts of an answer.

The reader trusts no field: unknown events and items are skipped, and whatever is of a wrong type
counts as absent. Text that came both in pieces and whole is said once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bot.errors import ModelApiMissing, ModelCutOff, ModelThreadLost
from bot.responses.failures import read_failure
from bot.responses.fields import count, flag, mapping, position, sequence, words
from bot.responses.items import (
    Content,
    cited_in,
    content_of,
    contents_of,
    is_answer,
    is_search,
    pages_of,
    results_of,
    usage_of,
)
from bot.responses.messages import Messages
from bot.responses.searches import Searches
from bot.turns.answer import Finished, Started

if TYPE_CHECKING:
    from bot.responses.items import TextKind
    from bot.turns.answer import Ending, Part

Event = Mapping[str, object]

_CUT: Mapping[str, Ending] = {
    "max_output_tokens": "max_output_tokens",
    "content_filter": "content_filter",
}
_NOT_COMPLETED = {"failed", "incomplete", "cancelled"}
_NO_END = {"queued", "in_progress", "cancelled"}


class StreamReader:
    """Reads one response, event by event."""

    def __init__(
        self, *, model: str = "", request_id: str | None = None, parent: str | None = None
    ) -> None:
        """Read a response that was chained to `parent`, which a server that heeds it echoes."""
        self.ended = False
        self._parent = parent
        self._model = model
        self._request_id = request_id
        self._response_id = ""
        self.fed = False
        self._understood = False
        self._messages = Messages()
        self._searches = Searches()

    def feed(self, event: object) -> list[Part]:
        """Read an event, or a response object from a server that does not stream.

        Raises a ModelError if it says that there will be no answer.
        """
        self.fed = True
        event = mapping(event)
        kind = words(event.get("type"))
        if self.ended:
            return []
        if kind:
            self._understood = True
            handler = _HANDLERS.get(kind)
            return handler(self, event) if handler else []
        if event.get("error"):  # LiteLLM's form inside a stream, and some gateways' under HTTP 200
            raise read_failure(event).error()
        if "output" in event:
            return self._end(event, words(event.get("status")))
        return []

    def finish(self) -> None:
        """Raise ModelCutOff if the response did not say how it ended."""
        if self.ended:
            return
        if self.fed and not self._understood:
            raise ModelApiMissing("no response events")
        raise ModelCutOff("no terminal event")

    def on_snapshot(self, event: Event) -> list[Part]:
        """Read the response as it stands while it runs.

        Raises ModelThreadLost where it says that it follows nothing, though it should.
        """
        response = mapping(event.get("response"))
        if "previous_response_id" in response:
            self._check_parent(response)
        return self._identify(response)

    def on_item_added(self, event: Event) -> list[Part]:
        """Take note of a new output item."""
        item, index = mapping(event.get("item")), position(event.get("output_index"))
        if is_search(item):
            return self._searches.open(words(item.get("id")), index)
        if is_answer(item):
            self._messages.open(words(item.get("id")), index, item.get("phase"))
        return []

    def on_item_done(self, event: Event) -> list[Part]:
        """Read a whole output item."""
        item, index = mapping(event.get("item")), position(event.get("output_index"))
        item_id = words(item.get("id"))
        if is_search(item):
            parts = self._searches.end(item, item_id, index)
            return [*parts, *self._messages.cite(None, results_of(item))]
        if not is_answer(item):
            return []
        message = self._messages.find(item_id, index, item.get("phase"))
        return self._messages.whole(message, contents_of(item))

    def on_search(self, event: Event) -> list[Part]:
        """Read that a search runs; what it searches for comes with its item."""
        return self._searches.begin(*_place(event))

    def on_text(self, event: Event, kind: TextKind = "text") -> list[Part]:
        """Read more of the text."""
        delta = event.get("delta")
        if not isinstance(delta, str):
            return []
        place = (_content_index(event), kind)
        return self._messages.delta(self._messages.find(*_place(event)), place, delta)

    def on_refusal(self, event: Event) -> list[Part]:
        """Read more of a refusal."""
        return self.on_text(event, "refusal")

    def on_text_done(self, event: Event) -> list[Part]:
        """Read the whole text of a content part."""
        return self._part(event, Content("text", words(event.get("text"))))

    def on_refusal_done(self, event: Event) -> list[Part]:
        """Read a whole refusal."""
        return self._part(event, Content("refusal", words(event.get("refusal"))))

    def on_part_done(self, event: Event) -> list[Part]:
        """Read a whole content part with its annotations."""
        content = content_of(event.get("part"))
        return self._part(event, content) if content else []

    def on_annotation(self, event: Event) -> list[Part]:
        """Read a citation."""
        cited = cited_in(event.get("annotation"))
        if not cited:
            return []
        return self._messages.cite(self._messages.find(*_place(event)), (cited,))

    def on_error(self, event: Event) -> list[Part]:
        """Raise what the error says; the `response.failed` that mostly follows says it again."""
        raise read_failure(event).error()

    def on_completed(self, event: Event) -> list[Part]:
        """Read the final response."""
        response = mapping(event.get("response"))
        status = words(response.get("status"))
        return self._end(response, status if status in _NOT_COMPLETED else "completed")

    def on_incomplete(self, event: Event) -> list[Part]:
        """Read a response that was cut short."""
        return self._end(mapping(event.get("response")), "incomplete")

    def on_failed(self, event: Event) -> list[Part]:
        """Raise why there is no answer."""
        raise read_failure(event.get("response")).error()

    def _part(self, event: Event, content: Content) -> list[Part]:
        message = self._messages.find(*_place(event))
        return self._messages.part(message, _content_index(event), content)

    def _identify(self, response: Event) -> list[Part]:
        response_id = words(response.get("id"))
        if self._response_id or not response_id:
            return []
        self._response_id = response_id
        return [Started(response_id)]

    def _end(self, response: Event, status: str) -> list[Part]:
        if status == "failed":
            raise read_failure(response).error()
        if status in _NO_END:
            raise ModelCutOff(f"status={status}")
        self._check_parent(response)
        parts = [*self._identify(response), *self._output(response)]
        parts += self._messages.cite(None, tuple(pages_of(response.get("citations"))))
        parts += self._searches.finish(failed=status == "incomplete")
        parts += self._messages.finish()
        self.ended = True
        return [*parts, self._finished(response, status)]

    def _check_parent(self, response: Event) -> None:
        if self._parent is not None and response.get("previous_response_id") != self._parent:
            raise ModelThreadLost("the parent is not echoed")

    def _output(self, response: Event) -> list[Part]:
        """Read the final output; all of it is known already unless the server streamed less."""
        parts: list[Part] = []
        items = [mapping(item) for item in sequence(response.get("output"))]
        for number, item in enumerate(filter(is_search, items)):
            parts += self._searches.end_final(item, number)
        for number, item in enumerate(filter(is_answer, items)):
            message = self._messages.find_final(item, number)
            parts += self._messages.whole(message, contents_of(item))
        for item in items:
            parts += self._messages.cite(None, results_of(item))
        return parts

    def _finished(self, response: Event, status: str) -> Finished:
        return Finished(
            response_id=self._response_id,
            model=words(response.get("model")) or self._model,
            ending=self._ending(response, status),
            usage=usage_of(response.get("usage")),
            previous_response_id=words(response.get("previous_response_id")) or None,
            stored=flag(response.get("store")),
            request_id=self._request_id,
            service_tier=words(response.get("service_tier")),
            billed_searches=_billed_searches(response),
        )

    def _ending(self, response: Event, status: str) -> Ending:
        if status == "incomplete":
            details = mapping(response.get("incomplete_details"))
            return _CUT.get(words(details.get("reason")), "incomplete")
        return "refusal" if self._messages.refused else "completed"


_HANDLERS: Mapping[str, Callable[[StreamReader, Event], list[Part]]] = {
    "response.created": StreamReader.on_snapshot,
    "response.queued": StreamReader.on_snapshot,
    "response.in_progress": StreamReader.on_snapshot,
    "response.output_item.added": StreamReader.on_item_added,
    "response.output_item.done": StreamReader.on_item_done,
    "response.web_search_call.in_progress": StreamReader.on_search,
    "response.web_search_call.searching": StreamReader.on_search,
    "response.output_text.delta": StreamReader.on_text,
    "response.output_text.done": StreamReader.on_text_done,
    "response.output_text.annotation.added": StreamReader.on_annotation,
    "response.refusal.delta": StreamReader.on_refusal,
    "response.refusal.done": StreamReader.on_refusal_done,
    "response.content_part.done": StreamReader.on_part_done,
    "response.completed": StreamReader.on_completed,
    "response.incomplete": StreamReader.on_incomplete,
    "response.failed": StreamReader.on_failed,
    "error": StreamReader.on_error,
}


def _billed_searches(response: Event) -> int | None:
    searches = mapping(mapping(response.get("tool_usage")).get("web_search"))
    return count(searches["num_requests"]) if "num_requests" in searches else None


def _place(event: Event) -> tuple[str, int | None]:
    return words(event.get("item_id")), position(event.get("output_index"))


def _content_index(event: Event) -> int:
    return position(event.get("content_index")) or 0
