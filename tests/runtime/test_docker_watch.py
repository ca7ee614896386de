"""What the driver tells of a daemon that goes, comes, hangs, or is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from threading import Event

import docker
import pytest

from emulator.clock import SystemClock
from emulator.runtime.docker import DockerDriver
from emulator.runtime.docker.cgroups import TaskLimits
from emulator.runtime.docker.engine import Engine
from emulator.runtime.docker.known import Known
from emulator.runtime.docker.labels import Owner
from emulator.runtime.docker.setting import Setting
from emulator.runtime.docker.watch import Watch
from emulator.runtime.driver import DriverUnreachableError
from tests.relay import Relay
from tests.runtime.docker_world import API_PORT, SUBNET, MakeDriver, Recorder, make_container, make_task, shell

pytest_plugins = ["tests.runtime.docker_fixtures"]
daemon = pytest.mark.docker


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[Relay]:
    relay = Relay(tmp_path / "docker.sock")
    yield relay
    relay.cut()


def test_a_daemon_that_is_not_there_is_named(tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/docker.sock"
    driver = DockerDriver(
        instance="test-nowhere", ephemeral_lock=None, clock=SystemClock(), port=API_PORT, base_url=nowhere
    )
    recorder = Recorder()
    driver.watch(recorder.as_watcher())
    reason = recorder.next("disconnected")
    assert f"the container engine at {nowhere} does not answer: No such file or directory." in reason

    task = make_task()
    calls = (
        lambda: driver.prepare(task, SUBNET),
        lambda: driver.pull("busybox", "missing"),
        lambda: driver.signal(task.arn, "app", kill=False),
        lambda: driver.remove(task.arn),
        lambda: driver.remove_all_but(()),
        lambda: driver.free_range([IPv4Network("10.0.0.0/16")]),
    )
    for call in calls:
        with pytest.raises(DriverUnreachableError):
            call()
    assert driver.limits is None
    driver.close(keep_tasks=False)


@daemon
def test_what_ended_while_we_were_away_is_found(
    relay: Relay, make_driver: MakeDriver, image: str, api: docker.APIClient
) -> None:
    driver, recorder, task = make_driver(base_url=relay.url), Recorder(), make_task()
    driver.watch(recorder.as_watcher())
    recorder.found()
    namespace = driver.prepare(task, SUBNET)
    ending = driver.start(shell(task, "trap 'exit 5' TERM; sleep 1000 & wait", name="ending"), namespace)
    staying = driver.start(make_container(task, "sleep", "1000", name="staying"), namespace)

    relay.cut()
    assert re.search("ended its stream|does not answer", recorder.next("disconnected"))
    api.kill(ending.runtime_id)
    api.wait(ending.runtime_id)
    with pytest.raises(DriverUnreachableError):
        driver.signal(task.arn, "staying", kill=True)
    relay.restore()

    (found,) = recorder.found()
    assert (found.task_arn, found.namespace_alive) == (task.arn, True)
    assert found.containers["staying"] == (staying, None)
    started, end = found.containers["ending"]
    assert started == ending
    assert end is not None
    assert end.code == 137
    driver.signal(task.arn, "staying", kill=True)
    assert recorder.exit_of(task, "staying").code == 137


@daemon
def test_a_daemon_that_hangs_is_noticed(relay: Relay, recorder: Recorder) -> None:
    engine = Engine(relay.url)
    watch = Watch(
        Setting(engine, Owner("test-hang"), Known(), SystemClock()),
        TaskLimits(engine),
        on_connect=lambda info: None,
        on_found=lambda containers: None,
        heartbeat=0.2,
    )
    watch.begin(recorder.as_watcher())
    recorder.found()
    relay.freeze()
    assert "does not answer" in recorder.next("disconnected")
    relay.thaw()
    recorder.found()
    watch.stop()
    engine.close()


@daemon
def test_a_mistake_in_a_watcher_does_not_leave_us_deaf(make_driver: MakeDriver, image: str) -> None:
    driver, recorder = make_driver(), Recorder()
    failed = Event()
    watcher = recorder.as_watcher()

    def fail_once(found: object) -> None:
        if not failed.is_set():
            failed.set()
            raise RuntimeError("a mistake")
        recorder.told.put(("connected", found))

    driver.watch(type(watcher)(fail_once, watcher.disconnected, watcher.exited, watcher.namespace_lost))
    assert recorder.next("disconnected") == "RuntimeError: a mistake"
    assert recorder.found() == []


@daemon
def test_closing_ends_the_threads(make_driver: MakeDriver, recorder: Recorder) -> None:
    driver = make_driver()
    driver.watch(recorder.as_watcher())
    recorder.found()
    driver.close(keep_tasks=True)
    assert not any(thread.is_alive() for thread in driver._watch._threads)
    assert recorder.told.empty()


@daemon
def test_another_process_finds_what_the_first_started(
    make_driver: MakeDriver, image: str, api: docker.APIClient
) -> None:
    first, task = make_driver(), make_task()
    namespace = first.prepare(task, SUBNET)
    brief = first.start(shell(task, "exit 4", name="brief"), namespace)
    endless = first.start(make_container(task, "sleep", "1000", name="endless"), namespace)
    api.wait(brief.runtime_id)
    instance = first._removal._owner.instance
    first.close(keep_tasks=True)

    second, recorder = make_driver(instance), Recorder()
    second.watch(recorder.as_watcher())
    (found,) = recorder.found()
    assert found.task_arn == task.arn
    assert found.namespace_alive
    assert found.containers["endless"] == (endless, None)
    started, end = found.containers["brief"]
    assert started == brief
    assert end is not None
    assert (end.code, end.out_of_memory) == (4, False)

    assert second.prepare(task, SUBNET) == namespace
    assert second.start(make_container(task, "sleep", "1000", name="endless"), namespace) == endless
    second.signal(task.arn, "endless", kill=True)
    assert recorder.exit_of(task, "endless").code == 137


@daemon
def test_a_signal_finds_its_container_without_having_met_it(
    make_driver: MakeDriver, image: str, api: docker.APIClient
) -> None:
    first, task = make_driver(), make_task()
    endless = first.start(make_container(task, "sleep", "1000"), first.prepare(task, SUBNET))
    second = make_driver(first._removal._owner.instance)
    second.signal(task.arn, "app", kill=True)
    assert api.wait(endless.runtime_id)["StatusCode"] == 137
