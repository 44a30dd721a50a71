"""Answers in a shape that was asked for: JSON that fits a schema, or the brief of a research."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from bot.playground.responses.digesting import digest_of
from bot.playground.responses.schema import least
from bot.playground.responses.words import words

if TYPE_CHECKING:
    from bot.playground.responses.request import Create

Json = dict[str, Any]

BRIEF = "# Brief"  # how the instructions for a brief begin
BRIEF_CHARACTERS = 300
VAGUE = re.compile(r"\b(?:our|best)\b", re.IGNORECASE)
VAGUE_WORDS = 12  # a question of fewer may lack what matters
QUESTIONS = ["Which part of this matters most to you?", "What time should it be about?"]


def shaped_answer(create: Create, asked: str) -> str | None:
    """Return the answer to what a person asked in the shape that the request wants; else None."""
    shape = (create.body.get("text") or {}).get("format") or {}
    if shape.get("type") == "json_schema":
        return json.dumps(fitting(shape["schema"], asked), ensure_ascii=False)
    if (create.body.get("instructions") or "").startswith(BRIEF):
        return brief_of(asked)
    return None


def fitting(schema: Json, asked: str) -> Any:  # noqa: ANN401 - JSON
    """Return JSON that fits a schema, with something to say where the schema is a known one."""
    empty = least(schema)
    if not isinstance(empty, dict):
        return empty
    known = {"topics": digest_of, "questions": questions_about}
    return empty | {name: known[name](asked) for name in known if name in empty}


def questions_about(asked: str) -> list[Any]:
    """Return what to ask back before a research: something where the question is vague."""
    is_vague = VAGUE.search(asked) and len(asked.split()) < VAGUE_WORDS
    return list(QUESTIONS) if is_vague else []


def brief_of(asked: str) -> str:
    """Return what is to be researched, in three lines."""
    question = " ".join(asked.split())[:BRIEF_CHARACTERS]
    about = ", ".join(dict.fromkeys(words(question)))
    return (
        f"Find out: {question}\n"
        f"Look into: {about or question}\n"
        "Report: what is known, how sure it is, and where it is from."
    )
