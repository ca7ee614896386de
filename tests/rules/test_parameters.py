"""Checks of single parameters."""

from __future__ import annotations

import pytest

import api_models as ecs
from api_models.operations import OPERATIONS
from emulator.errors import ApiError
from emulator.rules.parameters import (
    INCLUDES,
    at_most,
    cluster_name,
    first_duplicate,
    known_includes,
    one_of,
    required_members,
    task_id,
)
from emulator.rules.rule import RULES
from emulator.rules.tags import refuse_tags
from emulator.rules.tasks import task_size


@pytest.mark.parametrize(
    ("operation", "request_", "error"),
    [
        ("RunTask", ecs.RunTaskRequest(), "InvalidParameterException: TaskDefinition can not be blank."),
        ("RunTask", ecs.RunTaskRequest(task_definition=""), "InvalidParameterException: TaskDefinition can not be"),
        ("DescribeTasks", ecs.DescribeTasksRequest(), "InvalidParameterException: Tasks cannot be empty."),
        ("StartTask", ecs.StartTaskRequest(), "ClientException: Container Instances cannot be empty."),
        ("RegisterTaskDefinition", ecs.RegisterTaskDefinitionRequest(), "ClientException: Family can not be blank."),
        ("TagResource", ecs.TagResourceRequest(resource_arn="a"), "InvalidParameterException: Tags can not be blank."),
    ],
)
def test_required_members_are_missed(operation: str, request_: ecs.Shape, error: str) -> None:
    with pytest.raises(ApiError) as raised:
        required_members(operation, request_)
    assert str(raised.value).startswith(error)


def test_a_whole_request_lacks_nothing() -> None:
    required_members("RunTask", ecs.RunTaskRequest(task_definition="f"))
    required_members("DescribeTasks", ecs.DescribeTasksRequest(tasks=()))


def test_task_ids_have_32_or_36_characters() -> None:
    assert task_id("a" * 32) == "a" * 32
    assert task_id("a" * 36) == "a" * 36
    for text in ("None", "", "a" * 33):
        with pytest.raises(ApiError, match=r"taskId length should be one of \[32,36\]"):
            task_id(text)


def test_cluster_names_match() -> None:
    assert cluster_name("my-cluster_1") == "my-cluster_1"
    with pytest.raises(ApiError) as raised:
        cluster_name("my.cluster")
    assert raised.value.message == r"Cluster must match ^[a-zA-Z0-9\-_]{1,255}$, but was my.cluster"


def test_lists_end_somewhere() -> None:
    at_most(2, "taskIds", ["a", "b"])
    at_most(0, "taskIds", None)
    with pytest.raises(ApiError, match=r"taskIds can have at most 2 items\."):
        at_most(2, "taskIds", ["a", "b", "c"])


def test_values_are_known() -> None:
    assert one_of("sort", None, ("ASC", "DESC")) is None
    assert one_of("sort", "ASC", ("ASC", "DESC")) == "ASC"
    with pytest.raises(ApiError, match=r"sort should be one of \[ASC,DESC\]"):
        one_of("sort", "asc", ("ASC", "DESC"))


@pytest.mark.parametrize("operation", INCLUDES)
def test_includes_are_known(operation: str) -> None:
    known_includes(operation, None)
    known_includes(operation, INCLUDES[operation])
    with pytest.raises(ApiError, match=r"include should be one of"):
        known_includes(operation, ["tags"])


def test_the_first_duplicate_is_found() -> None:
    assert first_duplicate("abcb") == "b"
    assert first_duplicate("abc") is None


def test_tags_of_earlier_calls_count() -> None:
    refuse_tags("TagResource", (ecs.Tag(key="a"),), in_all=50)
    with pytest.raises(ApiError) as raised:
        refuse_tags("TagResource", (ecs.Tag(key="a"),), in_all=51)
    assert raised.value.code == "LimitExceededException"


def test_a_task_has_the_size_of_its_overrides() -> None:
    definition = ecs.TaskDefinition(cpu="256", memory="512")
    assert task_size(definition, None) == ("256", "512")
    assert task_size(definition, ecs.TaskOverride(memory="1 GB")) == ("256", "1024")
    assert task_size(definition, ecs.TaskOverride(cpu="1 vCPU", memory="2048")) == ("1024", "2048")
    assert task_size(ecs.TaskDefinition(), None) == (None, None)


def test_a_guard_names_an_operation_first() -> None:
    assert {guards.partition(":")[0] for guards in RULES} <= set(OPERATIONS)
