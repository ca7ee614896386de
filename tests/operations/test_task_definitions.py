"""Task definitions, by boto3."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from emulator.state.revisions import keep_revision
from tests.builders import NOW, definition, definition_record
from tests.emulators import InProcess
from tests.operations.helpers import WEB, refused

ARN = "arn:aws:ecs:us-east-1:000000000000:task-definition/"


def test_a_definition_is_answered_with_its_defaults(emulator: InProcess) -> None:
    answer = emulator.ecs.register_task_definition(**WEB, tags=[{"key": "a", "value": "b"}])
    made = answer["taskDefinition"]
    assert made["taskDefinitionArn"] == ARN + "web:1"
    assert (made["revision"], made["status"], made["cpu"], made["memory"]) == (1, "ACTIVE", "256", "512")
    assert made["registeredAt"].timestamp() == NOW
    assert made["registeredBy"] == "arn:aws:iam::000000000000:root"
    assert made["compatibilities"][:2] == ["EC2", "FARGATE"]
    assert (made["volumes"], made["placementConstraints"]) == ([], [])
    assert answer["tags"] == [{"key": "a", "value": "b"}]
    (container,) = made["containerDefinitions"]
    assert container == {
        "name": "web",
        "image": "web:1",
        "cpu": 0,
        "portMappings": [],
        "essential": True,
        "environment": [],
        "mountPoints": [],
        "volumesFrom": [],
        "systemControls": [],
    }


def test_each_registration_is_a_new_revision(emulator: InProcess) -> None:
    revisions = [emulator.ecs.register_task_definition(**WEB)["taskDefinition"]["revision"] for _ in range(3)]
    assert revisions == [1, 2, 3]


@pytest.mark.parametrize("reference", ["web", "web:2", ARN + "web:2"])
def test_a_definition_is_described_by_family_revision_or_arn(emulator: InProcess, reference: str) -> None:
    for _ in range(2):
        emulator.ecs.register_task_definition(**WEB, tags=[{"key": "a", "value": "b"}])
    plain = emulator.ecs.describe_task_definition(taskDefinition=reference)
    assert plain["taskDefinition"]["revision"] == 2
    assert "tags" not in plain
    tagged = emulator.ecs.describe_task_definition(taskDefinition=reference, include=["TAGS"])
    assert tagged["tags"] == [{"key": "a", "value": "b"}]


@pytest.mark.parametrize("reference", ["nope", "web:2", "web:x", "web:", "web:" + "9" * 5000, ARN + "web:2"])
def test_an_unknown_definition_cannot_be_described(emulator: InProcess, reference: str) -> None:
    emulator.ecs.register_task_definition(**WEB)
    with refused("ClientException", "Unable to describe task definition."):
        emulator.ecs.describe_task_definition(taskDefinition=reference)


def test_a_deregistered_definition_is_inactive_and_no_longer_the_latest(emulator: InProcess) -> None:
    for _ in range(2):
        emulator.ecs.register_task_definition(**WEB)
    emulator.advance(5)
    gone = emulator.ecs.deregister_task_definition(taskDefinition="web:2")["taskDefinition"]
    assert (gone["status"], gone["deregisteredAt"].timestamp()) == ("INACTIVE", NOW + 5)
    assert emulator.ecs.describe_task_definition(taskDefinition="web")["taskDefinition"]["revision"] == 1
    assert emulator.ecs.describe_task_definition(taskDefinition="web:2")["taskDefinition"] == gone
    emulator.advance(5)
    assert emulator.ecs.deregister_task_definition(taskDefinition="web:2")["taskDefinition"] == gone


def test_eight_who_register_at_once_get_revisions_without_gaps(emulator: InProcess) -> None:
    ecs = emulator.ecs
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: ecs.register_task_definition(**WEB), range(40)))
    assert sorted(answer["taskDefinition"]["revision"] for answer in answers) == list(range(1, 41))


def test_a_family_ends_with_its_millionth_revision(emulator: InProcess) -> None:
    with emulator.app._store.write() as transaction:
        keep_revision(transaction, definition_record(definition().replace(revision=1_000_000)))
    with refused(
        "ClientException", "The maximum number of revisions for this task definition family has been reached."
    ):
        emulator.ecs.register_task_definition(**WEB)
    assert emulator.ecs.register_task_definition(**{**WEB, "family": "x"})["taskDefinition"]["revision"] == 1


def test_tags_belong_to_one_revision(emulator: InProcess) -> None:
    emulator.ecs.register_task_definition(**WEB, tags=[{"key": "a", "value": "b"}])
    assert "tags" not in emulator.ecs.register_task_definition(**WEB)
    shown = emulator.ecs.describe_task_definition(taskDefinition="web", include=["TAGS"])
    assert (shown["taskDefinition"]["revision"], shown["tags"]) == (2, [])


def test_only_tags_can_be_included(emulator: InProcess) -> None:
    emulator.ecs.register_task_definition(**WEB)
    with refused("InvalidParameterException", "include should be one of [TAGS]"):
        emulator.ecs.describe_task_definition(taskDefinition="web", include=["ALL"])


def test_a_revision_number_is_never_given_twice(emulator: InProcess) -> None:
    emulator.ecs.register_task_definition(**WEB)
    emulator.ecs.deregister_task_definition(taskDefinition="web:1")
    assert emulator.ecs.register_task_definition(**WEB)["taskDefinition"]["revision"] == 2


@pytest.mark.parametrize(
    ("reference", "code", "message"),
    [
        ("web", "ClientException", "Revision is missing."),
        ("web:one", "InvalidParameterException", "Invalid revision number. Number: one"),
        ("web:9", "ClientException", "Unable to describe task definition."),
    ],
)
def test_what_cannot_be_deregistered(emulator: InProcess, reference: str, code: str, message: str) -> None:
    emulator.ecs.register_task_definition(**WEB)
    with refused(code, message):
        emulator.ecs.deregister_task_definition(taskDefinition=reference)


def listed(emulator: InProcess, **request: Any) -> list[str]:
    pages = emulator.ecs.get_paginator("list_task_definitions").paginate(**request, PaginationConfig={"PageSize": 3})
    return [arn.rsplit("/", 1)[1] for page in pages for arn in page["taskDefinitionArns"]]


def test_definitions_are_listed_by_family_and_number(emulator: InProcess) -> None:
    for family in ("b", "a", "ab"):
        for _ in range(11 if family == "a" else 1):
            emulator.ecs.register_task_definition(**{**WEB, "family": family})
    emulator.ecs.deregister_task_definition(taskDefinition="a:3")
    active = ["a:1", "a:2", *(f"a:{number}" for number in range(4, 12))]
    assert listed(emulator) == [*active, "ab:1", "b:1"]
    assert listed(emulator, sort="DESC") == [*reversed([*active, "ab:1", "b:1"])]
    assert listed(emulator, familyPrefix="a") == active
    assert listed(emulator, status="INACTIVE") == ["a:3"]
    assert listed(emulator, familyPrefix="nope") == []


def test_a_size_that_fargate_does_not_have_is_refused_and_changes_nothing(emulator: InProcess) -> None:
    message = (
        "No Fargate configuration exists for given values: 256 CPU, 4096 memory. "
        "See the Amazon ECS documentation for the valid values."
    )
    with refused("ClientException", message):
        emulator.ecs.register_task_definition(**{**WEB, "memory": "4096"})
    assert listed(emulator) == []
    assert emulator.ecs.register_task_definition(**WEB)["taskDefinition"]["revision"] == 1


def test_sizes_in_words_are_shown_in_units(emulator: InProcess) -> None:
    sizes = {"cpu": "0.5 vCPU", "memory": "1 GB"}
    made = emulator.ecs.register_task_definition(**{**WEB, **sizes})["taskDefinition"]
    assert (made["cpu"], made["memory"]) == ("512", "1024")


def test_registering_the_answer_again_changes_nothing_but_the_revision(emulator: InProcess) -> None:
    given = {
        **WEB,
        "containerDefinitions": [
            {
                "name": "web",
                "image": "web:1",
                "portMappings": [{"containerPort": 80}],
                "environment": [{"name": "B", "value": "1"}, {"name": "A", "value": ""}],
                "healthCheck": {"command": ["CMD-SHELL", "true"]},
                "ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 2}],
            }
        ],
    }
    first = emulator.ecs.register_task_definition(**given)["taskDefinition"]
    members = emulator.ecs.meta.service_model.operation_model("RegisterTaskDefinition").input_shape.members
    writable = {name: value for name, value in first.items() if name in members}
    second = emulator.ecs.register_task_definition(**writable)["taskDefinition"]
    changing = {"taskDefinitionArn", "revision"}
    assert {k: v for k, v in first.items() if k not in changing} == {
        k: v for k, v in second.items() if k not in changing
    }
