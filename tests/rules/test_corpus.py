"""Definitions that AWS accepted are accepted; nothing of them gets lost; what is answered can be registered again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import api_models as ecs
from emulator.rules.task_definitions import refusal_of, registration
from tests.rules.tables import definition_of

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "taskdefs.jsonl"

UNFILLED = {
    "aws-samples/ecs-trainium-examples@139b0fbbd2:task-definition/task-definition-template.json": "{your-account-id}",
    "aws-samples/amazon-ecs-firelens-under-the-hood@1ce05892f0:fluent-bit-log-pipeline/task-definition.json": "<image",
}
"""Templates whose image is a placeholder, which AWS refuses."""

TOO_SMALL = "aws/copilot-cli@4c858e718b:internal/pkg/deploy/cloudformation/stack/testdata/workloads/windows-svc-test"
"""Never deployed: Windows on Fargate with 256 CPU units, where AWS refuses 512 (observed 2026-09)."""


def corpus() -> list[Any]:
    if not CORPUS.exists():
        reason = f"the corpus of accepted definitions is not there: {CORPUS}"
        return [pytest.param(None, id="corpus", marks=pytest.mark.skip(reason=reason))]
    lines = CORPUS.read_text(encoding="utf-8").splitlines()
    return [pytest.param(json.loads(line), id=f"line-{number}") for number, line in enumerate(lines, start=1)]


@pytest.mark.parametrize("line", corpus())
def test_a_definition_that_aws_accepted_is_accepted(line: dict[str, Any]) -> None:
    body = json.dumps(line["request"]).encode()
    found = refusal_of(registration(ecs.RegisterTaskDefinitionRequest.parse(body), len(body)))
    if line["source"] in UNFILLED:
        assert UNFILLED[line["source"]] in body.decode()
        assert str(found) == "ClientException: Container.image contains invalid characters."
    elif line["source"].startswith(TOO_SMALL):
        assert "256 CPU, 512 memory" in str(found)
    else:
        assert found is None


@pytest.mark.parametrize("line", corpus())
def test_nothing_of_a_definition_gets_lost(line: dict[str, Any]) -> None:
    given = {name: value for name, value in line["request"].items() if name not in {"cpu", "memory", "tags"}}
    assert_within(given, json.loads(definition_of(line["request"]).to_json()))


@pytest.mark.parametrize("line", corpus())
def test_what_is_answered_can_be_registered_again(line: dict[str, Any]) -> None:
    answered = definition_of(line["request"])
    document = json.loads(answered.to_json())
    writable = {field.alias for field in ecs.RegisterTaskDefinitionRequest.model_fields.values()}
    again = definition_of({name: value for name, value in document.items() if name in writable})
    assert again == answered


def assert_within(given: Any, answered: Any) -> None:
    """Everything given is answered, lists in their order. A host port of 0 stands for one that is filled in."""
    match given:
        case dict():
            for name, value in given.items():
                if not (name == "hostPort" and value == 0) and value is not None:
                    assert_within(value, answered[name])
        case list():
            assert len(given) == len(answered)
            for one, other in zip(given, answered, strict=True):
                assert_within(one, other)
        case _:
            assert given == answered
