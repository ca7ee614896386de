"""What is taken out of a secret's text. No error tells anything of the text."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any


class SecretFormError(Exception):
    """A secret has not the form that is asked for. Says so in ECS's words, but nothing of what the secret is."""


def part_of(secret: str, json_key: str | None) -> str:
    """The member of a secret's JSON, or the whole secret without a key. Raises SecretFormError.

    A member that is no string comes as Go prints it, since ECS's agent hands it to `fmt` (its sources).
    """
    if json_key is None:
        return secret
    content = _parsed(secret)
    if not isinstance(content, dict | None):
        kind = _kind(content)
        raise SecretFormError(f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}")
    if content is None or json_key not in content:
        raise SecretFormError(f"retrieved secret from Secrets Manager did not contain json key {json_key}")
    return _as_go_prints(content[json_key])


def login_of(secret: str) -> tuple[str, str]:
    """The user's name and the password of a registry's secret. Raises SecretFormError.

    Form documented: guide, "Private registry authentication for tasks"; errors are those of ECS's agent, which does not
    heed the case of the two names.
    """
    if not secret:
        raise SecretFormError("asm fetching authorization data: empty secrets value")
    members = _login_members(secret)
    for each in ("username", "password"):
        if not members.get(each):
            raise SecretFormError(f"asm fetching {each}: AuthorizationData is malformed, empty field")
    return members["username"], members["password"]


def _login_members(secret: str) -> dict[str, Any]:
    schema = SecretFormError("asm fetching authorization data: unable to unmarshal secret value, invalid schema")
    try:
        content = _parsed(secret)
    except SecretFormError:
        raise schema from None
    if not isinstance(content, dict | None):
        raise schema
    members = {key.lower(): value for key, value in (content or {}).items()}
    if not all(isinstance(members.get(each), str | None) for each in ("username", "password")):
        raise schema
    return members


def _parsed(text: str) -> Any:
    """A JSON text's content, with all numbers as Go has them.

    Raises SecretFormError. AWS names the character that it stumbles over (observed 2021-02:
    rileydakota/valheim-ecs-fargate-cdk issue 9), which is a character of the secret, so it is not named here.
    """
    if not text.strip():
        raise SecretFormError("unexpected end of JSON input")
    try:
        return json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_number)
    except (ValueError, RecursionError):
        # The cause holds the text, so it is left behind.
        raise SecretFormError("invalid character looking for beginning of value") from None


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("JSON knows no such number")
    return number


def _kind(value: object) -> str:
    names = {bool: "bool", float: "number", str: "string", list: "array"}
    return names[type(value)]


def _as_go_prints(value: Any) -> str:
    match value:
        case None:
            return "<nil>"
        case bool():
            return str(value).lower()
        case float():
            return _number_as_go_prints(value)
        case list():
            return f"[{' '.join(_as_go_prints(each) for each in value)}]"
        case dict():
            return f"map[{' '.join(f'{key}:{_as_go_prints(value[key])}' for key in sorted(value))}]"
        case _:
            return str(value)


def _number_as_go_prints(number: float) -> str:
    """As few digits as tell the number, with an exponent from a million on and below a ten thousandth."""
    digits = Decimal(repr(number)).normalize()
    if not -4 <= digits.adjusted() < 6:
        return f"{number:.{len(digits.as_tuple().digits) - 1}e}"
    return f"{digits:f}"
