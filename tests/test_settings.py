from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr, ValidationError

from bot.errors import SettingsError
from bot.settings import Settings, load_local_settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BOT_TOKEN = "xoxb-1111-2222-bottokenbottoken"
APP_TOKEN = "xapp-1-A1-3333-apptokenapptoken"
SIGNING_SECRET = "0123456789abcdef0123456789abcdef"
API_KEY = "sk-proj-keykeykeykeykeykey"
ENOUGH = {"slack_bot_token": BOT_TOKEN, "slack_app_token": APP_TOKEN, "openai_api_key": API_KEY}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def given(**settings: str) -> Settings:
    return load_settings(None, **{**ENOUGH, **settings})


def lines_for(settings: Mapping[str, str]) -> list[str]:
    """Return what a start with these settings is told about them, line by line."""
    with pytest.raises(SettingsError) as caught:
        load_settings(None, **settings)
    return [line.strip() for line in str(caught.value).splitlines()[1:-1]]


def test_two_tokens_and_a_key_are_enough() -> None:
    assert given().model_dump() == {
        "slack_bot_token": SecretStr(BOT_TOKEN),
        "slack_app_token": SecretStr(APP_TOKEN),
        "slack_signing_secret": None,
        "slack_api_url": "https://slack.com/api/",
        "host": "0.0.0.0",  # noqa: S104 - the default of HTTP mode
        "port": None,
        "openai_api_key": SecretStr(API_KEY),
        "openai_base_url": "https://api.openai.com/v1",
        "openai_dialect": "auto",
        "openai_model": "gpt-6.1-sol",
        "openai_reasoning_effort": "medium",
        "openai_verbosity": None,
        "openai_max_tool_calls": 12,
        "openai_max_output_tokens": 16_000,
        "openai_compact_threshold": 200_000,
        "openai_silence_seconds": 180.0,
        "openai_include_sources": True,
        "openai_stream_options": True,
        "instructions_file": None,
        "share_names": True,
        "web_search_tool": "auto",
        "web_search_context_size": "medium",
        "web_search_country": None,
        "web_search_region": None,
        "web_search_city": None,
        "web_search_timezone": None,
        "web_search_allowed_domains": (),
        "web_search_blocked_domains": (),
        "database_url": "sqlite+aiosqlite:///footnote.db",
        "command_prefix": "",
        "openai_research_model": None,
        "research_reasoning_effort": "high",
        "research_max_tool_calls": 60,
        "research_asks_back": True,
        "research_minutes": 60.0,
        "prices_file": None,
        "chaining": "auto",
        "follow_ups": "asker",
        "grace_seconds": 25.0,
        "log_level": "INFO",
        "log_format": "text",
    }


def test_the_environment_stands_above_the_file_and_what_is_given_above_both(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / ".env"
    file.write_text(
        f"SLACK_BOT_TOKEN={BOT_TOKEN}\nSLACK_APP_TOKEN={APP_TOKEN}\nOPENAI_API_KEY='{API_KEY}'\n"
        "OPENAI_MODEL=from-file\nWEB_SEARCH_CITY=from-file\nWEB_SEARCH_REGION=from-file\n"
        "SOMETHING_ELSE=ignored\n"
    )
    monkeypatch.setenv("WEB_SEARCH_CITY", "from-environment")
    monkeypatch.setenv("WEB_SEARCH_REGION", "from-environment")
    settings = load_settings(file, WEB_SEARCH_REGION="given")

    assert settings.openai_model == "from-file"
    assert settings.web_search_city == "from-environment"
    assert settings.web_search_region == "given"


def test_the_file_is_looked_for_where_the_bot_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("COMMAND_PREFIX=team-\n")
    monkeypatch.chdir(tmp_path)

    assert load_local_settings().command_prefix == "team-"


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"OPENAI_MODEL=\xff\xfe")

    with pytest.raises(SettingsError, match=r"\.env cannot be read: it must be a file of UTF-8"):
        load_settings(file, **ENOUGH)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        given().port = 1


