"""A task definition as ECS answers it: what was asked for, with what goes without saying added.

Registering again what is answered here gives equal members.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import api_models as ecs
from emulator.rules.fargate import ECR_IMAGE, fargate_accepts
from emulator.rules.registration import Registration

MANAGED_INSTANCES_LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens", "json-file")

_CAPABILITY = "com.amazonaws.ecs.capability."


def definition_content(  # noqa: PLR0913 - what the request does not know is named one by one
    request: ecs.RegisterTaskDefinitionRequest,
    registration: Registration,
    *,
    arn: str,
    revision: int,
    registered_at: float,
    registered_by: str,
) -> ecs.TaskDefinition:
    """The definition that a request registers. Its tags stand beside it, not in it."""
    given: dict[str, Any] = {name: getattr(request, name) for name in _kept_members()}
    mode = registration.network_mode
    return ecs.TaskDefinition(
        **given
        | {
            "task_definition_arn": arn,
            "revision": revision,
            "status": "ACTIVE",
            "registered_at": registered_at,
            "registered_by": registered_by,
            "container_definitions": tuple(_container(container, mode) for container in registration.containers),
            "volumes": request.volumes or (),
            "placement_constraints": request.placement_constraints or (),
            "cpu": None if registration.cpu is None else str(registration.cpu),
            "memory": None if registration.memory is None else str(registration.memory),
            "compatibilities": tuple(compatibilities(registration)),
            "requires_attributes": tuple(
                ecs.Attribute(name=name) for name in dict.fromkeys(_required_attributes(registration))
            ),
        }
    )


@cache
def _kept_members() -> tuple[str, ...]:
    """What a definition shows of the request that registered it."""
    shown = ecs.TaskDefinition.model_fields
    return tuple(name for name in ecs.RegisterTaskDefinitionRequest.model_fields if name in shown)


def _container(container: ecs.ContainerDefinition, mode: str) -> ecs.ContainerDefinition:
    return container.replace(
        cpu=container.cpu or 0,
        essential=container.essential is not False,
        port_mappings=tuple(_port_mapping(mapping, mode) for mapping in container.port_mappings or ()),
        environment=container.environment or (),
        mount_points=container.mount_points or (),
        volumes_from=container.volumes_from or (),
        system_controls=container.system_controls or (),
        health_check=container.health_check and _health_check(container.health_check),
    )


def _port_mapping(mapping: ecs.PortMapping, mode: str) -> ecs.PortMapping:
    protocol = mapping.protocol or "tcp"
    if mapping.container_port_range is not None:
        return mapping.replace(protocol=protocol)
    host_port = mapping.host_port or (0 if mode == "bridge" else mapping.container_port)
    return mapping.replace(protocol=protocol, host_port=host_port)


def _health_check(check: ecs.HealthCheck) -> ecs.HealthCheck:
    return check.replace(
        interval=30 if check.interval is None else check.interval,
        timeout=5 if check.timeout is None else check.timeout,
        retries=3 if check.retries is None else check.retries,
    )


def compatibilities(registration: Registration) -> Iterator[str]:
    """Where a definition that was not refused could run, in the order of AWS's answers (observed 2021-09, 2026-06)."""
    if registration.network_mode != "awsvpc":
        yield "EXTERNAL"
    yield "EC2"
    if registration.for_fargate or fargate_accepts(registration):
        yield "FARGATE"
    if _managed_instances_accept(registration):
        yield "MANAGED_INSTANCES"


def _managed_instances_accept(registration: Registration) -> bool:
    logs = (container.log_configuration for container in registration.containers)
    return (
        registration.network_mode in {"awsvpc", "host"}
        and not registration.windows
        and all(found is None or found.log_driver in MANAGED_INSTANCES_LOG_DRIVERS for found in logs)
    )


def _required_attributes(registration: Registration) -> Iterator[str]:
    """What an instance must be able to do. The names are AWS's; which feature asks for which API version is partly
    inferred.
    """
    request = registration.request
    for container in registration.containers:
        yield from _of_logs(container, request)
        yield from _of_image(container, request)
        yield from _of_features(container)
        yield from _of_secrets(container)
    if request.task_role_arn:
        yield f"{_CAPABILITY}task-iam-role"
        yield f"{_CAPABILITY}docker-remote-api.1.17"
    if registration.network_mode == "awsvpc":
        yield f"{_CAPABILITY}docker-remote-api.1.18"
        yield "ecs.capability.task-eni"
    if request.pid_mode or request.ipc_mode:
        yield "ecs.capability.pid-ipc-namespace-sharing"
    if request.proxy_configuration:
        yield "ecs.capability.aws-appmesh"
    for volume in registration.volumes:
        if volume.efs_volume_configuration:
            yield "ecs.capability.efs"
            if volume.efs_volume_configuration.authorization_config:
                yield "ecs.capability.efsAuth"


def _of_logs(container: ecs.ContainerDefinition, request: ecs.RegisterTaskDefinitionRequest) -> Iterator[str]:
    if container.log_configuration:
        yield f"{_CAPABILITY}logging-driver.{container.log_configuration.log_driver}"
        if container.log_configuration.log_driver == "awslogs" and request.execution_role_arn:
            yield "ecs.capability.execution-role-awslogs"
        yield f"{_CAPABILITY}docker-remote-api.1.19"
    if container.firelens_configuration:
        yield f"ecs.capability.firelens.{container.firelens_configuration.type}"


def _of_image(container: ecs.ContainerDefinition, request: ecs.RegisterTaskDefinitionRequest) -> Iterator[str]:
    if ECR_IMAGE.fullmatch(container.image or ""):
        yield f"{_CAPABILITY}ecr-auth"
        if request.execution_role_arn:
            yield "ecs.capability.execution-role-ecr-pull"
    if container.repository_credentials:
        yield "ecs.capability.private-registry-authentication.secretsmanager"


def _of_features(container: ecs.ContainerDefinition) -> Iterator[str]:
    linux = container.linux_parameters
    needs: dict[str, object] = {
        f"{_CAPABILITY}docker-remote-api.1.18": container.environment or container.docker_labels or container.ulimits,
        f"{_CAPABILITY}docker-remote-api.1.21": container.memory_reservation,
        f"{_CAPABILITY}docker-remote-api.1.24": container.health_check,
        f"{_CAPABILITY}docker-remote-api.1.25": linux and linux.init_process_enabled,
        f"{_CAPABILITY}docker-remote-api.1.29": container.health_check and container.health_check.start_period,
        f"{_CAPABILITY}privileged-container": container.privileged,
        "ecs.capability.container-health-check": container.health_check,
        "ecs.capability.container-ordering": container.depends_on or container.start_timeout or container.stop_timeout,
        "ecs.capability.env-files.s3": container.environment_files,
    }
    return (name for name, needed in needs.items() if needed)


def _of_secrets(container: ecs.ContainerDefinition) -> Iterator[str]:
    for secret in container.secrets or ():
        store = "asm" if ":secretsmanager:" in (secret.value_from or "") else "ssm"
        yield f"ecs.capability.secrets.{store}.environment-variables"
