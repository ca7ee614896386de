"""Tasks whose images lie in ECR, or in a registry that wants a login."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulators import InProcess
from tests.operations.fetching import FOR_REGISTRY, Account, files, secrets

ECR = "000000000000.dkr.ecr.us-east-1.amazonaws.com"
CANNOT = "CannotPullContainerError: pull image manifest has been retried "


@pytest.fixture
def account(emulator: InProcess) -> Account:
    return Account(emulator)


def private(secret: str) -> dict[str, Any]:
    return {"repositoryCredentials": {"credentialsParameter": secret}}


@pytest.mark.parametrize("by", ["ARN", "name"])
def test_a_login_is_named_by_the_secrets_name_or_arn(account: Account, by: str) -> None:
    arn = account.secret("registry", '{"username": "me", "password": "hush"}')
    account.define(private(arn if by == "ARN" else "registry"))
    assert account.run()["lastStatus"] == "RUNNING"


def test_a_login_that_does_not_exist(account: Account) -> None:
    assert account.reason(private("registry")) == (
        f"{FOR_REGISTRY}asm fetching secret from the service for registry: ResourceNotFoundException: "
        "Secrets Manager can't find the specified secret."
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hush", "asm fetching authorization data: unable to unmarshal secret value, invalid schema"),
        ('{"username": "hush"}', "asm fetching password: AuthorizationData is malformed, empty field"),
    ],
)
def test_a_secret_that_is_no_login(account: Account, text: str, words: str) -> None:
    assert account.reason(private(account.secret("registry", text))) == f"{FOR_REGISTRY}{words}"


def test_the_containers_secrets_come_first_then_logins_then_files(account: Account) -> None:
    wrong_file = files("arn:aws:s3:::files/nope.env")
    assert "registry auth from asm" in account.reason({**private("registry"), **wrong_file})
    assert "invalid ssm parameters" in account.reason({**private("registry"), **wrong_file, **secrets(A="nope")})


def test_ecr_has_repositories_and_gives_tokens(account: Account) -> None:
    ecr = account.client("ecr")
    made = ecr.create_repository(repositoryName="team/app")["repository"]
    assert made["repositoryUri"] == f"{ECR}/team/app"
    assert [each["repositoryName"] for each in ecr.describe_repositories()["repositories"]] == ["team/app"]
    (token,) = ecr.get_authorization_token()["authorizationData"]
    assert token["authorizationToken"]
    assert token["proxyEndpoint"] == f"https://{ECR}"


def test_an_image_that_is_not_in_its_repository(account: Account) -> None:
    account.client("ecr").create_repository(repositoryName="team/app")
    assert account.reason({"image": f"{ECR}/team/app:not-found"}) == (
        f"{CANNOT}7 time(s): failed to resolve ref {ECR}/team/app:not-found: not found"
    )


def test_an_image_whose_repository_does_not_exist(account: Account) -> None:
    account.client("ecr", region="eu-west-1").create_repository(repositoryName="team/app")
    assert account.reason({"image": f"{ECR}/team/app:not-found"}).startswith(
        f"{CANNOT}1 time(s): failed to resolve ref {ECR}/team/app:not-found: pull access denied, repository does not "
    )
