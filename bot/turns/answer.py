"""The parts a model says while it answers, and the answer they make."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Literal

Ending = Literal[
    "completed",
    "max_output_tokens",
    "content_filter",
    "refusal",
    "incomplete",
    "too_late",  # at the time that we gave it
]


@dataclass(frozen=True, slots=True)
class Search:
    """One thing the model did on the web: a search, or a look at a page."""

    kind: Literal["search", "open_page", "find_in_page"]
    queries: tuple[str, ...] = ()  #: what was searched for, without repeats; may be empty
    url: str | None = None  #: the page looked at
    sources: tuple[str, ...] = ()  #: URLs the search returned, where the server says so


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one response. Cached and reasoning tokens are contained in input and output."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_tokens: int = 0  #: of the input, what the server keeps for later

    def __add__(self, other: Usage) -> Usage:
        """Sum up what two responses used."""
        return Usage(*(mine + its for mine, its in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class Started:
    """The response has an id."""

    response_id: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The server is busy, and is asked again later."""


@dataclass(frozen=True, slots=True)
class Foreground:
    """The server does not work in the background: what is lost has to be asked anew."""


@dataclass(frozen=True, slots=True)
class Searching:
    """A search began; what it looks for is known when it is done. `key` pairs the two."""

    key: str


@dataclass(frozen=True, slots=True)
class Searched:
    """A search is done. One `Searching` with the same key came before."""

    key: str
    search: Search
    failed: bool = False


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the answer's Markdown, in order; may be cut anywhere between two characters."""

    text: str


@dataclass(frozen=True, slots=True)
class Cited:
    """The model read this page: its text has come before, mostly, or names the page by a number."""

    url: str
    title: str = ""
    number: int | None = None  #: by which the text refers to it, as in `[3]`


@dataclass(frozen=True, slots=True)
class Writing:
    """More of the text is there, which comes as a whole later.

    `heard` is None where the text is not known from its beginning on.
    """

    heard: TextDelta | Cited | None = None
    begins: bool = False  #: whether this is the first of it; what was heard before is void


@dataclass(frozen=True, slots=True)
class Finished:
    """The last part: the response ended, and this is how."""

    response_id: str
    model: str
    ending: Ending
    usage: Usage | None = None
    previous_response_id: str | None = None  #: as the server echoed it
    stored: bool | None = None  #: the server's echo of `store`; None where it says nothing
    request_id: str | None = None
    service_tier: str = ""  #: that the server used
    billed_searches: int | None = None  #: as the server counts them; None where it does not
    search_refused: bool = False  #: whether the server refused every tool to search with


@dataclass(frozen=True, slots=True)
class Written:
    """A text that a model wrote at once, without a search."""

    text: str
    finished: Finished


Part = (
    Started | Waiting | Foreground | Writing | Searching | Searched | TextDelta | Cited | Finished
)


@dataclass(frozen=True, slots=True)
class Citation:
    """A page the answer refers to, numbered for the reader in the order of first use, from 1."""

    number: int
    url: str
    title: str  #: "" where the server gave none

    @property
    def site(self) -> str:
        """The page's host, without `www.`."""
        return site_of(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer, as it was delivered."""

    finished: Finished
    text: str  #: Markdown with numbered links, before any escaping for Slack
    citations: tuple[Citation, ...]
    searches: tuple[Search, ...]
    unlinked: int  #: links the model wrote to pages that no search returned
    seconds: float
    usd: float | None = None  #: by the list of prices; None where the model is not in it
    is_told_whole: bool = True  #: False where a part of the thread was not told to the model

    @property
    def note(self) -> str | None:
        """What the reader must know about how the answer ended; None if it ended well."""
        if self.finished.ending == "completed":
            return None if self.text.strip() else EMPTY
        if self.finished.ending == "max_output_tokens" and not self.text.strip():
            return NO_ROOM
        return NOTES[self.finished.ending]


EMPTY = "The model ended without writing an answer. Please ask again."
NO_ROOM = (
    "The model used all the room it had for thinking and wrote nothing. Ask for something "
    "smaller, or ask an administrator to raise OPENAI_MAX_OUTPUT_TOKENS."
)
NOTES: dict[Ending, str] = {
    "max_output_tokens": "The answer ends here because it reached its length limit.",
    "content_filter": "The model provider's content filter stopped the answer here.",
    "refusal": "The model declined to answer. Try to put the question differently.",
    "incomplete": "The model ended before the answer was complete. Please ask again.",
    "too_late": "The research reached its time limit, so I stopped it here.",
}


def site_of(url: str) -> str:
    """Return a URL's host, without `www.`."""
    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition("?")[0]
    return host.removeprefix("www.")
