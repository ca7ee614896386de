"""Small records for tests, with everything that a test does not care about filled in."""

from __future__ import annotations

from typing import Any

import api_models as ecs
from emulator.state.networks import default_network
from emulator.state.task_definitions import TaskDefinition
from emulator.state.tasks import ContainerState, Interface, Task

ACCOUNT, REGION, CLUSTER = "000000000000", "us-east-1", "default"
TASK_ID = "0123456789abcdef0123456789abcdef"
TASK_ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{CLUSTER}/{TASK_ID}"
NOW = 1_700_000_000.0
SUBNETS = list(default_network(ACCOUNT, REGION).subnets)
"""Of the default VPC: those of the zones a, b and c."""
SUBNET = SUBNETS[0]


def container(name: str = "web", **members: Any) -> ecs.ContainerDefinition:
    return ecs.ContainerDefinition(**{"name": name, "image": "web", "essential": True, "cpu": 0, **members})


def definition(*containers: ecs.ContainerDefinition, **members: Any) -> ecs.TaskDefinition:
    return ecs.TaskDefinition(
        family="web", revision=1, container_definitions=containers or (container(),), cpu="256", memory="512", **members
    )


def definition_record(content: ecs.TaskDefinition) -> TaskDefinition:
    return TaskDefinition(
        account=ACCOUNT,
        region=REGION,
        family=content.family or "",
        revision=content.revision or 1,
        arn=f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/{content.family}:{content.revision}",
        status="ACTIVE",
        view=content.to_json(),
    )


def task(content: ecs.TaskDefinition | None = None, **fields: Any) -> Task:
    """A task that RunTask has just accepted."""
    content = content or definition()
    names = [found.name or "" for found in content.container_definitions or ()]
    view = ecs.Task(
        task_arn=TASK_ARN,
        cluster_arn=f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{CLUSTER}",
        attachments=(
            ecs.Attachment(
                id="5d4e0f5c-9a55-4a6c-8a0e-0a1b2c3d4e5f",
                type="ElasticNetworkInterface",
                status="PRECREATED",
                details=(ecs.KeyValuePair(name="subnetId", value=SUBNET),),
            ),
        ),
        containers=tuple(ecs.Container(name=name, last_status="PENDING", network_interfaces=()) for name in names),
        cpu="256",
        memory="512",
        created_at=NOW,
        last_status="PROVISIONING",
        desired_status="RUNNING",
        version=1,
    )
    given: dict[str, Any] = {
        "account": ACCOUNT,
        "region": REGION,
        "cluster": CLUSTER,
        "id": TASK_ID,
        "arn": TASK_ARN,
        "family": content.family,
        "revision": content.revision,
        "launch_type": "FARGATE",
        "last_status": "PROVISIONING",
        "desired_status": "RUNNING",
        "subnet": SUBNET,
        "containers": {name: ContainerState() for name in names},
        "view": view.to_json(),
    }
    return Task(**{**given, **fields})


INTERFACE = Interface("eni-0123456789abcdef0", "namespace", "10.0.0.5", "0a:00:00:00:00:01")
