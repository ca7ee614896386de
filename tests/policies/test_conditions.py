"""Every condition operator: met, missed, and asked of a request that lacks the key. The table is conditions.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.policies.conditions import OPERATORS, read_operator
from emulator.policies.decision import AccessRequest
from emulator.policies.documents import read_policy
from tests.policies.world import allow, allowed, policy

TABLE = yaml.safe_load(Path(__file__).with_name("conditions.yaml").read_text(encoding="utf-8"))

CASES = [
    (operator, case["wants"], value, expected)
    for operator, cases in TABLE.items()
    for case in cases
    for expected, values in ((True, case.get("meets", ())), (False, case.get("misses", ())))
    for value in values
]
WITHOUT = [(operator, case["wants"], case["without"]) for operator, cases in TABLE.items() for case in cases]


def met(operator: str, wants: Any, context: dict[str, Any], version: str = "2012-10-17") -> bool:
    document = read_policy({"Version": version, "Statement": allow(Condition={operator: {"A:Key": wants}})})
    return allowed(document, AccessRequest("ecs:RunTask", "*", {"aws:username": "alice", **context}))


@pytest.mark.parametrize(("operator", "wants", "value", "expected"), CASES)
def test_a_value_meets_or_misses_a_condition(operator: str, wants: Any, value: Any, expected: bool) -> None:
    given = tuple(value) if isinstance(value, list) else value
    assert met(operator, wants, {"a:kEY": given}) is expected


@pytest.mark.parametrize(("operator", "wants", "expected"), WITHOUT)
def test_a_request_may_lack_the_key(operator: str, wants: Any, expected: bool) -> None:
    assert met(operator, wants, {}) is expected
    assert met(operator, wants, {"a:key": ()}) is expected


def test_the_table_has_every_operator() -> None:
    assert sorted(set(OPERATORS) - set(TABLE)) == []


def test_a_multivalued_key_is_never_equal_to_one_value() -> None:
    assert met("StringNotEquals", "web", {"a:key": ("web",)})


def test_all_conditions_and_all_keys_must_be_met() -> None:
    condition = {"StringEquals": {"a:one": "1", "a:two": "2"}, "Bool": {"a:three": "true"}}
    document = policy(allow(Condition=condition))
    whole = {"a:one": "1", "a:two": "2", "a:three": "true"}
    assert allowed(document, AccessRequest("ecs:RunTask", "*", whole))
    for key in whole:
        assert not allowed(document, AccessRequest("ecs:RunTask", "*", {**whole, key: "other"}))


def test_the_old_version_has_no_variables() -> None:
    assert met("StringEquals", "${aws:username}", {"a:key": "${aws:username}"}, version="2008-10-17")
    assert not met("StringEquals", "${aws:username}", {"a:key": "alice"}, version="2008-10-17")


@pytest.mark.parametrize(
    "name",
    ["", "stringEquals", "StringEqual", "NullIfExists", "ForAllValues:Null", "ForSome:StringEquals", ":StringEquals",
     "IfExists", "StringEqualsIfExistsIfExists", "ForAnyValue:ForAnyValue:Bool"],
)  # fmt: skip
def test_what_is_no_operator_is_none(name: str) -> None:
    assert read_operator(name) is None
