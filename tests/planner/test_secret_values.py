"""What is taken out of a secret's text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.planner.secret_values import SecretFormError, login_of, part_of


def test_without_a_key_a_secret_is_taken_whole() -> None:
    assert part_of('{"a": 1}', None) == '{"a": 1}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("it's", "it's"),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (None, "<nil>"),
        (0, "0"),
        (5432, "5432"),
        (-1, "-1"),
        (1.5, "1.5"),
        (100_000, "100000"),
        (123_456, "123456"),
        (999_999.5, "999999.5"),
        (1_000_000, "1e+06"),
        (1_234_567, "1.234567e+06"),
        (123_456_789_012, "1.23456789012e+11"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-2.5e-7, "-2.5e-07"),
        ([1, "a", None], "[1 a <nil>]"),
        ({"b": 1, "a": {"c": "d"}}, "map[a:map[c:d] b:1]"),
        ({}, "map[]"),
    ],
)
def test_a_member_is_taken_as_go_prints_it(value: Any, text: str) -> None:
    assert part_of(json.dumps({"k": value, "other": 1}), "k") == text


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ('{"other": 1}', "retrieved secret from Secrets Manager did not contain json key k"),
        ('{"K": 1}', "retrieved secret from Secrets Manager did not contain json key k"),
        ("{}", "retrieved secret from Secrets Manager did not contain json key k"),
        ("null", "retrieved secret from Secrets Manager did not contain json key k"),
        ('["hush"]', "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        ('"hush"', "json: cannot unmarshal string into Go value of type map[string]interface {}"),
        ("42", "json: cannot unmarshal number into Go value of type map[string]interface {}"),
        ("true", "json: cannot unmarshal bool into Go value of type map[string]interface {}"),
        ("", "unexpected end of JSON input"),
        ("hush", "invalid character looking for beginning of value"),
        ("{'k': 'hush'}", "invalid character looking for beginning of value"),
        ('{"k": NaN}', "invalid character looking for beginning of value"),
        ('{"k": 1e999}', "invalid character looking for beginning of value"),
        ("[" * 100_000, "invalid character looking for beginning of value"),
    ],
)
def test_a_secret_without_the_member_is_refused(secret: str, words: str) -> None:
    with pytest.raises(SecretFormError) as refusal:
        part_of(secret, "k")
    assert str(refusal.value) == words


@given(st.text(min_size=8))
def test_no_refusal_tells_anything_of_the_secret(text: str) -> None:
    secret = f"%{text}%"
    for take in (lambda: part_of(secret, "k"), lambda: login_of(secret)):
        with pytest.raises(SecretFormError) as refusal:
            take()
        assert secret not in str(refusal.value)
        assert str(refusal.value).isascii()


def test_a_login_is_a_username_and_a_password() -> None:
    assert login_of('{"username": "me", "password": "hush", "more": 1}') == ("me", "hush")
    assert login_of('{"Username": "me", "PASSWORD": "hush"}') == ("me", "hush")


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("", "asm fetching authorization data: empty secrets value"),
        ("hush", "asm fetching authorization data: unable to unmarshal secret value, invalid schema"),
        ('["me", "hush"]', "asm fetching authorization data: unable to unmarshal secret value, invalid schema"),
        (
            '{"username": "me", "password": 1}',
            "asm fetching authorization data: unable to unmarshal secret value, invalid schema",
        ),
        ('{"password": "hush"}', "asm fetching username: AuthorizationData is malformed, empty field"),
        ("null", "asm fetching username: AuthorizationData is malformed, empty field"),
        ('{"username": "me"}', "asm fetching password: AuthorizationData is malformed, empty field"),
        ('{"username": "me", "password": ""}', "asm fetching password: AuthorizationData is malformed, empty field"),
        ('{"username": "me", "password": null}', "asm fetching password: AuthorizationData is malformed, empty field"),
    ],
)
def test_what_is_no_login_is_refused(secret: str, words: str) -> None:
    with pytest.raises(SecretFormError) as refusal:
        login_of(secret)
    assert str(refusal.value) == words
