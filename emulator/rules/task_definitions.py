"""What RegisterTaskDefinition refuses: the order of all its rules, and those about the document as a whole."""

from __future__ import annotations

import re
from collections.abc import Mapping

from api_models import enums
from emulator.errors import ApiError
from emulator.rules import containers, fargate, lifecycle, logs, networking, tags, volumes
from emulator.rules.registration import ContainerInTask, Registration, registration, storage_out_of_bounds
from emulator.rules.rule import broken, first_refusal, rule

__all__ = ["Registration", "refusal_of", "refuse_registration", "registration"]

LAST = "RegisterTaskDefinition:last"

MOST_BYTES = 65536
MOST_CONTAINERS = 10
CPU_OF_AN_INSTANCE = range(128, 196608 + 1)

Found = Mapping[str, object] | None

_FAMILY = re.compile(r"[a-zA-Z0-9_-]+")
_ROLE_ARN = re.compile(r"arn:[^:]*:iam::[^:]*:role/.+")
_ROLE_NAME = re.compile(r"[\w+=,.@/-]*", re.ASCII)


def refuse_registration(asked: Registration) -> None:
    """Raise what AWS answers, in its order of evaluation; return if it would register the definition."""
    refusal = refusal_of(asked)
    if refusal is not None:
        raise refusal


def refusal_of(asked: Registration) -> ApiError | None:
    """What AWS would answer; None if it would register the definition."""
    return (
        first_refusal("RegisterTaskDefinition", asked)
        or _refusal_of_containers(containers.EACH, asked)
        or first_refusal(containers.ALL, asked)
        or first_refusal(networking.REGISTRATION, asked)
        or first_refusal(volumes.REGISTRATION, asked)
        or _refusal_of_containers(lifecycle.EACH, asked)
        or _refusal_of_containers(logs.EACH, asked)
        or first_refusal(containers.SUMS, asked)
        or (first_refusal(fargate.REGISTRATION, asked) if asked.for_fargate else None)
        or first_refusal(LAST, asked)
        or first_refusal(tags.REGISTRATION, asked.request)
    )


def _refusal_of_containers(guards: str, asked: Registration) -> ApiError | None:
    refusals = (first_refusal(guards, ContainerInTask(asked, container)) for container in asked.containers)
    return next((refusal for refusal in refusals if refusal), None)


@rule(
    "RegisterTaskDefinition",
    refuse="ClientException",
    says="Actual length: '{size}'. Max allowed length is '65536' bytes.",
    evidence="observed 2021-01: awsdocs/amazon-ecs-developer-guide pull 149",
)
def definition_fits_in_64_kib(asked: Registration) -> Found:
    """The whole document has at most 64 KiB."""
    return broken(size=asked.size) if asked.size > MOST_BYTES else None


@rule(
    "RegisterTaskDefinition",
    refuse="ClientException",
    says="Invalid 'cpu' setting for task. For more information, see the Troubleshooting section of the Amazon ECS "
    "Developer Guide.",
    evidence="documented: developer guide, task-cpu-memory-error (2017 without the second sentence)",
)
def task_cpu_is_an_amount(asked: Registration) -> Found:
    """A task's cpu is a whole number of CPU units, or of vCPU; an instance has 128 to 196608 units."""
    if asked.request.cpu is None or (asked.cpu and (asked.for_fargate or asked.cpu in CPU_OF_AN_INSTANCE)):
        return None
    return broken()


@rule(
    "RegisterTaskDefinition",
    refuse="ClientException",
    says="Invalid 'memory' setting for task. For more information, see the Troubleshooting section of the Amazon ECS "
    "Developer Guide.",
    evidence="documented: developer guide, task-cpu-memory-error",
)
def task_memory_is_an_amount(asked: Registration) -> Found:
    """A task's memory is a whole number of MiB, or of GB."""
    return broken() if asked.request.memory is not None and asked.memory is None else None


@rule(
    "RegisterTaskDefinition",
    refuse="ClientException",
    says="Family can not be blank.",
    evidence="observed 2024-08: aws-actions/amazon-ecs-deploy-task-definition issue 630",
)
def family_is_given(asked: Registration) -> Found:
    """A definition belongs to a family."""
    return None if asked.request.family else broken()


@rule(
    "RegisterTaskDefinition",
    refuse="ClientException",
    says="Family contains invalid characters.",
    evidence="observed 2018-06: aws/amazon-ecs-cli issue 542",
)
def family_has_valid_characters(asked: Registration) -> Found:
    """A family's name has letters, digits, hyphens and underscores."""
    return None if _FAMILY.fullmatch(asked.request.family or "") else broken()


@rule(
    "RegisterTaskDefinition",
    refuse="ClientException",
    says="Family should be 255 characters or less",
    evidence="inferred: the bound is documented, the form is that of Container.image",
)
def family_is_not_too_long(asked: Registration) -> Found:
    """A family's name has at most 255 characters."""
    return broken() if len(asked.request.family or "") > 255 else None


@rule(
    "RegisterTaskDefinition",
    refuse="ClientException",
    says="Container list cannot be empty.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-container-definitions-empty",
)
def a_container_is_given(asked: Registration) -> Found:
    """A definition has at least one container."""
    return None if asked.containers else broken()


