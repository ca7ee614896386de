"""The loop that keeps tasks moving: it plans what was touched or is due, and has the actions carried out.

Nothing is planned that did not change, and nothing is done twice at once. What is under way is known to this process
only; after a restart the planner asks again, and drivers find what the first call made.
"""

from __future__ import annotations

import heapq
import logging
import threading
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from emulator.planner.observations import Observation, PlatformFailed, StartRefused
from emulator.planner.plan import Action, Plan, Prepare, Provide, PullImage, Release, SignalContainer, StartContainer
from emulator.planner.tasks import plan_task
from emulator.runtime.actions import Hands
from emulator.runtime.deletions import Deletions
from emulator.runtime.driver import DriverUnreachableError
from emulator.state.record import Change, Key
from emulator.state.tasks import Task

log = logging.getLogger(__name__)

RETRY = 1.0
"""Seconds until an action is tried again whose engine did not answer."""


@dataclass(slots=True)
class _Wakes:
    """When each task has to be looked at again, soonest first."""

    heap: list[tuple[float, Key]] = field(default_factory=list)
    at: dict[Key, float] = field(default_factory=dict)

    def set(self, key: Key, when: float | None) -> None:
        if when is None:
            self.at.pop(key, None)
        elif self.at.get(key) != when:
            self.at[key] = when
            heapq.heappush(self.heap, (when, key))

    def soonest(self) -> float | None:
        while self.heap and self.at.get(self.heap[0][1]) != self.heap[0][0]:
            heapq.heappop(self.heap)
        return self.heap[0][0] if self.heap else None

    def take_due(self, now: float) -> list[Key]:
        due = []
        while (soonest := self.soonest()) is not None and soonest <= now:
            key = heapq.heappop(self.heap)[1]
            del self.at[key]
            due.append(key)
        return due


