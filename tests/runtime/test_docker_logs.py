"""What containers print on a real daemon, as the driver reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import docker
import pytest

from emulator.planner.specs import ContainerSpec, LogSpec, TaskSpec
from emulator.runtime.docker import DockerDriver
from emulator.runtime.driver import Line
from tests.relay import Relay
from tests.runtime.docker_world import SUBNET, MakeDriver, Recorder, make_task, shell

pytest_plugins = ["tests.runtime.docker_fixtures"]
pytestmark = pytest.mark.docker

LOG = LogSpec(group="g", region="us-east-1", stream="s")


def printed(driver: DockerDriver, recorder: Recorder, container: ContainerSpec) -> list[Line]:
    """All that a container has printed when it has ended."""
    start(driver, container)
    recorder.exit_of(container.task)
    return list(driver.logs(container.task.arn, container.name, 0))


def start(driver: DockerDriver, container: ContainerSpec) -> None:
    driver.start(container, driver.prepare(container.task, SUBNET))


def test_both_streams_are_told_apart_and_in_order(watched: DockerDriver, recorder: Recorder) -> None:
    # The daemon begins to read one stream a little later than the other.
    script = "sleep 0.5; for i in 1 2 3; do echo out $i; sleep 0.05; echo error $i >&2; sleep 0.05; done"
    lines = printed(watched, recorder, shell(make_task(), script))
    assert [(line.source, line.text) for line in lines] == [
        pair for place in (b"1", b"2", b"3") for pair in (("stdout", b"out " + place), ("stderr", b"error " + place))
    ]
    assert [line.at for line in lines] == sorted(line.at for line in lines)


def test_a_long_line_is_one_line_and_the_last_needs_no_end(watched: DockerDriver, recorder: Recorder) -> None:
    script = "head -c 102400 /dev/zero | tr '\\0' x; echo; printf end"
    lines = printed(watched, recorder, shell(make_task(), script))
    assert [line.text for line in lines] == [b"x" * 102400, b"end"]


def test_what_a_terminal_shows_is_read_too(watched: DockerDriver, recorder: Recorder) -> None:
    script = "echo one; echo two >&2; head -c 40000 /dev/zero | tr '\\0' x; echo; printf end"
    lines = printed(watched, recorder, shell(make_task(), script, pseudo_terminal=True))
    assert [line.text for line in lines] == [b"one\r", b"two\r", b"x" * 40000 + b"\r", b"end"]
    assert {line.source for line in lines} == {"stdout"}


@pytest.mark.parametrize("terminal", [False, True], ids=["streams", "terminal"])
def test_a_container_that_is_followed_from_its_start_loses_nothing_at_its_end(
    watched: DockerDriver, recorder: Recorder, *, terminal: bool
) -> None:
    end = b"\r" if terminal else b""
    for _ in range(5):
        task = make_task()
        start(watched, shell(task, "seq 1 1000; printf end", pseudo_terminal=terminal))
        lines = [line.text for line in watched.logs(task.arn, "app", 0)]
        assert lines == [b"%d" % number + end for number in range(1, 1001)] + [b"end"]
        recorder.exit_of(task)


@pytest.mark.parametrize("log", [LOG, replace(LOG, buffer=4096 << 10)], ids=["blocking", "non-blocking"])
def test_a_mode_is_the_engines_own(
    watched: DockerDriver, recorder: Recorder, api: docker.APIClient, log: LogSpec
) -> None:
    task = make_task()
    lines = printed(watched, recorder, shell(task, "seq 1 1000", log=log))
    assert [line.text for line in lines] == [b"%d" % number for number in range(1, 1001)]
    (found,) = api.containers(all=True, filters={"label": f"com.amazonaws.ecs.task-arn={task.arn}", "status": "exited"})
    config = api.inspect_container(found["Id"])["HostConfig"]["LogConfig"]
    assert config["Type"] == "json-file"
    assert (config["Config"].get("mode"), config["Config"].get("max-buffer-size")) == (
        (None, None) if log.buffer is None else ("non-blocking", "4194304")
    )


def test_output_waits_while_the_daemon_is_gone_and_goes_on_when_it_is_back(
    tmp_path: Path, make_driver: MakeDriver, recorder: Recorder, api: docker.APIClient
) -> None:
    relay = Relay(tmp_path / "docker.sock")
    driver = make_driver(base_url=relay.url)
    driver.watch(recorder.as_watcher())
    task = make_task()
    start(driver, shell(task, "echo one; trap 'echo two; exit 0' USR1; while true; do sleep 0.1; done"))
    lines = iter(driver.logs(task.arn, "app", 0))
    assert next(lines).text == b"one"
    relay.cut()
    kill(api, task)
    relay.restore()
    assert [line.text for line in lines] == [b"two"]


def kill(api: docker.APIClient, task: TaskSpec) -> None:
    """Send the task's container its own signal, and wait for its end."""
    label = f"com.amazonaws.ecs.task-arn={task.arn}"
    (found,) = api.containers(filters={"label": [label, "com.amazonaws.ecs.container-name=app"]})
    api.kill(found["Id"], "USR1")
    api.wait(found["Id"])
