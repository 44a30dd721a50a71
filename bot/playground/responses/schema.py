"""JSON schemas: which of them are taken as strict, and the least JSON that fits one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.playground.responses.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

DEPTH = 20  # from which a schema that holds itself is taken to be at its end
LEAST: dict[str, Any] = {
    "string": "",
    "array": [],
    "number": 0,
    "integer": 0,
    "boolean": False,
    "null": None,
}


def check_format(path: str, shape: Json) -> None:
    """Refuse a strict schema as OpenAI does: with the first object that is open, and where."""
    schema = shape["schema"]
    if not isinstance(schema, dict):
        raise _invalid(path, shape, f"{schema!r} is not of type 'object'.")
    if not shape.get("strict"):
        return
    if schema.get("type") != "object":
        got = f'type: "{schema.get("type")}"'
        raise _invalid(
            path, shape, f"schema must be a JSON Schema of 'type: \"object\"', got '{got}'."
        )
    for place, each in _objects(schema, ()):
        _check_object(path, shape, place, each)


def _check_object(path: str, shape: Json, place: tuple[str, ...], schema: Json) -> None:
    at = f"In context={place}"
    if schema.get("additionalProperties") is not False:
        wanted = "'additionalProperties' is required to be supplied and to be false."
        raise _invalid(path, shape, f"{at}, {wanted}")
    for name in _dict(schema.get("properties")):
        if name not in _list(schema.get("required")):
            wanted = (
                "'required' is required to be supplied and to be an array including every key in "
                f"properties. Missing '{name}'."
            )
            raise _invalid(path, shape, f"{at}, {wanted}")


def _objects(schema: object, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Json]]:
    if not isinstance(schema, dict) or len(place) > DEPTH:
        return
    if "object" in _types(schema):
        yield place, schema
    for name in ("properties", "$defs", "definitions"):
        for key, each in _dict(schema.get(name)).items():
            yield from _objects(each, (*place, name, str(key)))
    yield from _objects(schema.get("items"), (*place, "items"))
    for index, each in enumerate(_list(schema.get("anyOf"))):
        yield from _objects(each, (*place, "anyOf", str(index)))


def _invalid(path: str, shape: Json, what: str) -> ApiError:
    message = f"Invalid schema for response_format '{shape['name']}': {what}"
    return ApiError(400, message, param=f"{path}.schema", code="invalid_json_schema")


def least(schema: Json) -> Any:  # noqa: ANN401 - JSON
    """Return the least JSON that fits a schema: empty texts, empty lists, nulls."""
    return _least(schema, schema, 0)


def _least(schema: object, root: Json, depth: int) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(schema, dict) or depth > DEPTH:
        return None
    if "$ref" in schema:
        return _least(_referred(str(schema["$ref"]), root), root, depth + 1)
    if allowed := [schema["const"]] if "const" in schema else _list(schema.get("enum")):
        return allowed[0]
    if either := _list(schema.get("anyOf")):
        every = [_least(each, root, depth + 1) for each in either]
        return None if None in every else every[0]
    types = _types(schema)
    if "object" in types and "null" not in types:
        properties = _dict(schema.get("properties"))
        return {name: _least(each, root, depth + 1) for name, each in properties.items()}
    return LEAST.get("null" if "null" in types or not types else types[0])


def _types(schema: Json) -> list[str]:
    kind = schema.get("type", "object" if "properties" in schema else None)
    return [str(one) for one in _list(kind)] or ([str(kind)] if kind else [])


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _referred(reference: str, root: Json) -> object:
    found: object = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        found = found.get(step) if isinstance(found, dict) and step else found
    return found
