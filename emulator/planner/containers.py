"""From a task and its definition to what a driver is asked to run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import api_models as ecs
from emulator.planner.environment import Environment
from emulator.planner.log_options import is_awslogs, log_spec
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
        environment=_environment(task, given, override),
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
        log=log_spec(task, given),
    )


def _environment(task: Task, given: ecs.ContainerDefinition, override: ecs.ContainerOverride) -> Environment:
    """The variables that are known before the task starts. Region documented: Fargate task metadata."""
    return Environment(
        defaults={"AWS_REGION": task.region, "AWS_DEFAULT_REGION": task.region},
        definition=_variables(given.environment),
        overrides=_variables(override.environment),
        injected={"AWS_EXECUTION_ENV": "AWS_ECS_FARGATE"},
    )


def _variables(pairs: Iterable[ecs.KeyValuePair] | None) -> dict[str, str]:
    return {pair.name: pair.value or "" for pair in pairs or () if pair.name}


def environment_files(task: Task, container: ecs.ContainerDefinition) -> tuple[str, ...]:
    """The ARNs of a container's environment files, the strongest first: those of RunTask, then the definition's.

    (Inferred: that RunTask may give files is documented, what becomes of the definition's is not.)
    """
    overriding = _override_of(task, container.name or "").environment_files or ()
    return tuple(file.value or "" for file in (*overriding, *(container.environment_files or ())))


def execution_role(task: Task, definition: ecs.TaskDefinition) -> str | None:
    """The ARN or name of the role with which ECS itself asks other services for a task; None without one."""
    overrides = task.content.overrides
    return (overrides.execution_role_arn if overrides else None) or definition.execution_role_arn or None


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
        or is_awslogs(container)
        or (logs and logs.secret_options)
    )


NEEDED = ("depends_on", "mount_points", "volumes_from")
"""Members of a container definition without which it cannot run as it was meant."""

UNHEEDED = (
    "health_check",
    "log_configuration",
    "firelens_configuration",
    "restart_policy",
    "start_timeout",
    "credential_specs",
)
"""Members that may be missing while the container still runs."""


def not_provided(definition: ecs.TaskDefinition) -> str | None:
    """The first parameter of a definition that its tasks need, and nobody acts on yet."""
    return next(_given(definition, NEEDED), None)


def warnings(definition: ecs.TaskDefinition) -> tuple[str, ...]:
    """Sentences about the parameters that are accepted and do nothing yet."""
    return tuple(f"{parameter} is accepted and not acted on yet" for parameter in _given(definition, UNHEEDED))


def _given(definition: ecs.TaskDefinition, members: tuple[str, ...]) -> Iterator[str]:
    for container in definition.container_definitions or ():
        for member in members:
            if _gives(container, member):
                wire_name = type(container).model_fields[member].alias
                yield f"{wire_name} of container {container.name}"


def _gives(container: ecs.ContainerDefinition, member: str) -> bool:
    """Whether a container has a member that nobody acts on: the log driver awslogs is acted on."""
    if member == "log_configuration" and is_awslogs(container):
        return False
    return bool(getattr(container, member))
