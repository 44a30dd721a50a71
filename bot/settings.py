"""Everything that can be set, read once from the environment and `.env`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot import settings_checks as check
from bot.errors import SettingsError
from bot.log import redacted
from bot.settings_database import database, passwords

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic_core import ErrorDetails

ENV_FILE = Path(".env")
HTTP_PORT = 3000  # where Slack's events are taken when no port is set
RESEARCH_MODEL = "gpt-6-astra"  # which OpenAI's guide recommends for research in many steps
SHOWN_CHARACTERS = 40  # of a wrong value
SECRETS = tuple(name.lower() for name in check.WHERE_FROM)
NEVER_SHOWN = frozenset({*check.WHERE_FROM, "DATABASE_URL"})  # an address may hold a password

# Here an empty value says something: the field is left out of the request.
LEFT_OUT_WHEN_EMPTY = frozenset(
    {
        "openai_reasoning_effort",
        "openai_verbosity",
        "openai_max_tool_calls",
        "openai_max_output_tokens",
        "openai_compact_threshold",
        "research_reasoning_effort",
        "research_max_tool_calls",
        "web_search_context_size",
    }
)
WORDS = {  # by pydantic's type of error, as its own message may quote what was given
    "literal_error": "choose {expected}",
    "bool_parsing": "set it to true or false",
    "int_parsing": "set it to a whole number",
    "float_parsing": "set it to a number",
    "finite_number": "set it to a number",
    "greater_than": "set it to more than {gt:g}",
    "greater_than_equal": "set it to {ge} or more",
    "less_than_equal": "set it to {le} or less",
}


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


Domains = Annotated[tuple[str, ...], NoDecode, BeforeValidator(check.domains)]
AnyCase = BeforeValidator(_lower)
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
Size = Literal["low", "medium", "high"]
Dialect = Literal["auto", "openai", "azure", "openrouter", "xai", "perplexity", "parallel"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


class LocalSettings(BaseSettings):
    """What the commands need that talk neither to Slack nor to a model."""

    model_config = SettingsConfigDict(
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    # It may hold a password.
    database_url: Annotated[str, AfterValidator(database)] = Field(
        default="sqlite+aiosqlite:///footnote.db", repr=False
    )
    command_prefix: Annotated[str, AfterValidator(check.command_prefix)] = ""

    @model_validator(mode="before")
    @classmethod
    def _without_the_empty(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Take an empty value for none given, or for None where that leaves something out."""
        bare = {name: _bare(value) for name, value in given.items()}
        kept = {name: value for name, value in bare.items() if value != ""}
        return dict.fromkeys(LEFT_OUT_WHEN_EMPTY & (bare.keys() - kept.keys())) | kept


