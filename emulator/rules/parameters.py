"""Checks of single parameters that many operations share. They raise the ApiError with which AWS refuses."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterable
from typing import TypeVar

import api_models as ecs
from api_models import enums
from api_models.operations import OPERATIONS
from emulator.errors import ApiError

T = TypeVar("T", bound=Hashable)

NAME = re.compile(r"[a-zA-Z0-9\-_]{1,255}")
"""What clusters and services may be called."""

INCLUDES = {
    "DescribeCapacityProviders": enums.CapacityProviderField,
    "DescribeClusters": enums.ClusterField,
    "DescribeContainerInstances": enums.ContainerInstanceField,
    "DescribeExpressGatewayService": enums.ExpressGatewayServiceInclude,
    "DescribeServices": enums.ServiceField,
    "DescribeTaskDefinition": enums.TaskDefinitionField,
    "DescribeTasks": enums.TaskField,
    "DescribeTaskSets": enums.TaskSetField,
}

_MISSING = {
    # observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-container-definitions-empty
    ("RegisterTaskDefinition", "containerDefinitions"): ("ClientException", "Container list cannot be empty."),
    # observed 2024-08: aws-actions/amazon-ecs-deploy-task-definition issue 630
    ("RegisterTaskDefinition", "family"): ("ClientException", "Family can not be blank."),
    # observed 2022-02: karanpratapsingh/preview-environments issue 7
    ("DescribeTasks", "tasks"): ("InvalidParameterException", "Tasks cannot be empty."),
    # as implemented by moto, whose sentences are mostly copied from AWS
    ("DescribeContainerInstances", "containerInstances"): ("ClientException", "Container Instances cannot be empty."),
    ("StartTask", "containerInstances"): ("ClientException", "Container Instances cannot be empty."),
    ("DeleteTaskDefinitions", "taskDefinitions"): (
        "InvalidParameterException",
        "size of TaskDefinition references list must be greater than 0",
    ),
}


def required_members(operation: str, request: ecs.Shape) -> None:
    """Refuse a request that lacks what the model requires. Only clients without a model of ECS send one.

    The default sentence is the one observed for CreateService ("TaskDefinition can not be blank.", 2024-04).
    """
    given = {field.alias: getattr(request, name) for name, field in type(request).model_fields.items()}
    for member in OPERATIONS[operation].required:
        if given.get(member) in (None, ""):
            default = ("InvalidParameterException", f"{member[0].upper()}{member[1:]} can not be blank.")
            raise ApiError(*_MISSING.get((operation, member), default))


def cluster_name(name: str) -> str:
    """Refuse what no cluster can be called (observed 2021-09: awslabs/amazon-ecs-nodejs-microservices issue 18)."""
    if not NAME.fullmatch(name):
        raise _invalid(rf"Cluster must match ^[a-zA-Z0-9\-_]{{1,255}}$, but was {name}")
    return name


def task_id(text: str) -> str:
    """Refuse what cannot be a task's id (seen in many issues, for the literal text `None` above all)."""
    if len(text) not in (32, 36):
        raise _invalid("taskId length should be one of [32,36]")
    return text


def at_most(most: int, label: str, items: Collection[object] | None) -> None:
    """Refuse a list that is too long.

    Labels observed: `service names` (10), `taskIds` (100, 2022-12), `instanceIds` (100; 10 for
    UpdateContainerInstancesState), `subnets` (16, 2025-04).
    """
    if len(items or ()) > most:
        raise _invalid(f"{label} can have at most {most} items.")


def known_includes(operation: str, include: Collection[str] | None) -> None:
    """Refuse to include what the operation does not have.

    (Observed 2022-02: hashicorp/terraform-provider-aws issue 23342, DescribeClusters.)
    """
    for value in include or ():
        one_of("include", value, INCLUDES[operation])


def one_of(label: str, value: str | None, known: Collection[str]) -> str | None:
    """Refuse an unknown value (the form of moto's `launch type should be one of [EC2,FARGATE,EXTERNAL]`)."""
    if value is not None and value not in known:
        raise _invalid(f"{label} should be one of [{','.join(known)}]")
    return value


def first_duplicate(items: Iterable[T]) -> T | None:
    """The first item that has been there before."""
    seen: set[T] = set()
    for item in items:
        if item in seen:
            return item
        seen.add(item)
    return None


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)