def test_all_that_is_missing_is_named_in_one_message() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None)
    first, *lines, last = str(caught.value).splitlines()

    assert first == "3 settings are missing or wrong:"
    assert [line.split(":")[0].strip() for line in lines] == [
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "OPENAI_API_KEY",
    ]
    assert "copy the bot token (xoxb-…)" in lines[0]
    assert "neither is SLACK_APP_TOKEN" in lines[1]
    assert "create a key with your model provider, or set OPENAI_BASE_URL" in lines[2]
    assert last == "They are described in .env.example."


@pytest.mark.parametrize(
    ("setting", "value", "line"),
    [
        ("SLACK_BOT_TOKEN", "xoxp-123456789", "does not begin with xoxb-: copy the bot token"),
        ("SLACK_BOT_TOKEN", BOT_TOKEN + " x", "has blanks or letters that none has"),
        ("SLACK_APP_TOKEN", "A0123456789", "does not begin with xapp-: create an app-level"),
        ("SLACK_API_URL", "slack.com/api", "write a whole address, like https://"),
        ("SLACK_API_URL", "https://slack.com:port/", "write a whole address, like https://"),
        ("PORT", "3000a", "set it to a whole number"),
        ("PORT", "65536", "set it to 65535 or less"),
        ("PORT", "-1", "set it to 0 or more"),
        ("OPENAI_BASE_URL", "ftp://models.example/v1", "write a whole address, like https://"),
        ("OPENAI_BASE_URL", "https://models.example/a b", "write a whole address, like https://"),
        ("OPENAI_BASE_URL", "https://models.example/v1/responses/", "leave /responses off its end"),
        ("OPENAI_MODEL", "gpt 6", "write it without blanks"),
        ("OPENAI_REASONING_EFFORT", "huge", "choose 'none', 'minimal', 'low', 'medium', 'high',"),
        ("OPENAI_VERBOSITY", "none", "choose 'low', 'medium' or 'high'"),
        ("OPENAI_MAX_TOOL_CALLS", "0", "set it to 1 or more"),
        ("OPENAI_MAX_TOOL_CALLS", "1.5", "set it to a whole number"),
        ("OPENAI_MAX_OUTPUT_TOKENS", "15", "set it to 16 or more"),
        ("OPENAI_SILENCE_SECONDS", "0", "set it to more than 0"),
        ("OPENAI_SILENCE_SECONDS", "nan", "set it to a number"),
        ("OPENAI_SILENCE_SECONDS", "long", "set it to a number"),
        ("OPENAI_INCLUDE_SOURCES", "maybe", "set it to true or false"),
        ("INSTRUCTIONS_FILE", "/nowhere/answer.md", "cannot be read (No such file or directory)"),
        ("WEB_SEARCH_TOOL", "google", "choose auto, web_search, web_search_preview, openrouter:"),
        ("WEB_SEARCH_TOOL", '{"type": 1}', "choose auto, web_search, web_search_preview, open"),
        ("WEB_SEARCH_TOOL", "{type: x}", "choose auto, web_search, web_search_preview, open"),
        ("OPENAI_COMPACT_THRESHOLD", "999", "set it to 1000 or more"),
        ("WEB_SEARCH_CONTEXT_SIZE", "all", "choose 'low', 'medium' or 'high'"),
        ("WEB_SEARCH_COUNTRY", "AUT", "write the two letters of ISO 3166"),
        ("WEB_SEARCH_TIMEZONE", "Vienna", "write the name of an IANA time zone"),
        ("WEB_SEARCH_TIMEZONE", "../etc/passwd", "write the name of an IANA time zone"),
        ("WEB_SEARCH_ALLOWED_DOMAINS", "https://example.com", "write bare host names"),
        ("WEB_SEARCH_ALLOWED_DOMAINS", "*.example.com", "write bare host names"),
        ("WEB_SEARCH_BLOCKED_DOMAINS", "example.com/path", "write bare host names"),
        ("WEB_SEARCH_BLOCKED_DOMAINS", "localhost", "write bare host names"),
        ("FOLLOW_UPS", "everybody", "choose 'asker', 'anyone' or 'mention'"),
        ("COMMAND_PREFIX", "Team", "use at most 23 small letters, digits, - and _"),
        ("COMMAND_PREFIX", "/", "use at most 23 small letters, digits, - and _"),
        ("COMMAND_PREFIX", "a" * 24, "use at most 23 small letters, digits, - and _"),
        ("LOG_LEVEL", "TRACE", "choose 'DEBUG', 'INFO', 'WARNING', 'ERROR' or 'CRITICAL'"),
        ("LOG_FORMAT", "xml", "choose 'text' or 'json'"),
    ],
)
def test_a_wrong_value_is_named_with_what_to_do(setting: str, value: str, line: str) -> None:
    (told,) = lines_for({**ENOUGH, setting.lower(): value})
    shown = "" if setting.endswith("_TOKEN") else f" is {value!r}"

    assert told.startswith(f"{setting}{shown}: {line}")


