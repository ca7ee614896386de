"""What is answered about a definition can be registered again and is answered the same, for definitions from real life,
by boto3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.emulators import InProcess
from tests.rules.test_corpus import TOO_SMALL, UNFILLED, corpus

NEW_EACH_TIME = {"taskDefinitionArn", "revision", "registeredAt"}


@pytest.fixture(scope="module")
def ecs() -> Iterator[Any]:
    """One emulator for all cases."""
    with InProcess.started() as running:
        yield running.ecs


def accepted() -> list[Any]:
    """Those of the corpus that AWS accepts."""
    return [found for found in corpus() if found.values[0] is None or not _refused(found.values[0]["source"])]


def _refused(source: str) -> bool:
    return source in UNFILLED or source.startswith(TOO_SMALL)


def registered(ecs: Any, request: dict[str, Any]) -> dict[str, Any]:
    """What is described of a registration, beside what it is answered with."""
    answer = ecs.register_task_definition(**request)
    arn = answer["taskDefinition"]["taskDefinitionArn"]
    shown = ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
    assert shown["taskDefinition"] == answer["taskDefinition"]
    assert shown["tags"] == answer.get("tags", [])
    return {**shown["taskDefinition"], "tags": shown["tags"]}


@pytest.mark.parametrize("line", accepted())
def test_a_definition_comes_back_as_it_was_described(ecs: Any, line: dict[str, Any]) -> None:
    first = registered(ecs, line["request"])
    writable = ecs.meta.service_model.operation_model("RegisterTaskDefinition").input_shape.members
    # An empty list of tags is refused; all other empty lists are taken.
    again = {name: value for name, value in first.items() if name in writable and (name != "tags" or value)}
    second = registered(ecs, again)
    assert second["revision"] == first["revision"] + 1
    assert {name: value for name, value in second.items() if name not in NEW_EACH_TIME} == {
        name: value for name, value in first.items() if name not in NEW_EACH_TIME
    }
