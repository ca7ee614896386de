"""From the engine's events to what the watcher is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from emulator.runtime.docker.cgroups import TaskLimits
from emulator.runtime.docker.engine import RefusedError
from emulator.runtime.docker.labels import CONTAINER_NAME, ROLE, task_id, task_of
from emulator.runtime.docker.observe import exit_in, exit_of
from emulator.runtime.docker.setting import Setting
from emulator.runtime.driver import Exit, Watcher

EVENTS = ("die", "destroy", "oom")
KILLED = 137
"""The exit code of a process that got SIGKILL."""


class Reports:
    """Tells one watcher what happens, during one connection. All calls come from one thread."""

    def __init__(self, setting: Setting, watcher: Watcher, ended: Iterable[str], limits: TaskLimits) -> None:
        """`ended`: the ids of the containers of whose end the watcher knows already."""
        self._limits = limits
        self._engine = setting.engine
        self._known = setting.known
        self._clock = setting.clock
        self._watcher = watcher
        self._told = set(ended)

    def tell(self, event: Mapping[str, Any]) -> None:
        """Tell what an event of one of our containers means, if it is news. Raises DriverUnreachableError."""
        container_id = str(event["Actor"]["ID"])
        labels = event["Actor"]["Attributes"]  # the container's labels are among them, and its name
        task_arn = task_of(labels, labels.get("name", ""))
        if event["Action"] == "destroy":
            self._destroyed(container_id, task_arn, labels)
        elif task_arn is None or self._known.is_removing(container_id):
            return
        elif labels.get(ROLE) == "namespace":
            if event["Action"] == "die":
                self._watcher.namespace_lost(task_arn)
        elif event["Action"] == "die" or container_id in self._told:
            # The kernel's word that it was out of memory may come after the end: then it is told once more.
            self._ended(container_id, task_arn, labels, event)

    def _ended(self, container_id: str, task_arn: str, labels: Mapping[str, str], event: Mapping[str, Any]) -> None:
        end: Exit | None
        try:
            container = self._engine.inspect(container_id)
        except RefusedError:  # it is removed already
            end = exit_in(event)
        else:
            end = exit_of(container)
        if end is not None:  # else it runs again, or never did
            self._told.add(container_id)
            self._watcher.exited(task_arn, labels[CONTAINER_NAME], self._explained(end, container_id, task_arn))

    def _explained(self, end: Exit, container_id: str, task_arn: str) -> Exit:
        """An end, with the reason that containerd may lose: of many kills for want of memory at once it reports most
        [tried]. Who was killed, not by us, in a task that has reached its limit, was killed for that.
        """
        if end.code != KILLED or end.out_of_memory or self._known.is_killed(container_id):
            return end
        return replace(end, out_of_memory=self._limits.reached_memory_limit(task_id(task_arn)))

    def _destroyed(self, container_id: str, task_arn: str | None, labels: Mapping[str, str]) -> None:
        """Somebody removed a container. If it was not we, and its end was not told, nobody can tell it any more."""
        expected = self._known.is_removing(container_id) or container_id in self._told
        self._known.removed(container_id)
        self._told.discard(container_id)
        name = labels.get(CONTAINER_NAME, "")
        if task_arn is not None and not expected and self._known.id_of(task_arn, name) == container_id:
            self._watcher.exited(task_arn, name, Exit(code=None, out_of_memory=False, at=self._clock.now()))