def test_all_that_is_wrong_is_named_together_with_what_is_missing() -> None:
    told = lines_for({"port": "x", "follow_ups": "x", "web_search_country": "x"})

    assert {line.split()[0].rstrip(":") for line in told} == {
        "SLACK_BOT_TOKEN",
        "SLACK_SIGNING_SECRET",
        "OPENAI_API_KEY",
        "PORT",
        "FOLLOW_UPS",
        "WEB_SEARCH_COUNTRY",
    }


@pytest.mark.parametrize(
    ("setting", "value", "hint"),
    [
        ("SLACK_BOT_TOKEN", APP_TOKEN, "begins with xapp-, so it belongs in SLACK_APP_TOKEN"),
        ("SLACK_APP_TOKEN", BOT_TOKEN, "begins with xoxb-, so it belongs in SLACK_BOT_TOKEN"),
        ("SLACK_SIGNING_SECRET", APP_TOKEN, "begins with xapp-, so it belongs in SLACK_APP_TOKEN"),
        ("OPENAI_API_KEY", BOT_TOKEN, "begins with xoxb-, so it belongs in SLACK_BOT_TOKEN"),
        ("SLACK_SIGNING_SECRET", API_KEY, "begins with sk-, so it belongs in OPENAI_API_KEY"),
    ],
)
def test_a_token_in_the_wrong_place_is_told_where_it_belongs(
    setting: str, value: str, hint: str
) -> None:
    (told,) = lines_for({**ENOUGH, setting.lower(): value})

    assert told.startswith(f"{setting}: {hint}. For {setting}, ")


@pytest.mark.parametrize(
    "wrong",
    [
        {"slack_bot_token": "xoxp-tellnobody"},
        {"slack_app_token": "tellnobody"},
        {"slack_signing_secret": "tellnobody ü"},
        {"openai_api_key": "xapp-tellnobody"},
        {"openai_api_key": "tell nobody tellnobody"},
        {"openai_model": "sk-tellnobody"},
        {"port": "xoxb-1-2-tellnobody"},
        {"log_level": "xapp-1-2-tellnobody"},
        {"web_search_allowed_domains": "sk-proj-tellnobody"},
        {"database_url": "postgresql://footnote:tellnobody@db.example:x/footnote"},
        {"database_url": "postgresql://u:tellnobody@h/d?tellnobody=tellnobody"},
        {"database_url": "postgresql://u:?tellnobody@h/d"},
        {"database_url": "postgresql://u:tell@tellnobody@h/d"},
        {"database_url": "postgresql://u:1/tellnobody@h/d"},
        {"database_url": "postgresql://u:tellnobody\u2100@h/d"},
        {"database_url": "postgresql://u:[tellnobody@h/d"},
        {"database_url": "postgresql://u:p@h/d?sslmode=tellnobody"},
        {"database_url": "postgresql+psycopg://u:tellnobody@h/d"},
        {"database_url": "tellnobody"},
        {"slack_api_url": "https://name:tellnobody@slack.example/api/"},
        {"openai_base_url": "https://name:tell/nobody:tellnobody@models.example/v1"},
        {"openai_base_url": "https://models.example/v1?key=tellnobody"},
    ],
    ids=str,
)
def test_no_message_and_no_traceback_has_a_secret(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, **{**ENOUGH, **wrong})
    whole = "".join(traceback.format_exception(caught.value))

    assert "tellnobody" not in whole.lower()
    assert next(iter(wrong)).upper() in str(caught.value)


