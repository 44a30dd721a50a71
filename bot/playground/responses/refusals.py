"""How servers refuse to follow an earlier response, or to work in the background."""

from __future__ import annotations

from bot.playground.responses.errors import Refusal

# What a request is told whose parent is gone, belongs to somebody else, or was never kept.
LOST = Refusal(
    400,
    "Previous response with id '{id}' not found.",
    param="previous_response_id",
    code="previous_response_not_found",
)
LOST_AT_XAI = Refusal(404, "Previous response with id '{id}' not found.")

ZERO_DATA_RETENTION = Refusal(
    400,
    "Previous response cannot be used for this organization due to Zero Data Retention.",
    param="previous_response_id",
    code="unsupported_parameter",
)
ZERO_DATA_RETENTION_AT_XAI = Refusal(404, ZERO_DATA_RETENTION.message)
STATELESS = Refusal(400, "Invalid Responses API request", code="invalid_prompt")
LLAMA_CPP = Refusal(400, "llama.cpp does not support 'previous_response_id'.", code=400)
VLLM = Refusal(404, "Response with id '{id}' not found.", param="response_id", code=404)
SGLANG = Refusal(
    400,
    "Response store is disabled. Stateful Responses require --enable-response-store on a "
    "standalone server; response storage is unavailable in PD mode.",
    code=400,
)
DIGITALOCEAN = Refusal(404, "Response with id '{id}' not found.", kind="not_found_error")
UPSTAGE = Refusal(400, "the 'previous_response_id' parameter is not supported")
NOT_THIS_MODEL = Refusal(
    400,
    "Unsupported parameter: 'previous_response_id' is not supported with this model.",
    param="previous_response_id",
    code="unsupported_parameter",
)

NO_BACKGROUND = Refusal(
    400,
    "Unsupported parameter: 'background' is not supported.",
    param="background",
    code="unsupported_parameter",
)
NO_BACKGROUND_AT_VLLM = Refusal(
    400,
    "This vLLM engine does not support `store=True` and therefore does not support the background "
    "mode. To enable these features, set the environment variable "
    "`VLLM_ENABLE_RESPONSES_API_STORE=1` when launching the vLLM server.",
    code=400,
)
