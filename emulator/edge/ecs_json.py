"""AWS JSON 1.1: bodies to structures, refusals to bodies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

import api_models as ecs
from api_models.operations import OPERATIONS
from emulator.errors import ApiError

CONTENT_TYPE = b"application/x-amz-json-1.1"

MOST_BREACHES = 1000
"""A body with more members of a wrong type is refused without naming the first: only all can be asked for."""
LONGEST_PATH = 200

EXPECTED = {
    "string_type": "String",
    "int_type": "Integer",
    "bool_type": "Boolean",
    "float_type": "Double",
    "finite_number": "Double",
    "tuple_type": "List",
    "dict_type": "Map",
    "model_type": "Structure",
}
"""What a member should have been, by pydantic's name for the mistake."""

SCALARS = {"String", "Integer", "Long", "Boolean", "Double"}
ARTICLES = {"Integer": "an"}


@cache
def structure_of(operation: str) -> type[ecs.Shape]:
    """The structure that an operation takes. It is built when first asked for."""
    structure: type[ecs.Shape] = getattr(ecs, OPERATIONS[operation].input)
    return structure


def parse(operation: str, body: bytes) -> ecs.Shape:
    """Read an operation's input; an empty body is an empty structure. Raises SerializationException (ApiError)."""
    try:
        return structure_of(operation).parse(body or b"{}")
    except ValidationError as error:
        raise ApiError("SerializationException", _complaint(error)) from None


def error_body(code: str, message: str, members: Mapping[str, object]) -> bytes:
    """A refusal as the SDKs read it. A refusal without a sentence has no message member."""
    content: dict[str, object] = {"__type": code}
    if message:
        content["message"] = message
    content.update(members)
    # A lone surrogate has no UTF-8; its backslash form is the same character in JSON.
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")


def _complaint(error: ValidationError) -> str:
    """The first mistake in AWS's style. Values are not repeated: they may be secrets."""
    if error.error_count() > MOST_BREACHES:
        return f"{error.error_count()} members have a wrong type."
    first = error.errors(include_url=False)[0]
    kind, context = first["type"], first.get("ctx", {})
    if kind == "json_invalid":
        return f"The body is not JSON: {context['error']}."
    where = _path(first["loc"])
    given = _token(first["input"])
    if kind in {"greater_than_equal", "less_than"}:
        return f"{where}{given} is out of range for {_number(context)}."
    expected = EXPECTED.get(kind, "value of this member")
    if expected in SCALARS and given.endswith("_VALUE"):
        return f"{where}{given} can not be converted to {ARTICLES.get(expected, 'a')} {expected}"
    return f"{where}{given} token found where {expected} expected"


def _path(location: tuple[int | str, ...]) -> str:
    """`containerDefinitions[0].image: `, or nothing for the body itself."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(".")
    if len(path) > LONGEST_PATH:
        path = path[:LONGEST_PATH] + "…"
    return f"{path}: " if path else ""


def _number(context: Mapping[str, Any]) -> str:
    bound = abs(context.get("lt", context.get("ge", 0)))
    return "a Long" if bound > 2**31 else "an Integer"


def _token(value: object) -> str:
    """What stood in the JSON text, as AWS's parser calls it."""
    match value:
        case bool():
            return "TRUE_VALUE" if value else "FALSE_VALUE"
        case str():
            return "STRING_VALUE"
        case int() | float():
            return "NUMBER_VALUE"
        case dict():
            return "START_OBJECT"
        case list():
            return "START_ARRAY"
    return "NULL_VALUE"
