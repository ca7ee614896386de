"""What real containers see of secrets and environment files, and how their private images come."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
import pytest
import requests

from tests.emulators import Served, client, served
from tests.operations.helpers import run
from tests.runtime.docker_registry import Registry
from tests.scenarios.tasks import STAY, containers_of, define, ended, started

pytestmark = pytest.mark.docker

ROLE = "arn:aws:iam::000000000000:role/ecsTaskExecutionRole"


@pytest.fixture
def emulator(engine: docker.APIClient, tmp_path: Path) -> Iterator[Served]:
    with served("--state-dir", str(tmp_path), "--runtime", "docker", "--pool", "0") as emulator:
        yield emulator
        assert requests.post(f"{emulator.url}/_emulator/reset", timeout=60).status_code == 200


def test_a_container_sees_its_secrets_and_files(emulator: Served, engine: docker.APIClient, tmp_path: Path) -> None:
    manager, ssm, s3 = (client(emulator.url, service=service) for service in ("secretsmanager", "ssm", "s3"))
    arn = manager.create_secret(Name="db", SecretString=json.dumps({"user": "me & you", "port": 5432}))["ARN"]
    ssm.put_parameter(Name="/db/password", Value="hu$h\n'\"", Type="SecureString")
    s3.create_bucket(Bucket="files")
    s3.put_object(Bucket="files", Key="web.env", Body=b"FILE=from a file\nBOTH=file\n# A=0\n")
    define(
        emulator.ecs,
        "fetched",
        {
            "name": "web",
            "image": "local/busybox:1",
            "command": STAY,
            "environment": [{"name": "BOTH", "value": "definition"}],
            "environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::files/web.env"}],
            "secrets": [
                {"name": "USER", "valueFrom": f"{arn}:user::"},
                {"name": "PORT", "valueFrom": f"{arn}:port::"},
                {"name": "PASSWORD", "valueFrom": "/db/password"},
            ],
        },
        executionRoleArn=ROLE,
    )
    task = started(emulator.ecs, "fetched")
    labels = {"com.amazonaws.ecs.task-arn": task["taskArn"], "com.amazonaws.ecs.container-name": "web"}
    (container,) = containers_of(engine, **labels)
    call = engine.exec_create(container["Id"], ["cat", "/proc/1/environ"])
    environ = dict(line.split("=", 1) for line in bytes(engine.exec_start(call["Id"])).decode().split("\0") if line)
    wanted = {
        "USER": "me & you",
        "PORT": "5432",
        "PASSWORD": "hu$h\n'\"",
        "FILE": "from a file",
        "BOTH": "definition",
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
    }
    assert {name: environ.get(name) for name in wanted} == wanted
    assert "A" not in environ
    ours = [path for path in tmp_path.iterdir() if not path.name.startswith("neighbours")]  # other services keep them
    stored = b"".join(path.read_bytes() for path in ours)
    assert task["taskArn"].encode() in stored
    assert b"me & you" not in stored
    assert b"hu$h" not in stored
    assert b"from a file" not in stored


def test_a_secret_that_no_variable_can_hold_is_not_told(emulator: Served) -> None:
    client(emulator.url, service="ssm").put_parameter(Name="zero", Value="hush\0hush", Type="String")
    define(
        emulator.ecs,
        "zero",
        {
            "name": "web",
            "image": "local/busybox:1",
            "command": STAY,
            "secrets": [{"name": "A", "valueFrom": "zero"}],
        },
        executionRoleArn=ROLE,
    )
    found = ended(emulator.ecs, run(emulator.ecs, taskDefinition="zero"))
    assert found["containers"][0]["reason"] == (
        "CannotStartContainerError: environment variable value can't contain null(\\x00): 'A'"
    )
    assert "hush" not in json.dumps(found, default=str)


@pytest.fixture
def registry(engine: docker.APIClient) -> Iterator[Registry]:
    registry = Registry(engine.version()["Arch"], login=("me", "hush"))
    yield registry
    registry.close()
    with suppress(docker.errors.ImageNotFound):
        engine.remove_image(f"{registry.host}/good/app:1", force=True)


def test_a_private_image_is_pulled_with_the_secrets_login(emulator: Served, registry: Registry) -> None:
    manager = client(emulator.url, service="secretsmanager")
    manager.create_secret(Name="registry", SecretString=json.dumps({"username": "me", "password": "wrong"}))
    private: dict[str, Any] = {
        "name": "web",
        "image": f"{registry.host}/good/app:1",
        "command": STAY,
        "repositoryCredentials": {"credentialsParameter": "registry"},
    }
    define(emulator.ecs, "private", private, executionRoleArn=ROLE)
    reason = ended(emulator.ecs, run(emulator.ecs, taskDefinition="private"))["stoppedReason"]
    assert reason.startswith("CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to")
    assert "pull access denied" in reason
    manager.put_secret_value(SecretId="registry", SecretString=json.dumps({"username": "me", "password": "hush"}))
    assert started(emulator.ecs, "private")["lastStatus"] == "RUNNING"
