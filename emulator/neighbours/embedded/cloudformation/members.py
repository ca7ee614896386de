"""Properties of templates as members of API calls.

Properties are named like members but for their case (`EFSVolumeConfiguration` is `efsVolumeConfiguration`), and their
numbers and truth values may be written as text: the API's own model says what each is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.neighbours.embedded.cloudformation.parameters import text_of

JSON_TYPES = {"structure": "JSONObject", "map": "JSONObject", "list": "JSONArray", "boolean": "Boolean"}
NUMBERS = {"integer": int, "long": int, "float": float, "double": float}


class PropertyError(Exception):
    """A property that the resource does not have, or of another type. Says which, in AWS's words."""


def fitted(value: Any, shape: Any, renamed: Mapping[str, str] | None = None, where: str = "#") -> Any:
    """A value as the API takes it; `shape` is botocore's. Raises PropertyError.

    `renamed`: members that the API calls otherwise, by the properties' names, at whatever depth.
    """
    names = renamed or {}
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        return _structure(value, shape, names, where)
    if kind == "list" and isinstance(value, list):
        return [fitted(each, shape.member, names, f"{where}/{index}") for index, each in enumerate(value)]
    if kind == "map" and _is_tags(value):
        value = {tag["Key"]: tag.get("Value", "") for tag in value}
    if kind == "map" and isinstance(value, dict):
        return {key: fitted(each, shape.value, names, f"{where}/{key}") for key, each in value.items()}
    if (kind in JSON_TYPES and kind != "boolean") or isinstance(value, dict | list):
        raise _expected(JSON_TYPES.get(kind, "String"), value, where)
    return _scalar(value, kind, where)


def check_objects(value: Any, members: tuple[str, ...], where: str) -> None:
    """Refuse what is no list of objects with these members. Raises PropertyError."""
    if not isinstance(value, list):
        raise _expected("JSONArray", value, where)
    for index, each in enumerate(value):
        if not isinstance(each, dict):
            raise _expected("JSONObject", each, f"{where}/{index}")
        for name in members:
            if name not in each:
                raise PropertyError(f"{where}/{index}: required key [{name}] not found")


def _is_tags(value: Any) -> bool:
    """Some services have a map where templates have a list of tags."""
    return isinstance(value, list) and all(isinstance(tag, dict) and "Key" in tag for tag in value)


def _structure(value: Mapping[str, Any], shape: Any, renamed: Mapping[str, str], where: str) -> dict[str, Any]:
    members = {name.casefold(): name for name in shape.members}
    found: dict[str, Any] = {}
    for key, each in value.items():
        name = members.get(renamed.get(key, key).casefold())
        if name is None:
            raise PropertyError(f"{where}: extraneous key [{key}] is not permitted")
        found[name] = fitted(each, shape.members[name], renamed, f"{where}/{key}")
    return found


def _scalar(value: Any, kind: str, where: str) -> Any:
    text = text_of(value)
    if kind == "boolean":
        if text.lower() not in {"true", "false"}:
            raise _expected("Boolean", value, where)
        return text.lower() == "true"
    if kind in NUMBERS:
        try:
            return NUMBERS[kind](text)
        except ValueError:
            raise _expected("Number", value, where) from None
    return value if kind in {"timestamp", "blob"} else text


def _expected(expected: str, value: Any, where: str) -> PropertyError:
    match value:
        case bool():
            found = "Boolean"
        case str():
            found = "String"
        case int() | float():
            found = "Integer"
        case list():
            found = "JSONArray"
        case _:
            found = "JSONObject"
    return PropertyError(f"{where}: expected type: {expected}, found: {found}")
