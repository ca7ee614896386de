"""The global keys of a request."""

from __future__ import annotations

import pytest

from emulator.policies.callers import Identity, global_context, role_arn, root_arn
from emulator.policies.decision import AccessRequest
from tests.policies.world import USER, allow, allowed, policy

NOW = 1_577_836_800.0
SESSION = "arn:aws-cn:sts::111122223333:assumed-role/deployer/run-1"


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (USER, {"aws:PrincipalArn": USER, "aws:PrincipalType": "User", "aws:username": "alice"}),
        ("arn:aws:iam::111122223333:user/team/bob", {"aws:PrincipalType": "User", "aws:username": "bob"}),
        (
            SESSION,
            {
                "aws:PrincipalArn": "arn:aws-cn:iam::111122223333:role/deployer",
                "aws:PrincipalType": "AssumedRole",
                "aws:username": None,
            },
        ),
        (
            "arn:aws:iam::111122223333:root",
            {"aws:PrincipalType": "Account", "aws:userid": "111122223333", "aws:username": None},
        ),
        ("arn:aws:sts::111122223333:federated-user/eve", {"aws:PrincipalType": "FederatedUser"}),
        ("nobody", {"aws:PrincipalArn": "nobody", "aws:PrincipalType": "Anonymous", "aws:PrincipalAccount": ""}),
    ],
)
def test_a_caller_is_described_by_its_arn(arn: str, expected: dict[str, str | None]) -> None:
    context = global_context(Identity(arn), "us-east-1", NOW)
    assert {key: context.get(key) for key in expected} == expected


def test_a_request_is_described_by_when_and_where_it_is_made() -> None:
    context = global_context(Identity(USER, "AIDAEXAMPLE", {"team": "blue"}), "eu-west-1", NOW, "192.0.2.7")
    assert context == {
        "aws:PrincipalAccount": "111122223333",
        "aws:PrincipalArn": USER,
        "aws:PrincipalType": "User",
        "aws:username": "alice",
        "aws:userid": "AIDAEXAMPLE",
        "aws:PrincipalTag/team": "blue",
        "aws:RequestedRegion": "eu-west-1",
        "aws:CurrentTime": "2020-01-01T00:00:00Z",
        "aws:EpochTime": "1577836800",
        "aws:SourceIp": "192.0.2.7",
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
    }


def test_policies_can_ask_for_all_of_it() -> None:
    document = policy(
        allow(
            "ecs:StopTask",
            "arn:aws:ecs:us-east-1:${aws:PrincipalAccount}:task/${aws:username}/*",
            Condition={"DateLessThan": {"aws:CurrentTime": "2020-06-30"}, "Bool": {"aws:SecureTransport": "true"}},
        )
    )
    stop = AccessRequest("ecs:StopTask", "arn:aws:ecs:us-east-1:111122223333:task/alice/0123")
    assert allowed(document, stop.with_context(global_context(Identity(USER), "us-east-1", NOW)))
    assert not allowed(document, stop.with_context(global_context(Identity(USER), "us-east-1", NOW * 2)))


def test_what_a_request_says_itself_is_not_overwritten() -> None:
    assert AccessRequest("a:b", "*", {"k": "1"}).with_context({"k": "2", "l": "3"}).context == {"k": "1", "l": "3"}


def test_sessions_have_a_role_and_accounts_a_root() -> None:
    assert role_arn(SESSION) == "arn:aws-cn:iam::111122223333:role/deployer"
    assert role_arn(USER) is None
    assert role_arn("arn:aws:sts::1:assumed-role") is None
    assert root_arn(SESSION) == "arn:aws-cn:iam::111122223333:root"
