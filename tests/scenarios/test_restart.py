"""The emulator is killed, stopped, and started again while its tasks run on."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest
import requests

from tests.emulators import Served, client, served
from tests.operations.helpers import run
from tests.scenarios.tasks import container, containers_of, define, ended, exit_codes, is_spare, lines, look, started

pytestmark = pytest.mark.docker


@pytest.fixture(autouse=True)
def swept(tmp_path: Path, engine: docker.APIClient) -> Iterator[None]:
    """Remove what a test that failed left running: state that is kept keeps its tasks."""
    yield
    for file in tmp_path.rglob("state.sqlite3"):
        with closing(sqlite3.connect(file)) as state:
            (instance,) = state.execute("select value from setting where name = 'instance'").fetchone()
        for left in containers_of(engine, **{"ecs-emulator.instance": instance}):
            engine.remove_container(left["Id"], force=True)


def kept(folder: Path) -> Any:
    return served("--runtime", "docker", "--state-dir", str(folder))


def container_ids(engine: docker.APIClient, task: dict[str, Any]) -> dict[str, str]:
    """The ids of a task's containers on the daemon; the namespace is not one of them."""
    name = "com.amazonaws.ecs.container-name"
    found = containers_of(engine, **{"com.amazonaws.ecs.task-arn": task["taskArn"]})
    return {each["Labels"][name]: each["Id"] for each in found if name in each["Labels"]}


def instance_of(emulator: Served) -> str:
    health: dict[str, str] = requests.get(f"{emulator.url}/_emulator/health", timeout=10).json()
    return health["instance"]


def test_after_a_kill_the_same_task_runs_with_the_same_container(tmp_path: Path, engine: docker.APIClient) -> None:
    with kept(tmp_path) as first:
        define(first.ecs, "staying", container("web"))
        task = started(first.ecs, "staying")
        before = container_ids(engine, task)
        first.kill()
    with kept(tmp_path) as second:
        assert look(second.ecs, task) == task
        assert container_ids(engine, task) == before
        second.ecs.stop_task(task=task["taskArn"])
        assert exit_codes(ended(second.ecs, task)) == {"web": 0}


def test_a_container_that_ended_meanwhile_has_its_true_exit_code(tmp_path: Path, engine: docker.APIClient) -> None:
    with kept(tmp_path) as first:
        define(first.ecs, "ending", container("web", "trap 'exit 42' USR1; while true; do sleep 0.1; done"))
        task = started(first.ecs, "ending")
        (id_,) = container_ids(engine, task).values()
        first.kill()
    engine.kill(id_, signal="USR1")
    engine.wait(id_)
    with kept(tmp_path) as second:
        found = ended(second.ecs, task)
    assert (found["stopCode"], exit_codes(found)) == ("EssentialContainerExited", {"web": 42})


INSIDE = r"""ask() { { printf "GET $3 HTTP/1.0\r\nHost: localhost\r\n\r\n"; sleep 0.5; } | nc $1 $2; }
trap 'exit 0' TERM
while true; do
  keys=$(ask 169.254.170.2 80 $AWS_CONTAINER_CREDENTIALS_RELATIVE_URI | tail -n 1 | cut -d '"' -f 8,12 | tr '"' ' ')
  echo $keys $(ask 127.0.0.1 ${AWS_ENDPOINT_URL##*:} /_emulator/health | head -n 1)
done"""
"""Prints the access key that the task has, the secret one, and how its API answers, again and again."""


def test_what_code_in_a_task_reaches_is_there_again_after_a_kill(tmp_path: Path, engine: docker.APIClient) -> None:
    with kept(tmp_path) as first:
        define(first.ecs, "inside", container("app", INSIDE), taskRoleArn="ecsTaskExecutionRole")
        task = started(first.ecs, "inside")
        said = (line.split() for line in lines(engine, task, "app"))
        key, secret, _, status, _ = next(words for words in said if len(words) == 5)
        assert (key[:4], len(secret), status) == ("ASIA", 40, "200")
        first.kill()
    with kept(tmp_path) as second:
        later, _, _, status, _ = next(words for words in said if len(words) == 5 and words[0] != key)
        assert status == "200"
        kept_on_disk = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert task["taskArn"].encode() in kept_on_disk
        assert secret.encode() not in kept_on_disk
        sts = client(second.url, "sts", account=later)
        role = f"assumed-role/ecsTaskExecutionRole/{task['taskArn'].rsplit('/', 1)[1]}"
        assert sts.get_caller_identity()["Arn"] == f"arn:aws:sts::000000000000:{role}"
        second.ecs.stop_task(task=task["taskArn"])
        assert exit_codes(ended(second.ecs, task)) == {"app": 0}


def test_a_task_that_was_killed_in_the_middle_of_its_start_goes_on(tmp_path: Path, engine: docker.APIClient) -> None:
    with kept(tmp_path) as first:
        define(first.ecs, "starting", container("web"), container("side", essential=False))
        tasks = [run(first.ecs, taskDefinition="starting") for _ in range(3)]
        first.kill()
    with kept(tmp_path) as second:
        for task in tasks:
            second.ecs.get_waiter("tasks_running").wait(
                tasks=[task["taskArn"]], WaiterConfig={"Delay": 0.1, "MaxAttempts": 600}
            )
            assert sorted(container_ids(engine, task)) == ["side", "web"]
            second.ecs.stop_task(task=task["taskArn"])
        for task in tasks:
            ended(second.ecs, task)
        assert containers_of_tasks(engine, instance_of(second)) == set()


