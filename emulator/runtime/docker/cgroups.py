"""A task's own limits: a parent cgroup around all of its containers, where the daemon's cgroups are within our reach.

The daemon makes a parent that is missing, without limits, and removes none; so we make and remove it. Elsewhere
(cgroup v2, systemd's driver, no root, a daemon on another machine) each container gets the task's limits as its own.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from socket import gethostname
from typing import Any, Literal

from emulator.runtime.docker.engine import Engine
from emulator.runtime.driver import PrepareFailedError

logger = logging.getLogger(__name__)

MOUNTINFO = Path("/proc/self/mountinfo")
FOLDER = "ecs"
"""As ECS's agent names it on cgroup v1: /ecs/<task id>."""
PERIOD = 100_000
"""Microseconds in which the quota of processor time is measured; as ECS's agent sets it."""
SMALLEST_QUOTA = 1_000
"""Microseconds; the kernel refuses less."""
TASK_ID = re.compile(r"[A-Za-z0-9-]+")

Way = Literal["task cgroup", "per container"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a container's creation must know of how tasks are limited: the parent, or that there is none.

    `cores` is how many processors the daemon has: it refuses a container that asks for more.
    """

    cgroup_parent: str | None
    cores: int


class TaskCgroups:
    """The parent cgroups of tasks, in every cgroup hierarchy of this machine."""

    def __init__(self, hierarchies: Mapping[str, Path]) -> None:
        """`hierarchies`: where each controller is mounted; a hierarchy without controllers goes by any other name."""
        self._hierarchies = dict(hierarchies)

    def make(self, task_id: str, *, cpu: int | None, memory: int | None) -> None:
        """Make a task's cgroup, or set its limits anew. `cpu` in CPU units, `memory` in MiB. Raises OSError."""
        for root in set(self._hierarchies.values()):
            # In all of them, not only where there is a limit: else the daemon makes the folder there, and the removal
            # of another task's could take the empty /ecs away from under it.
            _make_folder(root / FOLDER / task_id)
        if memory is not None:
            self._write("memory", task_id, "memory.limit_in_bytes", memory * 2**20)
        if cpu is not None:
            self._write("cpu", task_id, "cpu.cfs_period_us", PERIOD)
            self._write("cpu", task_id, "cpu.cfs_quota_us", max(SMALLEST_QUOTA, cpu * PERIOD // 1024))

    def remove(self, task_id: str) -> None:
        """Remove a task's cgroup, and the folder around it with the last one. None is fine."""
        for root in set(self._hierarchies.values()):
            folder = root / FOLDER / task_id
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError as error:
                logger.warning("cannot remove cgroup %s, it stays empty: %s", folder, error.strerror)
                continue
            with suppress(OSError):  # other tasks are in it, or another emulator was quicker
                folder.parent.rmdir()

    def reached_memory_limit(self, task_id: str) -> bool:
        """Has the task as a whole asked for more memory than it may have? The kernel counts that, and keeps the count
        for as long as the cgroup is there.
        """
        try:
            return int((self._hierarchies["memory"] / FOLDER / task_id / "memory.failcnt").read_text()) > 0
        except (OSError, ValueError):
            return False

    def _write(self, controller: str, task_id: str, file: str, value: int) -> None:
        (self._hierarchies[controller] / FOLDER / task_id / file).write_text(str(value))


class TaskLimits:
    """How the tasks on one daemon are limited; decided when the connection to it is made."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._decided = False
        self._cgroups: TaskCgroups | None = None
        self._cores = 1
        self._made: set[str] = set()

    @property
    def way(self) -> Way | None:
        """Which way is in use; None until the daemon was asked."""
        if not self._decided:
            return None
        return "per container" if self._cgroups is None else "task cgroup"

    def decide(self, info: Mapping[str, Any]) -> None:
        """Choose by what the daemon says of itself."""
        with self._lock:
            before = self.way
            self._cores = int(info.get("NCPU") or 1)
            self._cgroups, why = _within_reach(info, is_local=self._engine.is_local)
            self._decided = True
        if self.way != before:
            logger.info("limits of tasks: %s (%s)", self.way, why)

    def make(self, task_id: str, *, cpu: int | None, memory: int | None) -> None:
        """Prepare what bounds a task as a whole. Raises DriverUnreachableError, PrepareFailedError."""
        cgroups = self._chosen()
        if cgroups is None:
            return
        if not TASK_ID.fullmatch(task_id):  # it becomes part of a path
            raise PrepareFailedError(f"{task_id!r} is no task id")
        with self._lock:
            self._made.add(task_id)
        try:
            cgroups.make(task_id, cpu=cpu, memory=memory)
        except OSError as error:
            raise PrepareFailedError(f"cannot make the task's cgroup {error.filename}: {error.strerror}") from error

    def bounds(self, task_id: str) -> Bounds:
        """What the task's containers are created with. Raises DriverUnreachableError."""
        cgroups = self._chosen()
        return Bounds(None if cgroups is None else f"/{FOLDER}/{task_id}", self._cores)

    def reached_memory_limit(self, task_id: str) -> bool:
        """Has the task as a whole reached its limit of memory? False where nobody can tell."""
        return self._cgroups is not None and self._cgroups.reached_memory_limit(task_id)

    def remove(self, task_id: str) -> None:
        """Remove what `make` made. Raises DriverUnreachableError."""
        cgroups = self._chosen()
        if cgroups is not None and TASK_ID.fullmatch(task_id):
            cgroups.remove(task_id)
        with self._lock:
            self._made.discard(task_id)

    def remove_all_but(self, task_ids: Collection[str]) -> None:
        """Remove what this process made for other tasks, of which no container may be left to tell of them."""
        with self._lock:
            doomed = self._made - set(task_ids)
        for task_id in doomed:
            self.remove(task_id)

    def _chosen(self) -> TaskCgroups | None:
        if not self._decided:
            self.decide(self._engine.info())
        return self._cgroups


def hierarchies(mountinfo: str) -> dict[str, Path]:
    """Where each cgroup controller is mounted, by the kernel's table (proc(5), "mountinfo").

    Only whole hierarchies: one that shows a part (in a container) is not the daemon's.
    """
    found: dict[str, Path] = {}
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        root, mount_point = left.split()[3:5]
        kind, _, options = right.split()[:3]
        if root != "/":
            continue
        if kind == "cgroup":
            found |= dict.fromkeys(set(options.split(",")) - {"rw", "ro", "xattr", "clone_children"}, Path(mount_point))
        elif kind == "cgroup2":
            found[mount_point] = Path(mount_point)
    return found


def _within_reach(info: Mapping[str, Any], *, is_local: bool) -> tuple[TaskCgroups | None, str]:
    """The cgroups of the daemon's machine if we may make some there, and why or why not."""
    if not is_local or info.get("Name") != gethostname():
        return None, "the daemon is on another machine"
    if str(info.get("CgroupVersion")) != "1" or info.get("CgroupDriver") != "cgroupfs":
        return None, f"the daemon uses cgroup v{info.get('CgroupVersion')} by {info.get('CgroupDriver')}"
    if os.geteuid() != 0:
        return None, "only root may make cgroups"
    found = hierarchies(MOUNTINFO.read_text())
    if any(name not in found or not os.access(found[name], os.W_OK) for name in ("memory", "cpu", "pids")):
        return None, "this machine's cgroups are not mounted here for writing"
    return TaskCgroups(found), "one cgroup around all containers of a task"


def _make_folder(path: Path) -> None:
    """Make a folder and the one around it. Another emulator may remove the latter in between: try again."""
    for _ in range(20):
        with suppress(FileNotFoundError):
            path.mkdir(parents=True, exist_ok=True)
            return
    path.mkdir(parents=True, exist_ok=True)
