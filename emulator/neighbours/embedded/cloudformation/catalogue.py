"""Who makes resources of which type."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from emulator.neighbours.embedded.cloudformation.kinds import Adapter, Kind, Services
from emulator.neighbours.embedded.cloudformation.moto_types import MotoType, moto_model, service_of
from emulator.neighbours.embedded.cloudformation.nested import NOTHING, NestedStack, Nothing, Stacks
from emulator.neighbours.embedded.cloudformation.resource_types import ResourceType
from emulator.neighbours.embedded.cloudformation.services import (
    discovery,
    ecs,
    iam,
    load_balancing,
    logs,
    network,
    scaling,
    schedules,
    secrets,
    storage,
)
from emulator.neighbours.embedded.locks import Locks

MODULES = (discovery, ecs, iam, load_balancing, logs, network, scaling, schedules, secrets, storage)
KINDS: dict[str, Kind] = {kind.type: kind for kind in chain.from_iterable(module.KINDS for module in MODULES)}


class Catalogue:
    """The types that there are."""

    def __init__(self, services: Services, locks: Locks, stacks: Stacks) -> None:
        self._services = services
        self._locks = locks
        self._stacks = stacks

    def find(self, type_: str) -> ResourceType | None:
        """Who makes resources of a type: ours, else moto."""
        if type_ in KINDS:
            return Adapter(KINDS[type_], self._services)
        if type_ in NOTHING:
            return Nothing()
        if type_ == "AWS::CloudFormation::Stack":
            return NestedStack(self._stacks)
        model = moto_model(type_)
        return MotoType(model, self._locks, self._services.ids) if model is not None else None


def services_of(types: Iterable[str]) -> frozenset[str]:
    """The services, by moto's names, whose state resources of these types change. ECS is not moto's."""
    found = set()
    for type_ in types:
        model = moto_model(type_)
        if type_ in KINDS:
            found.add(KINDS[type_].service.replace("-", ""))
        elif model is not None:
            found.add(service_of(model))
    return frozenset(found - {"ecs"})
