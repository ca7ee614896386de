"""The labels, and one name, by which we know what is ours. Nothing without the labels is ever touched."""

from __future__ import annotations

import re
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
API_PORT = "ecs-emulator.api-port"
"""On a namespace: at which port of its loopback address the API is, for as long as it lives."""
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
    port: int | None = None
    """Where its API is; None for one whose API is not offered inside of tasks."""

    @property
    def filter(self) -> str:
        """What the engine's label filter must say to list what is ours."""
        return f"{INSTANCE}={self.instance}"

    def labels(self, role: Role) -> dict[str, str]:
        """What each of our containers carries."""
        labels = {INSTANCE: self.instance, ROLE: role}
        if self.lock is not None:
            labels |= {LOCK: str(self.lock), HOST: self.host}
        if self.port is not None and role == "namespace":
            labels[API_PORT] = str(self.port)
        return labels

    def owns(self, labels: Mapping[str, str] | None) -> bool:
        """Does what carries these labels belong to this emulator?"""
        return (labels or {}).get(INSTANCE) == self.instance


def task_id(task_arn: str) -> str:
    """The task's id: the ARN's last part, in the long and in the short format."""
    return task_arn.rpartition("/")[2]


_NAMESPACE_NAME = re.compile(r"/?ecs-([^.]+)-pause\.([^.]+)\.([^.]+)\.([^.]+)(?:\.([^.]+))?")


def namespace_name(task_arn: str) -> str:
    """The name of a task's pause container: the same each time, so that a second attempt finds the first.

    All of the ARN is in it. Labels cannot be added to a container, but it can be renamed: the name is how a namespace
    that was made before its task is known to be the task's, also to a process that finds it after a crash.
    """
    _, partition, _, region, account, path = task_arn.split(":", 5)
    _, *cluster, id_ = path.split("/")
    return f"ecs-{id_}-pause.{'.'.join((partition, region, account, *cluster))}"


def task_of(labels: Mapping[str, str], name: str) -> str | None:
    """The ARN of the task that a container of ours belongs to, by its label or its name; None for a spare namespace."""
    if TASK_ARN in labels:
        return labels[TASK_ARN]
    found = _NAMESPACE_NAME.fullmatch(name) if labels.get(ROLE) == "namespace" else None
    if found is None:
        return None
    id_, partition, region, account, cluster = found.groups()
    return f"arn:{partition}:ecs:{region}:{account}:task/{f'{cluster}/' if cluster else ''}{id_}"
