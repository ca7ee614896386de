"""What is refused of the clusters themselves: when they are made, changed and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import api_models as ecs
from api_models import enums
from emulator.rules.capacity_providers import CLUSTER_PROVIDERS
from emulator.rules.parameters import NAME
from emulator.rules.rule import broken, rule
from emulator.rules.shared import SharedRules
from emulator.rules.tags import TAGS
from emulator.state.capacity_providers import with_defaults

CONTAINER_INSIGHTS = ("enabled", "disabled", "enhanced")
MOST_CLUSTERS = 10_000

SETTINGS = SharedRules()
"""What holds for the settings of a cluster."""
CONFIGURATION = SharedRules()
"""What holds for the configuration of a cluster."""

Found = Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class ClusterContents:
    """The facts for DeleteCluster: how many of each there still are. Stopped tasks do not count."""

    container_instances: int
    services: int
    tasks: int


@dataclass(frozen=True, slots=True)
class Region:
    """The facts for a new cluster: how many the account has in the region."""

    clusters: int


@dataclass(frozen=True, slots=True)
class MadeAgain:
    """The facts for CreateCluster of a cluster that exists."""

    request: ecs.CreateClusterRequest
    cluster: ecs.Cluster


class WithSettings(Protocol):
    """A request with settings of a cluster."""

    @property
    def settings(self) -> tuple[ecs.ClusterSetting, ...] | None:
        """The settings given."""
        ...


class WithConfiguration(Protocol):
    """A request with a cluster's configuration."""

    @property
    def configuration(self) -> ecs.ClusterConfiguration | None:
        """The configuration given."""
        ...


def _exec(request: WithConfiguration) -> ecs.ExecuteCommandConfiguration:
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


@SETTINGS.rule(
    refuse="InvalidParameterException",
    says="setting name should be one of [containerInsights]",
    evidence="inferred: the form of moto's `launch type should be one of [EC2,FARGATE,EXTERNAL]`",
)
def cluster_settings_are_known(request: WithSettings) -> Found:
    """Container Insights is the one setting of a cluster."""
    return None if all(setting.name in enums.ClusterSettingName for setting in request.settings or ()) else broken()


@SETTINGS.rule(
    refuse="InvalidParameterException",
    says="containerInsights should be one of [enabled,disabled,enhanced]",
    evidence="inferred: the form of moto's `launch type should be one of [EC2,FARGATE,EXTERNAL]`",
)
def container_insights_has_a_known_value(request: WithSettings) -> Found:
    """Container Insights is on, off or enhanced."""
    return None if all(setting.value in CONTAINER_INSIGHTS for setting in request.settings or ()) else broken()


@CONFIGURATION.rule(
    refuse="InvalidParameterException",
    says="logging should be one of [NONE,DEFAULT,OVERRIDE]",
    evidence="inferred: the form of moto's `launch type should be one of [EC2,FARGATE,EXTERNAL]`",
)
def logging_of_commands_is_known(request: WithConfiguration) -> Found:
    """What is typed in a container is logged nowhere, as the container logs, or elsewhere."""
    logging = _exec(request).logging
    return None if logging is None or logging in enums.ExecuteCommandLogging else broken()


@CONFIGURATION.rule(
    refuse="InvalidParameterException",
    says="You must set logging to 'OVERRIDE' when you supply a log configuration.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-cluster-execute-command-default-with-log-config",
)
def a_log_configuration_overrides(request: WithConfiguration) -> Found:
    """A place for the log is given only to override the default one."""
    given = _exec(request)
    return broken() if given.log_configuration and given.logging != "OVERRIDE" else None


@CONFIGURATION.rule(
    refuse="InvalidParameterException",
    says="A CloudWatch log group name or S3 bucket name must be specified when overriding the default log "
    "configuration.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight "
    "pf-ecs-cluster-execute-command-override-without-log-config",
)
def an_overridden_log_goes_somewhere(request: WithConfiguration) -> Found:
    """Who overrides the log's place says where to."""
    given = _exec(request)
    place = given.log_configuration or ecs.ExecuteCommandLogConfiguration()
    somewhere = place.cloud_watch_log_group_name or place.s3_bucket_name
    return broken() if given.logging == "OVERRIDE" and not somewhere else None


SETTINGS.guard("CreateCluster")
CONFIGURATION.guard("CreateCluster")
CLUSTER_PROVIDERS.guard("CreateCluster")
TAGS.guard("CreateCluster")

SETTINGS.guard("UpdateCluster")
CONFIGURATION.guard("UpdateCluster")
SETTINGS.guard("UpdateClusterSettings")
CLUSTER_PROVIDERS.guard("PutClusterCapacityProviders")


@rule(
    "CreateCluster:again",
    refuse="InvalidParameterException",
    says="Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
    evidence="observed 2020-04: hashicorp/terraform issue 24615",
)
def a_cluster_made_again_has_the_same_providers(made: MadeAgain) -> Found:
    """Who makes a cluster that exists gives the same capacity providers and default strategy, or none."""
    providers = made.request.capacity_providers
    strategy = made.request.default_capacity_provider_strategy
    same_providers = providers is None or set(providers) == set(made.cluster.capacity_providers or ())
    same_strategy = strategy is None or with_defaults(strategy) == made.cluster.default_capacity_provider_strategy
    return None if same_providers and same_strategy else broken()


@rule(
    "CreateCluster:new",
    refuse="ClientException",
    says="The maximum number of clusters has been exceeded.",
    evidence="inferred: the bound is documented, the form is that of the sentence about capacity providers",
)
def clusters_are_ten_thousand_at_most(region: Region) -> Found:
    """An account has at most 10,000 clusters in a region."""
    return broken() if region.clusters >= MOST_CLUSTERS else None


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
