"""What is refused about capacity providers and the strategies that name them.

A strategy stands in RunTask and CreateService (`TASK_STRATEGY`), or is the default of a cluster (`DEFAULT_STRATEGY`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import api_models as ecs
from emulator.rules.rule import broken, rule
from emulator.rules.shared import SharedRules
from emulator.state.capacity_providers import FARGATE_PROVIDERS

MOST_PROVIDERS = 20
HIGHEST_WEIGHT = 1_000
HIGHEST_BASE = 100_000

CLUSTER_PROVIDERS = SharedRules()
"""What holds for the list of a cluster's capacity providers."""
STRATEGY_ITEMS = SharedRules()
"""What holds for every strategy. It is asked before the rules of either kind of strategy."""
TASK_STRATEGY = SharedRules()
"""What holds for the strategy of tasks."""
DEFAULT_STRATEGY = SharedRules()
"""What holds for the default strategy that a cluster is given."""
SPOT = SharedRules()
"""What Fargate Spot cannot run."""

Found = Mapping[str, object] | None


class ClusterProviders(Protocol):
    """A request that says which capacity providers a cluster has."""

    @property
    def capacity_providers(self) -> tuple[str, ...] | None:
        """Their names."""
        ...


@dataclass(frozen=True, slots=True)
class Strategy:
    """The facts about a strategy: its items, and the capacity providers of the cluster."""

    items: tuple[ecs.CapacityProviderStrategyItem, ...]
    providers: Collection[str]


@dataclass(frozen=True, slots=True)
class Removal:
    """The facts for PutClusterCapacityProviders: of the providers left out, those that tasks use."""

    in_use: tuple[str, ...]


class VersionedRequest(Protocol):
    """A request that may name a platform version."""

    @property
    def platform_version(self) -> str | None:
        """For Fargate."""
        ...


class ProvidedLaunch(Protocol):
    """The facts about tasks that capacity providers are to run."""

    @property
    def request(self) -> VersionedRequest:
        """What is asked for."""
        ...

    @property
    def definition(self) -> ecs.TaskDefinition:
        """What is to run."""
        ...

    @property
    def capacity_providers(self) -> Collection[str]:
        """Those that the strategy names; none for a launch type."""
        ...


@CLUSTER_PROVIDERS.rule(
    refuse="InvalidParameterException",
    says="The maximum number of capacity providers per cluster has been exceeded.",
    evidence="observed 2022-02: aws-cloudformation/cloudformation-coverage-roadmap issue 1086 (then 10)",
)
def capacity_providers_are_twenty_at_most(request: ClusterProviders) -> Found:
    """A cluster has at most twenty capacity providers."""
    return broken() if len(request.capacity_providers or ()) > MOST_PROVIDERS else None


@CLUSTER_PROVIDERS.rule(
    refuse="InvalidParameterException",
    says="The specified capacity provider '{name}' was not found. Specify a valid capacity provider and try again.",
    evidence="observed 2022-02: terraform-aws-modules/terraform-aws-ecs issue 53 (there without the name)",
)
def capacity_providers_exist(request: ClusterProviders) -> Found:
    """A cluster's capacity providers are those that there are."""
    return _unknown(request.capacity_providers or ())


def _unknown(names: Iterable[str | None]) -> Found:
    unknown = [name or "" for name in names if name not in FARGATE_PROVIDERS]
    return broken(name=unknown[0]) if unknown else None


@STRATEGY_ITEMS.rule(
    refuse="InvalidParameterException",
    says="capacity provider strategy can have at most 20 items.",
    evidence="inferred: the bound is documented, the form is that of the sentence about subnets",
)
def strategies_have_twenty_items_at_most(strategy: Strategy) -> Found:
    """A strategy has at most twenty capacity providers."""
    return broken() if len(strategy.items) > MOST_PROVIDERS else None


@STRATEGY_ITEMS.rule(
    refuse="InvalidParameterException",
    says="{label} should be between 0 and {most}",
    evidence="inferred: the bounds are documented",
)
def weights_and_bases_are_in_range(strategy: Strategy) -> Found:
    """A weight is 0 to 1,000, a base 0 to 100,000."""
    for item in strategy.items:
        if not 0 <= (item.weight or 0) <= HIGHEST_WEIGHT:
            return broken(label="weight", most=HIGHEST_WEIGHT)
        if not 0 <= (item.base or 0) <= HIGHEST_BASE:
            return broken(label="base", most=HIGHEST_BASE)
    return None


@STRATEGY_ITEMS.rule(
    refuse="InvalidParameterException",
    says="A capacity provider strategy cannot contain a mix of capacity providers using Auto Scaling groups and "
    "Fargate providers. Specify one or the other and try again.",
    evidence="observed 2022-06: terraform-aws-modules/terraform-aws-ecs issue 68",
)
def a_strategy_is_for_fargate_or_for_instances(strategy: Strategy) -> Found:
    """A strategy names the providers of Fargate or others."""
    kinds = {item.capacity_provider in FARGATE_PROVIDERS for item in strategy.items}
    return broken() if len(kinds) > 1 else None


@TASK_STRATEGY.rule(
    refuse="InvalidParameterException",
    says="The specified capacity provider '{name}' was not found. Specify a valid capacity provider and try again.",
    evidence="inferred: the sentence of PutClusterCapacityProviders",
)
def a_strategy_names_providers_that_exist(strategy: Strategy) -> Found:
    """A strategy names capacity providers that there are."""
    return _unknown(item.capacity_provider for item in strategy.items)


