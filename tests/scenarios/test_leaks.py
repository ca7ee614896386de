"""Many short tasks leave the machine and the emulator as they were.

`python -m tests.scenarios.test_leaks 1000` does it with more of them than the test has time for.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
import requests

from emulator.config import Config
from tests.emulators import Served, served
from tests.images import import_busybox
from tests.operations.helpers import NETWORK
from tests.scenarios.tasks import cgroups, container, containers_of, define, is_spare

pytestmark = pytest.mark.docker

AT_ONCE = 10


@dataclass(frozen=True)
class Traces:
    """What an emulator has of its own, and on the machine. Memory in MiB."""

    containers: int
    spares: int
    cgroups: int
    networks: int
    descriptors: int
    threads: int
    memory: float


def traces(emulator: Served, engine: docker.APIClient, mine: set[str]) -> Traces:
    """`mine`: the ids of the tasks that were run; other emulators may be at work on the same machine."""
    instance = requests.get(f"{emulator.url}/_emulator/health", timeout=10).json()["instance"]
    ours = containers_of(engine, **{"ecs-emulator.instance": instance})
    process = Path(f"/proc/{emulator.process.pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    return Traces(
        containers=len([found for found in ours if not is_spare(found)]),
        spares=len([found for found in ours if is_spare(found)]),
        cgroups=len(cgroups() & mine),
        networks=len(engine.networks(filters={"label": "ecs-emulator.vpc=10.200.0.0/16"})),
        descriptors=len(list((process / "fd").iterdir())),
        threads=int(status["Threads"]),
        memory=int(status["VmRSS"].split()[0]) / 1024,
    )


def run_many(ecs: Any, count: int) -> set[str]:
    """Run so many short tasks to their end, ten at once; their ids."""
    ids: set[str] = set()
    for _ in range(count // AT_ONCE):
        request = {"taskDefinition": "short", "launchType": "FARGATE", "count": AT_ONCE}
        arns = [task["taskArn"] for task in ecs.run_task(**request, networkConfiguration=NETWORK)["tasks"]]
        ecs.get_waiter("tasks_stopped").wait(tasks=arns, WaiterConfig={"Delay": 0.1, "MaxAttempts": 3000})
        for task in ecs.describe_tasks(tasks=arns)["tasks"]:
            assert [each["exitCode"] for each in task["containers"]] == [3], task
        ids |= {arn.rsplit("/", 1)[1] for arn in arns}
    return ids


def soak(engine: docker.APIClient, count: int) -> tuple[Traces, Traces]:
    """Traces after the first few tasks, and after so many more."""
    with served("--ephemeral", "--runtime", "docker") as emulator:
        define(emulator.ecs, "short", container("web", "exit 3"), taskRoleArn="ecsTaskExecutionRole")
        first = run_many(emulator.ecs, 2 * AT_ONCE)
        before = traces(emulator, engine, first)
        ids = run_many(emulator.ecs, count)
        return before, traces(emulator, engine, first | ids)


def test_many_tasks_leave_nothing_and_cost_nothing(engine: docker.APIClient) -> None:
    before, after = soak(engine, 60)
    assert after.cgroups == 0
    assert after.containers == 0
    assert after.spares <= Config().pool
    assert after.networks == before.networks == 1
    # Connections and worker threads come and go within their pools.
    assert after.descriptors <= before.descriptors + 8
    assert after.threads <= before.threads + 4
    assert after.memory <= before.memory + 8


def main() -> None:
    client = docker.APIClient()
    import_busybox(client)
    for name, found in zip(("before", "after"), soak(client, int(sys.argv[1])), strict=True):
        sys.stdout.write(f"{name}: {asdict(found)}\n")
    client.close()


if __name__ == "__main__":
    main()
