"""Carries out one action and says what was seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import api_models as ecs
from emulator.clock import Clock
from emulator.ids import Ids
from emulator.planner.containers import container_spec
from emulator.planner.observations import (
    ContainerStarted,
    ImagePulled,
    Observation,
    PlatformFailed,
    Prepared,
    Provided,
    Released,
    Signalled,
    StartRefused,
)
from emulator.planner.plan import Action, Prepare, Provide, PullImage, SignalContainer, StartContainer
from emulator.planner.specs import PullPolicy
from emulator.runtime.driver import Driver, Namespace, PullFailedError, StartFailedError
from emulator.runtime.steps import network
from emulator.runtime.steps.failures import pull_failure
from emulator.runtime.steps.steps import StepFailedError, Steps
from emulator.state.store import Store
from emulator.state.tasks import Task


@dataclass(frozen=True, slots=True)
class Hands:
    """All that it takes to carry out actions."""

    store: Store
    driver: Driver
    clock: Clock
    ids: Ids
    pull_policy: PullPolicy
    steps: Steps

    def perform(self, task: Task, action: Action) -> Observation:
        """Carry out an action for a task. Raises DriverUnreachableError."""
        match action:
            case Prepare():
                return self._attach(task, action)
            case Provide():
                return self._provide(task)
            case PullImage():
                return self._pull(task, action)
            case StartContainer():
                return self._start(task, action)
            case SignalContainer():
                self.driver.signal(task.arn, action.container, kill=action.kill)
                return Signalled(action.container, action.kill)
            case _:
                return self._release(task)

    def _attach(self, task: Task, action: Prepare) -> Prepared | PlatformFailed:
        seen = network.before_start(self.store, self.driver, self.ids, action)
        if isinstance(seen, PlatformFailed):
            return seen
        try:
            return Prepared(self.steps.attached(task, seen.interface))
        except StepFailedError as error:
            return PlatformFailed(str(error))

    def go_along(self, task: Task, containers: Iterable[str]) -> None:
        """Do what goes along with containers that were started earlier, by this process or another one."""
        definition = self._definition(task)
        for name in containers:
            self.steps.after_start(task, container_spec(task, definition, name))

    def _provide(self, task: Task) -> Provided | PlatformFailed:
        try:
            self.steps.before_start(task, self._definition(task))
        except StepFailedError as error:
            return PlatformFailed(str(error))
        return Provided()

    def _release(self, task: Task) -> Released:
        self.steps.before_release(task)
        self.driver.remove(task.arn)
        self.steps.after_release(task)
        return Released()

    def _definition(self, task: Task) -> ecs.TaskDefinition:
        """A task's definition, which stays as long as there is a task of it."""
        found = self.store.state.task_definitions.get(task.definition_key)
        if found is None:
            raise LookupError(f"{task.arn} has no task definition {task.family}:{task.revision}")
        return found.content

    def _pull(self, task: Task, action: PullImage) -> ImagePulled | PlatformFailed:
        try:
            login = self.steps.login(task, self._definition(task), action.container)
            digest = self.driver.pull(action.image, self.pull_policy, login)
        except StepFailedError as error:
            return PlatformFailed(str(error))
        except PullFailedError as error:
            return PlatformFailed(pull_failure(action.image, self.steps.pull_problem(action.image, error)))
        return ImagePulled(action.container, digest, self.clock.now())

    def _start(self, task: Task, action: StartContainer) -> ContainerStarted | StartRefused:
        if task.interface is None:
            raise ValueError(f"{task.arn} has no network interface yet")
        interface = task.interface
        namespace = Namespace(interface.namespace, interface.address, interface.mac_address)
        try:
            spec = self.steps.complete(task, self._definition(task), action.spec)
            started = self.driver.start(spec, namespace)
        except (StartFailedError, StepFailedError) as error:
            return StartRefused(action.container, str(error))
        self.steps.after_start(task, spec)
        return ContainerStarted(action.container, started.runtime_id, started.at)