def test_what_was_ready_for_other_tasks_goes_and_the_tasks_that_have_it_stay(
    tmp_path: Path, engine: docker.APIClient
) -> None:
    with kept(tmp_path) as first:
        instance = instance_of(first)
        define(first.ecs, "warm", container("web"))
        started(first.ecs, "warm")
        spare = wait_for_a_spare(first, engine)
        task = started(first.ecs, "warm")
        tasks = containers_of_tasks(engine, instance)
        assert spare in tasks
        wait_for_a_spare(first, engine)
        first.kill()
    with kept(tmp_path) as second:
        wait_for_runtime(second, lambda runtime: runtime["engine"] == "connected")
        assert look(second.ecs, task) == task
        assert {each["Id"] for each in containers_of(engine, **{"ecs-emulator.instance": instance})} == tasks
        second.ecs.stop_task(task=task["taskArn"])
        assert exit_codes(ended(second.ecs, task)) == {"web": 0}
        assert spare not in containers_of_tasks(engine, instance)
        started(second.ecs, "warm")
        wait_for_a_spare(second, engine)
        assert second.stop() == 0
    left = {each["Id"] for each in containers_of(engine, **{"ecs-emulator.instance": instance})}
    assert left == containers_of_tasks(engine, instance) != set()
    with kept(tmp_path) as third:
        wait_for_runtime(third, lambda runtime: runtime["engine"] == "connected")
        assert requests.post(f"{third.url}/_emulator/reset", timeout=60).status_code == 200


def wait_for_a_spare(emulator: Served, engine: docker.APIClient) -> str:
    """Wait until a namespace is ready for a task to come. Returns its id."""
    wait_for_runtime(emulator, lambda runtime: runtime["pool"] > 0)
    ours = containers_of(engine, **{"ecs-emulator.instance": instance_of(emulator)})
    return next(str(each["Id"]) for each in ours if is_spare(each))


def wait_for_runtime(emulator: Served, is_so: Callable[[dict[str, Any]], bool]) -> None:
    """Ask until what health says of the runtime is so, a minute at most."""
    deadline = time.monotonic() + 60
    while not is_so(runtime := requests.get(f"{emulator.url}/_emulator/health", timeout=10).json()["runtime"]):
        assert time.monotonic() < deadline, f"it stayed {runtime}"


def containers_of_tasks(engine: docker.APIClient, instance: str) -> set[str]:
    """The ids of an emulator's containers but for those that are ready for tasks to come."""
    ours = containers_of(engine, **{"ecs-emulator.instance": instance})
    return {str(each["Id"]) for each in ours if not is_spare(each)}


def test_a_task_whose_container_was_removed_by_hand_stops(tmp_path: Path, engine: docker.APIClient) -> None:
    with kept(tmp_path) as emulator:
        define(emulator.ecs, "removed", container("web"))
        task = started(emulator.ecs, "removed")
        (id_,) = container_ids(engine, task).values()
        engine.remove_container(id_, force=True)
        assert ended(emulator.ecs, task)["stopCode"] == "EssentialContainerExited"


def test_a_stop_that_keeps_state_keeps_the_tasks_too(tmp_path: Path, engine: docker.APIClient) -> None:
    with kept(tmp_path) as first:
        define(first.ecs, "kept", container("web"))
        task = started(first.ecs, "kept")
        before = container_ids(engine, task)
        assert first.stop() == 0
    assert container_ids(engine, task) == before
    with kept(tmp_path) as second:
        assert look(second.ecs, task)["lastStatus"] == "RUNNING"
        assert requests.post(f"{second.url}/_emulator/reset", timeout=60).json() == {"status": "reset"}
        assert container_ids(engine, task) == {}


def test_an_ephemeral_emulator_leaves_nothing(engine: docker.APIClient) -> None:
    with served("--ephemeral", "--runtime", "docker") as emulator:
        define(emulator.ecs, "passing", container("web"))
        started(emulator.ecs, "passing")
        instance = instance_of(emulator)
        assert emulator.stop() == 0
    assert containers_of(engine, **{"ecs-emulator.instance": instance}) == []


def test_what_a_killed_ephemeral_emulator_left_is_removed_by_the_next(engine: docker.APIClient) -> None:
    with served("--ephemeral", "--runtime", "docker") as first:
        define(first.ecs, "orphan", container("web"))
        started(first.ecs, "orphan")
        instance = instance_of(first)
        first.kill()
    assert containers_of(engine, **{"ecs-emulator.instance": instance})
    with served("--ephemeral", "--runtime", "docker") as second:
        define(second.ecs, "next", container("web"))
        started(second.ecs, "next")
        assert containers_of(engine, **{"ecs-emulator.instance": instance}) == []


def test_two_emulators_on_one_daemon_each_run_their_own(tmp_path: Path, engine: docker.APIClient) -> None:
    foreign = engine.create_container("local/busybox:1", ["sleep", "300"], network_disabled=True)["Id"]
    try:
        engine.start(foreign)
        with kept(tmp_path / "one") as one, kept(tmp_path / "two") as two:
            tasks = []
            for emulator in (one, two):
                define(emulator.ecs, "shared", container("web"))
                tasks.append(started(emulator.ecs, "shared"))
            assert requests.post(f"{one.url}/_emulator/reset", timeout=60).status_code == 200
            assert container_ids(engine, tasks[0]) == {}
            assert look(two.ecs, tasks[1])["lastStatus"] == "RUNNING"
            two.ecs.stop_task(task=tasks[1]["taskArn"])
            assert exit_codes(ended(two.ecs, tasks[1])) == {"web": 0}
        assert engine.inspect_container(foreign)["State"]["Running"]
    finally:
        engine.remove_container(foreign, force=True)


def test_a_second_emulator_on_a_folder_is_told_who_holds_it(tmp_path: Path) -> None:
    with kept(tmp_path) as first, pytest.raises(AssertionError, match="no ready line"), kept(tmp_path):
        assert first
