"""The demo that prints one answered thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.demo import demo
from bot.settings import Settings

if TYPE_CHECKING:
    import pytest


async def test_one_question_is_printed_with_its_answer_its_sources_and_no_buttons(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    async with asyncio.timeout(30):
        await demo(once="How do I read the sources of an answer?", port=0)
    printed = capsys.readouterr().out

    assert "How do I read the sources of an answer?" in printed
    assert "*Sources*" in printed
    assert "https://footnote.example/handbook/citations" in printed
    assert "Written by a language model: check the sources." in printed
    assert "Go deeper" not in printed
