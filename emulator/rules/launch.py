"""What is refused about where tasks run: RunTask asks it of a task, CreateService of all that a service will start."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import api_models as ecs
from api_models import enums
from emulator.rules.rule import broken
from emulator.rules.shared import SharedRules

LAUNCH = SharedRules()
"""Compatibility, network, platform version and placement, in AWS's order."""

PLATFORM_VERSIONS = ("LATEST", "1.4.0", "1.3.0")
WINDOWS_PLATFORM_VERSIONS = ("LATEST", "1.0.0")
CPU_OF_PLATFORM_1_4 = 8192
MOST_SUBNETS = 16
MOST_SECURITY_GROUPS = 5
MOST_CONSTRAINTS = 10
MOST_STRATEGIES = 5

Found = Mapping[str, object] | None

_ID = r"([0-9a-f]{8}|[0-9a-f]{17})"
_SUBNET = re.compile(f"subnet-{_ID}")
_SECURITY_GROUP = re.compile(f"sg-{_ID}")


def can_be_subnets(ids: Iterable[str]) -> list[str]:
    """Those that EC2 may know, each once: a subnet's id has 8 or 17 hexadecimal digits."""
    return [id_ for id_ in dict.fromkeys(ids) if _SUBNET.fullmatch(id_)]


def can_be_security_groups(ids: Iterable[str]) -> list[str]:
    """Those that EC2 may know, each once: a security group's id has 8 or 17 hexadecimal digits."""
    return [id_ for id_ in dict.fromkeys(ids) if _SECURITY_GROUP.fullmatch(id_)]


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """Which of the subnets and security groups that a request names EC2 knows: the VPC of each."""

    subnets: Mapping[str, str]
    security_groups: Mapping[str, str]


class LaunchRequest(Protocol):
    """A request that says where tasks are to run."""

    @property
    def network_configuration(self) -> ecs.NetworkConfiguration | None:
        """For awsvpc."""
        ...

    @property
    def platform_version(self) -> str | None:
        """For Fargate."""
        ...

    @property
    def placement_constraints(self) -> tuple[ecs.PlacementConstraint, ...] | None:
        """For instances."""
        ...

    @property
    def placement_strategy(self) -> tuple[ecs.PlacementStrategy, ...] | None:
        """For instances."""
        ...


class Launch(Protocol):
    """The facts."""

    @property
    def request(self) -> LaunchRequest:
        """What is asked for."""
        ...

    @property
    def definition(self) -> ecs.TaskDefinition:
        """What is to run."""
        ...

    @property
    def launch_type(self) -> str:
        """The one asked for, or that of the capacity provider."""
        ...

    @property
    def network(self) -> NetworkFacts | None:
        """What EC2 says; None when it said nothing."""
        ...


def _awsvpc(launch: Launch) -> ecs.AwsVpcConfiguration | None:
    network = launch.request.network_configuration
    return network.awsvpc_configuration if network else None


