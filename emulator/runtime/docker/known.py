"""What this process knows of its containers without asking the engine: their ids, and which ones it is removing."""

from __future__ import annotations

import threading
from collections.abc import Iterable


class Known:
    """Ids by task and container name, for all threads. What is missing here can be asked of the engine by label."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: dict[str, dict[str, str]] = {}
        self._removing: set[str] = set()
        self._killed: set[str] = set()

    def started(self, task_arn: str, name: str, container_id: str) -> None:
        """Note a container that was started, whether it runs still or not."""
        with self._lock:
            self._ids.setdefault(task_arn, {})[name] = container_id

    def id_of(self, task_arn: str, name: str) -> str | None:
        """The id of a container that was started."""
        with self._lock:
            return self._ids.get(task_arn, {}).get(name)

    def forget(self, task_arn: str) -> None:
        """The task is removed."""
        with self._lock:
            self._ids.pop(task_arn, None)

    def removing(self, container_id: str) -> None:
        """Note, before it is done, that we remove a container: its end then is no news."""
        with self._lock:
            self._removing.add(container_id)

    def is_removing(self, container_id: str) -> bool:
        """Is it we who remove this container?"""
        with self._lock:
            return container_id in self._removing

    def killing(self, container_id: str) -> None:
        """Note, before it is done, that we kill a container: nothing else need have killed it then."""
        with self._lock:
            self._killed.add(container_id)

    def is_killed(self, container_id: str) -> bool:
        """Was it we who killed this container?"""
        with self._lock:
            return container_id in self._killed

    def removed(self, container_id: str) -> None:
        """The engine has removed a container: nothing will be heard of it any more."""
        with self._lock:
            self._removing.discard(container_id)
            self._killed.discard(container_id)

    def still_there(self, container_ids: Iterable[str]) -> None:
        """These are all that the engine has: we shall not hear of the removal of others."""
        with self._lock:
            there = set(container_ids)
            self._removing &= there
            self._killed &= there
