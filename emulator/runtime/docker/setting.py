"""What all parts of the driver share."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.clock import Clock
from emulator.runtime.docker.engine import Engine
from emulator.runtime.docker.known import Known
from emulator.runtime.docker.labels import CONTAINER_NAME, TASK_ARN, Owner


@dataclass(frozen=True, slots=True)
class Setting:
    """The daemon, the emulator in whose name it is asked, what is known of it already, and the time."""

    engine: Engine
    owner: Owner
    known: Known
    clock: Clock

    def container_id(self, task_arn: str, name: str) -> str | None:
        """The id of a task's container; None if there is none. Raises DriverUnreachableError."""
        known = self.known.id_of(task_arn, name)
        if known is not None:
            return known
        found = self.engine.containers(self.owner.filter, f"{TASK_ARN}={task_arn}", f"{CONTAINER_NAME}={name}")
        return str(found[0]["Id"]) if found else None
