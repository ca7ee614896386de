"""The other services of one emulator, put together."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from emulator.clock import Clock
from emulator.ids import Ids
from emulator.neighbours.clients import Clients
from emulator.neighbours.embedded.iam import make_accounts_ready
from emulator.neighbours.embedded.keeping.keeper import Keeper
from emulator.neighbours.embedded.keeping.quiet import ENTRANCES, be_quiet
from emulator.neighbours.embedded.keeping.stand_ins import number_rules, sort_names, stand_in_core
from emulator.neighbours.embedded.keys import owner_of
from emulator.neighbours.embedded.locks import Locks
from emulator.neighbours.embedded.models import keep_no_track
from emulator.neighbours.embedded.moto import Moto
from emulator.neighbours.embedded.sqs import wait_without_lock
from emulator.neighbours.front import Front
from emulator.neighbours.identity import Iam
from emulator.neighbours.journal import Journal
from emulator.neighbours.logs import CloudWatchLogs
from emulator.neighbours.network import Ec2
from emulator.neighbours.objects import S3
from emulator.neighbours.ports import Ports
from emulator.neighbours.secrets import ParameterStore, SecretsManager


def embedded_services(keeper: Keeper | None) -> Moto:
    """Moto, with all that we change in it."""
    locks = Locks()
    moto = Moto(locks, keeper)
    moto.on_load("core", keep_no_track)
    moto.on_load("core", stand_in_core)
    moto.on_load("elbv2", number_rules)
    moto.on_load("acm", sort_names)
    for service in ENTRANCES:
        moto.on_load(service, partial(be_quiet, service))
    moto.on_load("iam", make_accounts_ready)
    moto.on_load("sqs", lambda: wait_without_lock(locks))
    return moto


class Neighbours:
    """Who answers requests to other services (`front`), and what ECS asks of them (`ports`)."""

    def __init__(
        self, *, embedded: bool, endpoints: Mapping[str, str], kept_in: Path | None, clock: Clock, ids: Ids
    ) -> None:
        """`endpoints`: URLs by a service's name in signatures; all others are `embedded`, or answered by nobody.

        `kept_in`: the file that keeps what they hold, or None. Raises OSError, StateFileError.
        """
        self._keeper = Keeper(Journal(kept_in), clock, ids) if embedded and kept_in is not None else None
        self.moto = embedded_services(self._keeper) if embedded else None
        clients = Clients(self.moto, endpoints)
        self.front = Front(self.moto, endpoints)
        self.ports = Ports(
            network=Ec2(clients),
            identity=Iam(clients, None if "iam" in endpoints or "sts" in endpoints else self.moto),
            logs=CloudWatchLogs(clients),
            secrets=SecretsManager(clients),
            parameters=ParameterStore(clients),
            objects=S3(clients),
        )

    def owner(self, key: str) -> str | None:
        """The account of an access key that IAM or STS gave out here; None for any other."""
        if self._keeper is not None:
            return self._keeper.owner(key)
        return owner_of(key) if self.moto is not None else None

    def reset(self) -> None:
        """Forget everything that other services hold here."""
        if self.moto is not None:
            self.moto.reset()

    def close(self) -> None:
        """Let go of what keeps what they hold."""
        if self._keeper is not None:
            self._keeper.close()
