"""Tasks on the simulated runtime: the loop, its retries, and what a new process finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.clock import ManualClock
from emulator.planner.specs import ContainerSpec, Subnet, TaskSpec
from emulator.runtime.driver import (
    DriverUnreachableError,
    Exit,
    Namespace,
    NoFreeAddressError,
    Started,
    Watcher,
)
from emulator.runtime.runtime import Runtime
from emulator.runtime.simulated import SimulatedDriver
from emulator.runtime.steps.steps import Steps
from emulator.state.tasks import Task
from tests.builders import SUBNET, container, definition
from tests.machine import Machine


def scripted(**labels: str) -> Any:
    return definition(container(docker_labels={f"emulator.{k.replace('_', '-')}": v for k, v in labels.items()}))


def test_a_task_runs_and_stops_when_asked() -> None:
    machine = Machine().connect()
    task = machine.run(scripted())
    assert machine.shown(task).last_status == "RUNNING"
    machine.stop(task)
    assert (machine.shown(task).last_status, machine.shown(task).containers[0].exit_code) == ("STOPPED", 143)  # type: ignore[index]


def test_a_container_that_ends_by_itself_ends_when_its_time_has_come() -> None:
    machine = Machine().connect()
    task = machine.run(scripted(run_for="20", exit_code="3"))
    machine.advance(19.9)
    assert machine.shown(task).last_status == "RUNNING"
    machine.advance(0.2)
    assert machine.shown(task).last_status == "STOPPED"
    assert machine.shown(task).containers[0].exit_code == 3  # type: ignore[index]


def test_a_container_that_does_not_heed_its_signal_is_killed_after_the_stop_timeout() -> None:
    machine = Machine().connect()
    task = machine.run(scripted(ignore_stop="true"))
    machine.stop(task)
    machine.advance(29.9)
    assert machine.shown(task).last_status == "STOPPING"
    machine.advance(0.1)
    assert machine.shown(task).containers[0].exit_code == 137  # type: ignore[index]


def test_nothing_of_a_stopped_task_stays_with_the_driver() -> None:
    machine = Machine().connect()
    task = machine.run(scripted(exit_code="0"))
    assert machine.shown(task).last_status == "STOPPED"
    assert isinstance(machine.driver, SimulatedDriver)
    assert machine.driver._tasks == {}


def test_stopped_tasks_are_forgotten_after_an_hour() -> None:
    machine = Machine().connect()
    machine.run(scripted(exit_code="0"))
    machine.advance(3600)
    assert len(machine.store.state.tasks) == 0


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("not-found", "retried 7 time(s): failed to resolve ref docker.io/library/web:not-found: not found"),
        ("denied", "retried 1 time(s): failed to resolve ref docker.io/library/web:denied: pull access denied"),
        ("wrong-platform", "does not contain descriptor matching platform 'linux/amd64'"),
        ("unreachable", "retried 5 time(s): failed to resolve ref docker.io/library/web:unreachable: the simulated"),
    ],
)
def test_an_image_that_cannot_be_pulled_is_the_tasks_reason(tag: str, words: str) -> None:
    machine = Machine().connect()
    task = machine.run(definition(container(image=f"web:{tag}")))
    shown = machine.shown(task)
    assert (shown.last_status, shown.stop_code) == ("STOPPED", "TaskFailedToStart")
    assert (shown.stopped_reason or "").startswith("CannotPullContainerError: pull image manifest has been retried")
    assert words in (shown.stopped_reason or "")


def test_a_refused_start_is_the_containers_reason() -> None:
    machine = Machine().connect()
    task = machine.run(scripted(fail_start="no such command"))
    shown = machine.shown(task)
    assert shown.stopped_reason == "Task failed to start"
    assert shown.containers[0].reason == "CannotStartContainerError: no such command"  # type: ignore[index]


def test_tasks_of_one_subnet_have_addresses_of_their_own() -> None:
    machine = Machine().connect()
    tasks = [machine.run(scripted()) for _ in range(3)]
    found = [machine.now(task).interface for task in tasks]
    assert [interface.address for interface in found if interface] == ["10.200.0.4", "10.200.0.5", "10.200.0.6"]
    assert len({interface.mac_address for interface in found if interface}) == 3


def test_the_story_tells_every_step() -> None:
    machine = Machine().connect()
    task = machine.run(scripted(exit_code="1"))
    told = [line.text for line in machine.store.story(task.arn)]
    steps = [line for line in told if "->" in line]
    assert steps == [
        "PROVISIONING -> PENDING",
        "PENDING -> RUNNING",
        "RUNNING -> DEPROVISIONING",
        "DEPROVISIONING -> STOPPED",
    ]
    assert "container web ended with exit code 1" in told


class Flaky(SimulatedDriver):
    """An engine that can be switched off."""

    answers = True

    def _check(self) -> None:
        if not self.answers:
            raise DriverUnreachableError("it was switched off")

    def prepare(self, task: TaskSpec, subnet: Subnet) -> Namespace:
        self._check()
        return super().prepare(task, subnet)

    def start(self, container: ContainerSpec, namespace: Namespace) -> Started:
        self._check()
        return super().start(container, namespace)

    def remove(self, task_arn: str) -> None:
        self._check()
        super().remove(task_arn)


def test_a_call_that_the_engine_did_not_answer_is_made_again() -> None:
    machine = Machine(Flaky).connect()
    assert isinstance(machine.driver, Flaky)
    machine.driver.answers = False
    task = machine.run(scripted())
    assert machine.shown(task).last_status == "PROVISIONING"
    machine.driver.answers = True
    machine.advance(1)
    assert machine.shown(task).last_status == "RUNNING"


def test_tasks_wait_while_the_engine_is_gone_and_go_on_when_it_is_back() -> None:
    machine = Machine().connect()
    machine.runtime._on_disconnected("connection refused")
    task = machine.run(scripted())
    assert (machine.runtime.problem, machine.runtime.status) == ("connection refused", "unreachable")
    assert machine.shown(task).last_status == "PROVISIONING"
    machine.connect()
    assert (machine.runtime.problem, machine.runtime.status) == (None, "connected")
    assert machine.shown(task).last_status == "RUNNING"


class Deaf(SimulatedDriver):
    """An engine whose containers end without anybody being told."""

    def watch(self, watcher: Watcher) -> None:
        super().watch(watcher)
        self._watcher = None


def restarted(machine: Machine, steps: Steps | None = None) -> Machine:
    """Another process on the same state, beside the same engine."""
    again = Machine(lambda _: machine.driver, machine.store, lambda _: steps or Steps())
    again.clock = machine.clock
    return again


def test_a_new_process_finds_its_tasks_running() -> None:
    machine = Machine().connect()
    task = machine.run(scripted())
    before = machine.now(task)
    again = restarted(machine).connect()
    assert again.now(task) == before


def test_what_goes_along_with_a_container_goes_along_with_one_that_is_found() -> None:
    machine = Machine(Deaf).connect()
    running, ended = machine.run(scripted()), machine.run(scripted(run_for="5", exit_code="0"))
    machine.clock.set(machine.clock.now() + 60)
    machine.driver.tick(machine.clock.now())
    followed: list[tuple[str, str]] = []
    steps = Steps(at_after_start=[lambda task, spec: followed.append((task.id, spec.name))])
    restarted(machine, steps).connect()
    assert sorted(followed) == [(running.id, "web"), (ended.id, "web")]


@pytest.mark.parametrize("end", [Runtime.reset, lambda runtime: runtime.close(keep_tasks=True)], ids=["reset", "close"])
def test_steps_let_go_of_all_tasks_at_a_reset_and_at_the_end(end: Callable[[Runtime], None]) -> None:
    told: list[str] = []
    machine = Machine(steps=lambda _: Steps(at_forget=[lambda: told.append("let go")])).connect()
    machine.run(scripted())
    end(machine.runtime)
    assert told == ["let go"]


def test_a_container_that_ended_meanwhile_has_its_true_exit_code() -> None:
    machine = Machine(Deaf).connect()
    task = machine.run(scripted(run_for="5", exit_code="42"))
    machine.clock.set(machine.clock.now() + 60)
    machine.driver.tick(machine.clock.now())
    assert machine.shown(task).last_status == "RUNNING"
    again = restarted(machine).connect()
    assert again.shown(task).last_status == "STOPPED"
    assert again.shown(task).containers[0].exit_code == 42  # type: ignore[index]


def test_a_container_that_is_gone_without_a_trace_has_no_exit_code() -> None:
    machine = Machine().connect()
    task = machine.run(scripted())
    machine.driver.remove(task.arn)
    again = restarted(machine).connect()
    shown = again.shown(task)
    assert (shown.last_status, shown.stop_code) == ("STOPPED", "EssentialContainerExited")
    assert shown.containers[0].exit_code is None  # type: ignore[index]


def test_what_belongs_to_no_task_is_removed_at_the_start() -> None:
    machine = Machine().connect()
    task = machine.run(scripted())
    machine.store.clear()
    assert isinstance(machine.driver, SimulatedDriver)
    assert task.arn in machine.driver._tasks
    restarted(machine).connect()
    assert machine.driver._tasks == {}


def test_a_reset_forgets_and_removes_everything_and_the_next_task_runs() -> None:
    machine = Machine().connect()
    machine.run(scripted())
    machine.runtime.reset()
    assert isinstance(machine.driver, SimulatedDriver)
    assert machine.driver._tasks == {}
    assert len(machine.store.state.tasks) == 0
    assert machine.shown(machine.run(scripted())).last_status == "RUNNING"


class Full(SimulatedDriver):
    """A subnet without a free address."""

    def prepare(self, task: TaskSpec, subnet: Subnet) -> Namespace:
        raise NoFreeAddressError(subnet.id)


class Broken(SimulatedDriver):
    """A driver with a defect."""

    def prepare(self, task: TaskSpec, subnet: Subnet) -> Namespace:
        raise ZeroDivisionError("a defect")


@pytest.mark.parametrize(
    ("driver", "reason"),
    [
        (
            Full,
            (
                f"Unexpected EC2 error while attempting to Create Network Interface in subnet '{SUBNET}': "
                "InsufficientFreeAddressesInSubnet"
            ),
        ),
        (Broken, "InternalError: a defect"),
    ],
)
def test_a_task_without_a_network_stops_and_says_why(
    driver: Callable[[ManualClock], SimulatedDriver], reason: str
) -> None:
    machine = Machine(driver).connect()
    shown = machine.shown(machine.run(scripted()))
    assert (shown.last_status, shown.stop_code, shown.stopped_reason) == ("STOPPED", "TaskFailedToStart", reason)


def test_an_exit_of_a_task_that_is_forgotten_is_nobodys_business() -> None:
    machine = Machine().connect()
    task: Task = machine.run(scripted())
    machine.store.clear()
    machine.runtime._on_exited(task.arn, "web", Exit(0, out_of_memory=False, at=0))
    assert len(machine.store.state.tasks) == 0


def test_planning_one_task_costs_the_same_however_many_there_are() -> None:
    machine = Machine().connect()

    def plans_of_another_task() -> int:
        before = machine.loop.plans
        machine.run(scripted())
        return machine.loop.plans - before

    alone = plans_of_another_task()
    for _ in range(20):
        machine.run(scripted())
    assert plans_of_another_task() == alone
