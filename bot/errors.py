"""What can go wrong, and the words the person in the thread is told.

FootnoteError
├── SettingsError            the bot cannot start: what is missing and what to do
├── ModelError               the Responses API did not give an answer
│   ├── ModelKeyRefused          401
│   ├── ModelForbidden           403
│   ├── ModelNotFound            the model is unknown there
│   ├── ModelQuotaUsedUp         no money left, whatever the HTTP status
│   ├── ModelRateLimited         429
│   ├── ModelOverloaded          500, 503, server_is_overloaded
│   ├── ModelRequestRefused      400, 422: the request itself was not accepted
│   │   └── ModelUnsupported         because of a part of it, which may be left out
│   ├── ModelPolicyRefused       the provider's policy stopped the question
│   ├── ModelThreadLost          the earlier response of this thread is gone
│   ├── ModelInputTooLong        the thread no longer fits the model
│   ├── ModelTimedOut            silence for too long
│   ├── ModelUnreachable         no connection
│   ├── ModelCutOff              the stream ended without saying how
│   ├── ModelRunLost             a background run was deleted, or is too old to be had
│   ├── ModelRunCancelled        a background run was cancelled, here or at the provider
│   ├── ModelRunTooLong          a background run has had all the time it may have
│   └── ModelApiMissing          an HTML page, a 404: no Responses API at that address
├── ModelSearchesByItself    what was read in Slack is not told to such a model
├── ModelTooSmall            not even a small part of a digest's messages fits it
├── SlackError               Slack did not take what was sent
│   ├── SlackRefused             an error code that a repeat would not change
│   ├── SlackRateLimited         429: the same call works after a pause
│   └── SlackUnreachable         no connection, or no answer that could be read
├── ConnectionLost           Slack is not heard any more, so the process ends to be begun anew
├── StoreUnreachable         the database does not answer
├── TurnInterrupted          the bot was stopped, or died, as often as it began to answer
├── WrongState               a turn was to do what it cannot do where it stands (turns/turn.py)
├── NotUnderstood            words behind a command that it can do nothing with (digests/since.py)
├── UnknownRecurrence        words that say no time, or one too often (digests/recurrence.py)
├── NotAdmitted              a digest that somebody may not have there (digests/admission.py)
│   └── ScheduledNotAdmitted     one that comes by itself (digests/gate.py)
├── TooLate                  a digest whose time is too long ago (digests/run.py)
├── UnreadableRequest        a text that was to be a digest's request (digests/request.py)
├── UnreadableDigest         what a model wrote is no digest (digests/output.py)
├── TurnLost                 a turn belongs to another process by now (turns/turn.py)
├── TurnPutOff               a turn that is gone on with later (turns/turn.py)
├── ThreadForgotten          an answer was written without its thread (turns/turn.py)
└── StoppedByUser            the person pressed Stop: not a failure
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class FootnoteError(Exception):
    """Everything the bot knows how to explain."""

    public: str = "Something went wrong on my side. Please ask again."
    may_do_better: bool = True  #: when the same is tried again


class SettingsError(FootnoteError):
    """The settings do not let the bot start; the message names every one of them.

    `problems` has, by the name of a setting, what is wrong with it, where that was found alone.
    """

    def __init__(self, message: str = "", problems: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.problems = problems or {}


class ModelError(FootnoteError):
    """The Responses API gave no answer. `request_id` is the provider's, for the operator.

    `repeat_after` is set where the same request may do better later: the seconds that the server
    asks for, or 0 where it says none.
    """

    def __init__(self, detail: str = "", *, request_id: str | None = None) -> None:
        super().__init__(detail)
        self.request_id = request_id
        self.repeat_after: float | None = None


class ModelKeyRefused(ModelError):
    """401: the key is wrong, or not a member."""

    public = "The model provider did not accept my API key. An administrator needs to check it."


class ModelForbidden(ModelError):
    """403: this account or region may not use the API."""

    public = (
        "The model provider does not let me in. An administrator needs to check its permissions."
    )


class ModelNotFound(ModelError):
    """The configured model does not exist there, or is shut down."""

    public = (
        "The model I am set to use does not exist there. An administrator needs to choose another."
    )


class ModelQuotaUsedUp(ModelError):
    """The account's quota or credit is used up; a repeat would not help."""

    public = "The account with the model provider is used up. An administrator needs to top it up."


class ModelRateLimited(ModelError):
    """429: too many requests at the moment."""

    public = "The model is getting more questions than it takes. Please ask again in a minute."


