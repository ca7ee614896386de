"""Wildcards and variables."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.policies.patterns import LONGEST, Matching, filled, lowered, matches, plain, text_of

ARN = "arn:aws:ecs:us-east-1:111122223333:task-definition/web:3"


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("ecs:RunTask", "ecs:RunTask", True),
        ("ecs:RunTask", "ecs:RunTasks", False),
        ("ecs:runtask", "ecs:RunTask", False),
        ("ecs:Describe*", "ecs:DescribeTasks", True),
        ("ecs:Describe*", "ecs:Describe", True),
        ("*Task", "ecs:RunTask", True),
        ("*Task", "ecs:RunTasks", False),
        ("ecs:???Task", "ecs:RunTask", True),
        ("ecs:???Task", "ecs:StartTask", False),
        ("ecs:RunTask?", "ecs:RunTask", False),
        ("e.s:RunTask", "ecs:RunTask", False),
        ("[ab]*", "a1", False),
        ("[ab]*", "[ab]1", True),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "a-c-b", False),
        ("**", "", True),
        ("*", "", True),
        ("?", "", False),
        ("", "", True),
        ("", "a", False),
        ("a\nb*", "a\nb\nc", True),
    ],
)
def test_stars_and_question_marks_alone_are_wildcards(pattern: str, text: str, expected: bool) -> None:
    assert matches(plain(pattern), text, Matching.TEXT) is expected


@pytest.mark.parametrize(
    ("pattern", "resource", "arn"),
    [
        ("*", True, True),
        (ARN, True, True),
        ("arn:aws:ecs:us-east-1:111122223333:task-definition/web:*", True, True),
        ("arn:aws:ecs:us-east-1:111122223333:task-definition/*", True, True),
        ("arn:aws:ecs:us-east-1:111122223333:task-definition/w*3", True, True),
        ("arn:aws:ecs:us-east-1:111122223333:task-definition/web?3", True, True),
        ("arn:aws:ecs:us-east-1:111122223333:*", True, True),
        ("arn:aws:ecs:us-east-1:*:task-definition/web:3", True, True),
        ("arn:aws:ecs:*:*:task-definition/web:3", True, True),
        ("arn:*:ecs:us-east-?:1111*:task-definition/web:3", True, True),
        ("arn:aws:ecs:*", True, True),
        ("arn:aws:ecs:*:task-definition/web:3", True, False),
        ("arn:aws:ecs:us-*:task-definition/web:3", True, False),
        ("arn:aws:ecs:us-*3:task-definition/web:3", False, False),
        ("arn:aws:ecs:us-east-1?111122223333:task-definition/web:3", False, False),
        ("arn:aws:ecs:us-east-1:111122223333:task-definition/Web:3", False, False),
        ("arn:aws:ecs:us-east-1:111122223333:task-definition/web", False, False),
        ("arn:aws:ecs:us-east-1:999999999999:task-definition/*", False, False),
        ("arn:aws:ecs:us-east-1::task-definition/*", False, False),
    ],
)
def test_a_wildcard_in_an_arn_ends_at_a_colon_or_runs_on_from_the_end_of_a_part(
    pattern: str, resource: bool, arn: bool
) -> None:
    assert matches(plain(pattern), ARN, Matching.RESOURCE) is resource
    assert matches(plain(pattern), ARN, Matching.ARN) is arn


def test_a_pattern_that_is_slow_for_backtracking_is_answered() -> None:
    assert not matches(plain("*a" * 500 + "b"), "a" * LONGEST, Matching.TEXT)
    assert not matches(plain("arn:" + "*a" * 500 + "b:x"), "arn:" + "a" * 2000, Matching.RESOURCE)


def test_an_empty_part_is_a_part() -> None:
    assert not matches(plain("*x:b"), ":x:b", Matching.ARN)
    assert matches(plain("*:x:b"), ":x:b", Matching.ARN)


def test_a_text_longer_than_any_arn_is_matched_by_a_star_alone() -> None:
    assert matches(plain("a*"), "a" * LONGEST, Matching.RESOURCE)
    text = "a" * (LONGEST + 1)
    assert matches(plain("*"), text, Matching.RESOURCE)
    assert not matches(plain("a*"), text, Matching.RESOURCE)


@given(st.text("ab*?:", max_size=12), st.text("ab:", max_size=12))
def test_the_matcher_agrees_with_a_regular_expression(pattern: str, text: str) -> None:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    assert matches(plain(pattern), text, Matching.TEXT) is bool(re.fullmatch(expression, text, re.DOTALL))


VALUES = lowered({"aws:username": "al*ce", "aws:PrincipalTag/Team": "blue", "aws:TagKeys": ("a", "b"), "empty": ()})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("home/${aws:username}/x", "home/al*ce/x"),
        ("${AWS:UserName}", "al*ce"),
        ("${ aws:username }", "al*ce"),
        ("${aws:principaltag/team}-${aws:username}", "blue-al*ce"),
        ("${*}${?}${$}", "*?$"),
        ("${aws:PrincipalTag/None, 'company-wide'}", "company-wide"),
        ("${aws:PrincipalTag/Team, 'company-wide'}", "blue"),
        ("${aws:PrincipalTag/None, company-wide}", None),
        ("${aws:PrincipalTag/None, '}", None),
        ("${aws:PrincipalTag/None}", None),
        ("${aws:TagKeys}", None),
        ("${empty}", None),
        ("${}", None),
        ("${unfinished", "${unfinished"),
        ("$aws:username", "$aws:username"),
    ],
)
def test_variables_are_replaced_by_what_the_request_says(text: str, expected: str | None) -> None:
    parts = filled(text, VALUES)
    assert (None if parts is None else text_of(parts)) == expected


def test_a_value_brings_no_wildcards_in() -> None:
    parts = filled("home/${aws:username}/*", VALUES)
    assert parts is not None
    assert matches(parts, "home/al*ce/x", Matching.TEXT)
    assert not matches(parts, "home/alice/x", Matching.TEXT)


def test_special_variables_are_no_wildcards() -> None:
    assert not matches(filled("a${*}", {}) or (), "ab", Matching.TEXT)
    assert matches(filled("a${*}", {}) or (), "a*", Matching.TEXT)
