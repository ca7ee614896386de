"""The container engine goes away and comes back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import docker
import pytest
import requests
from botocore.exceptions import ClientError

from tests.emulators import Served, served
from tests.operations.helpers import run
from tests.relay import Relay
from tests.scenarios.tasks import container, define, ended, exit_codes, look, started

pytestmark = pytest.mark.docker


def engine_is(emulator: Served, status: str) -> None:
    """Ask until the emulator has noticed, a minute at most."""
    deadline = time.monotonic() + 60
    while health(emulator)["runtime"]["engine"] != status:
        assert time.monotonic() < deadline, f"the engine was never {status}"


def health(emulator: Served) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(f"{emulator.url}/_emulator/health", timeout=10).json()
    return found


def test_tasks_keep_their_state_while_the_daemon_is_gone_and_go_on_when_it_is_back(
    tmp_path: Path, engine: docker.APIClient
) -> None:
    relay = Relay(tmp_path / "docker.sock")
    with served("--ephemeral", "--runtime", "docker", DOCKER_HOST=relay.url) as emulator:
        ecs = emulator.ecs
        define(ecs, "lasting", container("web"), container("side", "trap 'exit 6' USR1; while :; do sleep 0.1; done"))
        task = started(ecs, "lasting")
        relay.cut()
        engine_is(emulator, "unreachable")
        assert look(ecs, task)["lastStatus"] == "RUNNING"
        with pytest.raises(ClientError) as caught:
            run(ecs, taskDefinition="lasting")
        assert caught.value.response["Error"]["Code"] == "ServerException"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
        assert health(emulator)["status"] == "degraded"
        side = engine.containers(filters={"label": ["com.amazonaws.ecs.container-name=side"]})
        (id_,) = [each["Id"] for each in side if each["Labels"]["com.amazonaws.ecs.task-arn"] == task["taskArn"]]
        engine.kill(id_, signal="USR1")
        relay.restore()
        engine_is(emulator, "connected")
        assert exit_codes(ended(ecs, task))["side"] == 6
        another = started(ecs, "lasting")
        ecs.stop_task(task=another["taskArn"])
        ended(ecs, another)
    relay.cut()
