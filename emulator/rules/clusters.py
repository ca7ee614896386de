"""What CreateCluster and DeleteCluster refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import api_models as ecs
from api_models import enums
from emulator.rules.parameters import NAME
from emulator.rules.rule import broken, rule
from emulator.rules.tags import TAGS

CONTAINER_INSIGHTS = ("enabled", "disabled", "enhanced")

Found = Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class ClusterContents:
    """The facts for DeleteCluster: how many of each there still are. Stopped tasks do not count."""

    container_instances: int
    services: int
    tasks: int


def _exec(request: ecs.CreateClusterRequest) -> ecs.ExecuteCommandConfiguration:
    given = request.configuration and request.configuration.execute_command_configuration
    return given or ecs.ExecuteCommandConfiguration()


@rule(
    "CreateCluster",
    refuse="InvalidParameterException",
    says=r"ClusterName must match ^[a-zA-Z0-9\-_]{{1,255}}$, but was {name}",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-cluster-name (the end as for ServiceName)",
)
def cluster_name_has_valid_characters(request: ecs.CreateClusterRequest) -> Found:
    """A cluster's name has 1 to 255 letters, digits, hyphens and underscores; without one it is the default cluster."""
    name = request.cluster_name
    return None if not name or NAME.fullmatch(name) else broken(name=name)


@rule(
    "CreateCluster",
    refuse="InvalidParameterException",
    says="setting name should be one of [containerInsights]",
    evidence="inferred: the form of moto's `launch type should be one of [EC2,FARGATE,EXTERNAL]`",
)
def cluster_settings_are_known(request: ecs.CreateClusterRequest) -> Found:
    """Container Insights is the one setting of a cluster."""
    return None if all(setting.name in enums.ClusterSettingName for setting in request.settings or ()) else broken()


@rule(
    "CreateCluster",
    refuse="InvalidParameterException",
    says="containerInsights should be one of [enabled,disabled,enhanced]",
    evidence="inferred: the form of moto's `launch type should be one of [EC2,FARGATE,EXTERNAL]`",
)
def container_insights_has_a_known_value(request: ecs.CreateClusterRequest) -> Found:
    """Container Insights is on, off or enhanced."""
    return None if all(setting.value in CONTAINER_INSIGHTS for setting in request.settings or ()) else broken()


@rule(
    "CreateCluster",
    refuse="InvalidParameterException",
    says="logging should be one of [NONE,DEFAULT,OVERRIDE]",
    evidence="inferred: the form of moto's `launch type should be one of [EC2,FARGATE,EXTERNAL]`",
)
def logging_of_commands_is_known(request: ecs.CreateClusterRequest) -> Found:
    """What is typed in a container is logged nowhere, as the container logs, or elsewhere."""
    logging = _exec(request).logging
    return None if logging is None or logging in enums.ExecuteCommandLogging else broken()


@rule(
    "CreateCluster",
    refuse="InvalidParameterException",
    says="You must set logging to 'OVERRIDE' when you supply a log configuration.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-cluster-execute-command-default-with-log-config",
)
def a_log_configuration_overrides(request: ecs.CreateClusterRequest) -> Found:
    """A place for the log is given only to override the default one."""
    given = _exec(request)
    return broken() if given.log_configuration and given.logging != "OVERRIDE" else None


@rule(
    "CreateCluster",
    refuse="InvalidParameterException",
    says="A CloudWatch log group name or S3 bucket name must be specified when overriding the default log "
    "configuration.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight "
    "pf-ecs-cluster-execute-command-override-without-log-config",
)
def an_overridden_log_goes_somewhere(request: ecs.CreateClusterRequest) -> Found:
    """Who overrides the log's place says where to."""
    given = _exec(request)
    place = given.log_configuration or ecs.ExecuteCommandLogConfiguration()
    somewhere = place.cloud_watch_log_group_name or place.s3_bucket_name
    return broken() if given.logging == "OVERRIDE" and not somewhere else None


@rule(
    "CreateCluster",
    refuse="InvalidParameterException",
    says="The specified capacity provider strategy cannot contain a capacity provider that is not associated with the "
    "cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-cluster-default-strategy-provider-not-listed",
)
def the_default_strategy_uses_providers_of_the_cluster(request: ecs.CreateClusterRequest) -> Found:
    """The default strategy names the cluster's own capacity providers."""
    providers = request.capacity_providers or ()
    strategy = request.default_capacity_provider_strategy or ()
    return None if all(item.capacity_provider in providers for item in strategy) else broken()


@rule(
    "CreateCluster",
    refuse="InvalidParameterException",
    says="The specified capacity provider strategy contains multiple capacity providers with a base value defined. "
    "Only one capacity provider per strategy can have a base value defined.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-cluster-default-strategy-multiple-base",
)
def the_default_strategy_has_one_base(request: ecs.CreateClusterRequest) -> Found:
    """One capacity provider at most gets tasks before the weights count."""
    bases = [item for item in request.default_capacity_provider_strategy or () if item.base]
    return broken() if len(bases) > 1 else None


TAGS.guard("CreateCluster")


@rule(
    "DeleteCluster",
    refuse="ClusterContainsContainerInstancesException",
    says="The Cluster cannot be deleted while Container Instances are active or draining.",
    evidence="inferred: recalled, not seen written",
)
def container_instances_are_gone(contents: ClusterContents) -> Found:
    """A cluster with container instances stays."""
    return broken() if contents.container_instances else None


@rule(
    "DeleteCluster",
    refuse="ClusterContainsServicesException",
    says="The Cluster cannot be deleted while Services are active.",
    evidence="inferred: recalled, not seen written",
)
def services_are_gone(contents: ClusterContents) -> Found:
    """A cluster with services stays."""
    return broken() if contents.services else None


@rule(
    "DeleteCluster",
    refuse="ClusterContainsTasksException",
    says="The Cluster cannot be deleted while Tasks are active.",
    evidence="inferred: recalled, not seen written",
)
def tasks_are_gone(contents: ClusterContents) -> Found:
    """A cluster with tasks stays."""
    return broken() if contents.tasks else None
