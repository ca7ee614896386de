"""Reading policy documents, those of hostile authors too."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.policies.decision import AccessRequest, Policies, decide
from emulator.policies.documents import LONGEST_DOCUMENT, Kind, PolicyError, read_policy
from emulator.policies.trust import may_assume
from tests.policies.world import USER, allow

SERVICE = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "The policy is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("{", "The policy is not JSON: "),
        ("[" * 100_000, "The policy is nested too deeply."),
        (" " * (LONGEST_DOCUMENT + 1), "The policy is longer than 131072 characters."),
        ('{"Statement": NaN}', "The policy is not JSON: NaN is no number"),
        ('{"Statement": ' + "1" * 5000 + "}", "The policy is not JSON: "),
        ("null", "The policy is missing, and must be an object."),
        ("[]", "The policy is of the type list, and must be an object."),
        ("{}", "Statement 1 is missing, and must be an object."),
        ('{"Statements": []}', "The policy must not have the element 'Statements'."),
        ('{"Version": "2020-01-01", "Statement": []}', "Version must be 2012-10-17 or 2008-10-17."),
        ('{"Version": ["2012-10-17"], "Statement": []}', "Version must be 2012-10-17 or 2008-10-17."),
        ('{"Statement": [1]}', "Statement 1 is of the type int, and must be an object."),
    ],
)
def test_a_text_that_is_no_policy_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(PolicyError) as refused:
        read_policy(text)
    assert str(refused.value).startswith(says)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"Effect": "allow"}, "Statement 2: Effect must be Allow or Deny."),
        ({"Effect": None}, "Statement 2: Effect must be Allow or Deny."),
        ({"Effect": ["Allow"]}, "Statement 2: Effect must be Allow or Deny."),
        ({"NotAction": "*"}, "Statement 2 must have either Action or NotAction."),
        ({"NotResource": "*"}, "Statement 2 must have either Resource or NotResource."),
        ({"Action": []}, "Statement 2: Action must be a text or a list of texts."),
        ({"Action": ["a", 1]}, "Statement 2: Action must be a text or a list of texts."),
        ({"Resource": {"a": 1}}, "Statement 2: Resource must be a text or a list of texts."),
        ({"Resources": "*"}, "Statement 2 must not have the element 'Resources'."),
        ({"Principal": "*"}, "Statement 2 must not have the element 'Principal'."),
        ({"Condition": []}, "Statement 2: Condition must be an object."),
        ({"Condition": {"Equals": {}}}, "Statement 2: Condition: 'Equals' is no condition operator."),
        ({"Condition": {"Bool": 1}}, "Statement 2: Condition: Bool must be an object."),
        (
            {"Condition": {"Bool": {"a:b": {}}}},
            "Statement 2: Condition: Bool: 'a:b' is of the type dict, and must be a text, a number, true or false.",
        ),
        ({"x" * 1000: 1}, f"Statement 2 must not have the element '{'x' * 64}'."),
    ],
)
def test_a_statement_that_is_none_is_refused_with_the_reason(change: dict[str, Any], says: str) -> None:
    with pytest.raises(PolicyError) as refused:
        read_policy({"Statement": [allow(), {**allow(), **change}]})
    assert str(refused.value) == says


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"Resource": "*"}, "Statement 1 must not have the element 'Resource'."),
        ({"Principal": "ecs-tasks.amazonaws.com"}, 'Statement 1: Principal must be "*" or an object.'),
        ({"Principal": {"Service": 1}}, "Statement 1: Principal: 'Service' must be a text or a list of texts."),
        ({"NotPrincipal": "*"}, "Statement 1 must have either Principal or NotPrincipal."),
    ],
)
def test_a_trust_policy_has_principals_and_no_resources(change: dict[str, Any], says: str) -> None:
    with pytest.raises(PolicyError) as refused:
        read_policy({"Statement": {**SERVICE, **change}}, Kind.TRUST)
    assert str(refused.value) == says


def test_a_single_statement_needs_no_list() -> None:
    assert read_policy({"Statement": allow()}) == read_policy({"Statement": [allow()]})


def test_a_text_reads_like_the_object_that_it_is_the_text_of() -> None:
    document = {
        "Version": "2012-10-17",
        "Id": "x",
        "Statement": [allow("a:b", Sid="y", Condition={"Bool": {"k": True}})],
    }
    assert read_policy(json.dumps(document)) == read_policy(document)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["*", "ecs:*", "ecs:RunTask", "arn:aws:ecs:*:*:cluster/*", "${aws:username}", "${", "[", "a:b"])
OPERATOR = st.sampled_from(["StringLike", "ForAnyValue:ArnLikeIfExists", "Null", "DateLessThan", "NumericEquals",
                            "IpAddress", "BinaryEquals", "Bool", "ForAllValues:StringNotLike"])  # fmt: skip
STATEMENT = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"]) | JSON},
    optional={
        "Action": NAMES | st.lists(NAMES) | JSON,
        "NotAction": NAMES | JSON,
        "Resource": NAMES | st.lists(NAMES) | JSON,
        "NotResource": NAMES | JSON,
        "Principal": NAMES | JSON | st.dictionaries(st.sampled_from(["AWS", "Service"]), NAMES | st.lists(NAMES)),
        "Condition": JSON | st.dictionaries(OPERATOR, st.dictionaries(NAMES, NAMES | JSON | st.text())),
    },
)
DOCUMENT = JSON | st.fixed_dictionaries(
    {"Version": st.just("2012-10-17") | JSON, "Statement": STATEMENT | st.lists(STATEMENT, max_size=3) | JSON}
)
CONTEXT = st.dictionaries(NAMES, st.text(max_size=8) | st.lists(st.text(max_size=8), max_size=3).map(tuple))


@settings(deadline=None)
@given(DOCUMENT, st.sampled_from(Kind), CONTEXT)
def test_any_json_is_refused_as_a_policy_or_decides(document: Any, kind: Kind, context: dict[str, Any]) -> None:
    for source in (document, json.dumps(document)):
        try:
            found = read_policy(source, kind)
        except PolicyError:
            continue
        request = AccessRequest("ecs:RunTask", "arn:aws:ecs:us-east-1:1:cluster/a", context)
        assert decide(Policies(USER, (found,), found, (found,), (found,)), request) is not None
        assert may_assume(found, "ecs-tasks.amazonaws.com", context) in (True, False)


@given(st.text())
def test_a_text_at_random_is_no_policy(text: str) -> None:
    with pytest.raises(PolicyError):
        read_policy(text)
