"""Capacity providers: those of Fargate, which every account has, and how a strategy hands out tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import api_models as ecs

FARGATE_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
"""Nobody creates or deletes them (documented: Fargate capacity providers)."""

Strategy = tuple["ecs.CapacityProviderStrategyItem", ...]


def with_defaults(strategy: Iterable[ecs.CapacityProviderStrategyItem]) -> Strategy:
    """A strategy with all bases and weights that go without saying.

    Both are 0 (documented: CapacityProviderStrategyItem); but a strategy of one provider works without a weight
    (observed 2024-05: aws/aws-cdk issue 30171), so that one has weight 1.
    """
    items = tuple(strategy)
    weight = 1 if len(items) == 1 else 0
    return tuple(item.replace(weight=_or(item.weight, weight), base=_or(item.base, 0)) for item in items)


def _or(number: int | None, default: int) -> int:
    return default if number is None else number


def distributed(strategy: Strategy, count: int, placed: Mapping[str, int]) -> list[str]:
    """The provider of each of `count` further tasks, where each provider has `placed` tasks already.

    The base is filled first; beyond it the tasks of each provider are kept in proportion to the weights, and the first
    of the strategy wins where two are equally due (documented: CapacityProviderStrategyItem, but for the ties). The
    strategy has its defaults. Raises ValueError where tasks are left and no provider has a weight.
    """
    bases: dict[str, int] = {}
    weights: dict[str, int] = {}
    for item in strategy:
        name = item.capacity_provider or ""
        bases[name] = bases.get(name, 0) + (item.base or 0)
        if item.weight:
            weights[name] = weights.get(name, 0) + item.weight
    chosen: list[str] = []
    for name, base in bases.items():
        missing = max(0, base - placed.get(name, 0))
        chosen += [name] * min(missing, count - len(chosen))
    beyond = {name: max(0, placed.get(name, 0) - bases[name]) for name in weights}
    return chosen + _by_weight(weights, beyond, count - len(chosen))


def _by_weight(weights: Mapping[str, int], beyond: dict[str, int], count: int) -> list[str]:
    """Each task goes to the provider that lacks most of its share in the end: the method of the largest remainder."""
    whole, total = sum(weights.values()), sum(beyond.values()) + count
    chosen = []
    for _ in range(count):
        name = max(weights, key=lambda each: total * weights[each] - whole * beyond[each])
        beyond[name] += 1
        chosen.append(name)
    return chosen
