"""What containers print is in CloudWatch Logs: while they run, to the last line, and after a crash of the emulator."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
import requests

from tests.emulators import Served, client, served
from tests.operations.fetching import ROLE
from tests.operations.helpers import run
from tests.scenarios.tasks import container, define, ended, exit_codes, look, started

pytestmark = pytest.mark.docker

GROUP = "/ecs/scenario"
COUNT = "trap 'printf bye; exit 0' TERM; i=0; while true; do i=$((i+1)); echo $i;"


@pytest.fixture(scope="module")
def emulator(engine: docker.APIClient) -> Iterator[Served]:
    with served("--ephemeral", "--runtime", "docker") as running:
        yield running


@pytest.fixture(scope="module")
def ecs(emulator: Served) -> Any:
    return emulator.ecs


@pytest.fixture(scope="module")
def logs(emulator: Served) -> Any:
    return client(emulator.url, "logs")


def printing(name: str, *script: str, options: dict[str, str] | None = None, **members: Any) -> dict[str, Any]:
    """A container whose output goes to the group of these scenarios."""
    given = {
        "awslogs-group": GROUP,
        "awslogs-region": "us-east-1",
        "awslogs-stream-prefix": "ecs",
        "awslogs-create-group": "true",
        **(options or {}),
    }
    return container(name, *script, logConfiguration={"logDriver": "awslogs", "options": given}, **members)


def define_printing(ecs: Any, family: str, *containers: dict[str, Any]) -> None:
    define(ecs, family, *containers, executionRoleArn=ROLE)


def ran(ecs: Any, *script: str, options: dict[str, str] | None = None, **members: Any) -> dict[str, Any]:
    """A task whose one container has run a script to its end."""
    define_printing(ecs, "printing", printing("web", *script, options=options, **members))
    return ended(ecs, run(ecs, taskDefinition="printing"))


def stream_of(task: dict[str, Any], name: str = "web") -> str:
    return f"ecs/{name}/{task['taskArn'].rsplit('/', 1)[1]}"


def events(logs: Any, task: dict[str, Any], name: str = "web") -> list[dict[str, Any]]:
    """All events of a container's stream."""
    request = {"logGroupName": GROUP, "logStreamName": stream_of(task, name), "startFromHead": True}
    answer = logs.get_log_events(**request)
    found: list[dict[str, Any]] = answer["events"]
    while answer["events"]:
        answer = logs.get_log_events(**request, nextToken=answer["nextForwardToken"])
        found += answer["events"]
    return found


def messages(logs: Any, task: dict[str, Any], name: str = "web") -> list[str]:
    return [event["message"] for event in events(logs, task, name)]


def tail(logs: Any, stream: str, seconds: float = 60) -> Iterator[str]:
    """What `aws logs tail --follow` prints: it asks for events from the last one's time on, and skips those it has."""
    deadline, since, seen = time.monotonic() + seconds, 0, set[str]()
    while time.monotonic() < deadline:
        answer = logs.filter_log_events(logGroupName=GROUP, logStreamNames=[stream], startTime=since, interleaved=True)
        for event in answer["events"]:
            if event["eventId"] not in seen:
                seen.add(event["eventId"])
                since = max(since, event["timestamp"])
                yield event["message"]
    raise AssertionError(f"nothing more came within {seconds} seconds")


def test_a_burst_of_lines_before_the_end_is_complete_and_in_order(ecs: Any, logs: Any) -> None:
    task = ran(ecs, "seq 1 1000; printf 'the last one'; exit 4")
    assert exit_codes(task) == {"web": 4}
    assert messages(logs, task) == [*(str(number) for number in range(1, 1001)), "the last one"]


def test_both_streams_arrive_in_the_order_and_with_the_times_of_printing(ecs: Any, logs: Any) -> None:
    script = "sleep 0.5; for i in 1 2 3; do echo out $i; sleep 0.05; echo error $i >&2; sleep 0.05; done"
    task = ran(ecs, script)
    found = events(logs, task)
    assert [event["message"] for event in found] == [f"{kind} {i}" for i in (1, 2, 3) for kind in ("out", "error")]
    times = [event["timestamp"] for event in found]
    assert times == sorted(set(times))
    assert task["createdAt"].timestamp() * 1000 <= times[0]
    assert times[-1] <= task["stoppedAt"].timestamp() * 1000


def test_a_long_line_is_one_event_and_a_longer_one_is_several(ecs: Any, logs: Any) -> None:
    task = ran(
        ecs, "head -c 102400 /dev/zero | tr '\\0' x; echo; head -c 300000 /dev/zero | tr '\\0' y; echo; echo end"
    )
    assert messages(logs, task) == ["x" * 102400, "y" * 262118, "y" * (300000 - 262118), "end"]


