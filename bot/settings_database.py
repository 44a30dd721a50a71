"""What the address of a database has to look like, and what of it can be heeded.

Like `bot.settings_checks`: returns what the bot uses, or raises ValueError in words that hold
nothing of the value but names of parameters that are known.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

FILE = "sqlite+aiosqlite:///footnote.db"
SERVER = "postgresql://user:password@host/name"
POSTGRES = ("postgresql+asyncpg", "postgresql", "postgres")

# Of libpq's parameters, what asyncpg takes in an address, and in which form. What it cannot heed
# is refused, as it may be about who can read along.
HEEDED = {
    "application_name": ("[ -~]+", "in ASCII"),
    "host": ("/.+", "the folder of a socket"),
    "prepared_statement_cache_size": ("[0-9]+", "a whole number"),
    "ssl": (
        "disable|allow|prefer|require|verify-ca|verify-full",
        "disable, allow, prefer, require, verify-ca or verify-full",
    ),
    "target_session_attrs": ("any|primary|read-write", "any, primary or read-write"),
}
IN_ENVIRONMENT = {  # where asyncpg looks for these instead
    "sslcert": "PGSSLCERT",
    "sslcrl": "PGSSLCRL",
    "sslkey": "PGSSLKEY",
    "sslrootcert": "PGSSLROOTCERT",
}
UNHEEDED = ("channel_binding", "connect_timeout", "gssencmode", "options", "pgbouncer")
_VISIBLE = re.compile(r"[!-~]+")  # ASCII without blanks


def database(url: str) -> str:
    """Accept the address of an SQLite file or of a PostgreSQL, and return it with its driver."""
    scheme, _, rest = url.partition("://")
    if scheme.lower() in POSTGRES and rest:
        return _postgres(rest)
    if scheme.lower().startswith(("postgresql+", "postgres+")):
        raise ValueError(f"names a driver that the bot does not have: write it like {SERVER}")
    if not url.startswith("sqlite+aiosqlite:///"):
        raise ValueError(f"write it like {FILE} or {SERVER}")
    return url


def passwords(url: str) -> tuple[str, ...]:
    """Return the password of an address that was accepted, as it is written there and as it is."""
    written = urlsplit(url).password
    return (written, unquote(written)) if written else ()


def _postgres(rest: str) -> str:
    parts = _split(f"postgresql://{rest}")
    given = _parameters(parts.query)
    if "," in parts.netloc.rpartition("@")[2]:
        raise ValueError("names several hosts: name one, at which the database can be written")
    if not parts.path.strip("/") or bool(parts.hostname) == ("host" in given):
        raise ValueError(f"name one host, and a database there: write it like {SERVER}")
    query = f"?{urlencode(given, safe='/:')}" if given else ""
    return f"postgresql+asyncpg://{parts.netloc}{parts.path}{query}"


def _split(url: str) -> SplitResult:
    """Take an address apart. Refuses what SQLAlchemy would take apart in another way.

    Where a piece of the password were taken for the host, messages would show it.
    """
    parts = SplitResult("", "", "", "", "")
    try:
        parts = urlsplit(url)
        is_plain = parts.port != 0 and bool(_VISIBLE.fullmatch(url)) and "#" not in url
    except ValueError:  # its words quote the password
        is_plain = False
    if not is_plain or parts.netloc.count("@") > 1 or "@" in parts.path:
        raise ValueError(
            f"write it like {SERVER}; of a password, write everything but letters and digits in "
            "percent-encoding, like %40 for @, %2F for /, %3F for ?, %23 for # and %25 for %"
        )
    return parts


def _parameters(query: str) -> dict[str, str]:
    read = parse_qsl(query, keep_blank_values=True)
    pairs = [("ssl" if name == "sslmode" else name, value) for name, value in read]  # as libpq says
    given = dict(pairs)
    for name, value in given.items():
        _refuse_unheeded(name)
        form, words = HEEDED[name]
        if not re.fullmatch(form, value):
            raise ValueError(f"{'sslmode' if name == 'ssl' else name} has to be {words}")
    if len(given) < len(pairs):
        raise ValueError("name each parameter once")
    return given


def _refuse_unheeded(name: str) -> None:
    if name in IN_ENVIRONMENT:
        raise ValueError(f"leave {name} out of it: set {IN_ENVIRONMENT[name]} in the environment")
    if name not in HEEDED:
        which = f"leave {name} out of it: " if name in UNHEEDED else ""
        raise ValueError(f"{which}after the ?, only {', '.join(sorted(HEEDED))} are heeded")
