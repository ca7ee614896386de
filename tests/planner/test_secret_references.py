"""What a task definition points at in other services."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.planner.secret_references import (
    MalformedReferenceError,
    ObjectReference,
    SecretReference,
    read_object,
    read_registry_secret,
    read_secret,
)

SECRET = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:team/db-AbCdEf"
THERE = ("111111111111", "eu-west-1")
HERE = ("000000000000", "us-east-1")
VERSION = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.mark.parametrize(
    ("value_from", "reference"),
    [
        (SECRET, ("secretsmanager", *THERE, SECRET, None, None, None)),
        (f"{SECRET}:user::", ("secretsmanager", *THERE, SECRET, "user", None, None)),
        (f"{SECRET}::AWSPREVIOUS:", ("secretsmanager", *THERE, SECRET, None, "AWSPREVIOUS", None)),
        (f"{SECRET}:::{VERSION}", ("secretsmanager", *THERE, SECRET, None, None, VERSION)),
        (f"{SECRET}:user:mine:{VERSION}", ("secretsmanager", *THERE, SECRET, "user", "mine", VERSION)),
        (f"{SECRET}:::", ("secretsmanager", *THERE, SECRET, None, None, None)),
        ("name", ("ssm", *HERE, "name", None, None, None)),
        ("/team/db/user", ("ssm", *HERE, "/team/db/user", None, None, None)),
        (
            "arn:aws:ssm:eu-west-1:111111111111:parameter/team/db",
            ("ssm", *THERE, "arn:aws:ssm:eu-west-1:111111111111:parameter/team/db", None, None, None),
        ),
        (
            "arn:aws-cn:secretsmanager:cn-north-1:111111111111:secret:a-AbCdEf",
            (
                "secretsmanager",
                "111111111111",
                "cn-north-1",
                "arn:aws-cn:secretsmanager:cn-north-1:111111111111:secret:a-AbCdEf",
                None,
                None,
                None,
            ),
        ),
    ],
)
def test_a_secret_is_named_by_its_arn_and_a_parameter_by_name_or_arn(
    value_from: str, reference: tuple[str | None, ...]
) -> None:
    assert astuple(read_secret(value_from, *HERE)) == reference


@pytest.mark.parametrize(
    "value_from",
    [
        f"{SECRET}:user",
        f"{SECRET}:user:",
        f"{SECRET}:user:::",
        "arn:aws:secretsmanager:eu-west-1:111111111111:secret",
        "arn:aws:secretsmanager:eu-west-1:111111111111:secret:",
        "arn:aws:secretsmanager:eu-west-1:111111111111:secret::user::",
        "arn:aws:secretsmanager:eu-west-1:111111111111:team/db",
        "arn:aws:ssm:eu-west-1:111111111111:document/a",
        "arn:aws:s3:::bucket/key",
        "arn:aws:ssm",
        "arn:",
    ],
)
def test_what_is_neither_is_refused_in_the_agents_words(value_from: str) -> None:
    with pytest.raises(MalformedReferenceError) as refusal:
        read_secret(value_from, *HERE)
    assert str(refusal.value) == (
        f"trying to retrieve secret with value {value_from} resulted in error: an invalid ARN format for the AWS "
        "Secrets Manager secret was specified. Specify a valid ARN and try again."
    )


@given(st.one_of(st.text(), st.text(alphabet="arn:swecmg/-").map(lambda text: f"arn:{text}")))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(MalformedReferenceError):
        assert read_secret(text, *HERE).id in text


@pytest.mark.parametrize(
    ("value_from", "name"),
    [
        ("plain", "plain"),
        ("/team/db", "/team/db"),
        ("arn:aws:ssm:eu-west-1:111111111111:parameter/plain", "plain"),
        ("arn:aws:ssm:eu-west-1:111111111111:parameter/team/db", "/team/db"),
    ],
)
def test_a_parameter_is_told_by_its_name(value_from: str, name: str) -> None:
    assert read_secret(value_from, *HERE).name == name


@pytest.mark.parametrize(("parameter", "place"), [("team/registry", HERE), (SECRET, THERE)])
def test_a_registrys_secret_is_named_by_name_or_arn(parameter: str, place: tuple[str, str]) -> None:
    assert read_registry_secret(parameter, *HERE) == SecretReference("secretsmanager", *place, parameter)


def test_a_file_is_an_object_in_a_bucket() -> None:
    assert read_object("arn:aws:s3:::bucket/a/b:c.env") == ObjectReference("bucket", "a/b:c.env")


@pytest.mark.parametrize(
    "arn", ["arn:aws:s3:::bucket", "arn:aws:s3:::/key", "arn:aws:s3:::b/", "s3://b/k", "arn:aws:ssm:::b/k"]
)
def test_what_is_no_object_is_refused(arn: str) -> None:
    with pytest.raises(MalformedReferenceError, match="unable to parse bucket and key from s3 ARN"):
        read_object(arn)
