"""What was fetched for tasks and is written down nowhere."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Something secret for each task, from its start until it is released. In this process's memory only."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_task: dict[str, T] = {}

    def keep(self, task_arn: str, what: T) -> None:
        """Keep this for a task, in place of what was kept for it before."""
        with self._lock:
            self._by_task[task_arn] = what

    def of(self, task_arn: str) -> T | None:
        """What is kept for a task; None where nothing is, as after a restart."""
        with self._lock:
            return self._by_task.get(task_arn)

    def drop(self, task_arn: str) -> None:
        """Forget what is kept for a task. Nothing is fine too."""
        with self._lock:
            self._by_task.pop(task_arn, None)

    def __repr__(self) -> str:
        with self._lock:
            return f"<kept for {len(self._by_task)} tasks>"
