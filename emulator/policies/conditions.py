"""The condition operators of IAM.

Documented: the IAM user guide's pages "Condition operators" and "Single-valued vs. multivalued context keys". Names of
operators have a case, names of keys have none.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import operator as compare
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from emulator.policies.patterns import Context, Matching, Part, filled, matches, plain, text_of

Test = Callable[[tuple[Part, ...], str], bool]
"""Whether a value in the request is as a value in the policy wants it."""


class Of(Enum):
    """How many of a multivalued key's values must pass."""

    THE_ONE = ""
    ALL = "ForAllValues"
    ANY = "ForAnyValue"


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator, taken apart: `ForAnyValue:StringNotLikeIfExists` is the negated StringLike."""

    name: str
    negated: bool
    of: Of
    if_exists: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """One key under one operator, with the values of which one must pass. The key is in small letters."""

    operator: Operator
    key: str
    wanted: tuple[str, ...]


def read_operator(text: str) -> Operator | None:
    """An operator by its name in a policy; None for a name that is none."""
    quantifier, colon, rest = text.rpartition(":")
    name = rest.removesuffix("IfExists")
    plain_name = _NEGATED.get(name, name)
    known = plain_name in _TESTS and (not colon or quantifier in (Of.ALL.value, Of.ANY.value))
    if text == "Null" or known:
        return Operator(plain_name, name in _NEGATED, Of(quantifier), name != rest)
    return None


def holds(condition: Condition, values: Context, *, variables: bool) -> bool:
    """Whether a condition is met.

    `values` is a lowered context; `variables` says whether the policy's version has any. A multivalued key is never
    met by an operator without a quantifier (documented: multivalued keys require one; that a list of one is not met
    either was observed, without a date, in the comment of a public policy).
    """
    operator = condition.operator
    actual = values.get(condition.key)
    if operator.name == "Null":
        return any(wanted.lower() == str(actual is None).lower() for wanted in condition.wanted)
    if actual is None:
        return operator.if_exists or _without_value(operator)
    if operator.of is Of.THE_ONE:
        return operator.negated if isinstance(actual, tuple) else _passes(condition, actual, values, variables)
    all_values = actual if isinstance(actual, tuple) else (actual,)
    enough = all if operator.of is Of.ALL else any
    return enough(_passes(condition, value, values, variables) for value in all_values)


def _without_value(operator: Operator) -> bool:
    """What holds of a key that the request does not have: all of its values pass, none does, it is not equal."""
    return operator.of is Of.ALL or (operator.of is Of.THE_ONE and operator.negated)


def _passes(condition: Condition, actual: str, values: Context, variables: bool) -> bool:  # noqa: FBT001
    """A value that no wanted one matches passes the negated operator.

    A wanted one with a variable that has no value matches none (documented).
    """
    operator = condition.operator
    with_variables = variables and operator.name in _WITH_VARIABLES
    for text in condition.wanted:
        wanted = filled(text, values) if with_variables else plain(text)
        if wanted is not None and _TESTS[operator.name](wanted, actual):
            return not operator.negated
    return operator.negated


def _equals_ignoring_case(wanted: tuple[Part, ...], actual: str) -> bool:
    return text_of(wanted).lower() == actual.lower()


def _like(how: Matching) -> Test:
    return lambda wanted, actual: matches(wanted, actual, how)


def _same_bool(wanted: tuple[Part, ...], actual: str) -> bool:
    return actual.lower() in ("true", "false") and text_of(wanted).lower() == actual.lower()


def _same_bytes(wanted: tuple[Part, ...], actual: str) -> bool:
    try:
        return base64.b64decode(text_of(wanted), validate=True) == base64.b64decode(actual, validate=True)
    except (binascii.Error, ValueError):
        return False


def _in_network(wanted: tuple[Part, ...], actual: str) -> bool:
    try:
        return ipaddress.ip_address(actual) in ipaddress.ip_network(text_of(wanted), strict=False)
    except ValueError:
        return False


def _ordered(read: Callable[[str], Decimal | None], order: Callable[[Any, Any], bool]) -> Test:
    """The request's value stands on the left."""

    def test(wanted: tuple[Part, ...], actual: str) -> bool:
        left, right = read(actual), read(text_of(wanted))
        return left is not None and right is not None and order(left, right)

    return test


_NUMBER = re.compile(r"[+-]?[0-9]{1,64}(\.[0-9]{1,64})?", re.ASCII)
_YEAR = re.compile("[0-9]{4}", re.ASCII)
_MONTH = re.compile("[0-9]{4}-[0-9]{2}", re.ASCII)


def _number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _date(text: str) -> Decimal | None:
    """Seconds since the epoch of a W3C date or of a number of seconds.

    Four digits are a year; a time without a zone is UTC (both inferred).
    """
    if not _YEAR.fullmatch(text) and (seconds := _number(text)) is not None:
        return seconds
    if _YEAR.fullmatch(text):
        text += "-01"
    if _MONTH.fullmatch(text):
        text += "-01"
    try:
        found = datetime.fromisoformat(text)
        return Decimal((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None


_ORDERS = {
    "Equals": compare.eq,
    "LessThan": compare.lt,
    "LessThanEquals": compare.le,
    "GreaterThan": compare.gt,
    "GreaterThanEquals": compare.ge,
}

_TESTS: dict[str, Test] = {
    "StringEquals": lambda wanted, actual: text_of(wanted) == actual,
    "StringEqualsIgnoreCase": _equals_ignoring_case,
    "StringLike": _like(Matching.TEXT),
    "ArnEquals": _like(Matching.ARN),
    "ArnLike": _like(Matching.ARN),
    "Bool": _same_bool,
    "BinaryEquals": _same_bytes,
    "IpAddress": _in_network,
    **{f"Numeric{name}": _ordered(_number, order) for name, order in _ORDERS.items()},
    **{f"Date{name}": _ordered(_date, order) for name, order in _ORDERS.items()},
}

_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}

_WITH_VARIABLES = {"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike"}

OPERATORS = (*_TESTS, *_NEGATED, "Null")
"""All of them, without quantifiers and IfExists."""