class ModelOverloaded(ModelError):
    """500, 503 or an overload code: the provider has trouble."""

    public = "The model provider has trouble at the moment. Please ask again in a few minutes."


class ModelRequestRefused(ModelError):
    """400 or 422: the server did not accept the request as it was sent."""

    public = (
        "The model server did not accept my request. An administrator needs to check my settings."
    )


class ModelUnsupported(ModelRequestRefused):
    """The server does not support a part of the request, and says which.

    `name` is that of a parameter, like "stream_options", with "tools." before one of the search
    tool, or "tools" where the tool itself is meant.
    """

    public = (
        "The model server does not support a part of my request. An administrator needs to find "
        "out which, with `bot doctor`."
    )

    def __init__(self, detail: str, name: str) -> None:
        super().__init__(detail)
        self.name = name


class ModelPolicyRefused(ModelError):
    """The provider's policy stopped the question or the answer."""

    public = "The model provider's policy does not allow this question. Try to put it differently."


class ModelThreadLost(ModelError):
    """The response this follow-up is chained to is gone.

    `keeps_none` is set where the server says that no other can be had from it either.
    """

    keeps_none = False

    public = (
        "The model server no longer has the earlier answers of this thread. "
        "Please ask again in a new thread."
    )


class ModelInputTooLong(ModelError):
    """The thread and the question no longer fit the model."""

    public = "This thread has grown too long for the model. Please ask again in a new thread."


class ModelTimedOut(ModelError):
    """Nothing came for too long."""

    public = "The model did not answer in time. Please ask again, or ask for something smaller."


class ModelUnreachable(ModelError):
    """No connection to the server."""

    public = "I could not reach the model server. Please ask again in a few minutes."


class ModelCutOff(ModelError):
    """The answer stopped without an end."""

    public = (
        "The connection to the model broke off before the answer was complete. Please ask again."
    )


class ModelRunLost(ModelError):
    """The server does not have the response any more that was being written in the background."""

    public = (
        "The model server no longer has the research it was doing for this. "
        "Please ask for it again."
    )


class ModelRunCancelled(ModelError):
    """A response in the background was cancelled, by us or by the provider."""

    public = "The research was cancelled before it was complete. Please ask for it again."


class ModelRunTooLong(ModelError):
    """A research has taken all the time it may take, and was stopped."""

    public = (
        "The research took all the time it may take, so I stopped it. Ask for something smaller, "
        "or ask an administrator to raise RESEARCH_MINUTES."
    )


class ModelApiMissing(ModelError):
    """Something answered at that address, but not the Responses API."""

    public = (
        "The address I am set to use does not answer as a Responses API. "
        "An administrator needs to check it."
    )


class ModelSearchesByItself(FootnoteError):
    """The model searches the web without a tool, so what was read in Slack is not told to it."""

    public = (
        "The model that I use here searches the web by itself, so I do not show it what was "
        "written in a channel. An administrator can set another one."
    )
    may_do_better = False


class ModelTooSmall(FootnoteError):
    """Not even a small part of what a digest is made from fits the model."""

    public = (
        "The model that I use here is too small for a digest: not even a small part of the "
        "messages fits it. An administrator can set another one."
    )
    may_do_better = False


class SlackError(FootnoteError):
    """Slack did not take what was sent. `code` is Slack's error code."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"{method}: {code}")
        self.method = method
        self.code = code


class SlackRefused(SlackError):
    """Slack answered with an error that a repeat would not change."""

    public = "Slack did not let me write here."


class SlackRateLimited(SlackError):
    """Slack's allowance for this method is used up for `retry_after` seconds; nothing was done."""

    public = "Slack is slowing me down."

    def __init__(self, method: str, retry_after: float) -> None:
        super().__init__(method, "ratelimited")
        self.retry_after = retry_after


class SlackUnreachable(SlackError):
    """Slack could not be reached, or its answer could not be read: it may have acted or not."""

    public = "I could not reach Slack."


class ConnectionLost(FootnoteError):
    """Slack is not heard any more, and connecting anew has not helped for too long."""

    public = "I have lost my connection to Slack."


class StoreUnreachable(FootnoteError):
    """The database does not answer."""

    public = "I could not reach my database."


class TurnInterrupted(FootnoteError):
    """The bot was stopped, or died, each time before the answer was complete."""

    public = "I was interrupted each time I tried to answer this. You can have me try once more."


class StoppedByUser(FootnoteError):
    """The person pressed Stop."""

    public = "Stopped."


def public_words(error: BaseException) -> str:
    """Say what the person in the thread is told about an error; never the exception's own text."""
    return error.public if isinstance(error, FootnoteError) else FootnoteError.public
