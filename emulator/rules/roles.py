"""What RunTask refuses of a task's roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emulator.rules.rule import broken, rule

Found = Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class TaskRole:
    """A role that a task would have: whether it exists and ECS's tasks may assume it."""

    arn: str
    may_be_assumed: bool


@rule(
    "RunTask:roles",
    refuse="ClientException",
    says="ECS was unable to assume the role '{role}' that was provided for this task. Please verify that the role "
    "being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass "
    "this role.",
    evidence="observed 2021-09: telia-oss/terraform-aws-ecs-fargate pull 58 (in the event of a service)",
)
def roles_can_be_assumed(roles: Sequence[TaskRole]) -> Found:
    """A task's roles exist, and ECS's tasks may assume them."""
    return next((broken(role=role.arn) for role in roles if not role.may_be_assumed), None)
