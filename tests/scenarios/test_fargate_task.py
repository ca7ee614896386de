"""A Fargate task on a real daemon: what its containers share, what bounds them, how they end."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import requests

from tests.builders import SUBNETS
from tests.emulators import Served, served
from tests.operations.helpers import run
from tests.scenarios.tasks import (
    address_of,
    cgroups,
    container,
    containers_of,
    define,
    ended,
    exit_codes,
    look,
    started,
)

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def emulator(engine: docker.APIClient) -> Iterator[Served]:
    with served("--ephemeral", "--runtime", "docker") as running:
        yield running


@pytest.fixture(scope="module")
def ecs(emulator: Served) -> Any:
    return emulator.ecs


def test_containers_talk_over_localhost_and_the_address_answers_from_the_host(ecs: Any) -> None:
    page = "mkdir /tmp/www; echo hello > /tmp/www/index.html; httpd -p 8080 -h /tmp/www"
    ask = r"""until printf 'GET / HTTP/1.0\r\n\r\n' | nc 127.0.0.1 8080 | grep hello; do sleep 0.1; done; exit 7"""
    define(
        ecs,
        "pair",
        container("server", f"trap 'exit 0' TERM; {page}; while true; do sleep 0.1; done"),
        container("client", ask, essential=False),
    )
    task = started(ecs, "pair")
    with urllib.request.urlopen(f"http://{address_of(task)}:8080/", timeout=10) as answer:
        assert answer.read() == b"hello\n"
    while exit_codes(task)["client"] is None:
        task = look(ecs, task)
    ecs.stop_task(task=task["taskArn"])
    assert exit_codes(ended(ecs, task)) == {"server": 0, "client": 7}


def test_two_tasks_reach_each_other_at_their_addresses(ecs: Any) -> None:
    define(ecs, "listener", container("one", "nc -l -p 9000 -e echo spoken; exit 0"))
    listener = started(ecs, "listener")
    script = f"until nc {address_of(listener)} 9000 </dev/null | grep spoken; do sleep 0.1; done; exit 5"
    define(ecs, "caller", container("two", script))
    assert exit_codes(ended(ecs, run(ecs, taskDefinition="caller"))) == {"two": 5}


def test_a_container_gets_what_its_definition_says(ecs: Any) -> None:
    checks = {
        "environment": container("environment", '[ "$A" = "b c" ]', environment=[{"name": "A", "value": "b c"}]),
        "region": container("region", '[ "$AWS_REGION $AWS_EXECUTION_ENV" = "us-east-1 AWS_ECS_FARGATE" ]'),
        "user": container("user", '[ "$(id -u)" = 65534 ]', user="nobody"),
        "folder": container("folder", '[ "$PWD" = /tmp ]', workingDirectory="/tmp"),
        "readonly": container("readonly", "! touch /x", readonlyRootFilesystem=True),
        "ulimits": container("ulimits", '[ "$(ulimit -n)" = 77 ]', ulimits=[nofile(77)]),
        "entry": {"name": "entry", "image": "local/busybox:1", "entryPoint": ["test"], "command": ["a", "=", "a"]},
        "init": container("init", '[ "$(cat /proc/1/comm)" != sh ]', linuxParameters={"initProcessEnabled": True}),
        "hostname": container("hostname", "hostname | grep -q '^ip-10-.*ec2.internal$'"),
    }
    stay = container("stay", "until [ -e /gone ]; do sleep 0.1; done", stopTimeout=2)
    define(ecs, "checks", stay, *({**check, "essential": False} for check in checks.values()))
    task = started(ecs, "checks")
    while None in (codes := {name: exit_codes(task)[name] for name in checks}).values():
        task = look(ecs, task)
    assert codes == dict.fromkeys(checks, 0)
    ecs.stop_task(task=task["taskArn"])
    ended(ecs, task)


def nofile(limit: int) -> dict[str, Any]:
    return {"name": "nofile", "softLimit": limit, "hardLimit": limit}


def test_overrides_reach_the_container(ecs: Any) -> None:
    define(ecs, "plain", container("web", "exit 1", environment=[{"name": "A", "value": "no"}]))
    override = {"name": "web", "command": ["sh", "-c", "exit $A"], "environment": [{"name": "A", "value": "33"}]}
    task = run(ecs, taskDefinition="plain", overrides={"containerOverrides": [override]})
    assert exit_codes(ended(ecs, task)) == {"web": 33}


@pytest.mark.xdist_group("out-of-memory")
def test_the_memory_of_the_task_bounds_its_containers(ecs: Any) -> None:
    define(ecs, "greedy", container("web", "tail /dev/zero"))
    task = ended(ecs, run(ecs, taskDefinition="greedy"))
    (found,) = task["containers"]
    assert found["exitCode"] == 137
    assert found["reason"] == "OutOfMemoryError: Container killed due to memory usage"
    assert task["stoppedReason"] == "Essential container in task exited"


def test_the_cpu_of_the_task_bounds_its_containers_together(ecs: Any) -> None:
    define(ecs, "spinning", container("web"))
    task = started(ecs, "spinning")
    id_ = task["taskArn"].rsplit("/", 1)[1]
    assert Path(f"/sys/fs/cgroup/cpu/ecs/{id_}/cpu.cfs_quota_us").read_text().strip() == "25000"
    ecs.stop_task(task=task["taskArn"])
    ended(ecs, task)


def test_a_stop_is_heeded(ecs: Any) -> None:
    define(ecs, "polite", container("web", "trap 'exit 9' TERM; while true; do sleep 0.1; done"))
    task = started(ecs, "polite")
    assert ecs.stop_task(task=task["taskArn"])["task"]["lastStatus"] == "RUNNING"
    assert exit_codes(ended(ecs, task)) == {"web": 9}


def test_a_stop_that_is_not_heeded_is_enforced_after_the_stop_timeout(ecs: Any) -> None:
    define(ecs, "deaf", container("web", "trap '' TERM; while true; do sleep 0.1; done", stopTimeout=2))
    task = started(ecs, "deaf")
    ecs.stop_task(task=task["taskArn"])
    task = ended(ecs, task)
    assert exit_codes(task) == {"web": 137}
    assert (task["executionStoppedAt"] - task["stoppingAt"]).total_seconds() >= 2


def test_a_container_that_is_not_essential_may_end(ecs: Any) -> None:
    define(ecs, "sidecar", container("web"), container("side", "exit 4", essential=False))
    task = started(ecs, "sidecar")
    while exit_codes(task)["side"] is None:
        task = look(ecs, task)
    assert (task["lastStatus"], exit_codes(task)["side"]) == ("RUNNING", 4)
    ecs.stop_task(task=task["taskArn"])
    ended(ecs, task)


def test_an_image_that_does_not_exist_stops_the_task_and_says_so(ecs: Any) -> None:
    define(ecs, "missing", {"name": "web", "image": "local/there-is-no-such-image:1"})
    task = ended(ecs, run(ecs, taskDefinition="missing"))
    assert (task["stopCode"], "startedAt" in task) == ("TaskFailedToStart", False)
    assert task["stoppedReason"].startswith("CannotPullContainerError: pull image manifest has been retried")
    assert "docker.io/local/there-is-no-such-image:1" in task["stoppedReason"]
    assert exit_codes(task) == {"web": None}


def test_a_command_that_does_not_exist_is_the_containers_reason(ecs: Any) -> None:
    define(ecs, "broken", {"name": "web", "image": "local/busybox:1", "command": ["/no/such/command"]})
    task = ended(ecs, run(ecs, taskDefinition="broken"))
    assert (task["stopCode"], task["stoppedReason"]) == ("TaskFailedToStart", "Task failed to start")
    (found,) = task["containers"]
    assert found["reason"].startswith("CannotStartContainerError: ")
    assert "/no/such/command" in found["reason"]
    assert "exitCode" not in found


def test_a_task_that_is_stopped_while_it_starts_leaves_nothing(ecs: Any, engine: docker.APIClient) -> None:
    define(ecs, "hasty", container("web"))
    tasks = [run(ecs, taskDefinition="hasty") for _ in range(4)]
    for task in tasks:
        ecs.stop_task(task=task["taskArn"])
    for task in tasks:
        assert ended(ecs, task)["stopCode"] == "UserInitiated"
        assert containers_of(engine, **{"com.amazonaws.ecs.task-arn": task["taskArn"]}) == []


def test_ten_tasks_at_once_each_have_an_address(ecs: Any) -> None:
    define(ecs, "many", container("web"))
    task = {"taskDefinition": "many", "launchType": "FARGATE", "count": 10}
    network = {"awsvpcConfiguration": {"subnets": SUBNETS}}
    arns = [made["taskArn"] for made in ecs.run_task(**task, networkConfiguration=network)["tasks"]]
    ecs.get_waiter("tasks_running").wait(tasks=arns, WaiterConfig={"Delay": 0.2, "MaxAttempts": 600})
    found = ecs.describe_tasks(tasks=arns)["tasks"]
    assert len({address_of(task) for task in found}) == 10
    for arn in arns:
        ecs.stop_task(task=arn)
    ecs.get_waiter("tasks_stopped").wait(tasks=arns, WaiterConfig={"Delay": 0.2, "MaxAttempts": 600})


def test_a_stopped_task_leaves_nothing_on_the_daemon_or_in_the_cgroups(
    emulator: Served, ecs: Any, engine: docker.APIClient
) -> None:
    define(ecs, "clean", container("web"), container("side", essential=False))
    task = started(ecs, "clean")
    id_ = task["taskArn"].rsplit("/", 1)[1]
    instance = requests.get(f"{emulator.url}/_emulator/health", timeout=10).json()["instance"]
    ours = containers_of(engine, **{"ecs-emulator.instance": instance})
    assert len([found for found in ours if id_ in str(found)]) == 3
    assert id_ in cgroups()
    ecs.stop_task(task=task["taskArn"])
    ended(ecs, task)
    ours = containers_of(engine, **{"ecs-emulator.instance": instance})
    assert [found for found in ours if id_ in str(found)] == []
    assert id_ not in cgroups()
