"""Small checks from which the shape of a request is put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.playground.responses.errors import (
    ApiError,
    invalid_value,
    missing_parameter,
    unknown_parameter,
    wrong_type,
)

Check = Callable[[str, Any], None]


def flag(path: str, value: object) -> None:
    """Accept true and false."""
    if not isinstance(value, bool):
        raise wrong_type(path, "a boolean", value)


def anything(_path: str, _value: object) -> None:
    """Accept every value."""


def text(maximum: int | None = None) -> Check:
    """Accept a string, of at most so many characters."""

    def check(path: str, value: object) -> None:
        if not isinstance(value, str):
            raise wrong_type(path, "a string", value)
        if maximum is not None and len(value) > maximum:
            message = (
                f"Invalid '{path}': string too long. Expected a string with maximum length "
                f"{maximum}, but got a string with length {len(value)} instead."
            )
            raise ApiError(400, message, param=path, code="string_above_max_length")

    return check


def whole(minimum: int) -> Check:
    """Accept an integer of at least so much."""

    def check(path: str, value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            raise wrong_type(path, "an integer", value)
        if value < minimum:
            message = (
                f"Invalid '{path}': integer below minimum value. Expected a value >= {minimum}, "
                f"but got {value} instead."
            )
            raise ApiError(400, message, param=path, code="integer_below_min_value")

    return check


def one_of(*values: str) -> Check:
    """Accept one of these strings."""

    def check(path: str, value: object) -> None:
        if not isinstance(value, str):
            raise wrong_type(path, "a string", value)
        if value not in values:
            raise invalid_value(path, value, values)

    return check


def array(of: Check, *, maximum: int | None = None) -> Check:
    """Accept a list whose elements pass a check."""

    def check(path: str, value: object) -> None:
        if not isinstance(value, list):
            raise wrong_type(path, "an array", value)
        if maximum is not None and len(value) > maximum:
            message = (
                f"Invalid '{path}': array too long. Expected an array with maximum length "
                f"{maximum}, but got an array with length {len(value)} instead."
            )
            raise ApiError(400, message, param=path, code="array_above_max_length")
        for index, element in enumerate(value):
            of(f"{path}[{index}]", element)

    return check


def mapping(fields: Mapping[str, Check], *required: str) -> Check:
    """Accept an object with these fields and no others; null stands for a missing one."""

    def check(path: str, value: object) -> None:
        if not isinstance(value, dict):
            raise wrong_type(path or "body", "an object", value)
        for name, element in value.items():
            at = f"{path}.{name}" if path else name
            if name not in fields:
                raise unknown_parameter(at)
            if element is not None:
                fields[name](at, element)
        for name in required:
            if value.get(name) is None:
                raise missing_parameter(f"{path}.{name}" if path else name)

    return check


def by_type(variants: Mapping[str, Check]) -> Check:
    """Accept an object whose `type` says which check it has to pass."""

    def check(path: str, value: object) -> None:
        if not isinstance(value, dict):
            raise wrong_type(path, "an object", value)
        kind = value.get("type")
        if kind is None:
            raise missing_parameter(f"{path}.type")
        if not isinstance(kind, str):
            raise wrong_type(f"{path}.type", "a string", kind)
        if kind not in variants:
            raise invalid_value(f"{path}.type", kind, tuple(variants))
        variants[kind](path, value)

    return check


def string_pairs(path: str, value: object) -> None:
    """Accept metadata: 16 pairs at most, keys of 64 and values of 512 characters."""
    if not isinstance(value, dict):
        raise wrong_type(path, "an object", value)
    if len(value) > 16:  # noqa: PLR2004 - OpenAI's limit for metadata
        message = (
            f"Invalid '{path}': too many properties. Expected an object with at most 16 "
            f"properties, but got an object with {len(value)} properties instead."
        )
        raise ApiError(400, message, param=path, code="object_above_max_properties")
    for name, element in value.items():
        text(64)(path, name)
        text(512)(f"{path}.{name}", element)
