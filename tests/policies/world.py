"""One caller's place, what is known there, and calls as the edge would hand them over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import api_models as ecs
from api_models.operations import OPERATIONS
from emulator.operations.operation import Caller
from emulator.policies.decision import AccessRequest, Policies, decide
from emulator.policies.documents import Document, read_policy
from emulator.policies.ecs_actions import needs_of

ACCOUNT = "111122223333"
PLACE = Caller(ACCOUNT, "us-east-1")
USER = f"arn:aws:iam::{ACCOUNT}:user/alice"
EXECUTION_ROLE = f"arn:aws:iam::{ACCOUNT}:role/ecsTaskExecutionRole"
TASK_ROLE = f"arn:aws:iam::{ACCOUNT}:role/web"

WEB = ecs.TaskDefinition(
    task_definition_arn=PLACE.ecs_arn("task-definition/web:3"),
    execution_role_arn=EXECUTION_ROLE,
    task_role_arn=TASK_ROLE,
    cpu="256",
    memory="512",
)
AGENT = ecs.DaemonTaskDefinition(
    daemon_task_definition_arn=PLACE.ecs_arn("daemon-task-definition/agent:1"), task_role_arn=TASK_ROLE
)


@dataclass(frozen=True)
class World:
    """A task definition web:3, that of a daemon, agent:1, and some tags."""

    tagged: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def tags(self, arn: str) -> Mapping[str, str]:
        return self.tagged.get(arn, {})

    def task_definition(self, reference: str) -> ecs.TaskDefinition | ecs.DaemonTaskDefinition | None:
        if reference in ("web", "web:3", WEB.task_definition_arn):
            return WEB
        return AGENT if reference == AGENT.daemon_task_definition_arn else None


def shape(operation: str) -> type[ecs.Shape]:
    """The structure of an operation's request."""
    found: type[ecs.Shape] = getattr(ecs, OPERATIONS[operation].input)
    return found


def needed(operation: str, request: Mapping[str, Any] | None = None, world: World | None = None) -> list[AccessRequest]:
    """What a call needs, by its request as on the wire."""
    parsed = shape(operation).parse(json.dumps(request or {}).encode())
    return list(needs_of(operation, parsed, PLACE, world or World()))


def policy(*statements: Mapping[str, Any]) -> Document:
    return read_policy({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any = "*", resource: Any = "*", **elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **elements}


def deny(action: Any = "*", resource: Any = "*", **elements: Any) -> dict[str, Any]:
    return {**allow(action, resource, **elements), "Effect": "Deny"}


def allowed(document: Document, *requests: AccessRequest) -> bool:
    """Whether a user who has this policy alone may do all of it."""
    return all(decide(Policies(USER, (document,)), request).allowed for request in requests)
