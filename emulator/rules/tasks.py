"""What RunTask refuses: of the request itself, then with the definition known. And ListTasks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import api_models as ecs
from api_models import enums
from emulator.rules.capacity_providers import SPOT
from emulator.rules.fargate import size_exists
from emulator.rules.launch import CPU_OF_PLATFORM_1_4, LAUNCH, NetworkFacts
from emulator.rules.registration import cpu_units, memory_mebibytes, storage_out_of_bounds
from emulator.rules.rule import broken, rule
from emulator.rules.tags import MOST_TAGS, TAGS, Tagging

LAUNCH_TYPES = ("EC2", "FARGATE", "EXTERNAL")
"""MANAGED_INSTANCES can only be had by a capacity provider strategy."""

MOST_TASKS = 10
LONGEST_OVERRIDES = 8192
LONGEST = {"startedBy": 128, "clientToken": 64, "referenceId": 1024}

Found = Mapping[str, object] | None

_STARTED_BY = re.compile(r"[a-zA-Z0-9_/-]*")
_TOKEN = re.compile(r"[!-~]*")
_FAMILY = re.compile(r"[a-zA-Z0-9\-_]+")


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """The facts for RunTask. The launch type is the one asked for, or that of the capacity provider."""

    request: ecs.RunTaskRequest
    definition: ecs.TaskDefinition
    launch_type: str
    capacity_providers: tuple[str, ...] = ()
    """Those that the strategy names."""
    network: NetworkFacts | None = None
    """What EC2 says of the subnets and security groups; None when it said nothing."""

    @property
    def overrides(self) -> ecs.TaskOverride:
        """The overrides given."""
        return self.request.overrides or ecs.TaskOverride()

    @property
    def windows(self) -> bool:
        """Whether the definition is one for Windows."""
        platform = self.definition.runtime_platform
        return bool(platform and (platform.operating_system_family or "").startswith("WINDOWS"))


def task_size(definition: ecs.TaskDefinition, overrides: ecs.TaskOverride | None) -> tuple[str | None, str | None]:
    """CPU units and MiB of a task, as its definition has them or the overrides, which may use the same words."""
    cpu = cpu_units(overrides.cpu) if overrides else None
    memory = memory_mebibytes(overrides.memory) if overrides else None
    return (str(cpu) if cpu else definition.cpu, str(memory) if memory else definition.memory)


@rule(
    "RunTask:request",
    refuse="InvalidParameterException",
    says="TaskDefinition can not be blank.",
    evidence="observed 2024-04: an apply log of Terraform in a public repository (CreateService)",
)
def a_definition_is_named(request: ecs.RunTaskRequest) -> Found:
    """A task has a definition."""
    return None if request.task_definition else broken()


@rule(
    "RunTask:request",
    refuse="InvalidParameterException",
    says="launch type should be one of [EC2,FARGATE,EXTERNAL]",
    evidence="inferred: moto's, whose sentences are mostly copied from AWS",
)
def the_launch_type_is_known(request: ecs.RunTaskRequest) -> Found:
    """A launch type is EC2, FARGATE or EXTERNAL."""
    return None if not request.launch_type or request.launch_type in LAUNCH_TYPES else broken()


@rule(
    "RunTask:request",
    refuse="InvalidParameterException",
    says="Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-service-launch-type-capacity-provider",
)
def a_launch_type_or_a_strategy_is_given(request: ecs.RunTaskRequest) -> Found:
    """A strategy decides on the launch type, so they are not given both."""
    return broken() if request.launch_type and request.capacity_provider_strategy else None


@rule(
    "RunTask:request",
    refuse="InvalidParameterException",
    says="count should be between 1 and 10",
    evidence="inferred: the bounds are documented",
)
def tasks_are_one_to_ten(request: ecs.RunTaskRequest) -> Found:
    """One call runs one to ten tasks."""
    return None if request.count is None or 1 <= request.count <= MOST_TASKS else broken()


@rule(
    "RunTask:request",
    refuse="InvalidParameterException",
    says="{label} longer than {most}.",
    evidence="observed 2017-02: convox/rack issue 1727 (startedBy, then 36)",
)
def texts_are_not_too_long(request: ecs.RunTaskRequest) -> Found:
    """What the caller calls a task by has a maximum length."""
    texts = {
        "startedBy": request.started_by,
        "clientToken": request.client_token,
        "referenceId": request.reference_id,
    }
    for label, text in texts.items():
        if len(text or "") > LONGEST[label]:
            return broken(label=label, most=LONGEST[label])
    return None


@rule(
    "RunTask:request",
    refuse="InvalidParameterException",
    says="startedBy contains invalid characters.",
    evidence="inferred: the characters are documented",
)
def started_by_has_valid_characters(request: ecs.RunTaskRequest) -> Found:
    """Who started a task is named with letters, digits, hyphens, slashes and underscores."""
    return None if _STARTED_BY.fullmatch(request.started_by or "") else broken()


@rule(
    "RunTask:request",
    refuse="InvalidParameterException",
    says="clientToken contains invalid characters.",
    evidence="inferred: the characters are documented",
)
def a_client_token_has_valid_characters(request: ecs.RunTaskRequest) -> Found:
    """A client token has visible ASCII characters."""
    return None if _TOKEN.fullmatch(request.client_token or "") else broken()


@rule(
    "RunTask:request",
    refuse="InvalidParameterException",
    says="group cannot start with service:. This prefix is reserved.",
    evidence="inferred: recalled, not seen written",
)
def groups_of_services_are_reserved(request: ecs.RunTaskRequest) -> Found:
    """The group of a service is its own."""
    return broken() if (request.group or "").startswith("service:") else None


@rule(
    "RunTask:request",
    refuse="InvalidParameterException",
    says="Container Overrides length must be at most 8192",
    evidence="observed 2026-06: aws-samples/sample-autonomous-cloud-coding-agents issue 502",
)
def overrides_are_not_too_long(request: ecs.RunTaskRequest) -> Found:
    """The overrides have at most 8192 characters as JSON."""
    overrides = request.overrides
    return broken() if overrides and len(overrides.to_json().decode()) > LONGEST_OVERRIDES else None


@rule(
    "RunTask:request",
    refuse="InvalidParameterException",
    says="propagate tags should be one of [TASK_DEFINITION,NONE]",
    evidence="inferred: documented without its sentence",
)
def tags_come_from_the_definition(request: ecs.RunTaskRequest) -> Found:
    """A task that no service runs cannot have a service's tags."""
    known = set(enums.PropagateTags) - {"SERVICE"}
    return None if not request.propagate_tags or request.propagate_tags in known else broken()


