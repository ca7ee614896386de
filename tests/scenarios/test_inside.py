"""What unmodified code in a task finds: the account's API, and the credentials of its role."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import docker
import pytest
import requests

from tests.emulators import Served, client, served
from tests.operations.helpers import NETWORK
from tests.python_image import import_python
from tests.scenarios.tasks import address_of, container, define, ended, lines, started

pytestmark = pytest.mark.docker

ROLE = "arn:aws:iam::000000000000:role/app"
FOR_TASKS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
WHO = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])"
STAY = "import time; time.sleep(1000)"


@pytest.fixture(scope="session")
def python(engine: docker.APIClient) -> str:
    return import_python(engine)


@pytest.fixture(scope="module")
def emulator(engine: docker.APIClient) -> Iterator[Served]:
    with served("--ephemeral", "--runtime", "docker") as running:
        client(running.url, "iam").create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(FOR_TASKS))
        yield running


@pytest.fixture(scope="module")
def ecs(emulator: Served) -> Any:
    return emulator.ecs


def code(image: str, *lines: str) -> dict[str, Any]:
    """A container that runs Python lines and stays."""
    return {"name": "app", "image": image, "command": ["python", "-uc", "\n".join((*lines, STAY))], "stopTimeout": 2}


def program(ecs: Any, family: str, *containers: dict[str, Any], **members: Any) -> None:
    """A definition with a whole core, as importing boto3 takes a while."""
    define(ecs, family, *containers, **{"cpu": "1024", "memory": "2048", "taskRoleArn": ROLE, **members})


def first_line(engine: docker.APIClient, task: dict[str, Any]) -> str:
    """The first line that the task's container prints; waits until it does."""
    return next(lines(engine, task, "app"))


def stopped(ecs: Any, task: dict[str, Any]) -> dict[str, Any]:
    ecs.stop_task(task=task["taskArn"])
    return ended(ecs, task)


def identity(task: dict[str, Any]) -> str:
    """Who a task is to STS."""
    return f"arn:aws:sts::000000000000:assumed-role/app/{task['taskArn'].rsplit('/', 1)[1]}"


def test_an_sdk_without_configuration_is_the_tasks_role(ecs: Any, engine: docker.APIClient, python: str) -> None:
    program(ecs, "role", code(python, WHO))
    task = started(ecs, "role")
    assert first_line(engine, task) == identity(task)
    stopped(ecs, task)


def test_without_a_task_role_it_has_no_credentials(ecs: Any, engine: docker.APIClient, python: str) -> None:
    ask = f"try:\n {WHO}\nexcept Exception as error: print(type(error).__name__)"
    program(ecs, "nobody", code(python, ask), taskRoleArn="")
    task = started(ecs, "nobody")
    assert first_line(engine, task) == "NoCredentialsError"
    stopped(ecs, task)


def test_it_finds_its_own_task_at_the_same_url_as_outside(
    emulator: Served, ecs: Any, engine: docker.APIClient, python: str
) -> None:
    ask = "import os, boto3; print(os.environ['AWS_ENDPOINT_URL'], *boto3.client('ecs').list_tasks()['taskArns'])"
    program(ecs, "itself", code(python, ask))
    task = started(ecs, "itself")
    assert first_line(engine, task) == f"{emulator.url} {task['taskArn']}"
    stopped(ecs, task)


def test_the_cli_finds_its_own_task(ecs: Any, engine: docker.APIClient) -> None:
    image = import_python(engine, cli=True)
    ask = "aws ecs list-tasks --query taskArns --output text; sleep 1000"
    program(ecs, "cli", {"name": "app", "image": image, "command": ["sh", "-c", ask], "stopTimeout": 2})
    task = started(ecs, "cli")
    assert first_line(engine, task) == task["taskArn"]
    stopped(ecs, task)


ASK = r"""{ printf 'GET %s HTTP/1.0\r\n\r\n' "$path"; sleep 2; } | nc 169.254.170.2 80 | tail -n 1; echo; sleep 1000"""
OWN = f"path=$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI; {ASK}"
"""Prints the task's credentials."""


def test_anothers_credentials_are_refused(ecs: Any, engine: docker.APIClient) -> None:
    program(ecs, "victim", container("app", "echo $AWS_CONTAINER_CREDENTIALS_RELATIVE_URI; sleep 1000", stopTimeout=2))
    victim = started(ecs, "victim")
    path = first_line(engine, victim)
    assert path.startswith("/v2/credentials/")
    program(ecs, "thief", container("app", f"path={path}; {ASK}", stopTimeout=2))
    thief = started(ecs, "thief")
    assert json.loads(first_line(engine, thief)) == {
        "code": "InvalidIdInRequest",
        "message": "CredentialsV2Request: Credentials not found",
        "HTTPErrorCode": 400,
    }
    stopped(ecs, victim)
    stopped(ecs, thief)


def test_ten_tasks_at_once_are_each_who_they_are_until_they_stop(
    emulator: Served, ecs: Any, engine: docker.APIClient
) -> None:
    define(ecs, "many", container("app", OWN, stopTimeout=2), taskRoleArn="app")
    request = {"taskDefinition": "many", "launchType": "FARGATE", "count": 10}
    arns = [task["taskArn"] for task in ecs.run_task(**request, networkConfiguration=NETWORK)["tasks"]]
    ecs.get_waiter("tasks_running").wait(tasks=arns, WaiterConfig={"Delay": 0.2, "MaxAttempts": 600})
    keys = {}
    for task in ecs.describe_tasks(tasks=arns)["tasks"]:
        found = json.loads(first_line(engine, task))
        assert list(found) == ["RoleArn", "AccessKeyId", "SecretAccessKey", "Token", "Expiration"]
        keys[found["AccessKeyId"]] = identity(task)
    assert len(keys) == 10
    assert {key: who(emulator, key) for key in keys} == keys
    for arn in arns:
        ecs.stop_task(task=arn)
    ecs.get_waiter("tasks_stopped").wait(tasks=arns, WaiterConfig={"Delay": 0.2, "MaxAttempts": 600})
    assert {who(emulator, key) for key in keys} == {"arn:aws:sts::000000000000:user/moto"}


def who(emulator: Served, access_key_id: str) -> str:
    """Who a key is to STS, asked from outside."""
    found: str = client(emulator.url, "sts", account=access_key_id).get_caller_identity()["Arn"]
    return found


def test_a_container_may_serve_port_80(ecs: Any) -> None:
    """Which is the endpoint's, at another address."""
    define(ecs, "web", container("app", "echo page > /tmp/index.html; exec httpd -f -p 80 -h /tmp", stopTimeout=2))
    task = started(ecs, "web")
    assert requests.get(f"http://{address_of(task)}/index.html", timeout=10).text == "page\n"
    stopped(ecs, task)


def test_what_a_definition_says_of_the_api_counts(ecs: Any, engine: docker.APIClient) -> None:
    given = [{"name": "AWS_ENDPOINT_URL", "value": "https://aws.example"}]
    define(ecs, "own", container("app", "echo $AWS_ENDPOINT_URL; sleep 1000", environment=given, stopTimeout=2))
    task = started(ecs, "own")
    assert first_line(engine, task) == "https://aws.example"
    stopped(ecs, task)
