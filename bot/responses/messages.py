"""The text of a response's messages, each character shown once, however it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.responses.fields import words
from bot.responses.items import contents_of
from bot.responses.registry import Registry
from bot.turns.answer import Cited, TextDelta
from bot.turns.characters import whole_characters

if TYPE_CHECKING:
    from bot.responses.items import Content, Item, TextKind
    from bot.turns.answer import Part

BETWEEN_MESSAGES = "\n\n"


class Message:
    """A message of the model's while it is written."""

    def __init__(self, phase: object = None) -> None:
        self.aside = phase == "commentary"  #: what the model says before its searches
        self.done = False
        self.held: list[tuple[TextKind, str] | Cited] = []
        self._said: dict[tuple[int, TextKind], list[str]] = {}
        self._half = ""

    def learn(self, phase: object) -> None:
        """Take a phase that was not told before; what was said already stays said."""
        self.aside = self.aside or (phase == "commentary" and not self._said)

    def whole(self, text: str) -> str:
        """Return a delta's text, without the half of a character that the next delta completes."""
        text = self._half + text
        self._half = text[-1] if text and "\ud800" <= text[-1] <= "\udbff" else ""
        return whole_characters(text[: len(text) - len(self._half)])

    def add(self, place: tuple[int, TextKind], text: str) -> None:
        """Note what one content part said."""
        self._said.setdefault(place, []).append(text)

    def missing_of(self, place: tuple[int, TextKind], whole: str) -> str:
        """Return what a content part has not said yet of its whole text."""
        self._half = ""
        return _missing("".join(self._said.get(place, [])), whole)

    def missing(self, whole: str) -> str:
        """Return what the message has not said yet of its whole text."""
        return _missing(self._text, whole)

    def may_become(self, whole: str) -> bool:
        """Tell whether this may be the beginning of a whole text; servers differ in its blanks."""
        return whole.strip().startswith(self._text.strip())

    @property
    def _text(self) -> str:
        return "".join(text for said in self._said.values() for text in said)


class Messages:
    """Puts the text of all messages together: the answer, or what comes nearest to one.

    Commentary is held back and shown only if no other text comes.
    """

    def __init__(self) -> None:
        self.refused = False
        self._messages: Registry[Message] = Registry()
        self._cited: set[Cited] = set()
        self._last: tuple[Message, TextKind] | None = None

    def open(self, item_id: str, index: int | None, phase: object) -> None:
        """Take note of a message that appears as a new item."""
        if not self._messages.named(item_id):
            self._messages.add(Message(phase), item_id, index)

    def find(self, item_id: str, index: int | None, phase: object = None) -> Message:
        """Return the message that an event is about, a new one if there is none yet."""
        found = self._messages.find(item_id, index)
        message = found or self._messages.add(Message(), item_id, index)
        message.learn(phase)
        return message

    def find_final(self, item: Item, number: int) -> Message:
        """Return a message of the final output: the one with its id, or else the one at its place.

        Another message may stand at that place, if the server left one out of the output.
        """
        item_id = words(item.get("id"))
        new = Message(item.get("phase"))
        text = "".join(content.text for _, content in contents_of(item))
        placed = self._messages.at(number)
        if placed and not (placed.aside == new.aside and placed.may_become(text)):
            placed = None
        found = self._messages.named(item_id) or placed
        message = found or self._messages.add(new, item_id, None)
        message.learn(item.get("phase"))
        return message

    def delta(self, message: Message, place: tuple[int, TextKind], text: str) -> list[Part]:
        """Take more text."""
        return self._say(message, place, message.whole(text))

    def part(self, message: Message, index: int, content: Content) -> list[Part]:
        """Take a whole content part; what its deltas did not say is said now."""
        place = (index, content.kind)
        missing = message.missing_of(place, content.text)
        return [*self._say(message, place, missing), *self.cite(message, content.cited)]

    def whole(self, message: Message, contents: list[tuple[int, Content]]) -> list[Part]:
        """Take a whole message; what its parts did not say is said now.

        It is compared as a whole, since some servers count their content parts otherwise when
        they stream them.
        """
        text = "".join(content.text for _, content in contents)
        said = len(text) - len(message.missing(text))
        message.done = True
        parts: list[Part] = []
        for index, content in contents:
            parts += self._say(message, (index, content.kind), content.text[said:])
            parts += self.cite(message, content.cited)
            said = max(0, said - len(content.text))
        return parts

    def cite(self, message: Message | None, cited: tuple[Cited, ...]) -> list[Part]:
        """Take citations; each page is named once."""
        if message and message.aside:
            message.held += cited
            return []
        new = [page for page in dict.fromkeys(cited) if page not in self._cited]
        self._cited.update(new)
        return [*new]

    def finish(self) -> list[Part]:
        """Return what was held back, if that is all there is."""
        if self._last:
            return []
        parts: list[Part] = []
        for message in self._messages.all:
            message.aside = False
            for number, held in enumerate(message.held):
                if isinstance(held, Cited):
                    parts += self.cite(message, (held,))
                else:
                    parts += self._say(message, (-1 - number, held[0]), held[1])
        return parts

    def _say(self, message: Message, place: tuple[int, TextKind], text: str) -> list[Part]:
        if not text:
            return []
        message.add(place, text)
        kind = place[1]
        if message.aside:
            message.held.append((kind, text))
            return []
        self.refused = self.refused or kind == "refusal"
        new = self._last is not None and self._last != (message, kind)
        self._last = (message, kind)
        return [TextDelta(BETWEEN_MESSAGES + text if new else text)]


def _missing(said: str, whole: str) -> str:
    """Return the rest of the whole; nothing if the server changed its mind about the beginning."""
    return whole[len(said) :] if whole.startswith(said) else ""
