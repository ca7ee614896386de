"""What tests of operations share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.builders import SUBNET

NETWORK = {"awsvpcConfiguration": {"subnets": [SUBNET]}}
WEB: dict[str, Any] = {
    "family": "web",
    "requiresCompatibilities": ["FARGATE"],
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
    "containerDefinitions": [{"name": "web", "image": "web:1"}],
}


@contextmanager
def refused(code: str, message: str, status: int = 400) -> Iterator[None]:
    """The block ends with this error of the API."""
    with pytest.raises(ClientError) as caught:
        yield
    found = caught.value.response
    assert (found["Error"]["Code"], found["Error"]["Message"]) == (code, message)
    assert found["ResponseMetadata"]["HTTPStatusCode"] == status


def scripted(**labels: str) -> dict[str, Any]:
    """A definition whose one container follows a script of the simulated runtime."""
    script = {f"emulator.{name.replace('_', '-')}": value for name, value in labels.items()}
    return {**WEB, "containerDefinitions": [{"name": "web", "image": "web:1", "dockerLabels": script}]}


def run(ecs: Any, **request: Any) -> dict[str, Any]:
    """RunTask of `web` on Fargate; the only task of the answer."""
    given = {"taskDefinition": "web", "launchType": "FARGATE", "networkConfiguration": NETWORK, **request}
    answer = ecs.run_task(**{name: value for name, value in given.items() if value is not None})
    assert answer["failures"] == []
    task: dict[str, Any] = answer["tasks"][0]
    return task


def describe(ecs: Any, task: dict[str, Any], **request: Any) -> dict[str, Any]:
    """A task as DescribeTasks shows it now."""
    answer = ecs.describe_tasks(cluster=task["clusterArn"], tasks=[task["taskArn"]], **request)
    assert answer["failures"] == []
    found: dict[str, Any] = answer["tasks"][0]
    return found
