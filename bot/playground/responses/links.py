"""Links to sources, in the text and beside it, as each kind of server writes them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.playground.responses.plan import UTM, Claim, Plan, cited

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.playground.responses.dialect import Search

Citation = dict[str, Any]


def url_citations(text: str, citations: Iterable[tuple[str, str]]) -> list[Citation]:
    """Return a url_citation for each link in the text to one of the pages.

    As recorded from OpenAI, a span counts code points and covers the whole group with its
    parentheses: "([host](url))", or "([host](url), [host](url))" for several links.
    """
    titles = dict(citations)
    if not titles:
        return []
    urls = "|".join(re.escape(url) for url in titles)
    target = rf"\((?P<url>(?:{urls})(?:[?&]{UTM})?)\)"
    link = rf"(?:\[(?:[^\[\]]|\[[^\[\]]*\])*\])?{target}"
    many = link.replace("?P<url>", "?:")
    group = re.compile(rf"\({many}(?:[,;] ?{many})*\)|{many}")
    return [
        {
            "type": "url_citation",
            "end_index": found.end(),
            "start_index": found.start(),
            "title": _title(inner["url"], titles),
            "url": inner["url"],
        }
        for found in group.finditer(text)
        for inner in re.finditer(target, found[0])
    ]


def _title(url: str, titles: dict[str, str]) -> str:
    return titles.get(url) or titles[_plain(url)]


def _plain(url: str) -> str:
    return re.sub(rf"[?&]{UTM}$", "", url)


def annotations_of(plan: Plan, search: Search) -> list[Citation]:
    """Return what stands beside the text of an answer."""
    match search.annotations:
        case "span":
            return url_citations(plan.text, plan.citations)
        case "zero":
            return [_annotation(url, title, 0, 0) for url, title in plan.citations]
        case "bare":
            linked = url_citations(plan.text, plan.citations)
            return [{"type": "url_citation", "url": link["url"]} for link in linked]
        case "claim":
            return _claimed(plan)
        case "none":
            return []


def _claimed(plan: Plan) -> list[Citation]:
    titles = dict(plan.citations)
    return [
        _annotation(claim.url, titles[claim.url], claim.start, claim.end) for claim in plan.claims
    ]


def _annotation(url: str, title: str, start: int, end: int) -> Citation:
    place = {"start_index": start, "end_index": end}
    return {"type": "url_citation", "url": url, "title": title} | place


def in_dialect(plan: Plan, search: Search) -> Plan:
    """Return a plan whose text, written with OpenAI's links, has those of another server."""
    if search.tracked and search.links == "group":
        return plan
    pages = tuple((_written(url, search), title) for url, title in plan.citations)
    numbers = {url: number for number, (url, _) in enumerate(pages, start=1)}
    text, claims, done = "", list[Claim](), 0
    for link in url_citations(plan.text, plan.citations):
        before, url = plan.text[done : link["start_index"]], _written(link["url"], search)
        text += before if search.links in ("group", "title") else before.rstrip(" ")
        claims.append(Claim(text.rfind("\n") + 1, len(text), url))
        text += _link(link["title"], url, numbers[url], search)
        done = link["end_index"]
    return replace(plan, text=text + plan.text[done:], citations=pages, claims=tuple(claims))


def _written(url: str, search: Search) -> str:
    return url if search.tracked else _plain(url)


def _link(title: str, url: str, number: int, search: Search) -> str:
    match search.links:
        case "group":
            return f"([{url.split('/')[2]}]({url}))"
        case "title":
            return f"[{title}]({url})"
        case "number":
            return f"[[{number}]]({url})"
        case "mark":
            return f"[{number}]"
        case "none":
            return ""


def sources_of(urls: Sequence[str], search: Search) -> list[str]:
    """Return the pages that a search has found."""
    # Recorded: each page comes plain and once more with the tracking parameter.
    return [twin for url in urls for twin in ((url, cited(url)) if search.tracked else (url,))]
