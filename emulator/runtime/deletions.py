"""Forgets task definitions that somebody asked to delete, once nothing uses them any more.

Only what changed is looked at: a definition when its deletion is asked for, and again when a task of it is forgotten.
"""

from __future__ import annotations

import heapq
import logging
import threading
from typing import Any

from emulator.planner.task_definitions import gone_at
from emulator.state.record import Change, Key
from emulator.state.revisions import forget_revision
from emulator.state.store import Store, Tables, Transaction
from emulator.state.task_definitions import TaskDefinition
from emulator.state.tasks import Task, tasks_of_definition

log = logging.getLogger(__name__)


class Deletions:
    """Which definitions have to go, and when. What it knows is in the records too, so a new process finds it there."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._heap: list[tuple[float, Key]] = []
        for definition in store.state.task_definitions:
            self._expect(definition)

    def hear(self, change: Change[Any]) -> bool:
        """Take note of a commit. True when `due` may have changed by it."""
        if isinstance(change.after, TaskDefinition):
            return self._expect(change.after)
        if isinstance(change.before, Task) and change.after is None:
            definition = self._store.state.task_definitions.get(change.before.definition_key)
            return definition is not None and self._expect(definition)
        return False

    def _expect(self, definition: TaskDefinition) -> bool:
        when = _gone_at(definition, self._store.state)
        if when is None:
            return False
        with self._lock:
            heapq.heappush(self._heap, (when, definition.key))
        return True

    def due(self) -> float | None:
        """The next moment at which `tick` has something to do."""
        with self._lock:
            return self._heap[0][0] if self._heap else None

    def tick(self, now: float) -> None:
        """Forget what is due."""
        keys = self._take_due(now)
        if not keys:
            return
        try:
            self._forget(keys, now)
        except Exception:
            # Tasks have to be planned all the same. The next process tries again.
            log.exception("task definitions cannot be deleted")

    def _take_due(self, now: float) -> list[Key]:
        keys = []
        with self._lock:
            while self._heap and self._heap[0][0] <= now:
                keys.append(heapq.heappop(self._heap)[1])
        return keys

    def _forget(self, keys: list[Key], now: float) -> None:
        with self._store.write() as transaction:
            for key in keys:
                definition = transaction.task_definitions.get(key)
                when = _gone_at(definition, transaction) if definition else None
                if definition is not None and when is not None and when <= now:
                    forget_revision(transaction, definition)


def _gone_at(definition: TaskDefinition, state: Tables | Transaction) -> float | None:
    return gone_at(definition, state.tasks.count(tasks_of_definition(definition.key)))
