"""The roles of a task: what IAM says of them before the task is accepted."""

from __future__ import annotations

from collections.abc import Iterator

import api_models as ecs
from emulator.errors import ApiError
from emulator.neighbours.ports import Identity, Place, ServiceAbsentError, ServiceUnreachableError
from emulator.operations.operation import Caller
from emulator.policies.documents import Kind, PolicyError, read_policy
from emulator.policies.trust import ECS_TASKS, may_assume, source_context
from emulator.rules.roles import TaskRole


def role_arn(reference: str, caller: Caller) -> str:
    """The ARN of a role that is given by its ARN, or by its name with or without its path."""
    if reference.startswith("arn:"):
        return reference
    return f"arn:{caller.partition}:iam::{caller.account}:role/{reference.removeprefix('/')}"


def look_at_roles(
    identity: Identity, caller: Caller, definition: ecs.TaskDefinition, overrides: ecs.TaskOverride | None
) -> tuple[TaskRole, ...]:
    """What is known of the roles that a task of this definition would have. Nothing where nobody answers for IAM.

    Raises ServerException where IAM is elsewhere and does not answer.
    """
    references = dict.fromkeys(_references(definition, overrides or ecs.TaskOverride()))
    try:
        return tuple(_look_at(identity, caller, role_arn(reference, caller)) for reference in references)
    except ServiceAbsentError:
        return ()
    except ServiceUnreachableError as error:
        raise ApiError("ServerException", f"The task's roles cannot be checked: {error}", status=500) from error


def _references(definition: ecs.TaskDefinition, overrides: ecs.TaskOverride) -> Iterator[str]:
    for role in (
        overrides.execution_role_arn or definition.execution_role_arn,
        overrides.task_role_arn or definition.task_role_arn,
    ):
        if role:
            yield role


def _look_at(identity: Identity, caller: Caller, arn: str) -> TaskRole:
    """A role is the caller's account's own (documented: PassRole does not cross accounts), and trusts ECS's tasks."""
    account, _, path = arn.split(":", 4)[-1].partition(":role/")
    found = identity.role(Place(caller.account, caller.region), path) if account == caller.account and path else None
    if found is None or found.arn != arn:
        return TaskRole(arn, may_be_assumed=False)
    try:
        trust = read_policy(found.trust, Kind.TRUST)
    except PolicyError:
        return TaskRole(arn, may_be_assumed=False)
    return TaskRole(arn, may_assume(trust, ECS_TASKS, source_context(caller.ecs_arn("task/*"))))
