"""What RegisterTaskDefinition refuses about containers: names, images, memory, cpu, environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from api_models import enums
from emulator.rules.parameters import first_duplicate
from emulator.rules.registration import ContainerInTask, Registration
from emulator.rules.rule import broken, rule

EACH = "RegisterTaskDefinition:container"
ALL = "RegisterTaskDefinition:containers"
SUMS = "RegisterTaskDefinition:sums"

LEAST_MEMORY = 6
"""MiB that Docker gives at least."""

Found = Mapping[str, object] | None

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_IMAGE = re.compile(r"[A-Za-z0-9_./:#@-]+")


@rule(
    EACH,
    refuse="ClientException",
    says="Container.name should not be null or empty.",
    evidence="observed 2020-03: awsdocs/aws-cloudformation-user-guide pull 612",
)
def container_has_a_name(of: ContainerInTask) -> Found:
    """Every container has a name."""
    return None if of.name else broken()


@rule(
    EACH,
    refuse="ClientException",
    says="Container.name contains invalid characters.",
    evidence="observed 2021-11: cds-snc/notification-terraform pull 328",
)
def container_name_has_valid_characters(of: ContainerInTask) -> Found:
    """A container's name has letters, digits, hyphens and underscores."""
    return None if _NAME.fullmatch(of.name) else broken()


@rule(
    EACH,
    refuse="ClientException",
    says="Container.name should be 255 characters or less",
    evidence="inferred: the bound is documented, the form is that of Container.image",
)
def container_name_is_not_too_long(of: ContainerInTask) -> Found:
    """A container's name has at most 255 characters."""
    return broken() if len(of.name) > 255 else None


@rule(
    EACH,
    refuse="ClientException",
    says="Container.image should not be null or empty.",
    evidence="observed 2021-02: aws/aws-cli issue 5924",
)
def container_has_an_image(of: ContainerInTask) -> Found:
    """Every container has an image."""
    return None if of.container.image else broken()


@rule(
    EACH,
    refuse="ClientException",
    says="Container.image contains invalid characters.",
    evidence="observed 2026-05: OctopusDeploy/Issues issue 10026",
)
def container_image_has_valid_characters(of: ContainerInTask) -> Found:
    """An image's name has the characters of repository, tag and digest."""
    return None if _IMAGE.fullmatch(of.container.image or "") else broken()


@rule(
    EACH,
    refuse="ClientException",
    says="Container.image should be 255 characters or less",
    evidence="observed 2022-01: hashicorp/terraform-provider-aws issue 22629",
)
def container_image_is_not_too_long(of: ContainerInTask) -> Found:
    """An image's name has at most 255 characters, not counting its digest."""
    return broken() if len((of.container.image or "").partition("@")[0]) > 255 else None


@rule(
    EACH,
    refuse="ClientException",
    says="Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be specified.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-container-memory-required",
)
def memory_is_given_somewhere(of: ContainerInTask) -> Found:
    """Memory is given for the task, or for each container."""
    given = (of.task.request.memory, of.container.memory, of.container.memory_reservation)
    return broken(name=of.name) if all(value is None for value in given) else None


@rule(
    EACH,
    refuse="ClientException",
    says="Invalid setting for container '{name}'. 'memory' must be greater than or equal to 'memoryReservation'.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-container-memory-reservation",
)
def memory_is_at_least_the_reservation(of: ContainerInTask) -> Found:
    """A container cannot reserve more memory than it may use."""
    memory, reservation = of.container.memory, of.container.memory_reservation
    return broken(name=of.name) if memory is not None and reservation is not None and memory < reservation else None


@rule(
    EACH,
    refuse="ClientException",
    says="Invalid 'memory' setting for container '{name}'.",
    evidence="inferred: the bound is documented",
)
def container_memory_is_6_mib_at_least(of: ContainerInTask) -> Found:
    """Docker gives no container less than 6 MiB."""
    memory = of.container.memory
    return broken(name=of.name) if memory is not None and memory < LEAST_MEMORY else None


