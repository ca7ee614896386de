"""A task definition that somebody asks to register, as its rules see it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import api_models as ecs
from emulator.rules.rule import broken

EPHEMERAL_STORAGE = range(21, 200 + 1)
"""GiB."""

_CPU_UNITS = {"": 1, "vcpu": 1024, "vcpus": 1024}
_MEMORY_UNITS = {"": 1, "mb": 1, "mib": 1, "gb": 1024, "gib": 1024}
_AMOUNT = re.compile(r"\s*([0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})\s*([a-zA-Z]*)\s*")


def cpu_units(text: str | None) -> int | None:
    """CPU units of `256`, `.25 vCPU` or `1vcpu`; None for what is no amount of them."""
    return _amount(text, _CPU_UNITS)


def memory_mebibytes(text: str | None) -> int | None:
    """MiB of `512`, `0.5 GB` or `2gb`; None for what is no amount of them."""
    return _amount(text, _MEMORY_UNITS)


def _amount(text: str | None, units: dict[str, int]) -> int | None:
    found = _AMOUNT.fullmatch(text or "")
    if found is None or found[2].lower() not in units or ("." in found[1] and not found[2]):
        return None
    amount = Decimal(found[1]) * units[found[2].lower()]
    return int(amount) if amount > 0 and amount == int(amount) else None


def storage_out_of_bounds(storage: ecs.EphemeralStorage | None) -> Mapping[str, object] | None:
    """By which `limit` a task's ephemeral storage is out of bounds, for the sentence of a rule; None if it is not."""
    size = storage.size_in_gib or 0 if storage else EPHEMERAL_STORAGE.start
    if size in EPHEMERAL_STORAGE:
        return None
    return broken(limit="least 21" if size < EPHEMERAL_STORAGE.start else "most 200")


@dataclass(frozen=True, slots=True)
class Registration:
    """The facts for the rules of RegisterTaskDefinition. Without network mode a task has a bridge."""

    request: ecs.RegisterTaskDefinitionRequest
    size: int
    """Bytes of the request's JSON."""
    cpu: int | None
    """CPU units of the task; None when absent or unreadable."""
    memory: int | None
    """MiB of the task; None when absent or unreadable."""
    containers: tuple[ecs.ContainerDefinition, ...]
    for_fargate: bool

    @property
    def network_mode(self) -> str:
        """The one given, or the default."""
        return self.request.network_mode or "bridge"

    @property
    def volumes(self) -> tuple[ecs.Volume, ...]:
        """The volumes given."""
        return self.request.volumes or ()

    @property
    def system(self) -> str:
        """The family of operating systems given, or the default."""
        platform = self.request.runtime_platform
        return (platform and platform.operating_system_family) or "LINUX"

    @property
    def windows(self) -> bool:
        """Whether the task is one for Windows."""
        return self.system.startswith("WINDOWS")

    @property
    def container_names(self) -> frozenset[str]:
        """What other parts of the definition may refer to."""
        return frozenset(container.name for container in self.containers if container.name)


@dataclass(frozen=True, slots=True)
class ContainerInTask:
    """The facts for rules about one container of a definition."""

    task: Registration
    container: ecs.ContainerDefinition

    @property
    def name(self) -> str:
        """The container's name."""
        return self.container.name or ""


def registration(request: ecs.RegisterTaskDefinitionRequest, size: int) -> Registration:
    """The facts of a request whose JSON has `size` bytes."""
    return Registration(
        request=request,
        size=size,
        cpu=cpu_units(request.cpu),
        memory=memory_mebibytes(request.memory),
        containers=request.container_definitions or (),
        for_fargate="FARGATE" in (request.requires_compatibilities or ()),
    )
