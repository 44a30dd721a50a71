"""The gate that everything the page draws goes through.

Whatever a renderer lets slip, what reaches the browser has only these tags, classes and links.
"""

from __future__ import annotations

from html import escape

from nh3 import Cleaner

_SCHEMES = {"http", "https", "mailto"}
_REL = "noopener noreferrer nofollow"
_TEXT_TAGS = {
    *("a", "b", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("hr", "i", "li", "ol", "p", "pre", "s", "span", "strong", "u", "ul"),
    *("table", "tbody", "td", "th", "thead", "tr"),
}
_ALIGNMENTS = {"align-left", "align-center", "align-right"}
_TEXT_CLASSES = {
    "span": {"mention", "loud", "swatch"},
    "div": {"scroll"},
    "td": _ALIGNMENTS,
    "th": _ALIGNMENTS,
    "ul": {"level-1", "level-2", "level-3", "level-4", "bordered"},
    "ol": {"level-1", "level-2", "level-3", "level-4", "bordered"},
    "blockquote": {"bordered"},
    "p": {"head"},
}
_MESSAGE_TAGS = _TEXT_TAGS | {
    *("article", "button", "details", "footer", "header", "section", "summary", "time"),
}
_MESSAGE_CLASSES = _TEXT_CLASSES | {
    "a": {"button", "primary", "danger"},
    "article": {"message", "ephemeral", "streaming", "system"},
    "button": {"button", "primary", "danger", "stop", "icon"},
    "details": {"plan", "container", "task"},
    "div": {
        *("scroll", "avatar", "body", "text", "markdown", "block", "section", "fields", "field"),
        *("accessory", "actions", "context", "image", "unsupported", "tasks", "task", "details"),
        *("output", "sources", "feedback", "children", "blocks", "waiting", "card"),
        *("files", "file", "sheet", "about"),
        *("hue-1", "hue-2", "hue-3", "hue-4", "hue-5", "hue-6"),
    },
    "header": {"who"},
    "section": {"below"},
    "span": {
        *("mention", "loud", "swatch", "badge", "edited", "name", "icon", "status", "title"),
        *("spinner", "note", "count", "pending", "in_progress", "complete", "error", "subtitle"),
        *("label", "initial", "element"),
    },
}

_text = Cleaner(
    tags=_TEXT_TAGS,
    attributes={"a": {"href"}, "ol": {"start"}, "span": {"title"}},
    allowed_classes=_TEXT_CLASSES,
    url_schemes=_SCHEMES,
    url_relative="deny",
    link_rel=_REL,
    set_tag_attribute_values={"a": {"target": "_blank"}},
)
_message = Cleaner(
    tags=_MESSAGE_TAGS,
    attributes={
        "*": {"title", "role"},
        "a": {"href"},
        "button": {"type", "disabled"},
        "details": {"open"},
        "ol": {"start"},
        "time": {"datetime"},
    },
    generic_attribute_prefixes={"data-", "aria-"},
    allowed_classes=_MESSAGE_CLASSES,
    url_schemes=_SCHEMES,
    url_relative="deny",
    link_rel=_REL,
    set_tag_attribute_values={"a": {"target": "_blank"}},
)


def clean_text(html: str) -> str:
    """Keep of a drawn text what a text may have: no buttons, no data."""
    return _text.clean(html)


def clean_message(html: str) -> str:
    """Keep of a drawn message what a message may have."""
    return _message.clean(html)


def is_safe(url: str) -> bool:
    """Say whether the page opens an address of this kind."""
    return url.partition(":")[0].lower() in _SCHEMES


def link(url: str, label: str) -> str:
    """Draw a link; an address of a kind that the page does not open is shown as words.

    The label is HTML.
    """
    return f'<a href="{escape(url)}">{label}</a>' if is_safe(url) else label