@rule(
    EACH,
    refuse="ClientException",
    says="Invalid 'cpu' setting for container '{name}'.",
    evidence="inferred",
)
def container_cpu_is_not_negative(of: ContainerInTask) -> Found:
    """A container's share of the CPU is not negative; 0 is the least."""
    return broken(name=of.name) if (of.container.cpu or 0) < 0 else None


@rule(
    EACH,
    refuse="ClientException",
    says="{label} should be one of [{known}]",
    evidence="inferred: the form of moto's `launch type should be one of [EC2,FARGATE,EXTERNAL]`",
)
def settings_of_containers_have_known_values(of: ContainerInTask) -> Found:
    """A container's settings have values that the model lists."""
    for label, value, known in _settings(of):
        if value is not None and value not in known:
            return broken(label=label, known=",".join(known))
    return None


def _settings(of: ContainerInTask) -> Iterator[tuple[str, str | None, tuple[str, ...]]]:
    container = of.container
    yield "versionConsistency", container.version_consistency, enums.VersionConsistency
    for mapping in container.port_mappings or ():
        yield "appProtocol", mapping.app_protocol, enums.ApplicationProtocol
    for file in container.environment_files or ():
        yield "environment file type", file.type, enums.EnvironmentFileType
    for dependency in container.depends_on or ():
        yield "dependency condition", dependency.condition, enums.ContainerCondition
    for limit in container.ulimits or ():
        yield "ulimit name", limit.name, enums.UlimitName
    for need in container.resource_requirements or ():
        yield "resource requirement type", need.type, enums.ResourceType
    if container.firelens_configuration:
        yield "firelens configuration type", container.firelens_configuration.type, enums.FirelensConfigurationType


@rule(
    EACH,
    refuse="ClientException",
    says="Environment variable name should not be null or empty.",
    evidence="inferred",
)
def environment_variables_have_names(of: ContainerInTask) -> Found:
    """An environment variable has a name."""
    return None if all(variable.name for variable in of.container.environment or ()) else broken()


@rule(
    EACH,
    refuse="ClientException",
    says="The secret name must be unique and not shared with any new or existing environment variables set on the "
    "container, such as '{name}'.",
    evidence="observed 2023-11: compose-x/ecs_composex issue 707",
)
def secret_names_are_unique(of: ContainerInTask) -> Found:
    """A secret has a name that no environment variable and no other secret of the container has."""
    variables = {variable.name for variable in of.container.environment or ()}
    name = first_duplicate([*variables, *(secret.name for secret in of.container.secrets or ())])
    return None if name is None else broken(name=name)


@rule(
    ALL,
    refuse="ClientException",
    says="Container names must be unique within a task definition",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-duplicate-container-names",
)
def container_names_are_unique(asked: Registration) -> Found:
    """No two containers have the same name."""
    return broken() if first_duplicate(container.name for container in asked.containers) else None


@rule(
    ALL,
    refuse="ClientException",
    says="Task definition doesn't have any essential container",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-essential-container",
)
def some_container_is_essential(asked: Registration) -> Found:
    """At least one container is essential, as it is unless told otherwise."""
    return broken() if all(container.essential is False for container in asked.containers) else None


@rule(
    SUMS,
    refuse="ClientException",
    says="The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-fargate-container-cpu-over-task",
)
def cpu_of_containers_fits_the_task(asked: Registration) -> Found:
    """The containers share the CPU of the task."""
    total = sum(container.cpu or 0 for container in asked.containers)
    return broken() if asked.cpu is not None and total > asked.cpu else None


@rule(
    SUMS,
    refuse="ClientException",
    says="The 'memory' setting for container '{name}' is greater than for the task.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-container-memory-over-task",
)
def memory_of_a_container_fits_the_task(asked: Registration) -> Found:
    """No container may use more memory than the task has."""
    for container in asked.containers:
        if asked.memory is not None and (container.memory or 0) > asked.memory:
            return broken(name=container.name)
    return None
