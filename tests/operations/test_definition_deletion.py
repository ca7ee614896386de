"""Deletion of task definitions, by boto3."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.planner.task_definitions import CHECKED_AFTER
from emulator.planner.tasks import KEPT_STOPPED
from tests.builders import NOW
from tests.emulators import InProcess, served
from tests.operations.helpers import WEB, refused, run

ARN = "arn:aws:ecs:us-east-1:000000000000:task-definition/"


@pytest.fixture
def ecs(emulator: InProcess) -> Any:
    """Two revisions, of which the first is INACTIVE, and a cluster."""
    found = emulator.ecs
    found.create_cluster()
    for _ in range(2):
        found.register_task_definition(**WEB)
    found.deregister_task_definition(taskDefinition="web:1")
    return found


def delete(ecs: Any, *references: str) -> list[str]:
    """The statuses of what was deleted."""
    answer = ecs.delete_task_definitions(taskDefinitions=references)
    assert answer["failures"] == []
    return [found["status"] for found in answer["taskDefinitions"]]


def known(ecs: Any, reference: str) -> bool:
    try:
        ecs.describe_task_definition(taskDefinition=reference)
    except ecs.exceptions.ClientException:
        return False
    return True


def test_a_deleted_definition_is_shown_as_being_deleted(emulator: InProcess, ecs: Any) -> None:
    emulator.advance(5)
    answer = ecs.delete_task_definitions(taskDefinitions=["web:1"])
    (deleted,) = answer["taskDefinitions"]
    assert (deleted["status"], deleted["revision"], answer["failures"]) == ("DELETE_IN_PROGRESS", 1, [])
    assert deleted["deregisteredAt"].timestamp() == NOW
    assert deleted["deleteRequestedAt"].timestamp() == NOW + 5
    assert ecs.describe_task_definition(taskDefinition="web:1")["taskDefinition"] == deleted


def test_a_definition_that_is_being_deleted_is_listed_as_that_and_nowhere_else(ecs: Any) -> None:
    delete(ecs, "web:1")
    assert ecs.list_task_definitions(status="DELETE_IN_PROGRESS")["taskDefinitionArns"] == [ARN + "web:1"]
    assert ecs.list_task_definitions(status="INACTIVE")["taskDefinitionArns"] == []
    assert ecs.list_task_definitions()["taskDefinitionArns"] == [ARN + "web:2"]


def test_a_definition_that_nothing_uses_is_gone_after_a_while(emulator: InProcess, ecs: Any) -> None:
    delete(ecs, "web:1")
    emulator.advance(CHECKED_AFTER - 1)
    assert known(ecs, "web:1")
    emulator.advance(1)
    assert not known(ecs, "web:1")
    assert ecs.list_task_definitions(status="DELETE_IN_PROGRESS")["taskDefinitionArns"] == []


def test_a_definition_that_a_task_uses_stays_until_the_task_is_forgotten(emulator: InProcess, ecs: Any) -> None:
    task = run(ecs)
    ecs.deregister_task_definition(taskDefinition="web:2")
    delete(ecs, "web:2")
    emulator.advance(10 * CHECKED_AFTER)
    assert known(ecs, "web:2")
    ecs.stop_task(task=task["taskArn"])
    emulator.advance(KEPT_STOPPED - 1)
    assert known(ecs, "web:2")
    emulator.advance(1)
    assert not known(ecs, "web:2")


def test_a_task_runs_on_and_stops_while_its_definition_is_being_deleted(emulator: InProcess, ecs: Any) -> None:
    task = run(ecs)
    ecs.deregister_task_definition(taskDefinition="web:2")
    delete(ecs, "web:2")
    emulator.advance()
    assert ecs.describe_tasks(tasks=[task["taskArn"]])["tasks"][0]["lastStatus"] == "RUNNING"
    ecs.stop_task(task=task["taskArn"])
    emulator.advance()
    assert ecs.describe_tasks(tasks=[task["taskArn"]])["tasks"][0]["lastStatus"] == "STOPPED"


def test_a_definition_that_is_being_deleted_cannot_be_run(ecs: Any) -> None:
    delete(ecs, "web:1")
    with refused("InvalidParameterException", "TaskDefinition is inactive"):
        run(ecs, taskDefinition="web:1")


def test_a_family_is_listed_until_its_last_revision_is_gone_and_its_numbers_go_on(
    emulator: InProcess, ecs: Any
) -> None:
    ecs.deregister_task_definition(taskDefinition="web:2")
    delete(ecs, "web:1", "web:2")
    assert ecs.list_task_definition_families(status="INACTIVE")["families"] == ["web"]
    emulator.advance(CHECKED_AFTER)
    assert ecs.list_task_definition_families()["families"] == []
    assert ecs.register_task_definition(**WEB)["taskDefinition"]["revision"] == 3
    assert ecs.list_task_definition_families(status="ACTIVE")["families"] == ["web"]


ACTIVE = "is still in ACTIVE status. Please deregister the target and try again."
UNKNOWN = "does not exist. Specify a valid account, family, revision and try again."
INVALID = "identifier is invalid. Specify a valid name or ARN and try again."


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("web:2", ACTIVE),
        (ARN + "web:2", ACTIVE),
        ("web:9", UNKNOWN),
        ("nope:1", UNKNOWN),
        (ARN + "web:9", UNKNOWN),
        (ARN.replace("000000000000", "111111111111") + "web:1", UNKNOWN),
        (ARN.replace("us-east-1", "eu-west-1") + "web:1", UNKNOWN),
        ("web", INVALID),
        ("web:one", INVALID),
        ("web:", INVALID),
        (":1", INVALID),
        (ARN + "web", INVALID),
        (ARN + "a/web:1", INVALID),
        (ARN.replace("task-definition", "task") + "web:1", INVALID),
        ("arn:aws:ecs:web:1", INVALID),
    ],
)
def test_what_cannot_be_deleted_is_a_failure_and_the_rest_is_deleted(ecs: Any, reference: str, reason: str) -> None:
    answer = ecs.delete_task_definitions(taskDefinitions=[reference, ARN + "web:1"])
    assert answer["failures"] == [{"arn": reference, "reason": f"The specified task definition {reason}"}]
    assert [found["revision"] for found in answer["taskDefinitions"]] == [1]
    assert ecs.describe_task_definition(taskDefinition="web")["taskDefinition"]["status"] == "ACTIVE"


def test_a_second_deletion_changes_nothing(emulator: InProcess, ecs: Any) -> None:
    first = ecs.delete_task_definitions(taskDefinitions=["web:1"])["taskDefinitions"]
    emulator.advance(30)
    assert ecs.delete_task_definitions(taskDefinitions=["web:1"])["taskDefinitions"] == first
    assert ecs.deregister_task_definition(taskDefinition="web:1")["taskDefinition"] == first[0]
    emulator.advance(30)
    assert not known(ecs, "web:1")


@pytest.mark.parametrize(
    ("references", "message"),
    [
        ([], "size of TaskDefinition references list must be greater than 0"),
        (["web:1"] * 11, "Size of TaskDefinition references list cannot exceed 10"),
    ],
)
def test_one_to_ten_are_deleted_at_once(ecs: Any, references: list[str], message: str) -> None:
    with refused("InvalidParameterException", message):
        ecs.delete_task_definitions(taskDefinitions=references)


def test_tags_of_what_is_being_deleted_can_still_be_read(ecs: Any) -> None:
    ecs.tag_resource(resourceArn=ARN + "web:1", tags=[{"key": "a", "value": "b"}])
    delete(ecs, "web:1")
    assert ecs.list_tags_for_resource(resourceArn=ARN + "web:1")["tags"] == [{"key": "a", "value": "b"}]
    assert ecs.describe_task_definition(taskDefinition="web:1", include=["TAGS"])["tags"] == [
        {"key": "a", "value": "b"}
    ]


def test_a_deletion_outlives_the_process(tmp_path: Any) -> None:
    options = ("--runtime", "simulated", "--state-dir", str(tmp_path))
    with served(*options) as emulator:
        emulator.ecs.register_task_definition(**WEB)
        emulator.ecs.deregister_task_definition(taskDefinition="web:1")
        delete(emulator.ecs, "web:1")
        emulator.kill()
    with served(*options) as emulator:
        shown = emulator.ecs.describe_task_definition(taskDefinition="web:1")["taskDefinition"]
        assert shown["status"] == "DELETE_IN_PROGRESS"
        assert emulator.ecs.list_task_definition_families()["families"] == ["web"]
