"""What the edge is given by whoever builds it; it imports none of this itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypedDict

import api_models as ecs
from emulator.edge.exchange import Exchange, Receive, Scope, Send
from emulator.edge.sockets import Sockets
from emulator.ids import Ids, RandomIds
from emulator.operations.operation import Answer, Caller, Handler

Neighbour = Callable[[Exchange], Awaitable[None]]
"""Answers a request to another AWS service, which `exchange.service` names and `exchange.caller` calls. It reads
`exchange.scope` and `exchange.receive`, and answers through `exchange.send`, as any ASGI application does."""

WebSockets = Callable[[Scope, Receive, Send], Awaitable[None]]
"""Answers a WebSocket that the guards let in."""


class Operations(Protocol):
    """The operations of ECS: `operations.api.Api`."""

    def find(self, name: str) -> Handler:
        """The operation of this name. Raises ApiError for one that is unknown or not written."""
        ...

    def look(self, handler: Handler, request: ecs.Shape, caller: Caller) -> Any:
        """What an operation with `looks` asks of other services, which may take long. Raises ApiError."""
        ...

    def perform(self, handler: Handler, request: ecs.Shape, caller: Caller, found: Any) -> Answer:
        """Run an operation, with what its look found. Raises ApiError for what it refuses."""
        ...


class StoryLine(TypedDict):
    """Something that happened to a task."""

    at: float
    """Seconds since the epoch."""
    text: str


@dataclass(frozen=True, slots=True)
class Control:
    """What /_emulator shows and does. The functions are called in threads, several at once."""

    health: Callable[[], dict[str, object]]
    reset: Callable[[], None]
    """Forget everything."""
    story: Callable[[str], Sequence[StoryLine] | None]
    """What happened to a task, by id or ARN; None when there is no such task."""


def _nothing() -> None:
    """Stands where nothing is to be done."""


@dataclass(frozen=True, slots=True)
class Parts:
    """All that an edge is made of."""

    api: Operations
    control: Control
    ids: Ids = field(default_factory=RandomIds)
    default_region: str = "us-east-1"
    """The region of a request that names none."""
    allow_hosts: Sequence[str] = ()
    """Host names served beside AWS's and this machine's own: `name`, `*.name` for all below it, `*` for any."""
    allow_origins: Sequence[str] = ()
    """Web pages of other sites that may call: `https://page.example:8080`."""
    neighbour: Neighbour | None = None
    authorize: Callable[[str, ecs.Shape, Caller], None] | None = None
    """Raises ApiError for an operation and request that its caller may not make; None where everybody may do all."""
    websockets: WebSockets | None = None
    sockets: Sockets = field(default_factory=Sockets)
    """What is served beside the API's own socket."""
    startup: Callable[[], None] = _nothing
    """Called before the first request is answered. What it raises ends the server."""
    shutdown: Callable[[], Awaitable[None] | None] = _nothing
    """Called after the last request was answered. It may give back what to wait for."""