def _windows(launch: Launch) -> bool:
    platform = launch.definition.runtime_platform
    return bool(platform and (platform.operating_system_family or "").startswith("WINDOWS"))


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says="Task definition does not support launch_type {launch_type}.",
    evidence="observed 2017-12: oranmoshai/ecsServiceRestart issue 2",
)
def the_definition_supports_the_launch_type(launch: Launch) -> Found:
    """A definition runs where it is compatible."""
    compatible = launch.launch_type in (launch.definition.compatibilities or ())
    return None if compatible else broken(launch_type=launch.launch_type)


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says="Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    evidence="observed 2020-06: fabfuel/ecs-deploy issue 133",
)
def awsvpc_needs_a_network_configuration(launch: Launch) -> Found:
    """A task with an interface of its own is told its subnets."""
    return broken() if launch.definition.network_mode == "awsvpc" and _awsvpc(launch) is None else None


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says="Network Configuration is not valid for the given networkMode of this task definition.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-service-network-config-mode",
)
def only_awsvpc_has_a_network_configuration(launch: Launch) -> Found:
    """A task without an interface of its own has no subnets."""
    return broken() if launch.definition.network_mode != "awsvpc" and _awsvpc(launch) is not None else None


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says="subnets can not be empty.",
    evidence="observed 2018-12: awslabs/fargatecli issue 73",
)
def a_subnet_is_given(launch: Launch) -> Found:
    """A network configuration has at least one subnet."""
    network = _awsvpc(launch)
    return broken() if network is not None and not network.subnets else None


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says="subnets can have at most 16 items.",
    evidence="observed 2025-04: opensearch-project/opensearch-migrations issue 1430",
)
def subnets_are_sixteen_at_most(launch: Launch) -> Found:
    """A network configuration has at most sixteen subnets."""
    network = _awsvpc(launch)
    return broken() if network is not None and len(network.subnets or ()) > MOST_SUBNETS else None


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says="securityGroups can have at most 5 items.",
    evidence="inferred: the bound is documented, the form is that of the sentence about subnets",
)
def security_groups_are_five_at_most(launch: Launch) -> Found:
    """A network configuration has at most five security groups."""
    network = _awsvpc(launch)
    asked = (network.security_groups or ()) if network else ()
    return broken() if len(asked) > MOST_SECURITY_GROUPS else None


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says="assign public ip should be one of [ENABLED,DISABLED]",
    evidence="inferred: the form of moto's `launch type should be one of [EC2,FARGATE,EXTERNAL]`",
)
def a_public_address_is_wanted_or_not(launch: Launch) -> Found:
    """A task's interface gets a public address or not."""
    network = _awsvpc(launch)
    wanted = network.assign_public_ip if network else None
    return None if wanted is None or wanted in enums.AssignPublicIp else broken()


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says="subnet cannot be blank.",
    evidence="observed 2022-06: hashicorp/waypoint issue 3514",
)
def subnets_are_not_blank(launch: Launch) -> Found:
    """A subnet is named."""
    network = _awsvpc(launch)
    return broken() if network is not None and "" in (network.subnets or ()) else None


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says="security group cannot be blank.",
    evidence="observed 2022-06: hashicorp/waypoint issue 3514",
)
def security_groups_are_not_blank(launch: Launch) -> Found:
    """A security group is named."""
    network = _awsvpc(launch)
    return broken() if network is not None and "" in (network.security_groups or ()) else None


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says="Error retrieving subnet information for [{all_ids}]: The subnet {what} (ErrorCode: InvalidSubnetID.NotFound)",
    evidence="observed 2022-07: eddmann/serverless-fargate issue 20",
)
def the_subnets_exist(launch: Launch) -> Found:
    """EC2 has the subnets. What cannot be the id of one is the id of none."""
    network, facts = _awsvpc(launch), launch.network
    if network is None or facts is None:
        return None
    return _missing(network.subnets or (), facts.subnets, one="ID '{}' does not exist", more="IDs '{}' do not exist")


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says='Error retrieving security group information for [{all_ids}]: Invalid id: "{id}" (expecting "sg-...") '
    "(ErrorCode: InvalidGroupId.Malformed)",
    evidence="inferred: EC2's sentence (2018-10: hashicorp/terraform-provider-aws issue 6104) in the form of "
    "`… Request limit exceeded. (ErrorCode: RequestLimitExceeded)` (2020-08)",
)
def security_groups_have_valid_ids(launch: Launch) -> Found:
    """A security group's id has 8 or 17 hexadecimal digits."""
    network = _awsvpc(launch)
    ids = (network.security_groups or ()) if network else ()
    wrong = next((id_ for id_ in ids if not _SECURITY_GROUP.fullmatch(id_)), None)
    return None if wrong is None else broken(all_ids=", ".join(ids), id=wrong)


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says="Error retrieving security group information for [{all_ids}]: The security {what} "
    "(ErrorCode: InvalidGroup.NotFound)",
    evidence="observed 2025-11: a test report in a public repository, which leaves out the error code",
)
def the_security_groups_exist(launch: Launch) -> Found:
    """EC2 has the security groups."""
    network, facts = _awsvpc(launch), launch.network
    if network is None or facts is None:
        return None
    ids = network.security_groups or ()
    return _missing(ids, facts.security_groups, one="group '{}' does not exist", more="groups '{}' do not exist")


