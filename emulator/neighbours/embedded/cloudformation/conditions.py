"""The conditions of a template, and what is left of it where some do not hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emulator.neighbours.embedded.cloudformation.intrinsics import Scope, resolve
from emulator.neighbours.embedded.cloudformation.parameters import text_of
from emulator.neighbours.embedded.cloudformation.templates import invalid


def hold(declared: Mapping[str, Any], scope: Scope) -> dict[str, bool]:
    """Which conditions hold. Raises ServiceRefusedError."""
    needs = {name: set(_named_in(condition)) for name, condition in declared.items()}
    unknown = sorted({name for wanted in needs.values() for name in wanted if name not in declared})
    if unknown:
        raise invalid(
            f"Template format error: Unresolved condition dependency {unknown[0]} in the Conditions block of "
            "the template"
        )
    found: dict[str, bool] = {}
    while needs:
        ready = [name for name, wanted in needs.items() if wanted <= found.keys()]
        if not ready:
            raise invalid(
                f"Template format error: Circular dependency between conditions: [{', '.join(sorted(needs))}]"
            )
        for name in ready:
            found[name] = _is_true(declared[name], found, scope)
            del needs[name]
    return found


def _named_in(condition: Any) -> Iterator[str]:
    """The conditions that one is made of."""
    match condition:
        case {"Condition": str() as name}:
            yield name
        case {"Fn::Not": [*inner]} | {"Fn::And": [*inner]} | {"Fn::Or": [*inner]}:
            for each in inner:
                yield from _named_in(each)


def _is_true(condition: Any, found: Mapping[str, bool], scope: Scope) -> bool:
    match condition:
        case {"Condition": str() as name}:
            return found[name]
        case {"Fn::Equals": [left, right]}:
            return _same(resolve(left, scope), resolve(right, scope))
        case {"Fn::Not": [inner]}:
            return not _is_true(inner, found, scope)
        case {"Fn::And": [*inner]} if inner:
            return all(_is_true(each, found, scope) for each in inner)
        case {"Fn::Or": [*inner]} if inner:
            return any(_is_true(each, found, scope) for each in inner)
    raise invalid(
        "Template format error: Every Conditions member must be a condition function: Fn::And, Fn::Equals, "
        "Fn::Not, Fn::Or or Condition."
    )


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, dict | list) or isinstance(right, dict | list):
        return bool(left == right)
    return text_of(left) == text_of(right)


def chosen(value: Any, holding: Mapping[str, bool]) -> Any:
    """A value with each Fn::If replaced by what it comes to. Raises ServiceRefusedError."""
    if isinstance(value, list):
        return [chosen(each, holding) for each in value]
    if not isinstance(value, dict):
        return value
    if list(value) == ["Fn::If"]:
        match value["Fn::If"]:
            case [str() as name, yes, no]:
                return chosen(yes if _holds(name, holding) else no, holding)
        raise invalid("Template error: Fn::If requires a list argument with three elements")
    return {key: chosen(each, holding) for key, each in value.items()}


def remaining(members: Mapping[str, Any], holding: Mapping[str, bool]) -> dict[str, Any]:
    """The resources or outputs that there are, with each Fn::If decided. Raises ServiceRefusedError."""
    return {
        name: chosen(member, holding)
        for name, member in members.items()
        if "Condition" not in member or _holds(member["Condition"], holding)
    }


def _holds(name: Any, holding: Mapping[str, bool]) -> bool:
    if not isinstance(name, str) or name not in holding:
        raise invalid(
            f"Template format error: Unresolved condition dependency {name} in the Resources block of the template"
        )
    return holding[name]