TAGS.guard("RunTask:request")
LAUNCH.guard("RunTask")
SPOT.guard("RunTask")


@rule(
    "RunTask",
    refuse="InvalidParameterException",
    says="Container override name can not be blank.",
    evidence="inferred: documented without its sentence",
)
def overrides_name_their_container(call: TaskRequest) -> Found:
    """An override that says anything says for which container."""
    empty = ecs.ContainerOverride()
    nameless = (override for override in call.overrides.container_overrides or () if not override.name)
    return broken() if any(override.replace(name=None) != empty for override in nameless) else None


@rule(
    "RunTask",
    refuse="InvalidParameterException",
    says="Override for container named {name} is not a container in the TaskDefinition.",
    evidence="observed 2020-06: azavea/django-ecsmanage issue 21",
)
def overrides_are_for_containers_of_the_task(call: TaskRequest) -> Found:
    """An override is for a container of the definition."""
    names = {container.name for container in call.definition.container_definitions or ()}
    for override in call.overrides.container_overrides or ():
        if override.name and override.name not in names:
            return broken(name=override.name)
    return None


@rule(
    "RunTask",
    refuse="InvalidParameterException",
    says="Invalid '{field}' setting for task.",
    evidence="inferred: the sentence of RegisterTaskDefinition",
)
def overriding_sizes_are_amounts(call: TaskRequest) -> Found:
    """CPU and memory are overridden by an amount each."""
    given = call.overrides
    if given.cpu is not None and cpu_units(given.cpu) is None:
        return broken(field="cpu")
    return broken(field="memory") if given.memory is not None and memory_mebibytes(given.memory) is None else None


@rule(
    "RunTask",
    refuse="ClientException",
    says="No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the Amazon ECS "
    "documentation for the valid values.",
    evidence="inferred: the sentence of RegisterTaskDefinition",
)
def fargate_offers_the_overriding_size(call: TaskRequest) -> Found:
    """An overridden CPU or memory makes a size that Fargate sells."""
    if call.launch_type != "FARGATE" or (call.overrides.cpu is None and call.overrides.memory is None):
        return None
    cpu, memory = task_size(call.definition, call.overrides)
    if size_exists(int(cpu or 0), int(memory or 0), windows=call.windows):
        return None
    return broken(cpu=cpu, memory=memory)


@rule(
    "RunTask",
    refuse="InvalidParameterException",
    says="EphemeralStorage size should be at {limit}",
    evidence="inferred: the sentence of RegisterTaskDefinition",
)
def overriding_storage_is_21_to_200_gib(call: TaskRequest) -> Found:
    """Overridden ephemeral storage has 21 to 200 GiB."""
    return storage_out_of_bounds(call.overrides.ephemeral_storage)


@rule(
    "RunTask",
    refuse="PlatformTaskDefinitionIncompatibilityException",
    says="One or more of the requested capabilities are not supported.",
    evidence="inferred: documented; the sentence for a definition that asks for the same",
)
def the_platform_version_can_do_what_overrides_ask(call: TaskRequest) -> Found:
    """Version 1.3.0 lacks larger storage, environment files and the sizes of 8 vCPU and more."""
    cpu, _ = task_size(call.definition, call.overrides)
    containers = call.overrides.container_overrides or ()
    asked = (
        call.overrides.ephemeral_storage is not None
        or any(container.environment_files for container in containers)
        or int(cpu or 0) >= CPU_OF_PLATFORM_1_4
    )
    return broken() if asked and call.request.platform_version == "1.3.0" else None


@rule(
    "RunTask:tags",
    refuse="InvalidParameterException",
    says="tags can have at most 50 items.",
    evidence="inferred: the bound is documented",
)
def a_task_has_fifty_tags_at_most(tags: Tagging) -> Found:
    """A task has at most fifty tags, those of its definition among them. AWS's own do not count."""
    return broken() if tags.in_all > MOST_TAGS else None


@rule(
    "ListTasks",
    refuse="InvalidParameterException",
    says=r"family must match ^[a-zA-Z0-9\-_]+$",
    evidence="observed 2018-06: aws/amazon-ecs-cli issue 542",
)
def a_family_to_list_is_a_family(request: ecs.ListTasksRequest) -> Found:
    """A family is named by its name, not by an ARN or a revision."""
    return None if not request.family or _FAMILY.fullmatch(request.family) else broken()


@rule(
    "ListTasks",
    refuse="InvalidParameterException",
    says="cannot specify startedBy with other arguments",
    evidence="observed 2022-10: aws/aws-sdk-go-v2 issue 1893",
)
def started_by_is_the_only_filter(request: ecs.ListTasksRequest) -> Found:
    """Who asks for the tasks that somebody started asks for nothing else; the desired status is no filter."""
    others = (
        request.family,
        request.service_name,
        request.container_instance,
        request.launch_type,
        request.daemon_name,
    )
    return broken() if request.started_by and any(others) else None
