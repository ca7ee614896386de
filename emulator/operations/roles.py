"""The roles of a task: what IAM says of them before the task is accepted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import api_models as ecs
from emulator.errors import ApiError
from emulator.neighbours.ports import Identity, Place, ServiceAbsentError, ServiceUnreachableError
from emulator.operations.operation import Caller, Look
from emulator.operations.task_definitions import find_task_definition
from emulator.rules.roles import TaskRole
from emulator.rules.rule import enforce


@dataclass(frozen=True, slots=True)
class FoundRoles:
    """What IAM said, before the transaction, of the roles that a task would have; none where nobody answers for IAM."""

    roles: tuple[TaskRole, ...] = ()
    refusal: ApiError | None = None
    """Why IAM did not say."""

    def check(self) -> None:
        """Raise ApiError for roles that a task cannot have."""
        if self.refusal is not None:
            raise self.refusal
        enforce("RunTask:roles", self.roles)


def find_roles(look: Look[ecs.RunTaskRequest]) -> FoundRoles:
    """Ask IAM about the roles of the task definition, or those that override them."""
    definition = _definition(look)
    if definition is None:  # which is refused before anything is said of roles
        return FoundRoles()
    references = dict.fromkeys(_references(definition, look.request.overrides or ecs.TaskOverride()))
    identity, caller = look.neighbours.identity, look.caller
    try:
        return FoundRoles(tuple(_look_at(identity, caller, role_arn(each, caller)) for each in references))
    except ServiceAbsentError:
        return FoundRoles()
    except ServiceUnreachableError as error:
        said = f"Nobody can say whether the task's roles exist: {error}."
        return FoundRoles(refusal=ApiError("ServerException", said, status=500))


def role_arn(reference: str, caller: Caller) -> str:
    """The ARN of a role that is given by its ARN, or by its name with or without its path."""
    if reference.startswith("arn:"):
        return reference
    return f"arn:{caller.partition}:iam::{caller.account}:role/{reference.removeprefix('/')}"


def _definition(look: Look[ecs.RunTaskRequest]) -> ecs.TaskDefinition | None:
    try:
        found = find_task_definition(look.state, look.caller, look.request.task_definition)
    except ApiError:
        return None
    return found.content if found else None


def _references(definition: ecs.TaskDefinition, overrides: ecs.TaskOverride) -> Iterator[str]:
    roles = (
        overrides.execution_role_arn or definition.execution_role_arn,
        overrides.task_role_arn or definition.task_role_arn,
    )
    return (role for role in roles if role)


def _look_at(identity: Identity, caller: Caller, arn: str) -> TaskRole:
    """A role is the caller's account's own (documented: PassRole does not cross accounts), and trusts ECS's tasks."""
    account, _, path = arn.split(":", 4)[-1].partition(":role/")
    found = identity.role(Place(caller.account, caller.region), path) if account == caller.account and path else None
    return TaskRole(arn, found is not None and found.arn == arn and _trusts_tasks(found.trust, caller))


def _trusts_tasks(trust: str, caller: Caller) -> bool:
    """Whether a trust policy lets ECS's tasks have its role."""
    from emulator.policies.documents import Kind, PolicyError, read_policy
    from emulator.policies.trust import ECS_TASKS, may_assume, source_context

    try:
        document = read_policy(trust, Kind.TRUST)
    except PolicyError:
        return False
    return may_assume(document, ECS_TASKS, source_context(caller.ecs_arn("task/*")))
