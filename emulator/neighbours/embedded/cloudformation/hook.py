"""Puts our stacks in the place of moto's. Moto's modules are known to be imported when this is."""

from __future__ import annotations

from typing import Any

from moto.cloudformation import models, urls

from emulator.clock import Clock
from emulator.ids import Ids
from emulator.neighbours.clients import Clients
from emulator.neighbours.embedded.cloudformation.backend import Backend, Parts
from emulator.neighbours.embedded.cloudformation.kinds import Services
from emulator.neighbours.embedded.cloudformation.responses import Response
from emulator.neighbours.embedded.cloudformation.stack import Stack
from emulator.neighbours.embedded.locks import Locks
from emulator.neighbours.ports import Ecs, Place


class InstanceStack:
    """The stack of a stack set's instance, as moto makes one: a stack like any other, as it is on AWS."""

    def __init__(self, name: str, template: str, parameters: Any, account_id: str, region_name: str, **_: Any) -> None:
        self._book: Any = models.cloudformation_backends[account_id][region_name]
        self._wanted = (name, template, parameters)
        self._stack: Stack | None = None

    def create_resources(self) -> None:
        """Make it."""
        name, template, parameters = self._wanted
        self._stack = self._book.create_stack(name, template, parameters)

    def delete(self) -> None:
        """Remove it."""
        if self._stack is not None:
            self._book.delete_stack(self._stack.stack_id)


def install(ecs: Ecs, clients: Clients, locks: Locks, clock: Clock, ids: Ids) -> None:
    """Have moto make stacks of ours from now on. Of several emulators in a process, the last one's are made."""
    parts = Parts(Services(ecs, clients, ids), locks, clock)
    # Moto finds a service's paths by the name of the module that its backend is of.
    ours = type("CloudFormationBackend", (Backend,), {"parts": parts, "__module__": models.__name__})
    books: Any = models.cloudformation_backends
    books.backend = ours
    for book in list(books.values()):
        book.backend = ours
    models.Stack = InstanceStack  # type: ignore[misc,assignment]
    urls.url_paths["{0}/$"] = Response.dispatch


def renew(place: Place) -> bool:
    """Go on with the stacks of a place that are being made, changed or removed. The caller holds the lock.

    Says whether there were any.
    """
    books: Any = models.cloudformation_backends
    return bool(books[place.account][place.region].renew())
