"""Small words for scenarios: define, run, await, look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker

from tests.operations.helpers import run
from tests.scenarios.conftest import IMAGE

STAY = ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.1; done"]
"""Runs until it gets SIGTERM, and then ends with 0."""


def container(name: str, *script: str, **members: Any) -> dict[str, Any]:
    """A container that runs a shell script; without one it stays until it is stopped."""
    command = ["sh", "-c", *script] if script else STAY
    return {"name": name, "image": IMAGE, "command": command, **members}


def define(ecs: Any, family: str, *containers: dict[str, Any], **members: Any) -> None:
    """A Fargate definition, and a default cluster to run it on."""
    ecs.create_cluster()
    ecs.register_task_definition(
        **{
            "family": family,
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
            "cpu": "256",
            "memory": "512",
            "containerDefinitions": list(containers),
            **members,
        }
    )


def started(ecs: Any, family: str, **request: Any) -> dict[str, Any]:
    """A task that runs."""
    task = run(ecs, taskDefinition=family, **request)
    ecs.get_waiter("tasks_running").wait(tasks=[task["taskArn"]], WaiterConfig={"Delay": 0.1, "MaxAttempts": 600})
    return look(ecs, task)


def ended(ecs: Any, task: dict[str, Any]) -> dict[str, Any]:
    """A task that has stopped."""
    ecs.get_waiter("tasks_stopped").wait(tasks=[task["taskArn"]], WaiterConfig={"Delay": 0.1, "MaxAttempts": 600})
    return look(ecs, task)


def look(ecs: Any, task: dict[str, Any]) -> dict[str, Any]:
    """A task as it is now."""
    found: dict[str, Any] = ecs.describe_tasks(tasks=[task["taskArn"]])["tasks"][0]
    return found


def address_of(task: dict[str, Any]) -> str:
    """The private address of a task's network interface."""
    details: dict[str, str] = {pair["name"]: pair["value"] for pair in task["attachments"][0]["details"]}
    return details["privateIPv4Address"]


def exit_codes(task: dict[str, Any]) -> dict[str, int | None]:
    """The exit code of each container; None where there is none."""
    return {found["name"]: found.get("exitCode") for found in task["containers"]}


def containers_of(engine: docker.APIClient, **labels: str) -> list[dict[str, Any]]:
    """The daemon's containers, running or not, that carry these labels (`task_arn` for our label's dashes)."""
    wanted = [f"{name}={value}" for name, value in labels.items()]
    return list(engine.containers(all=True, filters={"label": wanted}))


def is_spare(container: dict[str, Any]) -> bool:
    """Is a container, as the daemon lists it, a network namespace for a task to come?"""
    return bool(container["Names"][0].startswith("/ecs-spare-"))


def lines(engine: docker.APIClient, task: dict[str, Any], name: str) -> Iterator[str]:
    """What a container prints, line by line as it comes, until it ends."""
    labels = {"com.amazonaws.ecs.task-arn": task["taskArn"], "com.amazonaws.ecs.container-name": name}
    (found,) = containers_of(engine, **labels)
    url = f"{engine.base_url}/v{engine.api_version}/containers/{found['Id']}/logs"
    text = b""
    # Not engine.logs, which leaves its socket to the garbage collector.
    with engine.get(url, params={"stdout": 1, "follow": 1}, stream=True, timeout=60) as answer:
        while head := answer.raw.read(8):
            *whole, text = (text + answer.raw.read(int.from_bytes(head[4:], "big"))).split(b"\n")
            yield from (line.decode() for line in whole)


def cgroups() -> set[str]:
    """The cgroup folders that tasks have, in any controller."""
    return {path.name for path in Path("/sys/fs/cgroup").glob("*/ecs/*") if path.is_dir()}
