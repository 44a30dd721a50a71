from __future__ import annotations

import re

import pytest

from bot.errors import ModelError, ModelRateLimited, ModelRequestRefused
from bot.responses.remedies import BY_PARAMETER, REMEDIES, no_answer
from bot.settings import Settings

SETTING = re.compile(r"\b(?:OPENAI|WEB_SEARCH|INSTRUCTIONS|CHAINING)[A-Z_]*\b")


@pytest.mark.parametrize("kind", ModelError.__subclasses__())
def test_every_failure_of_the_model_has_a_remedy(kind: type[ModelError]) -> None:
    finding = no_answer("answer", kind("status=400", request_id="req_1"))
    said, fix = REMEDIES[kind]

    assert finding.found == f"{said} (status=400, request req_1)."
    assert finding.fix == fix


def test_remedies_name_settings_that_there_are() -> None:
    fixes = [fix for _, fix in REMEDIES.values()] + list(BY_PARAMETER.values())
    named = {name.lower() for fix in fixes for name in SETTING.findall(fix)}

    assert named - {"web_search"} <= set(Settings.model_fields)
    assert len(named) > 10


def test_a_refused_parameter_is_answered_with_its_setting() -> None:
    refused = no_answer("answer", ModelRequestRefused("status=400 param=stream_options"))
    another = no_answer("answer", ModelRateLimited("status=429 param=stream_options"))

    assert refused.fix == "Set OPENAI_STREAM_OPTIONS=false."
    assert another.fix == REMEDIES[ModelRateLimited][1]


def test_a_failure_of_an_unknown_kind_has_words_too() -> None:
    finding = no_answer("answer", ModelError())

    assert finding.found == "The server gave no answer."
    assert finding.fix
