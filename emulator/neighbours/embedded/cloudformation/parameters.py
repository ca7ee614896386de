"""What the parameters of a template are in one stack. Nothing here asks anybody but the function it is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import regex

from emulator.neighbours.embedded.cloudformation.templates import invalid

Values = dict[str, Any]
"""Texts, or lists of texts, by the parameters' names."""

Fetch = Callable[[list[str]], Mapping[str, str]]
"""The values of parameters of Parameter Store, by their names; those that do not exist are absent."""

PATIENCE = 0.2
"""Seconds that a parameter's pattern may take: one can be written that takes for ever."""

IN_STORE = "AWS::SSM::Parameter::Value<"


def texts(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """The text of each parameter: what was given, else its default. Raises ServiceRefusedError."""
    strange = [name for name in given if name not in declared]
    if strange:
        raise invalid(f"Parameters: [{', '.join(strange)}] do not exist in the template")
    found = {name: given[name] for name in given}
    for name, parameter in declared.items():
        if name not in found and parameter.get("Default") is not None:
            found[name] = text_of(parameter["Default"])
    missing = [name for name in declared if name not in found]
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    for name, parameter in declared.items():
        _check(name, parameter, found[name])
    return found


def values(declared: Mapping[str, Any], given: Mapping[str, str], fetch: Fetch) -> Values:
    """What a Ref to each parameter is. Raises ServiceRefusedError."""
    stored = [given[name] for name, parameter in declared.items() if _type(parameter).startswith(IN_STORE)]
    found = fetch(stored) if stored else {}
    absent = [name for name in stored if name not in found]
    if absent:
        raise invalid(f"Unable to fetch parameters [{','.join(absent)}] from parameter store for this account.")
    return {
        name: _split(_type(parameter), found[given[name]] if _type(parameter).startswith(IN_STORE) else given[name])
        for name, parameter in declared.items()
    }


def hidden(declared: Mapping[str, Any]) -> set[str]:
    """The parameters whose values nobody is shown."""
    return {name for name, parameter in declared.items() if text_of(parameter.get("NoEcho", "")) == "true"}


def text_of(value: Any) -> str:
    """A value of YAML or JSON as CloudFormation writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _type(parameter: Mapping[str, Any]) -> str:
    return str(parameter.get("Type", "String"))


def _split(type_: str, text: str) -> Any:
    if type_ == "CommaDelimitedList" or "List<" in type_:
        return [part.strip() for part in text.split(",")] if text else []
    return text


def _check(name: str, parameter: Mapping[str, Any], text: str) -> None:
    numeric = _type(parameter) in {"Number", "List<Number>"}
    parts = _split(_type(parameter), text)
    for part in parts if isinstance(parts, list) else [parts]:
        if numeric and _number(part) is None:
            raise invalid(f"Parameter '{name}' must be a number")
        allowed = parameter.get("AllowedValues")
        if isinstance(allowed, list) and part not in {text_of(each) for each in allowed}:
            raise invalid(f"Parameter '{name}' must be one of AllowedValues")
    pattern = parameter.get("AllowedPattern")
    if isinstance(pattern, str) and not _matches(pattern, text):
        reason = parameter.get("ConstraintDescription", f"Parameter {name} must match pattern {pattern}")
        raise invalid(f"Parameter {name} failed to satisfy constraint: {reason}")
    for wrong, sentence in _bounds(parameter, text):
        if wrong:
            raise invalid(f"Parameter '{name}' {sentence}")


def _matches(pattern: str, text: str) -> bool:
    """A pattern that is none, or that takes too long, matches nothing."""
    try:
        return regex.fullmatch(pattern, text, concurrent=True, timeout=PATIENCE) is not None
    except (regex.error, OverflowError, RecursionError, TimeoutError):
        return False


def _bounds(parameter: Mapping[str, Any], text: str) -> Iterable[tuple[bool, str]]:
    number = _number(text)
    least, most = _number(parameter.get("MinLength")), _number(parameter.get("MaxLength"))
    yield least is not None and len(text) < least, f"must contain at least {parameter.get('MinLength')} characters"
    yield most is not None and len(text) > most, f"must contain at most {parameter.get('MaxLength')} characters"
    if _type(parameter) == "Number" and number is not None:
        low, high = _number(parameter.get("MinValue")), _number(parameter.get("MaxValue"))
        yield low is not None and number < low, f"must be a number not less than {parameter.get('MinValue')}"
        yield high is not None and number > high, f"must be a number not greater than {parameter.get('MaxValue')}"


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
