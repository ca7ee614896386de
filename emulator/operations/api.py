"""Performs a call: finds its operation, gives it the state, and answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import api_models as ecs
from api_models.operations import OPERATIONS
from emulator.clock import Clock
from emulator.errors import ApiError
from emulator.ids import Ids
from emulator.neighbours.ports import Ports
from emulator.operations.operation import HANDLERS, Answer, Caller, Handler, Look, Read, Write
from emulator.operations.paging import Tokens
from emulator.rules.parameters import required_members
from emulator.state.store import Store


class Api:
    """All operations of one emulator."""

    def __init__(
        self, store: Store, clock: Clock, ids: Ids, engine_problem: Callable[[], str | None], neighbours: Ports
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._engine_problem = engine_problem
        self._neighbours = neighbours
        self._tokens = Tokens(store.setting("token-secret", ids.hex(64)))

    def find(self, name: str) -> Handler:
        """The operation of this name.

        Raises UnknownOperationException for one that ECS does not have, and NotImplementedException (501) for one that
        nobody has written yet.
        """
        if name not in OPERATIONS:
            raise ApiError("UnknownOperationException", "")
        handler = HANDLERS.get(name)
        if handler is None:
            raise ApiError(
                "NotImplementedException", f"The operation {name} is not implemented in this emulator.", status=501
            )
        return handler

    def look(self, handler: Handler, request: ecs.Shape, caller: Caller) -> Any:
        """What an operation with `looks` asks of other services. Raises ApiError."""
        required_members(handler.name, request)
        if handler.looks is None:
            raise ValueError(f"{handler.name} asks no other service")
        return handler.looks(Look(request, caller, self._store.state, self._clock.now(), self._neighbours))

    def perform(self, handler: Handler, request: ecs.Shape, caller: Caller, found: Any = None) -> Answer:
        """Run an operation, with what `look` found. Raises ApiError for what it refuses; nothing has changed then."""
        required_members(handler.name, request)
        if handler.writes:
            return self._write(handler, request, caller, found)
        return handler.function(Read(request, caller, self._store.state, self._clock.now(), self._tokens))

    def _write(self, handler: Handler, request: Any, caller: Caller, found: Any) -> Answer:
        problem = self._engine_problem()
        with self._store.write() as transaction:
            return handler.function(Write(request, caller, transaction, self._clock.now(), self._ids, problem, found))
