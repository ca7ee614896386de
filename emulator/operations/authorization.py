"""Whether a caller may make a call, by the policies that IAM has of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import api_models as ecs
from emulator.clock import Clock
from emulator.errors import ApiError
from emulator.neighbours.ports import Place, Principal, Principals
from emulator.operations.operation import Caller
from emulator.operations.tags import look_up
from emulator.operations.task_definitions import find_task_definition
from emulator.policies.callers import Identity, global_context
from emulator.policies.decision import Policies, first_refusal
from emulator.policies.documents import Document, PolicyError, read_policy
from emulator.policies.ecs_actions import needs_of
from emulator.state.arns import read_arn
from emulator.state.store import Store, Tables

OF_IAM = ("AKIA", "ASIA")
"""How keys begin that IAM and STS give out. Any other key is the root user's, who may do everything."""


class Authorization:
    """Asks the policies of a caller before each call."""

    def __init__(self, store: Store, clock: Clock, principals: Principals) -> None:
        self._store = store
        self._clock = clock
        self._principals = principals

    def check(self, operation: str, request: ecs.Shape, caller: Caller) -> None:
        """Raise AccessDeniedException for what the caller may not do, UnrecognizedClientException for nobody's key."""
        if not caller.key.startswith(OF_IAM):
            return
        principal = self._principals(Place(caller.account, caller.region), caller.key)
        if principal is None:
            raise ApiError("UnrecognizedClientException", "The security token included in the request is invalid.")
        identity = Identity(principal.arn, principal.user_id, principal.tags)
        context = global_context(identity, caller.region, self._clock.now())
        needs = needs_of(operation, request, caller, _Known(self._store.state, caller))
        refusal = first_refusal(_policies(principal), (need.with_context(context) for need in needs))
        if refusal is not None:
            raise refusal


@dataclass(frozen=True, slots=True)
class _Known:
    """What the state knows of the things that a call names."""

    state: Tables
    caller: Caller

    def tags(self, arn: str) -> Mapping[str, str]:
        """The tags of a resource; none for one that is not there."""
        found = read_arn(arn)
        resource = look_up(self.state, found) if found else None
        return resource.tags if resource else {}

    def task_definition(self, reference: str) -> ecs.TaskDefinition | None:
        """A task definition; None if there is none."""
        try:
            found = find_task_definition(self.state, self.caller, reference)
        except ApiError:  # what is no reference names nothing
            return None
        return found.content if found else None


def _policies(principal: Principal) -> Policies:
    return Policies(
        caller=principal.arn,
        identity=tuple(map(_document, principal.policies)),
        boundary=None if principal.boundary is None else _document(principal.boundary),
        session=None if principal.session is None else tuple(map(_document, principal.session)),
    )


@lru_cache(maxsize=256)
def _document(text: str) -> Document:
    """A policy. One that cannot be read allows nothing: AWS would not have stored it."""
    try:
        return read_policy(text)
    except PolicyError:
        return ()
