"""CloudFormation among the services in this process. What it is made of is imported when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.clock import Clock
from emulator.ids import Ids
from emulator.neighbours.clients import Clients
from emulator.neighbours.embedded.chance import IdsOfCall
from emulator.neighbours.embedded.clocks import TimeOfCall
from emulator.neighbours.embedded.given import from_outside
from emulator.neighbours.embedded.moto import Moto
from emulator.neighbours.ports import Ecs, Place


def add_stacks(moto: Moto, ecs: Ecs, clients: Clients, clock: Clock, ids: Ids) -> None:
    """Have stacks be made by ours. Those under way go on whenever somebody asks CloudFormation for anything.

    The order of locks: CloudFormation's own is taken first, by whoever takes the request, and kept to its end. Calls of
    ECS and of other services then take and give back what they need, one at a time. Only while one of moto's classes
    works, which reach into other services directly, the locks of all services of the template are held, and those are
    never waited for while one of them is held. Nobody who holds another service's lock asks for CloudFormation's.
    """

    def install() -> None:
        from emulator.neighbours.embedded.cloudformation import hook

        hook.install(_remembered(ecs), clients, moto.locks, TimeOfCall(clock), IdsOfCall(ids))

    def renew(place: Place) -> bool:
        from emulator.neighbours.embedded.cloudformation import hook

        return hook.renew(place)

    moto.on_load("cloudformation", install)
    moto.goes_on("cloudformation", renew)


def _remembered(ecs: Ecs) -> Ecs:
    """ECS, which a call that is done again does not ask again: what it made then is there still."""

    def answer(operation: str, request: Mapping[str, Any], place: Place) -> Any:
        return from_outside(lambda: ecs(operation, request, place))

    return answer
