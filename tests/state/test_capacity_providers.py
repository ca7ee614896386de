"""How a strategy hands out tasks."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import api_models as ecs
from emulator.state.capacity_providers import Strategy, distributed, with_defaults


def strategy(*items: tuple[str, int, int]) -> Strategy:
    """Names, bases and weights."""
    return tuple(ecs.CapacityProviderStrategyItem(capacity_provider=n, base=b, weight=w) for n, b, w in items)


@pytest.mark.parametrize(
    ("items", "count", "placed", "chosen"),
    [
        ([("A", 0, 1)], 3, {}, "AAA"),
        ([("A", 0, 1), ("B", 0, 1)], 4, {}, "ABAB"),
        ([("A", 0, 1), ("B", 0, 1)], 3, {}, "AAB"),
        ([("A", 0, 1), ("B", 0, 4)], 10, {}, "AABBBBBBBB"),
        ([("A", 0, 1), ("B", 0, 4)], 1, {}, "B"),
        ([("A", 2, 1), ("B", 0, 4)], 7, {}, "AAABBBB"),
        ([("A", 2, 0), ("B", 0, 1)], 4, {}, "AABB"),
        ([("A", 0, 0), ("B", 0, 1)], 2, {}, "BB"),
        ([("A", 5, 1), ("B", 0, 1)], 3, {}, "AAA"),
        ([("A", 5, 1), ("B", 0, 1)], 3, {"A": 4}, "AAB"),
        ([("A", 0, 1), ("B", 0, 1)], 2, {"A": 3, "B": 1}, "BB"),
        ([("A", 0, 1), ("A", 1, 2), ("B", 0, 1)], 5, {}, "AAAAB"),
    ],
)
def test_base_first_then_weights(
    items: list[tuple[str, int, int]], count: int, placed: dict[str, int], chosen: str
) -> None:
    assert Counter(distributed(strategy(*items), count, placed)) == Counter(chosen)


WEIGHTS = st.lists(st.integers(0, 50), min_size=1, max_size=5).filter(any)


@given(weights=WEIGHTS, count=st.integers(0, 40))
def test_every_share_is_a_whole_number_beside_the_exact_one(weights: list[int], count: int) -> None:
    items = strategy(*((f"P{place}", 0, weight) for place, weight in enumerate(weights)))
    found = Counter(distributed(items, count, {}))
    assert found.total() == count
    for place, weight in enumerate(weights):
        assert abs(found[f"P{place}"] - count * weight / sum(weights)) < 1


@given(weights=WEIGHTS, base=st.integers(0, 10), counts=st.lists(st.integers(0, 10), max_size=8))
def test_what_is_placed_in_several_goes_keeps_base_and_proportion(
    weights: list[int], base: int, counts: list[int]
) -> None:
    items = strategy(*((f"P{place}", 0 if place else base, weight) for place, weight in enumerate(weights)))
    placed: Counter[str] = Counter()
    for count in counts:
        placed.update(distributed(items, count, placed))
    total = sum(counts)
    assert placed["P0"] >= min(base, total)
    for place, weight in enumerate(weights):
        beyond = placed[f"P{place}"] - (0 if place else min(base, total))
        assert abs(beyond - max(0, total - base) * weight / sum(weights)) < len(weights)


def test_without_any_weight_there_is_nobody_beyond_the_base() -> None:
    assert distributed(strategy(("A", 2, 0)), 2, {}) == ["A", "A"]
    with pytest.raises(ValueError, match="empty"):
        distributed(strategy(("A", 2, 0)), 3, {})


def test_a_provider_that_is_alone_needs_no_weight() -> None:
    alone = ecs.CapacityProviderStrategyItem(capacity_provider="FARGATE")
    other = ecs.CapacityProviderStrategyItem(capacity_provider="FARGATE_SPOT", weight=2)
    assert with_defaults([alone]) == strategy(("FARGATE", 0, 1))
    assert with_defaults([alone, other]) == strategy(("FARGATE", 0, 0), ("FARGATE_SPOT", 0, 2))
    assert with_defaults([other.replace(weight=0)]) == strategy(("FARGATE_SPOT", 0, 0))