def test_an_error_of_pydantic_has_no_secret_either() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(slack_bot_token="tellnobody", openai_api_key="xapp-tellnobody")  # type: ignore[arg-type]  # read from text

    assert "tellnobody" not in str(caught.value)


def test_a_printed_value_of_the_settings_has_no_secret() -> None:
    url = "postgresql://u:tell%2Fnobody@h/d"
    settings = given(slack_signing_secret=SIGNING_SECRET, database_url=url)
    shown = repr(settings) + str(given().model_dump_json())
    assert "nobody" not in shown
    assert {"tell%2Fnobody", "tell/nobody"} < set(settings.secrets)

    assert not any(secret in shown for secret in (BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, API_KEY))


def test_a_long_wrong_value_is_shortened() -> None:
    (told,) = lines_for({**ENOUGH, "follow_ups": "a" * 500})

    assert told.startswith(f"FOLLOW_UPS is '{'a' * 40}…': choose")


def test_without_an_app_token_the_bot_takes_events_by_http() -> None:
    settings = given(slack_app_token="", slack_signing_secret=SIGNING_SECRET)

    assert (settings.socket_mode, given().socket_mode) == (False, True)


@pytest.mark.parametrize(
    ("app_token", "port", "listens"),
    [
        ("", "", 3000),
        ("", "81", 81),
        ("", "0", 0),
        (APP_TOKEN, "", None),
        (APP_TOKEN, "81", 81),
        (APP_TOKEN, "0", 0),
    ],
)
def test_a_port_is_listened_on_for_slacks_posts_and_wherever_one_is_set(
    app_token: str, port: str, listens: int | None
) -> None:
    settings = given(slack_app_token=app_token, slack_signing_secret=SIGNING_SECRET, port=port)

    assert settings.listen_port == listens


def test_a_wrong_app_token_does_not_make_the_signing_secret_missing() -> None:
    told = lines_for({**ENOUGH, "slack_app_token": "wrong"})

    assert [line.partition(":")[0] for line in told] == ["SLACK_APP_TOKEN"]


@pytest.mark.parametrize(
    ("base_url", "is_enough"),
    [
        ("http://127.0.0.1:8080/v1", True),
        ("https://models.example/v1", True),
        ("https://openai.com.example/v1", True),
        ("https://notopenai.com/v1", True),
        ("https://api.openai.com/v1/", False),
        ("https://eu.api.openai.com/v1", False),
        ("https://API.OpenAI.com/v1", False),
    ],
)
def test_only_openai_itself_needs_a_key(base_url: str, is_enough: bool) -> None:
    settings = {**ENOUGH, "openai_base_url": base_url, "openai_api_key": ""}
    if is_enough:
        assert load_settings(None, **settings).openai_api_key is None
    else:
        assert lines_for(settings)[0].startswith("OPENAI_API_KEY: not set")


def test_addresses_end_as_those_who_use_them_expect() -> None:
    settings = given(slack_api_url="http://localhost:1/api", openai_base_url="http://[::1]:2/v1/")

    assert settings.slack_api_url == "http://localhost:1/api/"
    assert settings.openai_base_url == "http://[::1]:2/v1"


def test_an_empty_value_counts_as_not_set() -> None:
    assert given(**dict.fromkeys(UNSET_WHEN_EMPTY, " ")) == given()


UNSET_WHEN_EMPTY = [
    "slack_signing_secret",
    "slack_api_url",
    "port",
    "host",
    "openai_base_url",
    "openai_model",
    "openai_silence_seconds",
    "openai_include_sources",
    "instructions_file",
    "web_search_tool",
    "web_search_country",
    "web_search_timezone",
    "web_search_allowed_domains",
    "database_url",
    "follow_ups",
    "command_prefix",
    "log_level",
]


@pytest.mark.parametrize(
    "setting",
    [
        "openai_reasoning_effort",
        "openai_verbosity",
        "openai_max_tool_calls",
        "openai_max_output_tokens",
        "web_search_context_size",
    ],
)
def test_what_may_be_left_out_of_a_request_is_left_out_when_empty(setting: str) -> None:
    assert getattr(given(**{setting: ""}), setting) is None


