"""CloudFormation among the services in this process. What it is made of is imported when it is first asked for."""

from __future__ import annotations

from emulator.clock import Clock
from emulator.ids import Ids
from emulator.neighbours.clients import Clients
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

        hook.install(ecs, clients, moto.locks, clock, ids)

    def renew(place: Place) -> None:
        from emulator.neighbours.embedded.cloudformation import hook

        hook.renew(place)

    moto.on_load("cloudformation", install)
    moto.before_each("cloudformation", renew)
