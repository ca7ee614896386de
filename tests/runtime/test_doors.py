"""The way from code in a task to the emulator, as the runtime keeps it, with a driver that opens doors on paper."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from emulator.clock import ManualClock
from emulator.planner.containers import task_spec
from emulator.planner.environment import Environment
from emulator.planner.specs import ContainerSpec
from emulator.runtime.driver import Doors, Namespace, NoDoorsError
from emulator.runtime.simulated import SimulatedDriver
from emulator.runtime.steps.doors import Doorkeeper
from emulator.state.sqlite import Database
from emulator.state.store import Store
from emulator.state.tasks import Task
from tests.builders import INTERFACE, NOW, TASK_ARN, definition
from tests.builders import task as new_task


def doors(port: int = 4566) -> Doors:
    return Doors(port=port, api=socket.socket(), endpoint=socket.socket())


class DoorDriver(SimulatedDriver):
    """Simulates tasks, and has the doors that it is given."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.has: dict[str, Doors | Exception] = {}
        """By namespace."""

    def api_port(self, namespace: Namespace) -> int | None:
        found = self.doors(namespace)
        return found.port if found else None

    def doors(self, namespace: Namespace) -> Doors | None:
        found = self.has.get(namespace.id)
        if isinstance(found, Exception):
            raise found
        return found


@dataclass
class Bench:
    store: Store
    driver: DoorDriver
    keeper: Doorkeeper
    task: Task
    told: list[Any] = field(default_factory=list)
    """What was served and closed, in order."""

    def follow(self, task: Task) -> None:
        """A container of the task was started, or is found that was."""
        self.keeper.after_start(task, ContainerSpec(task_spec(task), "web", "web"))

    def environment(self, task: Task | None = None, **given: str) -> dict[str, str]:
        """What a container of the task has when it was started."""
        task = task or self.task
        spec = ContainerSpec(task_spec(task), "web", "web", environment=Environment(definition=given))
        environment = self.keeper.at_start(task, definition(), spec).environment
        self.follow(task)
        return environment.merged()

    def story(self) -> list[str]:
        return [line.text for line in self.store.story(TASK_ARN)]


@pytest.fixture
def bench() -> Iterator[Bench]:
    clock = ManualClock(NOW)
    store, driver = Store(Database(None)), DoorDriver(clock)
    told: list[Any] = []
    keeper = Doorkeeper(store, driver, clock, lambda arn, found: told.append((arn, found)), told.append)
    with store.write() as transaction:
        task = transaction.tasks.put(new_task(interface=INTERFACE))
    yield Bench(store, driver, keeper, task, told)
    for found in driver.has.values():
        if isinstance(found, Doors):
            found.close()


def test_doors_are_served_once_however_many_containers_start(bench: Bench) -> None:
    bench.driver.has["namespace"] = found = doors()
    bench.environment()
    bench.environment()
    assert bench.told == [(TASK_ARN, found)]


def test_containers_are_told_where_the_api_is(bench: Bench) -> None:
    bench.driver.has["namespace"] = doors(5555)
    assert bench.environment(A="b") == {"A": "b", "AWS_ENDPOINT_URL": "http://127.0.0.1:5555"}


@pytest.mark.parametrize("given", ["https://aws.example", ""])
def test_what_a_container_was_told_of_the_api_counts(bench: Bench, given: str) -> None:
    bench.driver.has["namespace"] = doors()
    assert bench.environment(AWS_ENDPOINT_URL=given) == {"AWS_ENDPOINT_URL": given}
    assert len(bench.told) == 1


def test_where_no_code_runs_nothing_is_served_and_nothing_said(bench: Bench) -> None:
    assert bench.environment() == {}
    assert (bench.told, bench.story()) == ([], [])


def test_without_doors_a_task_starts_and_its_story_says_why_once(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.driver.has["namespace"] = NoDoorsError("only root may enter it")
    assert bench.environment(A="b") == {"A": "b"}
    bench.environment()
    sentence = "code in the task reaches neither this API nor its credentials, because only root may enter it"
    assert bench.story() == [sentence]
    assert [record.getMessage() for record in caplog.records] == [f"{TASK_ARN}: {sentence}"]


def test_the_log_says_each_reason_once_for_all_tasks(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.driver.has["namespace"] = NoDoorsError("of this")
    bench.environment()
    bench.environment(replace(bench.task, arn=f"{TASK_ARN}0"))
    bench.driver.has["namespace"] = NoDoorsError("of that")
    bench.environment()
    assert [record.getMessage()[-7:] for record in caplog.records] == ["of this", "of that"]


def test_a_task_that_was_forgotten_gets_no_story(bench: Bench) -> None:
    bench.driver.has["namespace"] = NoDoorsError("of this")
    with bench.store.write() as transaction:
        transaction.tasks.delete(bench.task.key)
    bench.environment()
    assert bench.story() == []


def test_doors_are_closed_before_the_namespace_goes(bench: Bench) -> None:
    bench.driver.has["namespace"] = doors()
    bench.environment()
    bench.keeper.before_release(bench.task)
    bench.keeper.before_release(bench.task)
    assert bench.told[1:] == [TASK_ARN]


def test_a_task_whose_namespace_was_made_anew_has_its_doors_there(bench: Bench) -> None:
    bench.driver.has["namespace"], bench.driver.has["another"] = doors(), doors()
    bench.environment()
    bench.environment(replace(bench.task, interface=replace(INTERFACE, namespace="another")))
    assert bench.told[1:] == [TASK_ARN, (TASK_ARN, bench.driver.has["another"])]


def test_all_are_closed_when_everything_is_forgotten(bench: Bench) -> None:
    bench.driver.has["namespace"] = doors()
    bench.environment()
    bench.keeper.forget()
    bench.keeper.forget()
    assert bench.told[1:] == [TASK_ARN]


def test_a_task_that_is_found_has_its_doors_served_again(bench: Bench) -> None:
    bench.driver.has["namespace"] = doors()
    bench.follow(bench.task)
    bench.follow(bench.task)
    assert bench.told == [(TASK_ARN, bench.driver.has["namespace"])]


def test_one_that_is_found_in_its_deprovisioning_does_not(bench: Bench) -> None:
    bench.driver.has["namespace"] = doors()
    bench.follow(replace(bench.task, last_status="DEPROVISIONING"))
    assert bench.told == []
