"""How a rule is declared and enforced.

A rule is a name, what it guards, AWS's error and sentence, where that was seen, and a check that returns None for facts
that keep it and `broken(...)` for facts that do not. Rules of one guard are asked in the order in which they stand, and
the first broken one answers, as AWS does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from emulator.errors import ApiError

F = TypeVar("F")

Check = Callable[[F], Mapping[str, object] | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that AWS refuses. `says` is the sentence, with the names that `broken(...)` fills in."""

    name: str
    guards: str
    refuse: str
    says: str
    evidence: str
    check: Callable[[Any], Mapping[str, object] | None]

    def refusal(self, found: Mapping[str, object]) -> ApiError:
        """The error for facts that break the rule, by what its check found."""
        return ApiError(self.refuse, self.says.format(**found))


RULES: dict[str, list[Rule]] = {}
"""By what they guard, in the order in which they are asked."""


def rule(guards: str, *, refuse: str, says: str, evidence: str) -> Callable[[Check[F]], Check[F]]:
    """Declare a rule.

    `guards` is an operation's name, or another name under which an operation enforces some rules of several
    operations. `evidence` is `observed <when>: <where>`, `documented: <page>` or `inferred`, with what is known of it.
    """

    def declare(check: Check[F]) -> Check[F]:
        name = getattr(check, "__name__", "")
        RULES.setdefault(guards, []).append(Rule(name, guards, refuse, says, evidence, check))
        return check

    return declare


def broken(**values: object) -> Mapping[str, object]:
    """What a check returns for facts that break its rule: the values that the sentence names."""
    return values


def first_refusal(guards: str, facts: object) -> ApiError | None:
    """The answer of the first broken rule, or None. Raises KeyError for a guard without rules: nobody imported them."""
    for found in RULES[guards]:
        broken_by = found.check(facts)
        if broken_by is not None:
            return found.refusal(broken_by)
    return None


def enforce(guards: str, facts: object) -> None:
    """Raise the ApiError of the first broken rule."""
    refusal = first_refusal(guards, facts)
    if refusal is not None:
        raise refusal
