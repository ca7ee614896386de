"""The other services of one emulator, put together."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.neighbours.clients import Clients
from emulator.neighbours.embedded.keys import owner_of
from emulator.neighbours.embedded.locks import Locks
from emulator.neighbours.embedded.moto import Moto
from emulator.neighbours.front import Front
from emulator.neighbours.identity import Iam
from emulator.neighbours.logs import CloudWatchLogs
from emulator.neighbours.network import Ec2
from emulator.neighbours.objects import S3
from emulator.neighbours.ports import Ports
from emulator.neighbours.registry import Ecr
from emulator.neighbours.secrets import ParameterStore, SecretsManager


class Neighbours:
    """Who answers requests to other services (`front`), and what ECS asks of them (`ports`)."""

    def __init__(self, *, embedded: bool, endpoints: Mapping[str, str]) -> None:
        """`endpoints`: URLs by a service's name in signatures; all others are `embedded`, or answered by nobody."""
        self.moto = Moto(Locks()) if embedded else None
        clients = Clients(self.moto, endpoints)
        self.front = Front(self.moto, endpoints)
        self.ports = Ports(
            network=Ec2(clients),
            identity=Iam(clients, None if "iam" in endpoints or "sts" in endpoints else self.moto),
            logs=CloudWatchLogs(clients),
            secrets=SecretsManager(clients),
            parameters=ParameterStore(clients),
            objects=S3(clients),
            registry=Ecr(clients),
        )

    def owner(self, key: str) -> str | None:
        """The account of an access key that IAM or STS gave out here; None for any other."""
        return owner_of(key) if self.moto is not None else None

    def reset(self) -> None:
        """Forget everything that other services hold here."""
        if self.moto is not None:
            self.moto.reset()
