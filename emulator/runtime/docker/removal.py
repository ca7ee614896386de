"""Removing tasks: their containers, namespace and limits, in this order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from emulator.runtime.docker.cgroups import TaskLimits
from emulator.runtime.docker.engine import Engine, RefusedError
from emulator.runtime.docker.labels import ROLE, TASK_ARN, task_id
from emulator.runtime.docker.namespaces import ColdNamespaces
from emulator.runtime.docker.setting import Setting
from emulator.runtime.driver import DriverUnreachableError

THREADS = 4
"""More do not make the daemon quicker [tried]."""
GONE_WITHIN = 30
"""Seconds that we wait for a removal which somebody else has begun."""


class Removal:
    """Removes what an emulator has made on one daemon."""

    def __init__(self, setting: Setting, namespaces: ColdNamespaces, limits: TaskLimits) -> None:
        self._engine = setting.engine
        self._owner = setting.owner
        self._known = setting.known
        self._namespaces = namespaces
        self._limits = limits

    def task(self, task_arn: str) -> None:
        """As Driver.remove."""
        self._remove(task_arn, self._engine.containers(self._owner.filter, f"{TASK_ARN}={task_arn}"))

    def all_but(self, task_arns: Iterable[str]) -> None:
        """As Driver.remove_all_but."""
        keep = set(task_arns)
        tasks: dict[str, list[Mapping[str, Any]]] = {}
        for container in self._engine.containers(self._owner.filter):
            tasks.setdefault(container["Labels"].get(TASK_ARN, ""), []).append(container)
        doomed = {arn: members for arn, members in tasks.items() if arn not in keep}
        with ThreadPoolExecutor(THREADS, "remove") as pool:
            for _ in pool.map(self._remove, doomed.keys(), doomed.values()):
                continue  # the first failure is raised here, after all were tried
        self._limits.remove_all_but([task_id(task_arn) for task_arn in keep])

    def _remove(self, task_arn: str, members: Sequence[Mapping[str, Any]]) -> None:
        """Remove these containers of a task, the namespace last, and what is not a container."""
        self._known.forget(task_arn)
        for container in sorted(members, key=lambda each: each["Labels"].get(ROLE) == "namespace"):
            self._known.removing(str(container["Id"]))
            remove_container(self._engine, str(container["Id"]))
        if task_arn:
            self._namespaces.release(task_arn)
            self._limits.remove(task_id(task_arn))


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
