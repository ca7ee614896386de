"""The labels by which we know what is ours. Nothing without them is ever touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from socket import gethostname
from typing import Literal

OUR_PREFIX = "ecs-emulator."
INSTANCE = "ecs-emulator.instance"
ROLE = "ecs-emulator.role"
VPC = "ecs-emulator.vpc"
"""On a network: the range that it is the network of. On a namespace: the range of the VPC that it is in."""
ADDRESS = "ecs-emulator.address"
LOCK = "ecs-emulator.lock"
"""The file that the owner keeps locked while it lives; only on what an owner that keeps nothing has made."""
HOST = "ecs-emulator.host"
"""The machine whose file LOCK is: the same path in another machine or container is another file."""

TASK_ARN = "com.amazonaws.ecs.task-arn"
CONTAINER_NAME = "com.amazonaws.ecs.container-name"
FAMILY = "com.amazonaws.ecs.task-definition-family"
REVISION = "com.amazonaws.ecs.task-definition-version"
CLUSTER = "com.amazonaws.ecs.cluster"

Role = Literal["container", "namespace"]


@dataclass(frozen=True, slots=True)
class Owner:
    """The emulator that we work for."""

    instance: str
    lock: Path | None = None
    host: str = field(default_factory=gethostname)

    @property
    def filter(self) -> str:
        """What the engine's label filter must say to list what is ours."""
        return f"{INSTANCE}={self.instance}"

    def labels(self, role: Role) -> dict[str, str]:
        """What each of our containers carries."""
        labels = {INSTANCE: self.instance, ROLE: role}
        if self.lock is not None:
            labels |= {LOCK: str(self.lock), HOST: self.host}
        return labels

    def owns(self, labels: Mapping[str, str] | None) -> bool:
        """Does what carries these labels belong to this emulator?"""
        return (labels or {}).get(INSTANCE) == self.instance


def task_id(task_arn: str) -> str:
    """The task's id: the ARN's last part, in the long and in the short format."""
    return task_arn.rpartition("/")[2]