def test_a_stack_trace_is_one_event(ecs: Any, logs: Any) -> None:
    script = r"printf '2024-01-01 10:00:00 ERROR no\n  at a\n  at b\n\n2024-01-01 10:00:01 INFO yes'"
    task = ran(ecs, script, options={"awslogs-datetime-format": "%Y-%m-%d %H:%M:%S"})
    assert messages(logs, task) == [
        "2024-01-01 10:00:00 ERROR no\n  at a\n  at b\n\n",
        "2024-01-01 10:00:01 INFO yes\n",
    ]


def test_what_a_container_says_that_fails_at_once_is_there(ecs: Any, logs: Any) -> None:
    define_printing(
        ecs, "failing", printing("web", "echo no such file >&2; exit 1"), printing("side", "echo beside; exit 0")
    )
    task = ended(ecs, run(ecs, taskDefinition="failing"))
    assert task["stopCode"] == "EssentialContainerExited"
    assert messages(logs, task) == ["no such file"]
    assert messages(logs, task, "side") == ["beside"]


def test_what_a_terminal_shows_arrives_too(ecs: Any, logs: Any) -> None:
    assert messages(logs, ran(ecs, "echo one; printf two", pseudoTerminal=True)) == ["one\r", "two"]


def test_a_container_that_must_not_wait_for_its_log_loses_nothing_of_a_burst(ecs: Any, logs: Any) -> None:
    task = ran(ecs, "seq 1 1000; printf end", options={"mode": "non-blocking", "max-buffer-size": "25m"})
    assert messages(logs, task) == [*(str(number) for number in range(1, 1001)), "end"]


def test_whoever_tails_sees_lines_while_the_container_runs(ecs: Any, logs: Any) -> None:
    define_printing(ecs, "talking", printing("web", f"{COUNT} sleep 0.2; done"))
    task = started(ecs, "talking")
    lines = tail(logs, stream_of(task))
    assert [next(lines) for _ in range(10)] == [str(number) for number in range(1, 11)]
    assert look(ecs, task)["lastStatus"] == "RUNNING"
    ecs.stop_task(task=task["taskArn"])
    ended(ecs, task)


def test_after_a_kill_nothing_is_missing(tmp_path: Path, engine: docker.APIClient) -> None:
    with kept(tmp_path) as first:
        define_printing(first.ecs, "chatty", printing("web", f"{COUNT} sleep 0.002; done"))
        task = started(first.ecs, "chatty")
        lines = tail(client(first.url, "logs"), stream_of(task))
        assert [next(lines) for _ in range(50)][-1] == "50"
        first.kill()
    with kept(tmp_path) as second:
        logs = client(second.url, "logs")
        second.ecs.stop_task(task=task["taskArn"])
        ended(second.ecs, task)
        *numbers, last = messages(logs, task)
        assert requests.post(f"{second.url}/_emulator/reset", timeout=60).status_code == 200
    assert last == "bye"
    assert len(numbers) > 50
    assert numbers == [str(number) for number in range(int(numbers[0]), int(numbers[0]) + len(numbers))]
    assert numbers[0] == "1"


def test_what_was_printed_while_nobody_looked_is_there(tmp_path: Path, engine: docker.APIClient) -> None:
    with kept(tmp_path) as first:
        script = "echo before; trap 'echo meanwhile; printf end; exit 0' USR1; while true; do sleep 0.05; done"
        define_printing(first.ecs, "alone", printing("web", script))
        task = started(first.ecs, "alone")
        assert next(tail(client(first.url, "logs"), stream_of(task))) == "before"
        first.kill()
    label = f"com.amazonaws.ecs.task-arn={task['taskArn']}"
    (found,) = engine.containers(filters={"label": [label, "com.amazonaws.ecs.container-name=web"]})
    engine.kill(found["Id"], signal="USR1")
    engine.wait(found["Id"])
    with kept(tmp_path) as second:
        assert exit_codes(ended(second.ecs, task)) == {"web": 0}
        assert messages(client(second.url, "logs"), task) == ["before", "meanwhile", "end"]


def test_a_service_that_outlives_the_emulator_has_each_line_once(tmp_path: Path, engine: docker.APIClient) -> None:
    with served("--ephemeral", "--runtime", "simulated") as service:
        logs = client(service.url, "logs")
        with kept(tmp_path, "--neighbour", f"logs={service.url}") as first:
            define_printing(first.ecs, "lasting", printing("web", f"{COUNT} sleep 0.002; done"))
            task = started(first.ecs, "lasting")
            lines = tail(logs, stream_of(task))
            assert [next(lines) for _ in range(50)][-1] == "50"
            first.kill()
        before = len(events(logs, task))
        with kept(tmp_path, "--neighbour", f"logs={service.url}") as second:
            second.ecs.stop_task(task=task["taskArn"])
            ended(second.ecs, task)
        *numbers, last = messages(logs, task)
    assert last == "bye"
    assert len(numbers) > before
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]


def kept(folder: Path, *options: str) -> Any:
    return served("--runtime", "docker", "--state-dir", str(folder), *options)
