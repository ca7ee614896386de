"""What an account has in IAM before anybody made anything."""

from __future__ import annotations

import subprocess
import sys

import pytest
from botocore.exceptions import ClientError

from tests.emulators import InProcess
from tests.neighbours.test_front import ROLE


def attached(emulator: InProcess, role: str, **settings: str) -> list[str]:
    found = emulator.client("iam", **settings).list_attached_role_policies(RoleName=role)
    return [policy["PolicyName"] for policy in found["AttachedPolicies"]]


@pytest.mark.parametrize("account", ["000000000000", "123456789012"])
def test_every_account_has_the_execution_role_and_the_service_linked_role(emulator: InProcess, account: str) -> None:
    iam = emulator.client("iam", account=account)
    arns = {role["Arn"] for role in iam.list_roles()["Roles"]}
    assert arns == {
        f"arn:aws:iam::{account}:role/ecsTaskExecutionRole",
        f"arn:aws:iam::{account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
    }
    assert attached(emulator, "ecsTaskExecutionRole", account=account) == ["AmazonECSTaskExecutionRolePolicy"]
    assert attached(emulator, "AWSServiceRoleForECS", account=account) == ["AmazonECSServiceRolePolicy"]


def test_the_roles_have_the_same_ids_after_a_reset(emulator: InProcess) -> None:
    before = emulator.client("iam").get_role(RoleName="ecsTaskExecutionRole")["Role"]["RoleId"]
    emulator.app.neighbours.reset()
    assert emulator.client("iam").get_role(RoleName="ecsTaskExecutionRole")["Role"]["RoleId"] == before


@pytest.mark.parametrize(
    "policy",
    [
        "service-role/AmazonECSTaskExecutionRolePolicy",
        "AmazonEC2ContainerServiceFullAccess",  # the guide's, which AWS has withdrawn
        "AmazonS3ReadOnlyAccess",
        "CloudWatchLogsFullAccess",
    ],
)
def test_aws_s_own_policies_can_be_attached(emulator: InProcess, policy: str) -> None:
    iam = emulator.client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=ROLE)
    arn = f"arn:aws:iam::aws:policy/{policy}"
    iam.attach_role_policy(RoleName="r", PolicyArn=arn)
    assert attached(emulator, "r") == [policy.rpartition("/")[2]]
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    assert document["Statement"][0]["Effect"] == "Allow"


@pytest.mark.parametrize("policy", ["NoSuchPolicy", "elsewhere/AmazonS3ReadOnlyAccess", ""])
def test_a_policy_that_aws_does_not_have_is_refused(emulator: InProcess, policy: str) -> None:
    iam = emulator.client("iam")
    iam.create_user(UserName="u")
    with pytest.raises(ClientError) as refused:
        iam.attach_user_policy(UserName="u", PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    assert refused.value.response["Error"]["Code"] == "NoSuchEntity"


def test_the_roles_are_there_when_another_service_was_asked_first() -> None:
    program = """
from tests.emulators import InProcess

with InProcess.started() as emulator:
    emulator.client("sts").get_caller_identity()
    print(*sorted(role["RoleName"] for role in emulator.client("iam").list_roles()["Roles"]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["AWSServiceRoleForECS", "ecsTaskExecutionRole"]