def test_quotation_marks_and_blanks_around_a_value_are_no_part_of_it() -> None:
    settings = given(slack_bot_token=f'"{BOT_TOKEN}"', openai_model=" 'o3' ", port=' "81" ')

    assert settings.slack_bot_token.get_secret_value() == BOT_TOKEN
    assert (settings.openai_model, settings.port) == ("o3", 81)


def test_choices_are_read_in_any_case() -> None:
    settings = given(
        log_level="debug", log_format="JSON", follow_ups="Anyone", openai_reasoning_effort="XHigh"
    )

    assert settings.log_level == "DEBUG"
    assert settings.log_format == "json"
    assert settings.follow_ups == "anyone"
    assert settings.openai_reasoning_effort == "xhigh"


def test_domains_are_read_with_commas_between_and_each_once() -> None:
    settings = given(
        web_search_allowed_domains=" Example.com, docs.example.org,,example.com,bücher.de"
    )

    assert settings.web_search_allowed_domains == (
        "example.com",
        "docs.example.org",
        "xn--bcher-kva.de",
    )


def test_a_hundred_domains_are_taken_and_not_one_more() -> None:
    hundred = ",".join(f"d{n}.example" for n in range(100))
    (told,) = lines_for({**ENOUGH, "web_search_blocked_domains": hundred + ",more.example"})

    assert len(given(web_search_blocked_domains=hundred).web_search_blocked_domains) == 100
    assert told.endswith("has 101 domains: name 100 at most.")


def test_domains_are_allowed_or_blocked_but_not_both() -> None:
    (told,) = lines_for(
        {
            **ENOUGH,
            "web_search_allowed_domains": "a.example",
            "web_search_blocked_domains": "b.example",
        }
    )

    assert told.startswith(
        "WEB_SEARCH_BLOCKED_DOMAINS is 'b.example': WEB_SEARCH_ALLOWED_DOMAINS is set too"
    )


@pytest.mark.parametrize("setting", ["web_search_allowed_domains", "web_search_blocked_domains"])
def test_domains_that_the_older_tool_would_not_obey_are_refused(setting: str) -> None:
    (told,) = lines_for({**ENOUGH, setting: "a.example", "web_search_tool": "web_search_preview"})

    assert told.startswith(
        f"{setting.upper()} is 'a.example': web_search_preview obeys no such list"
    )


def test_a_tool_can_be_written_out() -> None:
    settings = load_settings(None, **ENOUGH, web_search_tool=' {"type": "browser_search"} ')

    assert settings.web_search_tool == {"type": "browser_search"}


def test_a_list_of_sites_beside_a_tool_that_was_written_out_is_refused() -> None:
    given = {"web_search_tool": '{"type": "x"}', "web_search_allowed_domains": "a.example"}
    (told,) = lines_for({**ENOUGH, **given})

    assert "WEB_SEARCH_TOOL is written out: write the list into it" in told


