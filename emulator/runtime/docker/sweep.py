"""What an emulator that keeps nothing left on the daemon when it was killed: nobody will ask for it again."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Mapping
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from emulator.runtime.docker.cgroups import TaskLimits
from emulator.runtime.docker.labels import HOST, INSTANCE, LOCK, ROLE, VPC, task_id
from emulator.runtime.docker.networks import Networks
from emulator.runtime.docker.observe import task_of_listed
from emulator.runtime.docker.removal import remove_container
from emulator.runtime.docker.setting import Setting
from emulator.runtime.driver import DriverUnreachableError

logger = logging.getLogger(__name__)


class Sweep:
    """Removes what belongs to nobody: made by another emulator whose lock file is there and not locked any more."""

    def __init__(self, setting: Setting, networks: Networks, limits: TaskLimits) -> None:
        self._engine = setting.engine
        self._owner = setting.owner
        self._networks = networks
        self._limits = limits

    def run(self) -> None:
        """Sweep. Raises DriverUnreachableError."""
        if not self._engine.is_local:  # its lock files are not on this machine
            return
        found = self._engine.containers(INSTANCE, LOCK)
        others = [container for container in found if self._is_of_others_here(container["Labels"])]
        free = {path for path in {each["Labels"][LOCK] for each in others} if self._is_free(path)}
        left = [container for container in others if container["Labels"][LOCK] in free]
        if left:
            logger.info("removing %d containers of killed emulators (%s)", len(left), ", ".join(sorted(free)))
        for container in sorted(left, key=lambda each: each["Labels"].get(ROLE) == "namespace"):
            self._remove(container)

    def _is_of_others_here(self, labels: Mapping[str, str]) -> bool:
        # The same path in a container, where another emulator may run, is another file.
        return not self._owner.owns(labels) and labels.get(HOST, self._owner.host) == self._owner.host

    def _is_free(self, path: str) -> bool:
        # What another has made under the lock that we hold is left by a predecessor of ours.
        return path == str(self._owner.lock) or is_free(Path(path))

    def _remove(self, container: Mapping[str, Any]) -> None:
        labels = container["Labels"]
        try:
            remove_container(self._engine, str(container["Id"]))
        except DriverUnreachableError as error:  # what is not ours must not keep us from connecting
            logger.warning("a killed emulator's container stays: %s", error)
            return
        if labels.get(ROLE) == "namespace":
            if VPC in labels:
                self._networks.use(IPv4Network(labels[VPC]))  # so that it goes with us
            self._limits.remove(task_id(task_of_listed(container) or ""))


def is_free(lock: Path) -> bool:
    """Is this a file that no process holds an exclusive flock on? One that does not exist tells nothing: no."""
    try:
        with lock.open("rb") as file:
            # Shared, so that two who look at once do not take each other for the owner.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
