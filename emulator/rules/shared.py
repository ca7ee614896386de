"""Rules that several operations enforce, each under a guard and some with an error of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from emulator.rules.rule import Check, F, rule


@dataclass(frozen=True, slots=True)
class _Shared:
    refuse: str
    says: str
    evidence: str
    check: Callable[[Any], Any]


class SharedRules:
    """Rules that are declared once. They are asked in the order in which they stand."""

    def __init__(self) -> None:
        self._rules: list[_Shared] = []

    def rule(self, *, refuse: str, says: str, evidence: str) -> Callable[[Check[F]], Check[F]]:
        """Declare a rule, as `emulator.rules.rule.rule` does, but for whatever guard."""

        def declare(check: Check[F]) -> Check[F]:
            self._rules.append(_Shared(refuse, says, evidence, check))
            return check

        return declare

    def guard(self, guards: str, *, refuse: str | None = None) -> None:
        """Add the rules to a guard's, there with the error `refuse` if it is given."""
        for shared in self._rules:
            rule(guards, refuse=refuse or shared.refuse, says=shared.says, evidence=shared.evidence)(shared.check)
