"""How an operation is declared, and what it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import api_models as ecs
from emulator.ids import Ids
from emulator.neighbours.ports import Ports
from emulator.operations.paging import Tokens
from emulator.state.arns import partition_of
from emulator.state.store import Tables, Transaction

Q = TypeVar("Q", bound=ecs.Shape)

Answer = ecs.Shape | bytes
"""A structure, or the JSON of one."""

Behaviour = Literal["behaves", "records"]
"""Does what AWS does, or keeps what it was told and nothing follows from it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and where: a 12-digit account, a region, and the access key that the call is signed with."""

    account: str
    region: str
    key: str = ""

    @property
    def partition(self) -> str:
        """The first part of this region's ARNs after `arn:`."""
        return partition_of(self.region)

    @property
    def arn(self) -> str:
        """Every caller is the account's root user."""
        return f"arn:{self.partition}:iam::{self.account}:root"

    def ecs_arn(self, resource: str) -> str:
        """The ARN of an ECS resource of this account and region, such as `cluster/default`."""
        return f"arn:{self.partition}:ecs:{self.region}:{self.account}:{resource}"


@dataclass(frozen=True, slots=True)
class Read(Generic[Q]):
    """A call that only looks. `state` shows what was committed."""

    request: Q
    caller: Caller
    state: Tables
    now: float
    tokens: Tokens


@dataclass(frozen=True, slots=True)
class Look(Generic[Q]):
    """What a call that may change the state asks of other services, before its transaction begins."""

    request: Q
    caller: Caller
    state: Tables
    now: float
    neighbours: Ports


@dataclass(frozen=True, slots=True)
class Write(Generic[Q]):
    """A call that may change the state, inside its transaction."""

    request: Q
    caller: Caller
    state: Transaction
    now: float
    ids: Ids
    engine_problem: str | None
    """Why no task can be started at this moment; None when one can."""
    found: Any
    """What the operation's `looks` found; None for an operation without one."""


@dataclass(frozen=True, slots=True)
class Handler:
    """An operation that is written."""

    name: str
    function: Callable[[Any], Answer]
    writes: bool
    behaviour: Behaviour
    looks: Callable[[Any], Any] | None = None
    """What asks other services before the transaction begins."""


HANDLERS: dict[str, Handler] = {}

ReadFunction = Callable[[Read[Q]], Answer]
WriteFunction = Callable[[Write[Q]], Answer]
LookFunction = Callable[[Look[Q]], Any]


def reads(name: str) -> Callable[[ReadFunction[Q]], ReadFunction[Q]]:
    """Declare an operation that only looks. It runs on the server's loop, so it must not wait for anything."""

    def declare(function: ReadFunction[Q]) -> ReadFunction[Q]:
        HANDLERS[name] = Handler(name, function, writes=False, behaviour="behaves")
        return function

    return declare


def writes(
    name: str, behaviour: Behaviour = "behaves", *, looks: LookFunction[Q] | None = None
) -> Callable[[WriteFunction[Q]], WriteFunction[Q]]:
    """Declare an operation that may change the state. It runs in one transaction; an exception undoes all of it.

    No other service is asked inside a transaction: `looks` does that before; what it returns is the call's `found`.
    """

    def declare(function: WriteFunction[Q]) -> WriteFunction[Q]:
        HANDLERS[name] = Handler(name, function, writes=True, behaviour=behaviour, looks=looks)
        return function

    return declare
