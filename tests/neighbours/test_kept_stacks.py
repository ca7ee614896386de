"""Stacks are there again when the emulator was killed and started anew, and what they made of ECS was made once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.emulators import Served, client, served
from tests.neighbours.stacks import FARGATE

APP = {"StackName": "app", "TemplateBody": json.dumps(FARGATE), "Capabilities": ["CAPABILITY_IAM"]}


def kept(folder: Path) -> Any:
    return served("--runtime", "simulated", "--state-dir", str(folder))


def looks(emulator: Served) -> Any:
    """Of the stack: itself, its events and resources, and what there is of ECS and IAM."""
    stacks, iam = client(emulator.url, "cloudformation"), client(emulator.url, "iam")
    answers = (
        stacks.describe_stacks(StackName="app")["Stacks"],
        stacks.describe_stack_events(StackName="app")["StackEvents"],
        stacks.describe_stack_resources(StackName="app")["StackResources"],
        emulator.ecs.list_clusters()["clusterArns"],
        emulator.ecs.list_task_definitions()["taskDefinitionArns"],
        [role["Arn"] for role in iam.list_roles()["Roles"]],
    )
    return json.loads(json.dumps(answers, default=str))


def test_a_stack_survives_a_kill_and_makes_nothing_twice(tmp_path: Path) -> None:
    with kept(tmp_path) as first:
        stacks = client(first.url, "cloudformation")
        stacks.create_stack(**APP)
        stacks.get_waiter("stack_create_complete").wait(StackName="app", WaiterConfig={"Delay": 0})
        before = looks(first)
        first.kill()
    with kept(tmp_path) as second:
        assert looks(second) == before
        stacks = client(second.url, "cloudformation")
        stacks.update_stack(**APP, Parameters=[{"ParameterKey": "Memory", "ParameterValue": "1024"}])
        stacks.get_waiter("stack_update_complete").wait(StackName="app", WaiterConfig={"Delay": 0})
        assert [arn.rsplit(":", 1)[1] for arn in second.ecs.list_task_definitions()["taskDefinitionArns"]] == ["2"]
        second.kill()
    with kept(tmp_path) as third:
        stacks = client(third.url, "cloudformation")
        stacks.delete_stack(StackName="app")
        stacks.get_waiter("stack_delete_complete").wait(StackName="app", WaiterConfig={"Delay": 0})
        assert third.ecs.list_clusters()["clusterArns"] == []
        assert third.ecs.list_task_definitions()["taskDefinitionArns"] == []
