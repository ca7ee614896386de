"""The functions of templates: Ref, Fn::GetAtt, Fn::Sub and the others (documented: intrinsic function reference).

Moto has these too, but keeps AWS::NoValue in lists, cannot name an output of a nested stack, and creates what it finds
missing; so templates are read here.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from emulator.neighbours.embedded.cloudformation.parameters import text_of
from emulator.neighbours.embedded.cloudformation.templates import invalid

NO_VALUE = object()
"""What Ref AWS::NoValue is: the member or element that has it is left out."""

_SUBSTITUTED = re.compile(r"\$\{(!?)\s*([A-Za-z0-9:.]+)\s*\}")


@dataclass(frozen=True, slots=True)
class Scope:
    """What names stand for.

    `values`: parameters and pseudo parameters. `reference`: the Ref of a resource; `attribute`: its GetAtt. `imported`:
    the value of another stack's export. `zones`: a region's availability zones. All raise ServiceRefusedError.
    """

    values: Mapping[str, Any]
    mappings: Mapping[str, Any]
    reference: Callable[[str], Any]
    attribute: Callable[[str, str], Any]
    imported: Callable[[str], Any]
    zones: Callable[[str], list[str]]


def resolve(value: Any, scope: Scope) -> Any:
    """A value without functions. Raises ServiceRefusedError for a function that is not used as it must be."""
    found = _resolved(value, scope)
    return None if found is NO_VALUE else found


def _resolved(value: Any, scope: Scope) -> Any:
    if isinstance(value, list):
        return [each for each in (_resolved(each, scope) for each in value) if each is not NO_VALUE]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, argument),) = value.items()
        if name in FUNCTIONS:
            return FUNCTIONS[name](argument, scope)
        if name.startswith("Fn::"):
            raise invalid(f"Template error: the function {name} is not implemented in this emulator.")
    members = {key: _resolved(each, scope) for key, each in value.items()}
    return {key: each for key, each in members.items() if each is not NO_VALUE and each is not None}


def _ref(name: Any, scope: Scope) -> Any:
    if name == "AWS::NoValue":
        return NO_VALUE
    if not isinstance(name, str):
        raise invalid("Template error: every Ref object must have a single String value.")
    return scope.values[name] if name in scope.values else scope.reference(name)


def _get_att(argument: Any, scope: Scope) -> Any:
    return scope.attribute(argument[0], str(_resolved(argument[1], scope)))


def _join(argument: Any, scope: Scope) -> str:
    found = _resolved(argument, scope)
    match found:
        case [str() as delimiter, list() as parts] if not any(isinstance(part, dict | list) for part in parts):
            return delimiter.join(text_of(part) for part in parts)
    raise invalid(
        "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of "
        "strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
    )


def _split(argument: Any, scope: Scope) -> list[str]:
    match _resolved(argument, scope):
        case [str() as delimiter, str() as text] if delimiter:
            return text.split(delimiter)
    raise invalid(
        "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be "
        "split or a function that returns a string to be split."
    )


def _select(argument: Any, scope: Scope) -> Any:
    match _resolved(argument, scope):
        case [(int() | str()) as index, list() as values] if str(index).isdigit() and int(index) < len(values):
            return values[int(index)]
        case [(int() | str()) as index, list() as values] if str(index).isdigit():
            raise invalid(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
    raise invalid(
        "Template error: every Fn::Select object requires two non-null parameters, the first is an integer index, the "
        "second a list."
    )


def _find_in_map(argument: Any, scope: Scope) -> Any:
    match _resolved(argument, scope):
        case [str() as name, (str() | int()) as first, (str() | int()) as second, *_]:
            try:
                return scope.mappings[name][str(first)][str(second)]
            except (KeyError, TypeError):
                raise invalid(f"Template error: Unable to get mapping for {name}::{first}::{second}") from None
    raise invalid(
        "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and "
        "the attribute for return value"
    )


def _sub(argument: Any, scope: Scope) -> str:
    text, own = (argument[0], argument[1]) if isinstance(argument, list) and len(argument) == 2 else (argument, {})
    if not isinstance(text, str) or not isinstance(own, dict):
        raise invalid(
            "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a "
            "string as first argument, and an optional second argument to specify a mapping of values to replace in "
            "the string"
        )

    def stands_for(match: re.Match[str]) -> str:
        literal, name = match.groups()
        if literal:
            return f"${{{name}}}"
        if name in own:
            found = _resolved(own[name], scope)
        elif "." in name:
            found = scope.attribute(*name.split(".", 1))
        else:
            found = _ref(name, scope)
        if isinstance(found, dict | list):
            raise invalid(f"Template error: variable {name} in Fn::Sub expression does not resolve to a string")
        return text_of(found)

    return _SUBSTITUTED.sub(stands_for, text)


def _import_value(argument: Any, scope: Scope) -> Any:
    return scope.imported(text_of(_resolved(argument, scope)))


def _get_azs(argument: Any, scope: Scope) -> list[str]:
    region = _resolved(argument, scope)
    return scope.zones(str(region or scope.values["AWS::Region"]))


def _base64(argument: Any, scope: Scope) -> str:
    return base64.b64encode(text_of(_resolved(argument, scope)).encode()).decode()


def _cidr(argument: Any, scope: Scope) -> list[str]:
    try:
        block, count, *bits = _resolved(argument, scope)
        network = ipaddress.ip_network(block)
        prefix = network.max_prefixlen - int(bits[0] if bits else 8)
        found = [str(each) for each in islice(network.subnets(new_prefix=prefix), min(int(count), 256))]
    except (TypeError, ValueError):
        raise invalid("Template error: Fn::Cidr requires an IP block, a count, and a number of subnet bits.") from None
    if len(found) < int(count):
        raise invalid(f"Template error: Fn::Cidr cannot cut {count} ranges of {bits} bits out of {block}.")
    return found


FUNCTIONS: Mapping[str, Callable[[Any, Scope], Any]] = {
    "Ref": _ref,
    "Fn::Base64": _base64,
    "Fn::Cidr": _cidr,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": _get_azs,
    "Fn::GetAtt": _get_att,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
}
