"""The other services of one emulator, put together."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.clock import Clock
from emulator.ids import Ids
from emulator.neighbours.clients import Clients
from emulator.neighbours.embedded.iam import make_accounts_ready
from emulator.neighbours.embedded.identity import EmbeddedIam
from emulator.neighbours.embedded.locks import Locks
from emulator.neighbours.embedded.models import keep_no_track
from emulator.neighbours.embedded.moto import Moto
from emulator.neighbours.embedded.sqs import wait_without_lock
from emulator.neighbours.embedded.stacks import add_stacks
from emulator.neighbours.front import Front
from emulator.neighbours.identity import EndpointIam
from emulator.neighbours.logs import CloudWatchLogs
from emulator.neighbours.network import Ec2
from emulator.neighbours.objects import S3
from emulator.neighbours.ports import Ecs, Identity, Ports
from emulator.neighbours.secrets import ParameterStore, SecretsManager


def embedded_services() -> Moto:
    """Moto, with all that we change in it."""
    locks = Locks()
    moto = Moto(locks)
    moto.on_load("core", keep_no_track)
    moto.on_load("iam", make_accounts_ready)
    moto.on_load("sqs", lambda: wait_without_lock(locks))
    return moto


class Neighbours:
    """Who answers requests to other services (`front`), and what ECS asks of them (`ports`)."""

    def __init__(self, *, embedded: bool, endpoints: Mapping[str, str]) -> None:
        """`endpoints`: URLs by a service's name in signatures; all others are `embedded`, or answered by nobody."""
        self.moto = embedded_services() if embedded else None
        self._clients = clients = Clients(self.moto, endpoints)
        self.front = Front(self.moto, endpoints)
        self.ports = Ports(
            network=Ec2(clients),
            identity=self._identity(clients, endpoints),
            logs=CloudWatchLogs(clients),
            secrets=SecretsManager(clients),
            parameters=ParameterStore(clients),
            objects=S3(clients),
        )

    def give(self, ecs: Ecs, clock: Clock, ids: Ids) -> None:
        """Let the services that use ECS have it. Called once, before the first request."""
        if self.moto is not None:
            add_stacks(self.moto, ecs, self._clients, clock, ids)

    def _identity(self, clients: Clients, endpoints: Mapping[str, str]) -> Identity:
        elsewhere = self.moto is None or "iam" in endpoints or "sts" in endpoints
        return EndpointIam(clients) if elsewhere or self.moto is None else EmbeddedIam(self.moto)

    def reset(self) -> None:
        """Forget everything that other services hold here."""
        if self.moto is not None:
            self.moto.reset()