def _missing(ids: Collection[str], known: Mapping[str, str], *, one: str, more: str) -> Found:
    missing = [id_ for id_ in dict.fromkeys(ids) if id_ not in known]
    if not missing:
        return None
    form = one if len(missing) == 1 else more
    return broken(all_ids=", ".join(ids), what=form.format(", ".join(missing)))


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says="subnets must all be in the same VPC.",
    evidence="inferred: documented without its sentence",
)
def the_subnets_are_in_one_vpc(launch: Launch) -> Found:
    """A task's subnets are those of one VPC."""
    return broken() if launch.network is not None and len(set(launch.network.subnets.values())) > 1 else None


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says="Security group {id} does not appear to belong to the same VPC as the input subnets.",
    evidence="observed 2022-12: aws/aws-dotnet-deploy pull 735",
)
def the_security_groups_are_in_the_vpc(launch: Launch) -> Found:
    """A task's security groups are those of the VPC that it is in."""
    facts = launch.network
    if facts is None or not facts.subnets:
        return None
    vpcs = set(facts.subnets.values())
    strange = next((id_ for id_, vpc in facts.security_groups.items() if vpc not in vpcs), None)
    return None if strange is None else broken(id=strange)


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says="Assign public IP is not supported for this launch type.",
    evidence="inferred: recalled, not seen written",
)
def only_fargate_assigns_public_addresses(launch: Launch) -> Found:
    """A task on an instance has the instance's address."""
    network = _awsvpc(launch)
    wanted = network is not None and network.assign_public_ip == "ENABLED"
    return broken() if wanted and launch.launch_type != "FARGATE" else None


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says="The platform version must be null when specifying an EC2 launch type.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-service-platform-version-ec2",
)
def only_fargate_has_platform_versions(launch: Launch) -> Found:
    """Platform versions are Fargate's."""
    return broken() if launch.request.platform_version and launch.launch_type != "FARGATE" else None


@LAUNCH.rule(
    refuse="PlatformUnknownException",
    says="The specified platform does not exist.",
    evidence="observed 2020-10: jenkinsci/amazon-ecs-plugin issue 218",
)
def the_platform_version_exists(launch: Launch) -> Found:
    """Linux and Windows have platform versions of their own."""
    known = WINDOWS_PLATFORM_VERSIONS if _windows(launch) else PLATFORM_VERSIONS
    version = launch.request.platform_version
    return None if not version or version in known else broken()


@LAUNCH.rule(
    refuse="PlatformTaskDefinitionIncompatibilityException",
    says="One or more of the requested capabilities are not supported.",
    evidence="observed 2021-02: CircleCI-Public/aws-ecs-orb issue 121",
)
def the_platform_version_can_do_it(launch: Launch) -> Found:
    """Version 1.3.0 lacks what came with 1.4.0."""
    old = launch.request.platform_version == "1.3.0"
    return broken() if old and _needs_1_4(launch.definition) else None


def _needs_1_4(definition: ecs.TaskDefinition) -> bool:
    volumes = definition.volumes or ()
    containers = definition.container_definitions or ()
    capabilities = (container.linux_parameters and container.linux_parameters.capabilities for container in containers)
    return (
        definition.ephemeral_storage is not None
        or definition.pid_mode == "task"
        or int(definition.cpu or 0) >= CPU_OF_PLATFORM_1_4
        or any(volume.efs_volume_configuration or volume.s3files_volume_configuration for volume in volumes)
        or any(container.environment_files or container.system_controls for container in containers)
        or any(found and found.add for found in capabilities)
    )


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says="Placement constraints are not supported with FARGATE launch type.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-service-fargate-placement",
)
def fargate_takes_no_placement_constraints(launch: Launch) -> Found:
    """On Fargate there are no instances to choose from."""
    return broken() if launch.request.placement_constraints and launch.launch_type == "FARGATE" else None


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says="Placement strategies are not supported with FARGATE launch type.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-service-fargate-placement",
)
def fargate_takes_no_placement_strategies(launch: Launch) -> Found:
    """On Fargate there are no instances to spread over."""
    return broken() if launch.request.placement_strategy and launch.launch_type == "FARGATE" else None


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says="placement constraints can have at most 10 items.",
    evidence="inferred: the bound is documented",
)
def constraints_of_a_launch_are_ten_at_most(launch: Launch) -> Found:
    """A request has at most ten placement constraints."""
    return broken() if len(launch.request.placement_constraints or ()) > MOST_CONSTRAINTS else None


@LAUNCH.rule(
    refuse="InvalidParameterException",
    says="Maximum number of strategies is 5.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-svc-placement-strategies-max6",
)
def placement_strategies_are_five_at_most(launch: Launch) -> Found:
    """A request has at most five placement strategies."""
    return broken() if len(launch.request.placement_strategy or ()) > MOST_STRATEGIES else None
