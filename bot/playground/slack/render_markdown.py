"""Markdown drawn as Slack draws it.

It is ordinary Markdown with two things on top, which Slack's clients do and few expect: a `<…>`
token pings or links in it as well, and a bare URL becomes a link. Both are drawn, so that a text
that would ping in Slack is seen to ping here.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from bot.playground.slack.render_clean import clean_text, is_safe, link
from bot.playground.slack.render_text import TOKEN, URL, Names, bare_url, emoji_codes, token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.rules_core import StateCore
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

_TASK_ITEM = re.compile(r"\[([ xX])\] ")
_ALIGNED = re.compile(r"text-align:(left|center|right)")


def markdown(text: str, names: Names) -> str:
    """Draw Markdown."""
    return clean_text(_reader.render(text, {"names": names}))


def _slack_token(state: StateInline, silent: bool) -> bool:
    match = TOKEN.match(state.src, state.pos)
    if match is None:
        return False
    if not silent:
        state.push("slack_token", "", 0).content = token(match, state.env["names"])
    state.pos = match.end()
    return True


def _after_inline(state: StateCore) -> None:
    for block in state.tokens:
        if block.type == "inline" and block.children:
            block.children = _with_urls(block.children)
        _align(block)
    _tick(state.tokens)


def _with_urls(tokens: Sequence[Token]) -> list[Token]:
    done: list[Token] = []
    inside = 0
    for one in tokens:
        inside += one.nesting if one.type in {"link_open", "link_close"} else 0
        if one.type == "text" and not inside:
            one.type, one.content = "slack_token", _words(one.content)
        done.append(one)
    return done


def _words(text: str) -> str:
    html, end = "", 0
    for match in URL.finditer(text):
        url, _ = bare_url(match)
        html += _escaped(text[end : match.start()]) + link(url, escape(url, quote=False))
        end = match.start() + len(url)
    return html + _escaped(text[end:])


def _escaped(text: str) -> str:
    return emoji_codes(escape(text, quote=False))


def _align(block: Token) -> None:
    style = _ALIGNED.match(str(block.attrGet("style") or ""))
    if style:  # as a class: the page's policy allows no style in an attribute
        block.attrs = {"class": f"align-{style[1]}"}


def _tick(tokens: Sequence[Token]) -> None:
    for item, _, inline in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if item.type != "list_item_open" or not inline.children:
            continue
        first = inline.children[0]
        first.content = _TASK_ITEM.sub(
            lambda match: "☐ " if match[1] == " " else "☑ ", first.content, count=1
        )


def _as_it_is(_self: object, tokens: Sequence[Token], at: int, *_: object) -> str:
    return tokens[at].content


def _image(_self: object, tokens: Sequence[Token], at: int, *_: object) -> str:
    """Slack shows a picture in Markdown as a link, and fetches nothing."""
    url = str(tokens[at].attrGet("src") or "")
    return link(url, escape(tokens[at].content or url, quote=False))


def _built() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False, "breaks": True})
    reader.enable(["table", "strikethrough"])
    reader.inline.ruler.before("autolink", "slack_token", _slack_token)
    reader.core.ruler.push("slack", _after_inline)
    reader.validateLink = is_safe  # type: ignore[method-assign]  # as its documentation says
    reader.add_render_rule("slack_token", _as_it_is)
    reader.add_render_rule("image", _image)
    reader.add_render_rule("table_open", lambda *_: '<div class="scroll"><table>')
    reader.add_render_rule("table_close", lambda *_: "</table></div>")
    return reader


_reader = _built()
