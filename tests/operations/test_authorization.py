"""What callers may do where IAM is enforced: users, sessions of roles, and the root user."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.emulators import InProcess, client
from tests.neighbours.test_front import ROLE, refusal

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def enforcing() -> Iterator[InProcess]:
    with InProcess.started(enforce_iam=True) as running:
        yield running


def user(emulator: InProcess, *statements: dict[str, Any]) -> Any:
    """ECS as a new user with these statements sees it."""
    iam = emulator.client("iam")
    iam.create_user(UserName="u")
    if statements:
        iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=policy(*statements))
    key = iam.create_access_key(UserName="u")["AccessKey"]["AccessKeyId"]
    return client(emulator.url, account=key)


def session(emulator: InProcess, *statements: dict[str, Any], **more: str) -> Any:
    """ECS as a session of a new role with these statements sees it."""
    role = emulator.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=ROLE)["Role"]
    emulator.client("iam").put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=policy(*statements))
    assumed = emulator.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="me", **more)
    return client(emulator.url, account=assumed["Credentials"]["AccessKeyId"])


@pytest.mark.parametrize("account", ["test", "123456789012"])
def test_the_root_user_may_do_everything(enforcing: InProcess, account: str) -> None:
    assert client(enforcing.url, account=account).create_cluster(clusterName="c")["cluster"]["status"] == "ACTIVE"


def test_a_user_without_policies_may_do_nothing(enforcing: InProcess) -> None:
    ecs = user(enforcing)
    code, message = refusal(ecs.create_cluster, clusterName="c")
    assert code == "AccessDeniedException"
    assert message == (
        "User: arn:aws:iam::000000000000:user/u is not authorized to perform: ecs:CreateCluster on "
        "resource: arn:aws:ecs:us-east-1:000000000000:cluster/c because no identity-based policy allows the "
        "ecs:CreateCluster action"
    )
    assert enforcing.ecs.list_clusters()["clusterArns"] == []


def test_a_user_may_do_what_a_policy_allows_and_no_more(enforcing: InProcess) -> None:
    arn = "arn:aws:ecs:us-east-1:000000000000:cluster"
    ecs = user(
        enforcing,
        {"Effect": "Allow", "Action": ["ecs:CreateCluster", "ecs:ListClusters"], "Resource": "*"},
        {"Effect": "Allow", "Action": "ecs:DeleteCluster", "Resource": f"{arn}/mine-*"},
    )
    for name in ("mine-1", "other"):
        ecs.create_cluster(clusterName=name)
    assert ecs.list_clusters()["clusterArns"] == [f"{arn}/mine-1", f"{arn}/other"]
    assert ecs.delete_cluster(cluster="mine-1")["cluster"]["status"] == "INACTIVE"
    code, message = refusal(ecs.delete_cluster, cluster="other")
    assert (code, f"on resource: {arn}/other because" in message) == ("AccessDeniedException", True)


def test_an_explicit_deny_counts_more(enforcing: InProcess) -> None:
    ecs = user(enforcing, ALL, {"Effect": "Deny", "Action": "ecs:Delete*", "Resource": "*"})
    ecs.create_cluster(clusterName="c")
    code, message = refusal(ecs.delete_cluster, cluster="c")
    assert (code, message.endswith("with an explicit deny in an identity-based policy")) == (
        "AccessDeniedException",
        True,
    )


def test_policies_of_groups_and_aws_s_own_count(enforcing: InProcess) -> None:
    ecs, iam = user(enforcing), enforcing.client("iam")
    iam.create_group(GroupName="g")
    iam.attach_group_policy(GroupName="g", PolicyArn="arn:aws:iam::aws:policy/AmazonECS_FullAccess")
    assert refusal(ecs.list_clusters)[0] == "AccessDeniedException"
    iam.add_user_to_group(GroupName="g", UserName="u")
    assert ecs.list_clusters()["clusterArns"] == []


def test_a_session_of_a_role_has_the_role_s_policies(enforcing: InProcess) -> None:
    ecs = session(enforcing, {"Effect": "Allow", "Action": "ecs:List*", "Resource": "*"})
    assert ecs.list_clusters()["clusterArns"] == []
    code, message = refusal(ecs.create_cluster, clusterName="c")
    assert (code, message.split(" is not")[0]) == (
        "AccessDeniedException",
        "User: arn:aws:sts::000000000000:assumed-role/r/me",
    )


def test_policies_of_a_session_limit_it(enforcing: InProcess) -> None:
    ecs = session(enforcing, ALL, Policy=policy({"Effect": "Allow", "Action": "ecs:List*", "Resource": "*"}))
    assert ecs.list_clusters()["clusterArns"] == []
    assert "no session policy allows" in refusal(ecs.create_cluster, clusterName="c")[1]


def test_conditions_see_the_request_s_tags(enforcing: InProcess) -> None:
    only = {"StringEquals": {"aws:RequestTag/team": "blue"}}
    ecs = user(
        enforcing,
        {"Effect": "Allow", "Action": "ecs:CreateCluster", "Resource": "*", "Condition": only},
        {"Effect": "Allow", "Action": "ecs:TagResource", "Resource": "*"},
    )
    assert ecs.create_cluster(clusterName="c", tags=[{"key": "team", "value": "blue"}])["cluster"]["status"] == "ACTIVE"
    assert refusal(ecs.create_cluster, clusterName="d", tags=[{"key": "team", "value": "red"}])[0] == (
        "AccessDeniedException"
    )


def test_conditions_see_a_resource_s_tags(enforcing: InProcess) -> None:
    only = {"StringEquals": {"aws:ResourceTag/team": "blue"}}
    for name, team in (("c", "blue"), ("d", "red")):
        enforcing.ecs.create_cluster(clusterName=name, tags=[{"key": "team", "value": team}])
    ecs = user(enforcing, {"Effect": "Allow", "Action": "ecs:DeleteCluster", "Resource": "*", "Condition": only})
    assert ecs.delete_cluster(cluster="c")["cluster"]["status"] == "INACTIVE"
    assert refusal(ecs.delete_cluster, cluster="d")[0] == "AccessDeniedException"


def test_roles_are_passed_only_by_who_may(enforcing: InProcess) -> None:
    ecs = user(enforcing, {"Effect": "Allow", "Action": "ecs:*", "Resource": "*"})
    definition: dict[str, Any] = {
        "family": "f",
        "containerDefinitions": [{"name": "web", "image": "web", "memory": 128}],
    }
    assert ecs.register_task_definition(**definition)["taskDefinition"]["revision"] == 1
    role = "arn:aws:iam::000000000000:role/ecsTaskExecutionRole"
    code, message = refusal(ecs.register_task_definition, **definition, executionRoleArn=role)
    assert (code, f"perform: iam:PassRole on resource: {role} because" in message) == ("AccessDeniedException", True)


@pytest.mark.parametrize("status", ["deleted", "Inactive"])
def test_a_key_of_nobody_is_refused(enforcing: InProcess, status: str) -> None:
    ecs, iam = user(enforcing, ALL), enforcing.client("iam")
    key = iam.list_access_keys(UserName="u")["AccessKeyMetadata"][0]["AccessKeyId"]
    assert ecs.list_clusters()["clusterArns"] == []
    if status == "deleted":
        iam.delete_access_key(UserName="u", AccessKeyId=key)
    else:
        iam.update_access_key(UserName="u", AccessKeyId=key, Status=status)
    assert refusal(ecs.list_clusters) == (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )


def test_nothing_is_asked_where_iam_is_not_enforced(emulator: InProcess) -> None:
    assert user(emulator).create_cluster(clusterName="c")["cluster"]["status"] == "ACTIVE"
