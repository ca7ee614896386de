"""Calls of ECS that several benchmarks make."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from benchmarks.daemon import COMMAND
from benchmarks.wire import Connection, ecs_request
from emulator.state.networks import default_network

PATIENCE = 120.0
BETWEEN_LOOKS = 0.02
OURS = default_network("000000000000", "us-east-1")
"""Of the account and region that the benchmarks' requests are for."""
NETWORK: dict[str, Any] = {"subnets": list(OURS.subnets), "securityGroups": [OURS.security_group]}
"""Three subnets have room for 12,000 addresses."""


ONE_SUBNET: dict[str, Any] = {**NETWORK, "subnets": NETWORK["subnets"][:1]}
"""Where it matters that a namespace is ready in the very subnet."""


class TaskFailedError(Exception):
    """A task did not become what it should."""


def two_containers(family: str, image: str = "local/busybox:1") -> dict[str, Any]:
    """A task definition of an ordinary size.

    Its containers have memory of their own, without which moto (5.2.5) answers 500 to RunTask.
    """
    web: dict[str, Any] = {
        "name": "web",
        "image": image,
        "essential": True,
        "cpu": 128,
        "memory": 256,
        "portMappings": [{"containerPort": 8080, "protocol": "tcp"}],
        "environment": [{"name": "STAGE", "value": "test"}, {"name": "LEVEL", "value": "info"}],
    }
    helper = {
        "name": "helper",
        "image": image,
        "essential": False,
        "cpu": 64,
        "memory": 128,
        "command": ["sh", "-c", "sleep 600"],
    }
    return {**_fargate(family), "containerDefinitions": [web, helper]}


def one_line(family: str, image: str) -> dict[str, Any]:
    """A task definition of one container, which says one line and stays."""
    container = {"name": "app", "image": image, "essential": True, "command": list(COMMAND)}
    return {**_fargate(family), "containerDefinitions": [container]}


def _fargate(family: str) -> dict[str, Any]:
    return {
        "family": family,
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
    }


def run_request(task_definition: str, count: int = 1, network: Mapping[str, Any] = NETWORK) -> dict[str, Any]:
    """The members of RunTask."""
    return {
        "taskDefinition": task_definition,
        "launchType": "FARGATE",
        "count": count,
        "networkConfiguration": {"awsvpcConfiguration": dict(network)},
    }


def arns(answer: bytes) -> list[str]:
    """The tasks of RunTask's answer. Raises TaskFailedError if there is none."""
    content = json.loads(answer)
    if not content["tasks"]:
        raise TaskFailedError(f"RunTask made no task: {content['failures']}")
    return [str(task["taskArn"]) for task in content["tasks"]]


def run_one(connection: Connection, task_definition: str, network: Mapping[str, Any] = NETWORK) -> str:
    """Run a task and give its ARN."""
    return arns(connection.call(ecs_request("RunTask", **run_request(task_definition, network=network))))[0]


def wait_until(connection: Connection, task_arn: str, status: str) -> None:
    """Wait until a task has this status. Raises TaskFailedError when it stops instead, or takes too long."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        task = connection.ask("DescribeTasks", tasks=[task_arn])["tasks"][0]
        if task["lastStatus"] == status:
            return
        if task["lastStatus"] == "STOPPED":
            raise TaskFailedError(f"{task_arn} stopped: {task.get('stoppedReason')}")
        time.sleep(BETWEEN_LOOKS)
    raise TaskFailedError(f"{task_arn} is not {status} after {PATIENCE:g} s")


def all_running(connection: Connection, task_arns: list[str]) -> None:
    """Wait until all of up to a hundred tasks run. Raises TaskFailedError."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = {task["lastStatus"] for task in connection.ask("DescribeTasks", tasks=task_arns)["tasks"]}
        if found == {"RUNNING"}:
            return
        if "STOPPED" in found:
            raise TaskFailedError("a task stopped by itself")
        time.sleep(BETWEEN_LOOKS)
    raise TaskFailedError(f"not all of {len(task_arns)} tasks run after {PATIENCE:g} s")


def stop(connection: Connection, task_arn: str) -> None:
    """Stop a task and wait for its end."""
    connection.ask("StopTask", task=task_arn)
    wait_until(connection, task_arn, "STOPPED")