ENCODED = "write it like postgresql://user:password@host/name; of a password, write everything but"
ONE_HOST = "name one host, and a database there: write it like postgresql://user:password@host/name"


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("sqlite:///footnote.db", "write it like sqlite+aiosqlite:///footnote.db or postgresql://"),
        ("sqlite+aiosqlite://footnote.db", "write it like sqlite+aiosqlite:///footnote.db"),
        ("mysql://h/d", "write it like sqlite+aiosqlite:///footnote.db"),
        ("postgresql://", "write it like sqlite+aiosqlite:///footnote.db"),
        ("postgresql+psycopg://u:p@h/d", "names a driver that the bot does not have: write it"),
        ("postgresql://h", ONE_HOST),
        ("postgresql:///d", ONE_HOST),
        ("postgresql://h/d?host=/run/pg", ONE_HOST),
        ("postgresql:///d?host=h", "host has to be the folder of a socket"),
        ("postgresql://u:p@h1,h2/d", "names several hosts: name one, at which the database can"),
        ("postgresql://u:p/ss@h/d", ENCODED),
        ("postgresql://u:1/ss@h/d", ENCODED),
        ("postgresql://u:p#ss@h/d", ENCODED),
        ("postgresql://u:p?ss@h/d", ENCODED),
        ("postgresql://u:p@ss@h/d", ENCODED),
        ("postgresql://u:p[ss@h/d", ENCODED),
        ("postgresql://u:p ss@h/d", ENCODED),
        ("postgresql://u:pä@h/d", ENCODED),
        ("postgresql://u@h:99999/d", ENCODED),
        ("postgresql://h/d?channel_binding=require", "leave channel_binding out of it: after the"),
        ("postgresql://h/d?sslmode=require&x=1", "after the ?, only application_name, host, prep"),
        ("postgresql://h/d?sslrootcert=/ca.pem", "leave sslrootcert out of it: set PGSSLROOTCERT"),
        ("postgresql://h/d?sslmode=maybe", "sslmode has to be disable, allow, prefer, require, v"),
        ("postgresql://h/d?target_session_attrs=x", "target_session_attrs has to be any, primary"),
        ("postgresql://h/d?prepared_statement_cache_size=x", "prepared_statement_cache_size has"),
        ("postgresql://h/d?ssl=require&sslmode=disable", "name each parameter once"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str, line: str) -> None:
    (told,) = lines_for({**ENOUGH, "database_url": url})

    assert told.startswith(f"DATABASE_URL: {line}")


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgresql+asyncpg://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql://u:p%40@h:5433/d", "postgresql+asyncpg://u:p%40@h:5433/d"),
        ("postgres://u@[::1]/d", "postgresql+asyncpg://u@[::1]/d"),
        ("postgres://h/d?sslmode=verify-full", "postgresql+asyncpg://h/d?ssl=verify-full"),
        ("POSTGRES://u:p%25:x@h/d", "postgresql+asyncpg://u:p%25:x@h/d"),
        ("postgresql://u@/d?host=/sql/a:b:c", "postgresql+asyncpg://u@/d?host=/sql/a:b:c"),
        ("postgres://h/d?application_name=x%20y", "postgresql+asyncpg://h/d?application_name=x+y"),
    ],
)
def test_a_postgresql_is_named_as_its_providers_name_it(given: str, used: str) -> None:
    with_it = {**ENOUGH, "database_url": given}

    assert load_settings(None, **with_it).database_url == used


def test_a_database_may_be_named_without_any_token() -> None:
    assert load_local_settings(None).database_url == "sqlite+aiosqlite:///footnote.db"


@pytest.mark.parametrize(
    ("content", "line"),
    [(b" \n", "the file is empty"), (b"\xff\xfe", "cannot be read (it is not UTF-8)")],
)
def test_instructions_must_be_text(tmp_path: Path, content: bytes, line: str) -> None:
    file = tmp_path / "a.md"
    file.write_bytes(content)
    (told,) = lines_for({**ENOUGH, "instructions_file": str(file)})

    assert line in told


def test_instructions_of_ones_own_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("Answer in one sentence.")

    assert given(instructions_file=str(file)).instructions_file == file


def test_the_secrets_are_known_to_whoever_keeps_them_out_of_the_log() -> None:
    settings = given(slack_signing_secret=SIGNING_SECRET)

    assert set(settings.secrets) == {BOT_TOKEN, APP_TOKEN, SIGNING_SECRET, API_KEY}
    assert set(given().secrets) == {BOT_TOKEN, APP_TOKEN, API_KEY}


def test_a_gateway_with_an_older_model_is_reached_by_settings_alone() -> None:
    settings = load_settings(
        None,
        **{name: ENOUGH[name] for name in ("slack_bot_token", "slack_app_token")},
        openai_base_url="https://gateway.example/v1",
        openai_model="o3-deep-research-2025-06-26",
        openai_include_sources="false",
        openai_stream_options="no",
        openai_max_output_tokens="",
        web_search_tool="web_search_preview",
    )

    assert settings.openai_include_sources is False
    assert settings.openai_stream_options is False
    assert settings.openai_max_output_tokens is None
    assert settings.openai_base_url == "https://gateway.example/v1"
