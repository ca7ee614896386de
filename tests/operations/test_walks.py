"""Lists that are walked by pages while others add to them and take away, by boto3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.emulators import InProcess
from tests.operations.helpers import NETWORK, WEB

MANY = 1_000


def name(number: int) -> str:
    """A name that stands anywhere among those of other numbers."""
    return f"n{number * 7919 % 10_007:05}"


def add_clusters(ecs: Any, number: int) -> list[str]:
    return [ecs.create_cluster(clusterName=name(number + place))["cluster"]["clusterArn"] for place in range(10)]


def add_definitions(ecs: Any, number: int) -> list[str]:
    made = (ecs.register_task_definition(**{**WEB, "family": name(number + place)}) for place in range(10))
    return [answer["taskDefinition"]["taskDefinitionArn"] for answer in made]


def add_families(ecs: Any, number: int) -> list[str]:
    return [arn.rsplit("/", 1)[1].split(":")[0] for arn in add_definitions(ecs, number)]


def add_tasks(ecs: Any, _number: int) -> list[str]:
    answer = ecs.run_task(taskDefinition="web", launchType="FARGATE", networkConfiguration=NETWORK, count=10)
    return [task["taskArn"] for task in answer["tasks"]]


@dataclass(frozen=True)
class Walk:
    operation: str
    member: str
    add_ten: Callable[[Any, int], list[str]]
    remove: Callable[[Any, str], object]
    request: dict[str, str] = field(default_factory=dict)


WALKS = [
    Walk("list_clusters", "clusterArns", add_clusters, lambda ecs, arn: ecs.delete_cluster(cluster=arn)),
    Walk("list_tasks", "taskArns", add_tasks, lambda ecs, arn: ecs.stop_task(task=arn)),
    Walk(
        "list_task_definitions",
        "taskDefinitionArns",
        add_definitions,
        lambda ecs, arn: ecs.deregister_task_definition(taskDefinition=arn),
    ),
    Walk(
        "list_task_definition_families",
        "families",
        add_families,
        lambda ecs, family: ecs.deregister_task_definition(taskDefinition=f"{family}:1"),
        {"status": "ACTIVE"},
    ),
]


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.operation)
def test_a_walk_neither_repeats_nor_misses_what_stays(emulator: InProcess, walk: Walk) -> None:
    ecs = emulator.ecs
    ecs.create_cluster()
    ecs.register_task_definition(**WEB)
    made = [arn for number in range(0, MANY, 10) for arn in walk.add_ten(ecs, number)]
    stayed = set(made)
    seen: list[str] = []
    for turn, page in enumerate(ecs.get_paginator(walk.operation).paginate(**walk.request)):
        seen += page[walk.member]
        for arn in made[turn * 10 : turn * 10 + 5]:
            walk.remove(ecs, arn)
            stayed.remove(arn)
        walk.add_ten(ecs, MANY + turn * 10)
    assert len(seen) == len(set(seen))
    assert stayed <= set(seen)
