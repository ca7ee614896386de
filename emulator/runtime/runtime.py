"""The runtime as a whole: the loop, its threads, and what the driver tells it."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Executor, ThreadPoolExecutor

from emulator.planner.observations import (
    ContainerExited,
    ContainerStarted,
    NamespaceLost,
    Observation,
    StartUnknown,
)
from emulator.runtime.actions import Hands
from emulator.runtime.driver import Exit, Found, Watcher
from emulator.runtime.loop import Loop
from emulator.state.arns import task_key
from emulator.state.tasks import ContainerExit, Task

log = logging.getLogger(__name__)

WORKERS = 4
"""Threads for actions. More gain nothing on a Docker daemon (measured with eight)."""

PULLERS = 4
"""Threads for pulls, which may wait long for a registry and must not keep anything else waiting."""


class Runtime:
    """Runs tasks through a driver."""

    def __init__(self, hands: Hands, workers: Executor | None = None, pullers: Executor | None = None) -> None:
        """Without executors it makes threads of its own."""
        self._hands = hands
        self._workers = workers or ThreadPoolExecutor(WORKERS, "action")
        self._pullers = pullers or ThreadPoolExecutor(PULLERS, "pull")
        self.loop = Loop(hands, self._workers, self._pullers)
        self.problem: str | None = None
        """Why no task can be started: what the driver said last of its engine."""
        self._connected = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to plan, in a thread of its own, and connect to the engine."""
        self._thread = threading.Thread(target=self.loop.run, name="planner", daemon=True)
        self._thread.start()
        self.connect()

    def connect(self) -> None:
        """Connect to the engine, in the background."""
        self._hands.driver.watch(
            Watcher(
                connected=self._on_connected,
                disconnected=self._on_disconnected,
                exited=self._on_exited,
                namespace_lost=lambda arn: self.loop.observe(task_key(arn), NamespaceLost()),
            )
        )

    @property
    def status(self) -> str:
        """`connecting`, `connected`, or `unreachable`."""
        if self.problem:
            return "unreachable"
        return "connected" if self._connected else "connecting"

    def reset(self) -> None:
        """Forget everything and remove what belongs to it. Raises DriverUnreachableError, and then has forgotten."""
        self.loop.pause()
        left = [task for task in self._hands.store.state.tasks if not task.released]
        self._hands.store.clear()
        self._hands.steps.forget()
        try:
            self._hands.driver.remove_all_but(())
        finally:
            if self._connected:
                self.loop.open()
            for task in left:
                self._hands.steps.after_release(task)

    def close(self, *, keep_tasks: bool) -> None:
        """Stop planning, end what is under way, and let go of the engine."""
        self.loop.close()
        if self._thread is not None:
            self._thread.join()
        self.loop.pause()
        self._workers.shutdown()
        self._pullers.shutdown(wait=False, cancel_futures=True)
        self._hands.steps.forget()
        self._hands.driver.close(keep_tasks=keep_tasks)

    def _on_connected(self, found: list[Found]) -> None:
        by_arn = {each.task_arn: each for each in found}
        tasks = [task for task in self._hands.store.state.tasks if task.last_status != "STOPPED"]
        for task in tasks:
            known = by_arn.get(task.arn)
            for observation in what_was_found(task, known, self._hands.clock.now()):
                self.loop.observe(task.key, observation)
            if known is not None:
                self._hands.go_along(task, known.containers.keys() & task.containers.keys())
        self._hands.driver.remove_all_but(task.arn for task in tasks)
        self.problem = None
        self._connected = True
        self.loop.open()

    def _on_disconnected(self, reason: str) -> None:
        self.loop.shut()
        self._connected = False
        if self.problem is None:
            log.warning("The container engine does not answer: %s", reason)
        self.problem = reason

    def _on_exited(self, arn: str, container: str, exit_: Exit) -> None:
        observation = ContainerExited(container, ContainerExit(exit_.code, exit_.out_of_memory, exit_.at))
        self.loop.observe(task_key(arn), observation)


def what_was_found(task: Task, found: Found | None, now: float) -> list[Observation]:
    """What the engine has of a task, against what its record says: the observations that make up the difference."""
    seen: list[Observation] = []
    for name, state in task.containers.items():
        known = found.containers.get(name) if found else None
        if known is None:
            if state.started_at is not None and state.exit is None:
                seen.append(ContainerExited(name, ContainerExit(None, out_of_memory=False, at=now)))
            elif state.starting:
                seen.append(StartUnknown(name))
            continue
        started, exit_ = known
        seen.append(ContainerStarted(name, started.runtime_id, started.at))
        if exit_ is not None:
            seen.append(ContainerExited(name, ContainerExit(exit_.code, exit_.out_of_memory, exit_.at)))
    if task.interface is not None and not (found and found.namespace_alive):
        seen.append(NamespaceLost())
    return seen