NOT_ASSOCIATED = (
    "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the "
    "cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again."
)


@TASK_STRATEGY.rule(
    refuse="InvalidParameterException",
    says=NOT_ASSOCIATED,
    evidence="observed 2021-12: dask/dask-cloudprovider issue 328 (RunTask)",
)
def a_strategy_uses_providers_of_the_cluster(strategy: Strategy) -> Found:
    """A strategy names the cluster's own capacity providers."""
    return None if all(item.capacity_provider in strategy.providers for item in strategy.items) else broken()


@TASK_STRATEGY.rule(
    refuse="InvalidParameterException",
    says="There are no capacity providers in the capacity provider strategy with a weight value greater than zero. "
    "Specify a weight value greater than zero for at least one capacity provider and try again.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-svc-capacity-provider-zero-weight",
)
def a_strategy_has_a_weight(strategy: Strategy) -> Found:
    """Some provider has a weight above 0. A provider that is alone needs none."""
    return None if _weighty(strategy) else broken()


def _weighty(strategy: Strategy) -> bool:
    alone = len(strategy.items) == 1 and strategy.items[0].weight is None
    return alone or not strategy.items or any(item.weight for item in strategy.items)


@TASK_STRATEGY.rule(
    refuse="InvalidParameterException",
    says="There are multiple capacity providers in the specified capacity provider strategy with a base value greater "
    "than zero. Only one capacity provider can have a base value greater than zero. Specify a valid capacity provider "
    "strategy and try again.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-svc-capacity-provider-multiple-base",
)
def a_strategy_has_one_base(strategy: Strategy) -> Found:
    """One capacity provider at most gets tasks before the weights count."""
    return broken() if sum(bool(item.base) for item in strategy.items) > 1 else None


@DEFAULT_STRATEGY.rule(
    refuse="InvalidParameterException",
    says=NOT_ASSOCIATED,
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-cluster-default-strategy-provider-not-listed",
)
def the_default_strategy_uses_providers_of_the_cluster(strategy: Strategy) -> Found:
    """The default strategy names the cluster's own capacity providers."""
    return a_strategy_uses_providers_of_the_cluster(strategy)


@DEFAULT_STRATEGY.rule(
    refuse="InvalidParameterException",
    says="The specified capacity provider strategy contains multiple capacity providers with a base value defined. "
    "Only one capacity provider per strategy can have a base value defined.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-cluster-default-strategy-multiple-base",
)
def the_default_strategy_has_one_base(strategy: Strategy) -> Found:
    """One capacity provider at most gets tasks before the weights count."""
    return a_strategy_has_one_base(strategy)


for _guard in ("CreateCluster", "PutClusterCapacityProviders"):
    STRATEGY_ITEMS.guard(f"{_guard}:strategy")
    DEFAULT_STRATEGY.guard(f"{_guard}:strategy")

STRATEGY_ITEMS.guard("RunTask:strategy")
TASK_STRATEGY.guard("RunTask:strategy")


@rule(
    "RunTask:default-strategy",
    refuse="InvalidParameterException",
    says="There are no capacity providers with a weight value greater than zero defined in the default capacity "
    "provider strategy. At least one capacity provider must have a weight value greater than zero specified. Update "
    "the cluster's default capacity provider strategy or specify a valid capacity provider strategy and try again.",
    evidence="observed 2020-12: terraform-aws-modules/terraform-aws-ecs issue 27 (CreateService)",
)
def the_default_strategy_has_a_weight(strategy: Strategy) -> Found:
    """A default strategy without any weight is taken, and refused when tasks are to follow it."""
    return None if _weighty(strategy) else broken()


@rule(
    "PutClusterCapacityProviders:removal",
    refuse="ResourceInUseException",
    says="The specified capacity provider is in use and cannot be removed.",
    evidence="observed 2021-07: pahud/cdk-fargate-patterns issue 71",
)
def providers_left_out_are_not_in_use(removal: Removal) -> Found:
    """A cluster keeps the capacity providers that its tasks use."""
    return broken() if removal.in_use else None


@SPOT.rule(
    refuse="InvalidParameterException",
    says="FARGATE_SPOT capacity provider is not supported when using Windows.",
    evidence="inferred: documented; the form of the sentence about ARM",
)
def spot_runs_no_windows(launch: ProvidedLaunch) -> Found:
    """Fargate Spot runs Linux only."""
    platform = launch.definition.runtime_platform or ecs.RuntimePlatform()
    windows = (platform.operating_system_family or "").startswith("WINDOWS")
    return broken() if windows and "FARGATE_SPOT" in launch.capacity_providers else None


@SPOT.rule(
    refuse="InvalidParameterException",
    says="FARGATE_SPOT capacity provider is not supported when using ARM architecture.",
    evidence="observed 2024-08: aws/containers-roadmap issue 2407 (then on every platform version)",
)
def spot_runs_arm_on_1_4_only(launch: ProvidedLaunch) -> Found:
    """Fargate Spot runs ARM64 on platform version 1.4.0 or later."""
    platform = launch.definition.runtime_platform or ecs.RuntimePlatform()
    old_arm = platform.cpu_architecture == "ARM64" and launch.request.platform_version == "1.3.0"
    return broken() if old_arm and "FARGATE_SPOT" in launch.capacity_providers else None