class Loop:
    """Plans tasks and has their actions carried out."""

    def __init__(self, hands: Hands, workers: Executor, pullers: Executor) -> None:
        """`pullers` carry out what may wait long for a registry, `workers` everything else."""
        self._hands = hands
        self._store = hands.store
        self._clock = hands.clock
        self._workers = workers
        self._pullers = pullers
        self._condition = threading.Condition()
        self._marked: dict[Key, None] = {}
        self._wakes = _Wakes()
        self._deletions = Deletions(hands.store)
        self._under_way: dict[Key, dict[str, Action]] = {}
        self._open = False
        self._closing = False
        self._resting = False
        self.plans = 0
        """How many plans were made."""
        hands.store.listen(self._changed)

    # What others tell it

    def _changed(self, change: Change[Any]) -> None:
        if isinstance(change.after, Task):
            self.mark(change.after.key)
        elif self._deletions.hear(change):
            # Whoever waits shall look again until when.
            self.mark()

    def mark(self, *keys: Key) -> None:
        """Have tasks planned."""
        with self._condition:
            self._marked.update(dict.fromkeys(keys))
            self._condition.notify_all()

    def observe(self, key: Key, observation: Observation) -> None:
        """Enter what was seen of a task into its record."""
        with self._store.write() as transaction:
            task = transaction.tasks.get(key)
            after = observation.enter(task) if task else None
            if after is not None and after is not task:
                transaction.tell(after, self._clock.now(), str(observation))
                transaction.tasks.put(after)

    def open(self) -> None:
        """Let actions be carried out: the engine answers. Every task is planned again."""
        with self._condition:
            self._open = True
        self.mark(*(task.key for task in self._store.state.tasks))

    def pause(self, patience: float = 60.0) -> None:
        """Begin no action any more, and wait until those under way have ended (pulls may go on).

        An engine that does not answer is not waited for longer than `patience` seconds.
        """
        with self._condition:
            self._open = False
            self._condition.wait_for(self._idle, patience)

    def _idle(self) -> bool:
        return all(isinstance(action, PullImage) for some in self._under_way.values() for action in some.values())

    def shut(self) -> None:
        """Begin no action any more: the engine does not answer."""
        with self._condition:
            self._open = False

    # The loop

    def run(self) -> None:
        """Plan whatever is marked or due until `close`. The body of the loop's thread."""
        while self._rest():
            for key in self._take():
                try:
                    self._advance(key)
                except Exception:
                    # One task that cannot be planned must not stop all others.
                    log.exception("%s cannot be planned", "/".join(str(part) for part in key))

    def _rest(self) -> bool:
        """Wait until there is something to plan. False when the loop shall end."""
        with self._condition:
            if not (self._marked or self._closing):
                self._resting = True
                self._condition.notify_all()
                self._condition.wait(self._seconds_to_wait())
                self._resting = False
            return not self._closing

    def quiesce(self, patience: float = 30.0) -> None:
        """Look at the clock, then wait until nothing is left to do at this moment and nothing is under way.

        For whoever moves the clock by hand. Raises TimeoutError after `patience` seconds of the machine's time.
        """
        with self._condition:
            self._resting = False
            self._condition.notify_all()
            if not self._condition.wait_for(
                lambda: self._resting and not self._marked and not self._under_way, patience
            ):
                raise TimeoutError(f"still busy after {patience} seconds: {self._under_way}")

    def _seconds_to_wait(self) -> float | None:
        wake = self.wake()
        return None if wake is None else max(0.0, wake - self._clock.now())

    def close(self) -> None:
        """End `run`."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()

    def wake(self) -> float | None:
        """The next moment at which time alone makes something happen."""
        with self._condition:
            moments = (self._wakes.soonest(), self._hands.driver.due(), self._deletions.due())
            return min((moment for moment in moments if moment is not None), default=None)

    def settle(self) -> None:
        """Plan until there is nothing to do at this moment."""
        while keys := self._take():
            for key in keys:
                self._advance(key)

    def _take(self) -> list[Key]:
        now = self._clock.now()
        self._hands.driver.tick(now)
        self._deletions.tick(now)
        with self._condition:
            keys = list(self._marked)
            self._marked.clear()
            keys += [key for key in self._wakes.take_due(now) if key not in keys]
            return keys

    def _advance(self, key: Key) -> None:
        task = self._store.state.tasks.get(key)
        if task is None:
            return
        definition = self._store.state.task_definitions.get(task.definition_key)
        if definition is None:
            raise LookupError(f"{task.arn} has no task definition {task.family}:{task.revision}")
        self.plans += 1
        plan = plan_task(task, definition.content, self._clock.now())
        if plan.after is not None or plan.forget:
            self._commit(task, plan)
            return
        with self._condition:
            self._wakes.set(key, plan.wake)
        if self._open:
            for action in plan.actions:
                self._begin(task, action)

    def _commit(self, task: Task, plan: Plan) -> None:
        """Make a planned change. If the task has changed meanwhile, it is marked and will be planned again."""
        with self._store.write() as transaction:
            if transaction.tasks.get(task.key) is not task:
                return
            if plan.after is None:
                transaction.tasks.delete(task.key)
                return
            transaction.tasks.put(plan.after)
            for said in plan.said:
                transaction.tell(task, self._clock.now(), said)

    # Actions

    def _begin(self, task: Task, action: Action) -> None:
        with self._condition:
            under_way = self._under_way.setdefault(task.key, {})
            if not _fits(action, under_way):
                return
            under_way[_slot(action)] = action
        executor = self._pullers if isinstance(action, PullImage) else self._workers
        executor.submit(self._perform, task, action)

    def _perform(self, task: Task, action: Action) -> None:
        seen: Observation | None = None
        retry = False
        try:
            seen = self._hands.perform(task, action)
        except DriverUnreachableError as error:
            log.warning("%s: the container engine does not answer: %s", task.arn, error)
            retry = True
        except Exception as error:
            log.exception("%s: %s failed", task.arn, type(action).__name__)
            seen = _defect(action, error)
            retry = seen is None
        self._end(task.key, action, seen, retry_at=self._clock.now() + RETRY if retry else None)

    def _end(self, key: Key, action: Action, seen: Observation | None, retry_at: float | None) -> None:
        # The observation is entered before the action counts as ended: else it might be begun a second time.
        try:
            if seen is not None:
                self.observe(key, seen)
        finally:
            with self._condition:
                under_way = self._under_way[key]
                del under_way[_slot(action)]
                if not under_way:
                    del self._under_way[key]
                self._condition.notify_all()
                if retry_at is None:
                    self._marked[key] = None
                else:
                    self._wakes.set(key, retry_at)

    def under_way(self) -> int:
        """How many actions are being carried out."""
        with self._condition:
            return sum(len(some) for some in self._under_way.values())


def _slot(action: Action) -> str:
    """What may be under way once only for each task: one pull and one other action for each container, one for the task
    as a whole, and what it asks of other services.
    """
    match action:
        case PullImage(container=name):
            return f"pull {name}"
        case StartContainer(container=name) | SignalContainer(container=name):
            return f"container {name}"
        case Provide():
            return "provide"
        case _:
            return "task"


def _fits(action: Action, under_way: dict[str, Action]) -> bool:
    """May an action begin beside these? What concerns the whole task waits for its containers, and they for it."""
    if _slot(action) in under_way:
        return False
    if isinstance(action, PullImage | Provide):
        return True
    if isinstance(action, Prepare | Release):
        return all(isinstance(other, PullImage) for other in under_way.values())
    return "task" not in under_way


def _defect(action: Action, error: Exception) -> Observation | None:
    """What an error that nobody foresaw means to the task; None for an action that has to be tried again."""
    match action:
        case Prepare() | Provide() | PullImage():
            return PlatformFailed(f"InternalError: {error}")
        case StartContainer(container=name):
            return StartRefused(name, f"InternalError: {error}")
        case _:
            return None
