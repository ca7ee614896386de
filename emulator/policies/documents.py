"""Policy documents: from JSON to statements.

Documented: the IAM user guide's page "Grammar of the IAM JSON policy language". What AWS would not have stored is
refused with a PolicyError that says where it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, NoReturn

from emulator.policies.conditions import Condition, read_operator

LONGEST_DOCUMENT = 131_072
"""Characters (documented: the API reference of IAM, policyDocumentType)."""

EVERYBODY = ("AWS", "*")


class PolicyError(ValueError):
    """A policy document that cannot be read. The message says what is wrong, and where."""


class Kind(Enum):
    """What a policy is attached to. It decides which elements its statements have."""

    IDENTITY = "identity"
    """To a user or a role, also as its boundary or for a session: resources, no principals."""
    RESOURCE = "resource"
    """To a resource: principals and resources."""
    TRUST = "trust"
    """To a role, about who may assume it: principals, no resources."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """An Action or Resource element. If `excluded`, it is a NotAction or NotResource and means all but these."""

    texts: tuple[str, ...]
    excluded: bool


@dataclass(frozen=True, slots=True)
class Principals:
    """A Principal element: pairs of type and name, such as `("Service", "ecs-tasks.amazonaws.com")`.

    If `excluded`, it is a NotPrincipal and means all but these.
    """

    members: frozenset[tuple[str, str]]
    excluded: bool

    def include(self, names: frozenset[tuple[str, str]]) -> bool:
        """Whether somebody of these names is meant. That `*` means services too is inferred."""
        return bool(self.members & {*names, EVERYBODY}) != self.excluded


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `variables` says whether the version of its document has any."""

    allows: bool
    actions: Patterns
    resources: Patterns | None
    principals: Principals | None
    conditions: tuple[Condition, ...]
    variables: bool


Document = tuple[Statement, ...]
"""A policy."""


def read_policy(source: str | Mapping[str, Any], kind: Kind = Kind.IDENTITY) -> Document:
    """A policy from its JSON text, or from the object that this is the text of.

    Raises PolicyError.
    """
    document = _parsed(source) if isinstance(source, str) else source
    if not isinstance(document, Mapping):
        raise PolicyError(f"The policy is {_named(document)}, and must be an object.")
    _known_members("The policy", document, {"Version", "Id", "Statement"})
    version = document.get("Version", "2008-10-17")
    if version not in ("2012-10-17", "2008-10-17"):
        raise PolicyError("Version must be 2012-10-17 or 2008-10-17.")
    found = document.get("Statement")
    statements = found if isinstance(found, list) else [found]
    variables = version == "2012-10-17"
    return tuple(_statement(f"Statement {at}", one, kind, variables) for at, one in enumerate(statements, 1))


def _parsed(text: str) -> Any:
    if len(text) > LONGEST_DOCUMENT:
        raise PolicyError(f"The policy is longer than {LONGEST_DOCUMENT} characters.")
    try:
        return json.loads(text, parse_constant=_no_number)
    except RecursionError:
        raise PolicyError("The policy is nested too deeply.") from None
    except ValueError as problem:
        raise PolicyError(f"The policy is not JSON: {problem}") from None


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _statement(where: str, found: Any, kind: Kind, variables: bool) -> Statement:  # noqa: FBT001
    if not isinstance(found, Mapping):
        raise PolicyError(f"{where} is {_named(found)}, and must be an object.")
    elements = {"Sid", "Effect", "Action", "NotAction", "Condition"}
    if kind is not Kind.TRUST:
        elements |= {"Resource", "NotResource"}
    if kind is not Kind.IDENTITY:
        elements |= {"Principal", "NotPrincipal"}
    _known_members(where, found, elements)
    effect = found.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise PolicyError(f"{where}: Effect must be Allow or Deny.")
    return Statement(
        allows=effect == "Allow",
        actions=_patterns(where, found, "Action"),
        resources=None if kind is Kind.TRUST else _patterns(where, found, "Resource"),
        principals=None if kind is Kind.IDENTITY else _principals(where, found),
        conditions=tuple(_conditions(f"{where}: Condition", found.get("Condition", {}))),
        variables=variables,
    )


def _known_members(where: str, found: Mapping[str, Any], known: set[str]) -> None:
    for name in found:
        if name not in known:
            raise PolicyError(f"{where} must not have the element {_short(name)}.")


def _one_of(where: str, found: Mapping[str, Any], element: str) -> tuple[str, Any]:
    """The element, or the one that begins with Not."""
    given = [name for name in (element, f"Not{element}") if name in found]
    if len(given) != 1:
        raise PolicyError(f"{where} must have either {element} or Not{element}.")
    return given[0], found[given[0]]


def _patterns(where: str, found: Mapping[str, Any], element: str) -> Patterns:
    name, value = _one_of(where, found, element)
    return Patterns(_texts(f"{where}: {name}", value), excluded=name != element)


def _principals(where: str, found: Mapping[str, Any]) -> Principals:
    name, value = _one_of(where, found, "Principal")
    if value == "*":
        return Principals(frozenset({EVERYBODY}), excluded=name != "Principal")
    if not isinstance(value, Mapping):
        raise PolicyError(f'{where}: {name} must be "*" or an object.')
    members = {
        (str(type_), text)
        for type_, names in value.items()
        for text in _texts(f"{where}: {name}: {_short(type_)}", names)
    }
    return Principals(frozenset(members), excluded=name != "Principal")


def _conditions(where: str, found: Any) -> Iterator[Condition]:
    if not isinstance(found, Mapping):
        raise PolicyError(f"{where} must be an object.")
    for name, keys in found.items():
        operator = read_operator(str(name))
        if operator is None:
            raise PolicyError(f"{where}: {_short(name)} is no condition operator.")
        if not isinstance(keys, Mapping):
            raise PolicyError(f"{where}: {name} must be an object.")
        for key, values in keys.items():
            yield Condition(operator, str(key).lower(), tuple(_values(f"{where}: {name}: {_short(key)}", values)))


def _values(where: str, found: Any) -> Iterator[str]:
    """A text, a number, true or false, or a list of them. They are compared as texts."""
    for value in found if isinstance(found, list) else [found]:
        if not isinstance(value, str | int | float):
            raise PolicyError(f"{where} is {_named(value)}, and must be a text, a number, true or false.")
        yield str(value).lower() if isinstance(value, bool) else str(value)


def _texts(where: str, found: Any) -> tuple[str, ...]:
    texts = found if isinstance(found, list) else [found]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise PolicyError(f"{where} must be a text or a list of texts.")
    return tuple(texts)


def _short(name: object) -> str:
    return repr(str(name)[:64])


def _named(found: Any) -> str:
    return "missing" if found is None else f"of the type {type(found).__name__}"
