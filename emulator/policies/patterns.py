"""Wildcards and variables in the texts of a policy.

Documented: the IAM user guide's pages "IAM JSON policy elements: Resource" and "Variables and tags".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from functools import lru_cache

Value = str | tuple[str, ...]
"""What a request says under one condition key: a text, or for a multivalued key all of them."""

Context = Mapping[str, Value]
"""What a request says, by condition key."""

Part = tuple[str, bool]
"""A piece of a pattern, and whether its `*` and `?` are wildcards."""

LONGEST = 2048
"""A longer text is matched by `*` alone. No ARN is longer."""

_VARIABLE = re.compile(r"\$\{([^}]{0,512})\}")
_SPECIAL = {"*", "?", "$"}


class Matching(Enum):
    """How far a wildcard reaches."""

    TEXT = "anywhere"
    RESOURCE = "within a part of the ARN between two colons, and on from its end if that is a star"
    ARN = "within a part of the ARN between two colons"


class _Wild(Enum):
    ONE = "?"
    MANY = "*"
    ONE_WITHIN = "? but no colon"
    MANY_WITHIN = "* but no colon"


def lowered(context: Context) -> dict[str, Value]:
    """A context as it is compared: keys have no case, and a list of nothing is not there."""
    return {key.lower(): value for key, value in context.items() if value != ()}


def plain(text: str) -> tuple[Part, ...]:
    """A text that has no variables."""
    return ((text, True),)


def filled(text: str, values: Context) -> tuple[Part, ...] | None:
    """A text with the request's values in the place of variables; None when one has neither value nor default.

    `values` is a lowered context. What a request brings in is no wildcard (inferred).
    """
    if "${" not in text:
        return plain(text)
    parts: list[Part] = []
    end = 0
    for found in _VARIABLE.finditer(text):
        value = _value(found[1], values)
        if value is None:
            return None
        parts += [(text[end : found.start()], True), (value, False)]
        end = found.end()
    return (*parts, (text[end:], True))


def _value(variable: str, values: Context) -> str | None:
    if variable in _SPECIAL:
        return variable
    key, _, default = (part.strip() for part in variable.partition(","))
    value = values.get(key.lower())
    if isinstance(value, str):
        return value
    return default[1:-1] if len(default) > 1 and default[0] == default[-1] == "'" else None


def arn_parts(text: str) -> list[str]:
    """The six parts of an ARN: `arn`, partition, service, region, account, resource. Those that it lacks are empty."""
    return [*text.split(":", 5), *[""] * 5][:6]


def text_of(parts: Iterable[Part]) -> str:
    """A pattern as a text without wildcards."""
    return "".join(text for text, _ in parts)


def matches(parts: tuple[Part, ...], text: str, how: Matching) -> bool:
    """Whether a pattern matches all of a text.

    It follows all ways through the pattern at once: the time grows with the product of both lengths, never faster.
    """
    tokens = _tokens(parts, how)
    if len(text) > LONGEST:
        return tokens == (_Wild.MANY,)
    places = {0}
    for token in tokens:
        places = set(_after(token, places, text))
        if not places:
            return False
    return len(text) in places


@lru_cache(maxsize=1024)
def _tokens(parts: tuple[Part, ...], how: Matching) -> tuple[str | _Wild, ...]:
    """A pattern as literal texts and wildcards. Behind the fifth colon of an ARN wildcards match colons as well."""
    signs = [(sign, wild and sign in "*?") for text, wild in parts for sign in text]
    tokens: list[str | _Wild] = []
    literal: list[str] = []
    colons = 0
    for place, (sign, wild) in enumerate(signs):
        if not wild:
            literal.append(sign)
            colons += sign == ":"
            continue
        if literal:
            tokens.append("".join(literal))
            literal.clear()
        following = signs[place + 1][0] if place + 1 < len(signs) else ""
        tokens.append(_wildcard(sign, following, Matching.TEXT if colons >= 5 else how))
    return (*tokens, "".join(literal)) if literal else tuple(tokens)


def _wildcard(sign: str, following: str, how: Matching) -> _Wild:
    """A star that ends the whole pattern covers the rest (inferred for ARN: `*` alone is in common use)."""
    if sign == "?":
        return _Wild.ONE if how is Matching.TEXT else _Wild.ONE_WITHIN
    if how is Matching.TEXT or not following or (how is Matching.RESOURCE and following == ":"):
        return _Wild.MANY
    return _Wild.MANY_WITHIN


def _after(token: str | _Wild, places: set[int], text: str) -> Iterable[int]:
    match token:
        case _Wild.MANY:
            return range(min(places), len(text) + 1)
        case _Wild.MANY_WITHIN:
            return _to_colons(places, text)
        case _Wild.ONE:
            return {place + 1 for place in places if place < len(text)}
        case _Wild.ONE_WITHIN:
            return {place + 1 for place in places if text[place : place + 1] not in ("", ":")}
        case str():
            return {place + len(token) for place in places if text.startswith(token, place)}


def _to_colons(places: set[int], text: str) -> Iterator[int]:
    """From each place on to the next colon; each is named once."""
    done = -1
    for place in sorted(places):
        if place > done:
            colon = text.find(":", place)
            end = len(text) if colon < 0 else colon
            yield from range(place, end + 1)
            done = end