class Settings(LocalSettings):
    """Everything that can be set; None where it is not."""

    slack_bot_token: SecretStr
    slack_app_token: SecretStr | None = None  #: Socket Mode when set
    slack_signing_secret: SecretStr | None = None  #: of HTTP mode
    slack_api_url: Annotated[str, AfterValidator(check.slack_address)] = "https://slack.com/api/"
    host: str = "0.0.0.0"  # noqa: S104 - Slack's requests come from outside the container
    port: int | None = Field(default=None, ge=0, le=65535)

    openai_base_url: Annotated[str, AfterValidator(check.responses_address)] = (
        "https://api.openai.com/v1"
    )
    openai_dialect: Annotated[Dialect, AnyCase] = "auto"
    openai_api_key: SecretStr | None = None
    openai_model: Annotated[str, AfterValidator(check.model)] = "gpt-6.1-sol"
    openai_reasoning_effort: Annotated[Effort | None, AnyCase] = "medium"
    openai_verbosity: Annotated[Size | None, AnyCase] = None
    openai_max_tool_calls: int | None = Field(default=12, ge=1)
    openai_max_output_tokens: int | None = Field(
        default=16_000, ge=16
    )  # the least that OpenAI takes
    openai_compact_threshold: int | None = Field(default=200_000, ge=1_000)
    openai_silence_seconds: float = Field(default=180, gt=0, allow_inf_nan=False)
    openai_include_sources: bool = True
    openai_stream_options: bool = True
    instructions_file: Annotated[Path, AfterValidator(check.prose)] | None = None
    share_names: bool = True

    web_search_tool: Annotated[str | dict[str, object], NoDecode, BeforeValidator(check.tool)] = (
        "auto"
    )
    web_search_context_size: Annotated[Size | None, AnyCase] = "medium"
    web_search_country: Annotated[str, AfterValidator(check.country)] | None = None
    web_search_region: str | None = None
    web_search_city: str | None = None
    web_search_timezone: Annotated[str, AfterValidator(check.timezone)] | None = None
    web_search_allowed_domains: Domains = ()
    web_search_blocked_domains: Domains = ()

    openai_research_model: Annotated[str, AfterValidator(check.model)] | None = None
    research_reasoning_effort: Annotated[Effort | None, AnyCase] = "high"
    research_max_tool_calls: int | None = Field(default=60, ge=1)
    research_asks_back: bool = True
    research_minutes: float = Field(default=60, gt=0, le=24 * 60)

    prices_file: Path | None = None
    chaining: Annotated[Literal["auto", "previous_response_id", "replay"], AnyCase] = "auto"
    follow_ups: Annotated[Literal["asker", "anyone", "mention"], AnyCase] = "asker"
    grace_seconds: float = Field(default=25, ge=0, allow_inf_nan=False)
    log_level: Annotated[LogLevel, BeforeValidator(_upper)] = "INFO"
    log_format: Annotated[Literal["text", "json"], AnyCase] = "text"

    @property
    def research_model(self) -> str:
        """The model that researches: a strong one at OpenAI, elsewhere that which answers."""
        if self.openai_research_model is not None:
            return self.openai_research_model
        return RESEARCH_MODEL if check.is_openai(self.openai_base_url) else self.openai_model

    @property
    def socket_mode(self) -> bool:
        """Whether Slack's events come over a WebSocket, and not by HTTP."""
        return self.slack_app_token is not None

    @property
    def listen_port(self) -> int | None:
        """The port to listen on, 0 for a free one; None in Socket Mode, where it may be unset."""
        return HTTP_PORT if self.port is None and not self.socket_mode else self.port

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must stand in no log."""
        held = (getattr(self, name) for name in SECRETS)
        tokens = [secret.get_secret_value() for secret in held if secret]
        return (*tokens, *passwords(self.database_url))

    @field_validator(*SECRETS)
    @classmethod
    def _is_in_its_place(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if secret:
            check.check_secret(str(info.field_name).upper(), secret.get_secret_value())
        return secret

    @field_validator("slack_signing_secret")
    @classmethod
    def _has_a_way_in(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if not secret and _is(info, "slack_app_token", None):
            raise ValueError(
                "not set, and neither is SLACK_APP_TOKEN. For Socket Mode, "
                f"{check.WHERE_FROM['SLACK_APP_TOKEN']} and set SLACK_APP_TOKEN; for HTTP, "
                f"{check.WHERE_FROM['SLACK_SIGNING_SECRET']}"
            )
        return secret

    @field_validator("openai_api_key")
    @classmethod
    def _is_there_for_openai(cls, key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if not key and check.is_openai(info.data.get("openai_base_url", "")):
            raise ValueError(
                f"not set: {check.WHERE_FROM['OPENAI_API_KEY']}, or set OPENAI_BASE_URL to a "
                "server that needs none"
            )
        return key

    @field_validator("web_search_allowed_domains", "web_search_blocked_domains")
    @classmethod
    def _would_be_obeyed(cls, hosts: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if hosts and _is(info, "web_search_tool", "web_search_preview"):
            raise ValueError("web_search_preview obeys no such list: leave it empty")
        if hosts and isinstance(info.data.get("web_search_tool"), dict):
            raise ValueError("WEB_SEARCH_TOOL is written out: write the list into it")
        if hosts and info.data.get("web_search_allowed_domains"):
            raise ValueError("WEB_SEARCH_ALLOWED_DOMAINS is set too: set one of the two only")
        return hosts


def load_settings(env_file: Path | None = ENV_FILE, **given: object) -> Settings:
    """Read the settings; what is given here by its name stands above the environment.

    Raises SettingsError, which names all that is missing or wrong.
    """
    return _load(Settings, env_file, {name.lower(): value for name, value in given.items()})


def load_local_settings(env_file: Path | None = ENV_FILE) -> LocalSettings:
    """Read what the commands need that talk neither to Slack nor to a model."""
    return _load(LocalSettings, env_file, {})


Kind = TypeVar("Kind", bound=LocalSettings)


def _load(kind: type[Kind], env_file: Path | None, given: dict[str, object]) -> Kind:
    read = cast("Callable[..., Kind]", kind)  # what is missing here may be in the environment
    try:
        return read(_env_file=env_file, **given)
    except ValidationError as error:
        problems = error.errors(include_url=False)
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{env_file} cannot be read: it must be a file of UTF-8.") from None
    wrong = dict(_line(problem) for problem in problems)
    raise SettingsError(
        _message(wrong), wrong
    )  # out here, as the error it came from has the values


def _message(wrong: Mapping[str, str]) -> str:
    count = "One setting is" if len(wrong) == 1 else f"{len(wrong)} settings are"
    lines = [f"  {line}" for line in wrong.values()]
    return "\n".join([f"{count} missing or wrong:", *lines, "They are described in .env.example."])


def _line(problem: ErrorDetails) -> tuple[str, str]:
    name = str(problem["loc"][0]).upper()
    return name, f"{name}{_shown(name, problem['input'])}: {_words(name, problem)}."


def _shown(name: str, value: object) -> str:
    if name in NEVER_SHOWN or not isinstance(value, str | int | float | Path):
        return ""
    text = redacted(str(value))  # a token may have been pasted into the wrong line
    if name.endswith("_URL") and any(mark in text for mark in "@?#"):
        return ""  # there may be a password or a key behind these
    if len(text) > SHOWN_CHARACTERS:
        text = text[:SHOWN_CHARACTERS] + "…"
    return f" is {text!r}"


def _words(name: str, problem: ErrorDetails) -> str:
    known = problem.get("ctx", {})
    if problem["type"] == "missing":
        return f"not set: {check.WHERE_FROM[name]}"
    if problem["type"] == "value_error":
        return str(known["error"])
    return WORDS.get(problem["type"], "has a form that cannot be used").format(**known)


def _is(info: ValidationInfo, name: str, value: object) -> bool:
    """Tell whether an earlier setting is right and has this value."""
    return name in info.data and info.data[name] == value


def _bare(value: object) -> object:
    """Strip blanks, and the quotation marks that `docker run --env-file` leaves around a value."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1].strip() if quoted else text
