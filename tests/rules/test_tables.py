"""Every rule is broken once and kept once, in the tables beside this file; and rules are declared as agreed."""

from __future__ import annotations

import re

import pytest

from api_models.operations import ERRORS, OPERATIONS
from emulator.rules import (  # noqa: F401 - they declare the rules
    account_settings,
    clusters,
    revisions,
    task_definitions,
    task_protection,
    tasks,
)
from emulator.rules.rule import RULES, Rule
from tests.rules.tables import ASK, Case, cases, with_less

CASES = list(cases())
DECLARED = [found for rules in RULES.values() for found in rules]
EVIDENCE = re.compile(r"observed \d{4}(-\d{2})?: .+|documented: .+|inferred(: .+)?")


def rules_of(case: Case) -> list[Rule]:
    """The rules of this name that the question asked may meet."""
    guards = case.asks.partition(":")[0]
    return [found for found in DECLARED if found.name == case.rule and found.guards.partition(":")[0] == guards]


@pytest.mark.parametrize("case", [case for case in CASES if case.says is not None], ids=str)
def test_a_request_that_breaks_a_rule_is_refused_in_its_words(case: Case) -> None:
    answer = case.answer()
    assert answer is not None
    assert answer.code in {found.refuse for found in rules_of(case)}
    expected = ".*".join(map(re.escape, str(case.says).split("…")))
    assert re.fullmatch(expected, answer.message), f"{answer.message!r} is not {case.says!r}"
    assert any(re.fullmatch(sentence(found), answer.message, re.DOTALL) for found in rules_of(case))


def sentence(found: Rule) -> str:
    """A rule's sentence as a pattern, with any text where it names a value."""
    literal = re.sub(r"(?<!\{)\{[a-z_]+\}(?!\})", "\0", found.says).replace("{{", "{").replace("}}", "}")
    return re.escape(literal).replace(re.escape("\0"), ".*")


@pytest.mark.parametrize("case", [case for case in CASES if case.says is None], ids=str)
def test_a_request_that_keeps_a_rule_is_accepted(case: Case) -> None:
    assert case.answer() is None


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_rule_stumbles_over_what_is_missing(case: Case) -> None:
    for document in with_less(case.document):
        ASK[case.asks](document)


def test_every_rule_is_broken_and_kept_by_some_request() -> None:
    broken = {case.rule for case in CASES if case.says is not None}
    kept = {case.rule for case in CASES if case.says is None}
    names = {found.name for found in DECLARED}
    assert sorted(names - (broken & kept)) == []
    assert sorted((broken | kept) - names) == [], "cases of rules that there are not"


@pytest.mark.parametrize("found", DECLARED, ids=lambda found: f"{found.guards}-{found.name}")
def test_a_rule_says_where_it_was_seen_and_answers_with_an_error_of_its_operation(found: Rule) -> None:
    assert EVIDENCE.fullmatch(found.evidence)
    assert found.check.__doc__
    assert found.refuse in ERRORS
    assert found.refuse in OPERATIONS[found.guards.partition(":")[0]].errors
