"""The way from code in a task to this emulator: sockets inside of the task, and the variable that names the API."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

import api_models as ecs
from emulator.clock import Clock
from emulator.planner.specs import ContainerSpec
from emulator.runtime.driver import Doors, Driver, Namespace, NoDoorsError
from emulator.state.store import Store
from emulator.state.tasks import Task

logger = logging.getLogger(__name__)

VARIABLE = "AWS_ENDPOINT_URL"
"""What SDKs read (documented: AWS SDKs and Tools, service-specific endpoints)."""

UNREACHED = "code in the task reaches neither this API nor its credentials"


class Doorkeeper:
    """Has the sockets inside of tasks served, for as long as the tasks are there."""

    def __init__(
        self,
        store: Store,
        driver: Driver,
        clock: Clock,
        serve: Callable[[str, Doors], None],
        close: Callable[[str], None],
    ) -> None:
        """`serve` answers at the doors of a task, by ARN, until `close` closes them."""
        self._store = store
        self._driver = driver
        self._clock = clock
        self._serve = serve
        self._close = close
        self._lock = threading.Lock()
        self._open: dict[str, Doors] = {}
        self._shut: dict[str, str] = {}
        """Why code in a task reaches nothing here, by task ARN."""
        self._said = ""

    def at_start(self, task: Task, _definition: ecs.TaskDefinition, spec: ContainerSpec) -> ContainerSpec:
        """The container, told where the API is unless somebody told it already. Raises DriverUnreachableError."""
        try:
            port = self._driver.api_port(_namespace_of(task))
        except NoDoorsError as why:
            self._say(task, str(why))
            return spec
        if port is None:
            return spec
        return replace(spec, environment=spec.environment.with_defaults({VARIABLE: f"http://127.0.0.1:{port}"}))

    def after_start(self, task: Task, _spec: ContainerSpec) -> None:
        """Answer in the task from now on. Raises DriverUnreachableError."""
        # In one that is found in its deprovisioning nothing runs, and its doors may just have been closed.
        if task.last_status != "DEPROVISIONING":
            self._answer(task)

    def before_release(self, task: Task) -> None:
        """Close a task's doors."""
        with self._lock:
            doors = self._open.pop(task.arn, None)
            self._shut.pop(task.arn, None)
        if doors is not None:
            self._close(task.arn)

    def forget(self) -> None:
        """Close all doors."""
        with self._lock:
            open_, self._open = self._open, {}
            self._shut.clear()
        for task_arn in open_:
            self._close(task_arn)

    def _answer(self, task: Task) -> None:
        """Have a task's doors served. Several of its containers may ask at once."""
        try:
            doors = self._driver.doors(_namespace_of(task))
        except NoDoorsError as why:
            self._say(task, str(why))
            return
        if doors is not None:
            self._have_served(task.arn, doors)

    def _have_served(self, task_arn: str, doors: Doors) -> None:
        with self._lock:
            known = self._open.get(task_arn)
            self._open[task_arn] = doors
        if known is doors:
            return
        if known is not None:  # the task got another namespace, as the first one died before anything ran in it
            self._close(task_arn)
        self._serve(task_arn, doors)

    def _say(self, task: Task, why: str) -> None:
        """Say why there are no doors: once in the task's story, and in the log where it differs from the last time."""
        with self._lock:
            is_told, is_said = self._shut.get(task.arn) == why, self._said == why
            self._shut[task.arn] = self._said = why
        if not is_said:
            logger.warning("%s: %s, because %s", task.arn, UNREACHED, why)
        if not is_told:
            with self._store.write() as transaction:
                if transaction.tasks.get(task.key) is not None:
                    transaction.tell(task, self._clock.now(), f"{UNREACHED}, because {why}")


def _namespace_of(task: Task) -> Namespace:
    if task.interface is None:
        raise ValueError(f"{task.arn} has no network interface yet")
    return Namespace(task.interface.namespace, task.interface.address, task.interface.mac_address)
