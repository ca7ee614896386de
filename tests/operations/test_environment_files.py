"""Tasks whose containers have environment files."""

from __future__ import annotations

import pytest

from tests.emulators import InProcess
from tests.operations.fetching import Account, files, secrets

FAILED = "ResourceInitializationError: failed to download env files: "


@pytest.fixture
def account(emulator: InProcess) -> Account:
    return Account(emulator)


def test_a_container_has_the_variables_of_its_files(account: Account) -> None:
    first, second = account.file("a.env", "# mine\nA=1\nB=2\nB=3\n"), account.file("deep/b c.env", "A=4\r\nC=5=6")
    assert account.variables(files(first, second)) == {"A": "1", "B": "3", "C": "5=6"}


def test_everything_else_counts_more_than_a_file(account: Account) -> None:
    account.parameter("a", "secret")
    names = ("A", "B", "C", "D", "AWS_REGION", "AWS_EXECUTION_ENV")
    file = account.file("a.env", "\n".join(f"{name}=file" for name in names))
    container = {
        **files(file),
        **secrets(A="a"),
        "environment": [{"name": "B", "value": "definition"}, {"name": "C", "value": "definition"}],
    }
    override = {"name": "web", "environment": [{"name": "C", "value": "override"}]}
    account.define(container)
    found = account.spec(account.run(overrides={"containerOverrides": [override]})).environment.merged()
    assert {name: found[name] for name in names} == {
        "A": "secret",
        "B": "definition",
        "C": "override",
        "D": "file",
        "AWS_REGION": "file",
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
    }


def test_files_that_run_task_gives_count_more_than_the_definitions(account: Account) -> None:
    mine, given = account.file("mine.env", "A=mine\nB=mine"), account.file("given.env", "A=given")
    override = {"name": "web", **files(given)}
    found = account.variables(files(mine), overrides={"containerOverrides": [override]})
    assert found == {"A": "given", "B": "mine"}


def test_files_that_run_task_alone_gives_are_fetched(account: Account) -> None:
    override = {"name": "web", **files(account.file("given.env", "A=given"))}
    assert account.variables({}, overrides={"containerOverrides": [override]}) == {"A": "given"}


def test_a_file_that_is_no_text_is_taken_as_well_as_it_can_be(account: Account) -> None:
    assert account.variables(files(account.file("a.env", b"A=\xff\nB=2"))) == {"A": "\ufffd", "B": "2"}


@pytest.mark.parametrize("arn", ["arn:aws:s3:::files/nope.env", "arn:aws:s3:::nobodys/a.env"])
def test_a_file_that_does_not_exist(account: Account, arn: str) -> None:
    account.file("a.env", "A=1")
    assert account.reason(files(arn)) == (
        f"{FAILED}service call has been retried 1 time(s): operation error S3: HeadObject, "
        "https response error StatusCode: 404, api error NotFound: Not Found"
    )


def test_a_bucket_that_cannot_have_that_name(account: Account) -> None:
    assert "StatusCode: 400, api error BadRequest: Bad Request" in account.reason(files("arn:aws:s3:::b@d/a.env"))


def test_an_arn_that_names_no_object(account: Account) -> None:
    assert account.reason(files("arn:aws:s3:::files")).startswith(
        f"{FAILED}unable to parse bucket and key from s3 ARN specified in environmentFile arn:aws:s3:::files, error: "
    )


def test_a_task_without_an_execution_role_has_no_files(account: Account) -> None:
    assert account.reason(files(account.file("a.env", "A=1")), executionRoleArn=None) == (
        f"{FAILED}environment file resource: unable to find execution role credentials"
    )


def test_run_task_may_give_the_execution_role(account: Account) -> None:
    account.define(files(account.file("a.env", "A=1")), executionRoleArn=None)
    task = account.run(overrides={"executionRoleArn": "arn:aws:iam::000000000000:role/ecsTaskExecutionRole"})
    assert account.spec(task).environment.merged()["A"] == "1"


def test_secrets_are_fetched_before_files(account: Account) -> None:
    reason = account.reason({**files("arn:aws:s3:::files/nope.env"), **secrets(A="nope")})
    assert "invalid ssm parameters: nope" in reason
