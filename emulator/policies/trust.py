"""Whether a service may assume a role, by the role's trust policy.

Documented: the developer guide's page "Amazon ECS task IAM role", with the keys aws:SourceAccount and aws:SourceArn.
"""

from __future__ import annotations

from emulator.policies.decision import AccessRequest, applies
from emulator.policies.documents import Document
from emulator.policies.patterns import Context, arn_parts, lowered

ECS_TASKS = "ecs-tasks.amazonaws.com"
"""Assumes the roles of tasks, and those under which they are started."""

ECS = "ecs.amazonaws.com"
"""Assumes the roles under which ECS makes volumes, listeners and machines."""


def source_context(arn: str) -> dict[str, str]:
    """What ECS says of the task for which it assumes a role, by the task's ARN.

    Documented: both keys, and that a pattern of the source should leave the resource open; that it is the task's ARN
    is inferred.
    """
    return {"aws:SourceArn": arn, "aws:SourceAccount": arn_parts(arn)[4]}


def may_assume(trust: Document, service: str, context: Context) -> bool:
    """Whether a trust policy (`documents.Kind.TRUST`) lets a service assume its role."""
    request = AccessRequest("sts:AssumeRole", "*", context)
    values = lowered(context)
    names = frozenset({("Service", service)})
    found = [
        statement
        for statement in trust
        if statement.principals is not None
        and statement.principals.include(names)
        and applies(statement, request, values)
    ]
    return bool(found) and all(statement.allows for statement in found)
