"""Texts in mrkdwn, Slack's own markup, drawn as HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Literal

from bot.playground.slack.render_clean import clean_text, link

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Bare = Literal["nothing", "urls", "names"]  #: what is read outside `<…>`; names include URLs

# What Slack reads inside <…>; anything else between the two characters is just words.
TOKEN = re.compile(
    r"<(?:(?P<sign>[@#!])(?P<id>[^<>|\s][^<>|\n]*)|(?P<url>(?:https?://|mailto:)[^<>|\s]+))"
    r"(?:\|(?P<label>[^<>\n]*))?>",
    re.IGNORECASE,
)
URL = re.compile(r"https?://[^\s<>\"`|]+", re.IGNORECASE)
_FENCE = re.compile(r"\n?```\n?(.+?)\n?```\n?", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_BARE_NAME = re.compile(r"(?<![\w&])([@#])([\w-]+)")
_EMOJI_CODE = re.compile(r":([a-z0-9_+-]+):")
_KEPT = re.compile("\ue000(\\d+)\ue001")
_STYLES = tuple(
    (re.compile(rf"(?<![\w{sign}])[{sign}](?=\S)([^{sign}\n]*?\S)[{sign}](?![\w{sign}])"), tag)
    for sign, tag in (("*", "strong"), ("_", "em"), ("~", "s"))
)
_QUOTE = re.compile(r"^(?:&gt;[^\n]*(?:\n|$))+", re.MULTILINE)
_BROADCASTS = ("here", "channel", "everyone")

EMOJI = {
    "+1": "👍",
    "-1": "👎",
    "thumbsup": "👍",
    "thumbsdown": "👎",
    "bulb": "💡",
    "books": "📚",
    "bookmark": "🔖",
    "calendar": "📅",
    "clock1": "🕐",
    "earth_africa": "🌍",
    "eyes": "👀",
    "globe_with_meridians": "🌐",
    "heavy_check_mark": "✔️",
    "hourglass": "⌛",
    "hourglass_flowing_sand": "⏳",
    "information_source": "ℹ️",  # noqa: RUF001 - the emoji that this name stands for
    "link": "🔗",
    "mag": "🔍",
    "mag_right": "🔎",
    "memo": "📝",
    "no_entry": "⛔",
    "octagonal_sign": "🛑",
    "page_facing_up": "📄",
    "question": "❓",
    "robot_face": "🤖",
    "rocket": "🚀",
    "speech_balloon": "💬",
    "star": "⭐",
    "stopwatch": "⏱️",
    "tada": "🎉",
    "warning": "⚠️",
    "wave": "👋",
    "white_check_mark": "✅",
    "x": "❌",
}


@dataclass(frozen=True, slots=True)
class Names:
    """How the ids of a workspace are shown, and to whom."""

    users: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    viewer: str = ""  #: the id of the person who looks; some buttons are shown only to some


def mrkdwn(text: str, names: Names, bare: Bare = "urls") -> str:
    """Draw mrkdwn."""
    kept: list[str] = []

    def keep(html: str) -> str:
        kept.append(html)
        return f"\ue000{len(kept) - 1}\ue001"

    text = re.sub("[\ue000\ue001]", "", text)
    text = _FENCE.sub(lambda m: keep(f"<pre>{_in_code(m[1], names)}</pre>"), text)
    text = _CODE.sub(lambda m: keep(f"<code>{_in_code(m[1], names)}</code>"), text)
    text = TOKEN.sub(lambda m: keep(token(m, names)), text)
    if bare != "nothing":
        text = URL.sub(lambda m: _keep_url(m, keep), text)
    if bare == "names":
        text = _BARE_NAME.sub(lambda m: _keep_name(m, names, keep), text)
    html = _styled(escape(_unescaped(text), quote=False))
    while _KEPT.search(html):  # a link's label may hold code that was put aside before
        html = _KEPT.sub(lambda m: kept[int(m[1])], html)
    return clean_text(html)


def plain(text: object, *, emoji: bool = True) -> str:
    """Draw plain words: nothing in them is read but emoji codes."""
    words = escape(str(text or ""), quote=False).replace("\n", "<br>")
    return emoji_codes(words) if emoji else words


def emoji_codes(text: str) -> str:
    """Put emoji for the codes that are known."""
    return _EMOJI_CODE.sub(lambda m: EMOJI.get(m[1], m[0]), text)


def bare_url(match: re.Match[str]) -> tuple[str, str]:
    """Part a URL that stands in the text from the punctuation after it."""
    url = match[0].rstrip(".,;:!?'*_~")
    while url.endswith(")") and url.count(")") > url.count("("):
        url = url[:-1].rstrip(".,;:!?'*_~")
    return url, match[0][len(url) :]


def token(match: re.Match[str], names: Names) -> str:
    """Draw what Slack makes of a `<…>`."""
    label = emoji_codes(escape(_unescaped(match["label"] or ""), quote=False))
    if match["url"]:
        url = _unescaped(match["url"])
        return link(url, label or escape(url.removeprefix("mailto:"), quote=False))
    sign, name = match["sign"], match["id"]
    if sign == "@":
        return mention("@" + names.users.get(name, match["label"] or name))
    if sign == "#":
        return mention("#" + names.channels.get(name, match["label"] or name))
    return _special(name, match["label"] or "")


def mention(shown: str, *, loud: bool = False) -> str:
    """Draw a name as the pill that says: this is live."""
    return f'<span class="mention{" loud" * loud}">{escape(shown, quote=False)}</span>'


def _special(name: str, label: str) -> str:
    if name in _BROADCASTS:
        return mention("@" + name, loud=True)
    if name.startswith("subteam^"):
        return mention(label or "@" + name.removeprefix("subteam^"), loud=True)
    if name.startswith("date^"):
        return _date(name, label)
    return escape(f"<!{name}>", quote=False)


def _date(name: str, label: str) -> str:
    seconds = name.split("^")[1]
    if not seconds.isascii() or not seconds.isdigit() or len(seconds) > 11:  # noqa: PLR2004 - year 5138
        return escape(label or name, quote=False)
    moment = datetime.fromtimestamp(int(seconds), tz=UTC).astimezone()
    return f'<span title="{escape(label)}">{moment:%d %B %Y, %H:%M}</span>'


def _keep_url(match: re.Match[str], keep: Callable[[str], str]) -> str:
    url, rest = bare_url(match)
    shown = _unescaped(url)
    return keep(link(shown, escape(shown, quote=False))) + rest


def _keep_name(match: re.Match[str], names: Names, keep: Callable[[str], str]) -> str:
    sign, name = match[1], match[2]
    if sign == "@" and name in _BROADCASTS:
        return keep(mention(match[0], loud=True))
    if sign == "#" and name in names.channels.values():
        return keep(mention(match[0]))
    return match[0]


def _in_code(text: str, names: Names) -> str:
    """Draw code: Slack reads its tokens there too, so that a mention in code is still live."""
    html, end = "", 0
    for match in TOKEN.finditer(text):
        html += escape(_unescaped(text[end : match.start()]), quote=False) + token(match, names)
        end = match.end()
    return html + escape(_unescaped(text[end:]), quote=False)


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _styled(html: str) -> str:
    for pattern, tag in _STYLES:
        html = pattern.sub(rf"<{tag}>\1</{tag}>", html)
    html = _QUOTE.sub(_quote, emoji_codes(html))
    return html.replace("\n", "<br>").replace("<br><blockquote>", "<blockquote>")


def _quote(match: re.Match[str]) -> str:
    lines = (line.removeprefix("&gt;").removeprefix(" ") for line in match[0].splitlines())
    return f"<blockquote>{'<br>'.join(lines)}</blockquote>"
