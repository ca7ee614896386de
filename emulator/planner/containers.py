"""From a task and its definition to what a driver is asked to run."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import api_models as ecs
from emulator.planner.specs import ContainerSpec, TaskSpec, Ulimit
from emulator.state.tasks import Task

STOP_TIMEOUT = 30.0
"""Seconds between the stop signal and SIGKILL where the definition says nothing."""


def task_spec(task: Task) -> TaskSpec:
    """The task as a whole."""
    content = task.content
    return TaskSpec(
        arn=task.arn,
        id=task.id,
        cluster_arn=content.cluster_arn or "",
        family=task.family,
        revision=task.revision,
        region=task.region,
        cpu=int(content.cpu) if content.cpu else None,
        memory=int(content.memory) if content.memory else None,
    )


def definition_of(definition: ecs.TaskDefinition, name: str) -> ecs.ContainerDefinition:
    """A container's definition. Raises KeyError for a name that the definition does not have."""
    for found in definition.container_definitions or ():
        if found.name == name:
            return found
    raise KeyError(name)


def is_essential(container: ecs.ContainerDefinition) -> bool:
    """Containers are essential unless they say otherwise."""
    return container.essential is not False


def stop_timeout(container: ecs.ContainerDefinition) -> float:
    """Seconds between the stop signal and SIGKILL."""
    return STOP_TIMEOUT if container.stop_timeout is None else float(container.stop_timeout)


def container_spec(task: Task, definition: ecs.TaskDefinition, name: str) -> ContainerSpec:
    """One container, with the overrides that RunTask gave."""
    given = definition_of(definition, name)
    override = _override_of(task, name)
    linux = given.linux_parameters or ecs.LinuxParameters()
    capabilities = linux.capabilities or ecs.KernelCapabilities()
    return ContainerSpec(
        task=task_spec(task),
        name=name,
        image=given.image or "",
        command=override.command or given.command,
        entry_point=given.entry_point,
        environment=environment(task, given, override),
        user=given.user,
        working_directory=given.working_directory,
        readonly_root_filesystem=bool(given.readonly_root_filesystem),
        init_process=bool(linux.init_process_enabled),
        interactive=bool(given.interactive),
        pseudo_terminal=bool(given.pseudo_terminal),
        cpu=override.cpu if override.cpu is not None else given.cpu or 0,
        memory=override.memory or given.memory,
        memory_reservation=override.memory_reservation or given.memory_reservation,
        ulimits=tuple(Ulimit(str(u.name), u.soft_limit or 0, u.hard_limit or 0) for u in given.ulimits or ()),
        capabilities_add=capabilities.add or (),
        capabilities_drop=capabilities.drop or (),
        system_controls={str(c.namespace): str(c.value) for c in given.system_controls or ()},
        labels=given.docker_labels or {},
    )


def environment(task: Task, given: ecs.ContainerDefinition, override: ecs.ContainerOverride) -> dict[str, str]:
    """Variables from weak to strong: region, definition, overrides, and what ECS always sets (documented)."""
    found = {"AWS_REGION": task.region, "AWS_DEFAULT_REGION": task.region}
    for pair in (*(given.environment or ()), *(override.environment or ())):
        if pair.name:
            found[pair.name] = pair.value or ""
    found["AWS_EXECUTION_ENV"] = "AWS_ECS_FARGATE"
    return found


def _override_of(task: Task, name: str) -> ecs.ContainerOverride:
    overrides = task.content.overrides
    for found in (overrides.container_overrides if overrides else None) or ():
        if found.name == name:
            return found
    return ecs.ContainerOverride(name=name)


def task_role(task: Task, definition: ecs.TaskDefinition) -> str | None:
    """The ARN or name of the role that a task's containers act as; None for a task without one."""
    overrides = task.content.overrides
    return (overrides.task_role_arn if overrides else None) or definition.task_role_arn or None


def asks_other_services(task: Task, definition: ecs.TaskDefinition) -> bool:
    """Whether anything must be had of other services before the first container starts."""
    has_role = task_role(task, definition) is not None
    return has_role or any(_asks(task, found) for found in definition.container_definitions or ())


def _asks(task: Task, container: ecs.ContainerDefinition) -> bool:
    logs = container.log_configuration
    return bool(
        container.secrets
        or container.environment_files
        or container.repository_credentials
        or _override_of(task, container.name or "").environment_files
        or (logs and (logs.log_driver == "awslogs" or logs.secret_options))
    )


NEEDED = ("environment_files", "secrets", "depends_on", "mount_points", "volumes_from")
"""Members of a container definition without which it cannot run as it was meant."""

UNHEEDED = (
    "health_check",
    "log_configuration",
    "firelens_configuration",
    "repository_credentials",
    "restart_policy",
    "start_timeout",
    "credential_specs",
)
"""Members that may be missing while the container still runs."""


def not_provided(task: Task, definition: ecs.TaskDefinition) -> str | None:
    """The first parameter that the task needs, of its definition or overrides, and nobody acts on yet."""
    overridden = (
        f"environmentFiles of container {found.name}"
        for found in definition.container_definitions or ()
        if _override_of(task, found.name or "").environment_files
    )
    return next(chain(_given(definition, NEEDED), overridden), None)


def warnings(definition: ecs.TaskDefinition) -> tuple[str, ...]:
    """Sentences about the parameters that are accepted and do nothing yet."""
    return tuple(f"{parameter} is accepted and not acted on yet" for parameter in _given(definition, UNHEEDED))


def _given(definition: ecs.TaskDefinition, members: tuple[str, ...]) -> Iterator[str]:
    for container in definition.container_definitions or ():
        for member in members:
            if getattr(container, member):
                wire_name = type(container).model_fields[member].alias
                yield f"{wire_name} of container {container.name}"
