"""Dynamic references: values of Parameter Store and Secrets Manager that a template names (documented).

They are put in when a resource is made or changed, and kept nowhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from emulator.neighbours.embedded.cloudformation.templates import invalid

_REFERENCE = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]+)\}\}")

Call = Callable[[str, str, dict[str, Any]], dict[str, Any]]
"""Calls an operation: the service by botocore's name, the operation, its members."""


def filled(value: Any, call: Call) -> Any:
    """A value with what it refers to. Raises ServiceRefusedError."""
    if isinstance(value, list):
        return [filled(each, call) for each in value]
    if isinstance(value, dict):
        return {key: filled(each, call) for key, each in value.items()}
    if isinstance(value, str) and "{{resolve:" in value:
        return _REFERENCE.sub(lambda match: _value(match.group(1), match.group(2), call), value)
    return value


def _value(service: str, reference: str, call: Call) -> str:
    if service == "secretsmanager":
        return _of_secret(reference, call)
    answer = call("ssm", "GetParameters", {"Names": [reference], "WithDecryption": True})
    if not answer["Parameters"]:
        raise invalid(f"Parameters [{reference}] referenced by the template could not be found")
    return str(answer["Parameters"][0]["Value"])


def _of_secret(reference: str, call: Call) -> str:
    """`id:SecretString:key:stage:version`; an id that is an ARN has colons of its own."""
    id_, _, rest = reference.partition(":SecretString")
    key, stage, version, *_ = [*rest.removeprefix(":").split(":"), "", "", ""]
    which = {"VersionStage": stage, "VersionId": version}
    members = {"SecretId": id_, **{name: text for name, text in which.items() if text}}
    text = str(call("secretsmanager", "GetSecretValue", members).get("SecretString", ""))
    if not key:
        return text
    try:
        return str(json.loads(text)[key])
    except (ValueError, KeyError, TypeError):
        raise invalid(f"Could not find a value associated with JSONKey in SecretString: {id_}") from None
