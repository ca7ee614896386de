"""The other services of one emulator, put together."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from emulator.clock import Clock
from emulator.ids import Ids
from emulator.neighbours.clients import Clients
from emulator.neighbours.embedded.ec2 import show_network
from emulator.neighbours.embedded.identity import EmbeddedIam
from emulator.neighbours.embedded.locks import Locks
from emulator.neighbours.embedded.moto import Moto
from emulator.neighbours.embedded.network import EmbeddedEc2
from emulator.neighbours.embedded.principals import principal_of
from emulator.neighbours.embedded.stacks import add_stacks
from emulator.neighbours.front import Front
from emulator.neighbours.identity import EndpointIam
from emulator.neighbours.interfaces import TaskInterfaces
from emulator.neighbours.logs import CloudWatchLogs
from emulator.neighbours.network import EndpointEc2, NoEc2
from emulator.neighbours.objects import S3
from emulator.neighbours.ports import DefaultVpc, Ecs, Identity, Network, Ports, Principals
from emulator.neighbours.registry import Ecr
from emulator.neighbours.secrets import ParameterStore, SecretsManager

if TYPE_CHECKING:
    from emulator.neighbours.embedded.keeping.keeper import Keeper


def _register_hooks(moto: Moto) -> None:
    from emulator.neighbours.embedded import hooks

    hooks.register(moto)


class Neighbours:
    """Who answers requests to other services (`front`), and what ECS asks of them (`ports`)."""

    def __init__(self, *, embedded: bool, endpoints: Mapping[str, str], keeper: Keeper | None = None) -> None:
        """`endpoints`: URLs by a service's name in signatures; all others are `embedded`, or answered by nobody.

        `keeper`: of what they hold; None where nothing survives the process.
        """
        self.moto = Moto(Locks(), keeper, _register_hooks) if embedded else None
        self._clients = clients = Clients(self.moto, endpoints)
        self.front = Front(self.moto, endpoints)
        self.ports = Ports(
            network=self._network(clients, endpoints),
            identity=self._identity(clients, endpoints),
            logs=CloudWatchLogs(clients),
            secrets=SecretsManager(clients),
            parameters=ParameterStore(clients),
            objects=S3(clients),
            registry=Ecr(clients),
        )

    def give(self, ecs: Ecs, clock: Clock, ids: Ids) -> None:
        """Let the services that use ECS have it. Called once, before the first request."""
        if self.moto is not None:
            add_stacks(self.moto, ecs, self._clients, clock, ids)

    @property
    def principals(self) -> Principals | None:
        """Who calls with which key; None where IAM is not answered here."""
        return partial(principal_of, self.moto) if self.moto is not None else None

    def show_network(self, default_vpc: DefaultVpc, interfaces: TaskInterfaces) -> None:
        """Have EC2 show the network that tasks are in, if it is embedded."""
        if self.moto is not None:
            show_network(self.moto, default_vpc, interfaces)

    def _network(self, clients: Clients, endpoints: Mapping[str, str]) -> Network:
        if "ec2" in endpoints:
            return EndpointEc2(clients)
        return EmbeddedEc2(self.moto) if self.moto is not None else NoEc2()

    def _identity(self, clients: Clients, endpoints: Mapping[str, str]) -> Identity:
        elsewhere = self.moto is None or "iam" in endpoints or "sts" in endpoints
        return EndpointIam(clients) if elsewhere or self.moto is None else EmbeddedIam(self.moto)

    def reset(self) -> None:
        """Forget everything that other services hold here."""
        if self.moto is not None:
            self.moto.reset()

    def close(self) -> None:
        """Let go of what keeps what they hold."""
        if self.moto is not None and self.moto.keeper is not None:
            self.moto.keeper.close()
