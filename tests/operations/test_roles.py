"""The roles of tasks: they exist and trust ECS's tasks, or nothing runs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulators import InProcess
from tests.neighbours.test_front import ROLE
from tests.operations.helpers import WEB, refused, run

HOME = "arn:aws:iam::000000000000:role"


def words(role: str) -> str:
    return (
        f"ECS was unable to assume the role '{role}' that was provided for this task. Please verify that the role "
        "being passed has the proper trust relationship and permissions and that your IAM user has permissions to "
        "pass this role."
    )


def trusting(service: str, **condition: Any) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**statement, **condition}]})


@pytest.mark.parametrize("member", ["taskRoleArn", "executionRoleArn"])
def test_a_role_that_does_not_exist_is_refused_when_a_task_is_run(emulator: InProcess, member: str) -> None:
    ecs = emulator.ecs
    ecs.create_cluster()
    ecs.register_task_definition(**WEB, **{member: f"{HOME}/nobody"})
    with refused("ClientException", words(f"{HOME}/nobody")):
        run(ecs)
    assert ecs.list_tasks()["taskArns"] == []


@pytest.mark.parametrize("member", ["taskRoleArn", "executionRoleArn"])
def test_an_overriding_role_has_to_exist_too(emulator: InProcess, member: str) -> None:
    emulator.ecs.create_cluster()
    emulator.ecs.register_task_definition(**WEB, **{member: f"{HOME}/nobody"})
    with refused("ClientException", words(f"{HOME}/none")):
        run(emulator.ecs, overrides={member: f"{HOME}/none"})
    assert run(emulator.ecs, overrides={member: f"{HOME}/ecsTaskExecutionRole"})["lastStatus"] == "PROVISIONING"


@pytest.mark.parametrize("name", ["mine", "/a/path/mine", f"{HOME}/mine"])
def test_a_role_is_named_by_its_name_or_arn(emulator: InProcess, name: str) -> None:
    path = "/a/path/" if "path" in name else "/"
    emulator.client("iam").create_role(RoleName="mine", Path=path, AssumeRolePolicyDocument=ROLE)
    emulator.ecs.create_cluster()
    emulator.ecs.register_task_definition(**WEB, taskRoleArn=name)
    assert run(emulator.ecs)["lastStatus"] == "PROVISIONING"


@pytest.mark.parametrize(
    ("trust", "is_enough"),
    [
        (trusting("ecs-tasks.amazonaws.com"), True),
        (trusting("ec2.amazonaws.com"), False),
        (trusting("ecs.amazonaws.com"), False),
        (
            trusting(
                "ecs-tasks.amazonaws.com",
                Condition={
                    "StringEquals": {"aws:SourceAccount": "000000000000"},
                    "ArnLike": {"aws:SourceArn": "arn:aws:ecs:us-east-1:000000000000:*"},
                },
            ),
            True,
        ),
        (
            trusting("ecs-tasks.amazonaws.com", Condition={"StringEquals": {"aws:SourceAccount": "123456789012"}}),
            False,
        ),
    ],
)
def test_a_role_has_to_trust_ecs_s_tasks(emulator: InProcess, trust: str, *, is_enough: bool) -> None:
    emulator.client("iam").create_role(RoleName="mine", AssumeRolePolicyDocument=trust)
    emulator.ecs.create_cluster()
    emulator.ecs.register_task_definition(**WEB, taskRoleArn="mine")
    if is_enough:
        assert run(emulator.ecs)["lastStatus"] == "PROVISIONING"
    else:
        with refused("ClientException", words(f"{HOME}/mine")):
            run(emulator.ecs)


@pytest.mark.parametrize("role", ["arn:aws:iam::123456789012:role/ecsTaskExecutionRole", "arn:aws:iam:::role/r"])
def test_a_role_of_another_account_is_none(emulator: InProcess, role: str) -> None:
    emulator.ecs.create_cluster()
    emulator.ecs.register_task_definition(**WEB, taskRoleArn=role)
    with refused("ClientException", words(role)):
        run(emulator.ecs)


def test_roles_are_not_looked_for_where_nobody_answers_for_iam() -> None:
    with InProcess.started(neighbours="none") as emulator:
        emulator.ecs.create_cluster()
        emulator.ecs.register_task_definition(**WEB, executionRoleArn="nobody")
        assert run(emulator.ecs)["lastStatus"] == "PROVISIONING"


def test_an_iam_that_is_gone_is_no_no() -> None:
    with InProcess.started(endpoints=(("iam", "http://127.0.0.1:9"),)) as emulator:
        emulator.ecs.create_cluster()
        emulator.ecs.register_task_definition(**WEB, taskRoleArn="mine")
        with pytest.raises(emulator.ecs.exceptions.ServerException, match="Nobody can say whether the task's roles"):
            run(emulator.ecs)