@rule(
    "RegisterTaskDefinition",
    refuse="ClientException",
    says="Container list can have at most 10 items.",
    evidence="inferred: the quota is documented",
)
def containers_are_ten_at_most(asked: Registration) -> Found:
    """A definition has at most ten containers."""
    return broken() if len(asked.containers) > MOST_CONTAINERS else None


@rule(
    "RegisterTaskDefinition",
    refuse="ClientException",
    says="{label} should be one of [{known}]",
    evidence="inferred: the form of moto's `launch type should be one of [EC2,FARGATE,EXTERNAL]`",
)
def settings_of_the_task_have_known_values(asked: Registration) -> Found:
    """A task's settings have values that the model lists."""
    request = asked.request
    platform = request.runtime_platform
    settings = [
        ("network mode", request.network_mode, enums.NetworkMode),
        ("pid mode", request.pid_mode, enums.PidMode),
        ("ipc mode", request.ipc_mode, enums.IpcMode),
        ("cpu architecture", platform and platform.cpu_architecture, enums.CPUArchitecture),
        ("operating system family", platform and platform.operating_system_family, enums.OSFamily),
        *(("requires compatibilities", value, enums.Compatibility) for value in request.requires_compatibilities or ()),
        *(("placement constraint type", value.type, ("memberOf",)) for value in request.placement_constraints or ()),
    ]
    for label, value, known in settings:
        if value is not None and value not in known:
            return broken(label=label, known=",".join(known))
    return None


@rule(
    "RegisterTaskDefinition",
    refuse="ClientException",
    says="The cpu architecture ARM64 is not supported for the operating system family {system}.",
    evidence="inferred: documented without its sentence",
)
def windows_runs_on_x86(asked: Registration) -> Found:
    """There is no Windows for ARM."""
    platform = asked.request.runtime_platform
    return broken(system=asked.system) if asked.windows and platform and platform.cpu_architecture == "ARM64" else None


@rule(
    "RegisterTaskDefinition",
    refuse="ClientException",
    says="Role is not valid",
    evidence="observed 2018-07: aws-samples/aws-modern-application-workshop issue 9 (an ARN of CloudFormation)",
)
def roles_are_roles(asked: Registration) -> Found:
    """A role is given by its name or its ARN. Whether it exists is not asked."""
    roles = (asked.request.task_role_arn or "", asked.request.execution_role_arn or "")
    return None if all(_ROLE_ARN.fullmatch(role) or _ROLE_NAME.fullmatch(role) for role in roles) else broken()


@rule(
    LAST,
    refuse="ClientException",
    says="EphemeralStorage size should be at {limit}",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-ephemeral-storage-range",
)
def ephemeral_storage_is_21_to_200_gib(asked: Registration) -> Found:
    """More ephemeral storage than the 20 GiB that come with a task is at most 200 GiB."""
    return storage_out_of_bounds(asked.request.ephemeral_storage)


@rule(
    LAST,
    refuse="ClientException",
    says="Tasks using the EC2 launch type do not support EphemeralStorage.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-fargate-ephemeral-storage-ec2",
)
def ephemeral_storage_is_for_fargate(asked: Registration) -> Found:
    """A definition that asks for EC2 and not for Fargate has no ephemeral storage to choose."""
    for_ec2 = "EC2" in (asked.request.requires_compatibilities or ()) and not asked.for_fargate
    return broken() if asked.request.ephemeral_storage and for_ec2 else None


@rule(
    LAST,
    refuse="ClientException",
    says="APPMESH proxy configuration is only supported in networkMode=awsvpc",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-proxy-configuration-awsvpc-required",
)
def a_proxy_needs_awsvpc(asked: Registration) -> Found:
    """A proxy stands in front of a task that has an interface of its own."""
    return broken() if asked.request.proxy_configuration and asked.network_mode != "awsvpc" else None


@rule(
    LAST,
    refuse="ClientException",
    says="Proxy container [{name}] does not exist.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-proxy-configuration-container-missing",
)
def the_proxy_is_a_container_of_the_task(asked: Registration) -> Found:
    """The proxy is one of the containers."""
    proxy = asked.request.proxy_configuration
    if proxy is None or proxy.container_name in asked.container_names:
        return None
    return broken(name=proxy.container_name)


@rule(
    LAST,
    refuse="ClientException",
    says="Ingress port not found",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-proxy-configuration-missing-required-props",
)
def a_proxy_has_an_ingress_port(asked: Registration) -> Found:
    """A proxy is told on which port traffic comes in."""
    proxy = asked.request.proxy_configuration
    if proxy is None or any(item.name == "ProxyIngressPort" for item in proxy.properties or ()):
        return None
    return broken()


@rule(
    LAST,
    refuse="ClientException",
    says="placement constraints can have at most 10 items.",
    evidence="inferred: the bound is documented",
)
def placement_constraints_are_ten_at_most(asked: Registration) -> Found:
    """A definition has at most ten placement constraints."""
    return broken() if len(asked.request.placement_constraints or ()) > 10 else None
