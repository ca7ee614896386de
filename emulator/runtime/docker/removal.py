"""Removing tasks: their containers, namespace and limits, in this order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from emulator.runtime.docker.cgroups import TaskLimits
from emulator.runtime.docker.doors import DoorOpener
from emulator.runtime.docker.engine import Engine, RefusedError
from emulator.runtime.docker.labels import ROLE, TASK_ARN, namespace_name, task_id
from emulator.runtime.docker.namespaces import ColdNamespaces
from emulator.runtime.docker.observe import labels_of, task_of_listed
from emulator.runtime.docker.setting import Setting
from emulator.runtime.driver import DriverUnreachableError

THREADS = 4
"""More do not make the daemon quicker [tried]."""
GONE_WITHIN = 30
"""Seconds that we wait for a removal which somebody else has begun."""


class Removal:
    """Removes what an emulator has made on one daemon."""

    def __init__(self, setting: Setting, namespaces: ColdNamespaces, limits: TaskLimits, doors: DoorOpener) -> None:
        self._engine = setting.engine
        self._owner = setting.owner
        self._known = setting.known
        self._namespaces = namespaces
        self._limits = limits
        self._doors = doors

    def task(self, task_arn: str) -> None:
        """As Driver.remove."""
        members = _namespace_last(self._engine.containers(self._owner.filter, f"{TASK_ARN}={task_arn}"))
        namespace = self._namespace(task_arn)
        self._remove(task_arn, [*(each for each in members if each != namespace), *([namespace] if namespace else [])])

    def all_but(self, task_arns: Iterable[str]) -> None:
        """As Driver.remove_all_but."""
        keep = set(task_arns)
        tasks: dict[str, list[Mapping[str, Any]]] = {}
        for container in self._engine.containers(self._owner.filter):
            tasks.setdefault(task_of_listed(container) or "", []).append(container)
        self._remove_spares(tasks.pop("", []))
        doomed = {arn: _namespace_last(members) for arn, members in tasks.items() if arn not in keep}
        with ThreadPoolExecutor(THREADS, "remove") as pool:
            for _ in pool.map(self._remove, doomed.keys(), doomed.values()):
                continue  # the first failure is raised here, after all were tried
        self._limits.remove_all_but([task_id(task_arn) for task_arn in keep])

    def spares(self) -> None:
        """Remove what belongs to no task: spare namespaces. Raises DriverUnreachableError."""
        found = self._engine.containers(self._owner.filter, f"{ROLE}=namespace")
        self._remove_spares([container for container in found if task_of_listed(container) is None])

    def _remove_spares(self, spares: Sequence[Mapping[str, Any]]) -> None:
        with ThreadPoolExecutor(THREADS, "remove") as pool:
            for _ in pool.map(self._remove_container, [str(container["Id"]) for container in spares]):
                continue

    def _remove(self, task_arn: str, container_ids: Sequence[str]) -> None:
        """Remove these containers of a task, in this order, and what is not a container."""
        self._known.forget(task_arn)
        for container_id in container_ids:
            self._remove_container(container_id)
        self._namespaces.release(task_arn)
        self._limits.remove(task_id(task_arn))

    def _remove_container(self, container_id: str) -> None:
        self._known.removing(container_id)
        self._doors.drop(container_id)
        remove_container(self._engine, container_id)

    def _namespace(self, task_arn: str) -> str | None:
        """The id of the task's namespace by its name: one that was made before the task has no label of it."""
        try:
            container = self._engine.inspect(namespace_name(task_arn))
        except RefusedError:
            return None
        return str(container["Id"]) if self._owner.owns(labels_of(container)) else None


def _namespace_last(members: Iterable[Mapping[str, Any]]) -> list[str]:
    """The ids of listed containers."""
    return [str(each["Id"]) for each in sorted(members, key=lambda each: each["Labels"].get(ROLE) == "namespace")]


def remove_container(engine: Engine, container_id: str) -> None:
    """Remove a container, dead or alive, and the volumes that have no name. None is fine.

    Raises DriverUnreachableError, also when the engine cannot do it: it may be asked again.
    """
    try:
        with engine.asking() as api:
            api.remove_container(container_id, force=True, v=True)
    except RefusedError as refusal:
        if refusal.status == 404:
            return
        if refusal.status == 409 and "in progress" in refusal.words:
            _wait_until_gone(engine, container_id)
            return
        raise DriverUnreachableError(f"container {container_id[:12]} is not removed: {refusal.words}") from refusal


def _wait_until_gone(engine: Engine, container_id: str) -> None:
    with suppress(RefusedError), engine.asking() as api:
        api.wait(container_id, timeout=GONE_WITHIN, condition="removed")
