"""Tags of clusters, task definitions and tasks, by boto3."""

from __future__ import annotations

import pytest

from tests.emulators import InProcess
from tests.operations.helpers import WEB, describe, refused, run


def tags_of(emulator: InProcess, arn: str) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in emulator.ecs.list_tags_for_resource(resourceArn=arn)["tags"]}


@pytest.fixture
def arns(emulator: InProcess) -> dict[str, str]:
    cluster = emulator.ecs.create_cluster()["cluster"]["clusterArn"]
    definition = emulator.ecs.register_task_definition(**WEB)["taskDefinition"]["taskDefinitionArn"]
    return {"cluster": cluster, "task-definition": definition, "task": run(emulator.ecs)["taskArn"]}


@pytest.mark.parametrize("kind", ["cluster", "task-definition", "task"])
def test_tags_are_added_changed_and_taken_away(emulator: InProcess, arns: dict[str, str], kind: str) -> None:
    arn = arns[kind]
    assert tags_of(emulator, arn) == {}
    emulator.ecs.tag_resource(resourceArn=arn, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    emulator.ecs.tag_resource(resourceArn=arn, tags=[{"key": "b", "value": "3"}, {"key": "c", "value": ""}])
    assert tags_of(emulator, arn) == {"a": "1", "b": "3", "c": ""}
    emulator.ecs.untag_resource(resourceArn=arn, tagKeys=["a", "unknown"])
    assert tags_of(emulator, arn) == {"b": "3", "c": ""}


def test_a_tasks_tags_are_shown_when_asked_for(emulator: InProcess, arns: dict[str, str]) -> None:
    task = run(emulator.ecs, tags=[{"key": "team", "value": "blå"}])
    assert task["tags"] == [{"key": "team", "value": "blå"}]
    assert describe(emulator.ecs, task)["tags"] == []
    assert describe(emulator.ecs, task, include=["TAGS"])["tags"] == [{"key": "team", "value": "blå"}]


def test_the_tags_of_a_stopped_task_are_gone(emulator: InProcess, arns: dict[str, str]) -> None:
    task = run(emulator.ecs, tags=[{"key": "a", "value": "b"}])
    emulator.ecs.stop_task(task=task["taskArn"])
    emulator.advance()
    assert describe(emulator.ecs, task, include=["TAGS"])["tags"] == []


MANAGED = {"aws:ecs:clusterName": "default"}


def test_a_task_has_the_tags_of_its_definition_its_own_and_those_of_aws(
    emulator: InProcess, arns: dict[str, str]
) -> None:
    definition = [{"key": "team", "value": "a"}, {"key": "cost", "value": "1"}]
    emulator.ecs.register_task_definition(**WEB, tags=definition)
    task = run(
        emulator.ecs,
        propagateTags="TASK_DEFINITION",
        enableECSManagedTags=True,
        tags=[{"key": "team", "value": "b"}],
    )
    expected = {"team": "b", "cost": "1", **MANAGED}
    shown = describe(emulator.ecs, task, include=["TAGS"])
    assert {tag["key"]: tag["value"] for tag in task["tags"]} == expected
    assert {tag["key"]: tag["value"] for tag in shown["tags"]} == expected
    assert tags_of(emulator, task["taskArn"]) == expected


def test_a_task_has_no_tags_that_nobody_asked_for(emulator: InProcess, arns: dict[str, str]) -> None:
    emulator.ecs.register_task_definition(**WEB, tags=[{"key": "team", "value": "a"}])
    assert run(emulator.ecs)["tags"] == []
    assert run(emulator.ecs, propagateTags="NONE", enableECSManagedTags=False)["tags"] == []


def test_the_tags_of_aws_stay_and_do_not_count(emulator: InProcess, arns: dict[str, str]) -> None:
    fifty = [{"key": f"k{number}", "value": ""} for number in range(50)]
    task = run(emulator.ecs, enableECSManagedTags=True, tags=fifty[:49])
    emulator.ecs.tag_resource(resourceArn=task["taskArn"], tags=fifty[49:])
    reserved = "Tag keys and values cannot start with aws:. This prefix is reserved for AWS use."
    with refused("InvalidParameterException", reserved):
        emulator.ecs.untag_resource(resourceArn=task["taskArn"], tagKeys=["k0", "aws:ecs:clusterName"])
    emulator.ecs.untag_resource(resourceArn=task["taskArn"], tagKeys=[tag["key"] for tag in fifty])
    assert tags_of(emulator, task["taskArn"]) == MANAGED


def test_propagated_tags_count(emulator: InProcess, arns: dict[str, str]) -> None:
    emulator.ecs.register_task_definition(**WEB, tags=[{"key": f"k{number}", "value": ""} for number in range(50)])
    with refused("InvalidParameterException", "tags can have at most 50 items."):
        run(emulator.ecs, propagateTags="TASK_DEFINITION", tags=[{"key": "one-more", "value": ""}])


def test_a_resource_has_fifty_tags_at_most(emulator: InProcess, arns: dict[str, str]) -> None:
    emulator.ecs.tag_resource(
        resourceArn=arns["cluster"], tags=[{"key": f"k{number}", "value": ""} for number in range(50)]
    )
    with pytest.raises(emulator.ecs.exceptions.LimitExceededException):
        emulator.ecs.tag_resource(resourceArn=arns["cluster"], tags=[{"key": "one-more", "value": ""}])
    assert len(tags_of(emulator, arns["cluster"])) == 50


@pytest.mark.parametrize("key", ["aws:mine", "AWS:mine"])
def test_the_prefix_of_aws_is_reserved(emulator: InProcess, arns: dict[str, str], key: str) -> None:
    with pytest.raises(emulator.ecs.exceptions.InvalidParameterException):
        emulator.ecs.tag_resource(resourceArn=arns["cluster"], tags=[{"key": key, "value": ""}])


@pytest.mark.parametrize(
    ("arn", "code", "message"),
    [
        ("x", "InvalidParameterException", "The ARN provided is invalid."),
        ("arn:aws:ecs:us-east-1:000000000000:cluster/nope", "ClusterNotFoundException", "Cluster not found."),
        (
            "arn:aws:ecs:us-east-1:000000000000:task-definition/web:9",
            "ResourceNotFoundException",
            "The specified resource could not be found.",
        ),
        (
            "arn:aws:ecs:us-east-1:000000000000:task/0123456789abcdef0123456789abcdef",
            "InvalidParameterException",
            "Long arn format must be used for tagging operations",
        ),
    ],
)
def test_what_cannot_be_tagged(emulator: InProcess, arn: str, code: str, message: str) -> None:
    with refused(code, message):
        emulator.ecs.list_tags_for_resource(resourceArn=arn)
