"""A runtime without threads, whose time is moved by hand: everything happens in the test's own thread."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import api_models as ecs
from emulator.clock import ManualClock
from emulator.ids import RandomIds
from emulator.runtime.actions import Hands
from emulator.runtime.driver import Driver
from emulator.runtime.runtime import Runtime
from emulator.runtime.simulated import SimulatedDriver
from emulator.runtime.steps.steps import Steps
from emulator.state.sqlite import Database
from emulator.state.store import Store
from emulator.state.tasks import Task
from tests.builders import NOW, definition_record
from tests.builders import task as new_task


class Inline(Executor):
    """Runs what it is given at once."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Machine:
    """Store, runtime and driver, and the clock that drives them."""

    def __init__(
        self,
        driver: Callable[[ManualClock], Driver] = SimulatedDriver,
        store: Store | None = None,
        steps: Callable[[Store], Steps] = lambda _: Steps(),
    ) -> None:
        self.clock = ManualClock(NOW)
        self.store = store or Store(Database(None))
        self.driver = driver(self.clock)
        hands = Hands(self.store, self.driver, self.clock, RandomIds(), "missing", steps(self.store))
        self.runtime = Runtime(hands, workers=Inline(), pullers=Inline())
        self.loop = self.runtime.loop
        self._numbers = itertools.count(1)

    def connect(self) -> Machine:
        self.runtime.connect()
        self.loop.settle()
        return self

    def run(self, content: ecs.TaskDefinition, number: int | None = None) -> Task:
        """A task of this definition, as RunTask leaves it, and all that follows at this moment."""
        id_ = f"{number or next(self._numbers):032x}"
        blank = new_task(content)
        arn = blank.arn.rsplit("/", 1)[0] + "/" + id_
        view = blank.content.replace(task_arn=arn).to_json()
        record = new_task(content, id=id_, arn=arn, view=view)
        with self.store.write() as transaction:
            transaction.task_definitions.put(definition_record(content))
            transaction.tasks.put(record)
        self.loop.settle()
        return record

    def now(self, record: Task) -> Task:
        found = self.store.state.tasks.get(record.key)
        assert found is not None
        return found

    def shown(self, record: Task) -> ecs.Task:
        return self.now(record).content

    def stop(self, record: Task) -> None:
        from emulator.state.tasks import asked_to_stop

        task = self.now(record)
        content = asked_to_stop(task.content, "UserInitiated", "Task stopped by user", self.clock.now())
        with self.store.write() as transaction:
            transaction.tasks.put(task.shown(content))
        self.loop.settle()

    def advance(self, seconds: float) -> None:
        """Move time, stopping at every moment at which something happens."""
        end = round(self.clock.now() + seconds, 3)
        self.loop.settle()
        while (wake := self.loop.wake()) is not None and wake <= end:
            self.clock.set(max(wake, self.clock.now()))
            self.loop.settle()
        self.clock.set(end)
        self.loop.settle()
