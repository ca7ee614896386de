"""The output of tasks in CloudWatch Logs, by boto3, with simulated containers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.emulators import InProcess
from tests.operations.fetching import ROLE
from tests.operations.helpers import WEB, describe, run

MISSING = (
    "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to "
    "create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist. : exit status 1"
)


@pytest.fixture
def ecs(emulator: InProcess) -> Any:
    """A client of an emulator that has the default cluster."""
    emulator.ecs.create_cluster()
    return emulator.ecs


@pytest.fixture
def logs(emulator: InProcess) -> Any:
    return emulator.client("logs")


def define(ecs: Any, printed: str, *more: dict[str, Any], **options: str) -> None:
    """A task whose container prints so much; options of awslogs with `_` for dashes."""
    given = {"awslogs-group": "/ecs/web", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "ecs"}
    given |= {name.replace("_", "-"): value for name, value in options.items()}
    container = {
        "name": "web",
        "image": "web:1",
        "dockerLabels": {"emulator.logs": printed},
        "logConfiguration": {"logDriver": "awslogs", "options": given},
    }
    ecs.register_task_definition(**{**WEB, "executionRoleArn": ROLE, "containerDefinitions": [container, *more]})


def stream_of(task: dict[str, Any], container: str = "web") -> str:
    return f"ecs/{container}/{task['taskArn'].rsplit('/', 1)[1]}"


def messages(logs: Any, stream: str, group: str = "/ecs/web") -> list[str]:
    answer = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)
    return [event["message"] for event in answer["events"]]


def until(look: Callable[[], Any], wanted: Any) -> None:
    """Look until it is as wanted, for twenty seconds at most."""
    deadline = time.monotonic() + 20
    while (found := look()) != wanted:
        assert time.monotonic() < deadline, f"it stayed {found}"


def test_what_a_container_prints_is_in_its_stream_while_it_runs(emulator: InProcess, ecs: Any, logs: Any) -> None:
    logs.create_log_group(logGroupName="/ecs/web")
    define(ecs, "one\ntwo\n")
    task = run(ecs)
    emulator.advance()
    until(lambda: messages(logs, stream_of(task)), ["one", "two"])
    shown = describe(ecs, task)
    assert shown["lastStatus"] == "RUNNING"
    (event, _) = logs.filter_log_events(logGroupName="/ecs/web")["events"]
    assert event["logStreamName"] == stream_of(task)
    assert event["timestamp"] == round(shown["startedAt"].timestamp() * 1000)


def test_what_a_container_printed_is_all_there_when_its_task_has_stopped(
    emulator: InProcess, ecs: Any, logs: Any
) -> None:
    logs.create_log_group(logGroupName="/ecs/web")
    define(ecs, "\n".join(str(number) for number in range(1000)))
    task = run(ecs)
    emulator.advance()
    ecs.stop_task(task=task["taskArn"])
    emulator.advance()
    assert describe(ecs, task)["lastStatus"] == "STOPPED"
    assert messages(logs, stream_of(task)) == [str(number) for number in range(1000)]


def test_a_missing_group_keeps_the_task_from_starting(emulator: InProcess, ecs: Any) -> None:
    define(ecs, "one")
    task = run(ecs)
    emulator.advance()
    shown = describe(ecs, task)
    assert (shown["stopCode"], shown["stoppedReason"]) == ("TaskFailedToStart", MISSING)
    assert shown["lastStatus"] == "STOPPED"


@pytest.mark.parametrize(("value", "is_made"), [("true", True), ("false", False)])
def test_a_group_is_made_when_the_task_asks_for_it(
    emulator: InProcess, ecs: Any, logs: Any, value: str, *, is_made: bool
) -> None:
    define(ecs, "one", awslogs_create_group=value)
    task = run(ecs)
    emulator.advance()
    assert [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]] == ["/ecs/web"] * is_made
    if is_made:
        until(lambda: messages(logs, stream_of(task)), ["one"])


def test_a_group_of_another_region_is_there(emulator: InProcess, ecs: Any, logs: Any) -> None:
    there = emulator.client("logs", region="eu-west-1")
    there.create_log_group(logGroupName="/ecs/web")
    define(ecs, "one", awslogs_region="eu-west-1")
    task = run(ecs)
    emulator.advance()
    until(lambda: messages(there, stream_of(task)), ["one"])
    assert logs.describe_log_groups()["logGroups"] == []


def test_a_group_of_another_account_is_not(emulator: InProcess, ecs: Any) -> None:
    emulator.client("logs", account="111122223333").create_log_group(logGroupName="/ecs/web")
    define(ecs, "one")
    task = run(ecs)
    emulator.advance()
    assert describe(ecs, task)["stoppedReason"] == MISSING


def test_each_container_has_a_stream_of_its_own(emulator: InProcess, ecs: Any, logs: Any) -> None:
    logs.create_log_group(logGroupName="/ecs/web")
    options = {"awslogs-group": "/ecs/web", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "ecs"}
    side = {
        "name": "side",
        "image": "web:1",
        "dockerLabels": {"emulator.logs": "beside"},
        "logConfiguration": {"logDriver": "awslogs", "options": options},
    }
    silent = {"name": "silent", "image": "web:1", "dockerLabels": {"emulator.logs": "unheard"}}
    define(ecs, "one", side, silent)
    task = run(ecs)
    emulator.advance()
    until(lambda: messages(logs, stream_of(task)), ["one"])
    until(lambda: messages(logs, stream_of(task, "side")), ["beside"])
    found = logs.describe_log_streams(logGroupName="/ecs/web")["logStreams"]
    assert [stream["logStreamName"] for stream in found] == [stream_of(task, "side"), stream_of(task)]


def test_lines_that_belong_together_are_one_event(emulator: InProcess, ecs: Any, logs: Any) -> None:
    logs.create_log_group(logGroupName="/ecs/web")
    define(ecs, "2024-01-01 no\n at a\n at b\n2024-01-02 yes", awslogs_datetime_format="%Y-%m-%d")
    task = run(ecs)
    emulator.advance()
    until(lambda: messages(logs, stream_of(task)), ["2024-01-01 no\n at a\n at b\n"])
    ecs.stop_task(task=task["taskArn"])
    emulator.advance()
    assert messages(logs, stream_of(task)) == ["2024-01-01 no\n at a\n at b\n", "2024-01-02 yes\n"]


def test_an_option_that_means_nothing_keeps_the_task_from_starting(emulator: InProcess, ecs: Any, logs: Any) -> None:
    logs.create_log_group(logGroupName="/ecs/web")
    define(ecs, "one", awslogs_multiline_pattern="(")
    task = run(ecs)
    emulator.advance()
    assert describe(ecs, task)["stoppedReason"] == (
        "ResourceInitializationError: failed to validate logger args: awslogs could not parse multiline pattern key "
        "'(': missing ) at position 1 : exit status 1"
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"neighbours": "none"}, "no logs is served: the emulator was started with --neighbours none"),
        (
            {"endpoints": (("logs", "http://127.0.0.1:1"),)},
            "logs does not answer: Could not connect to the endpoint URL",
        ),
    ],
    ids=["none", "endpoint"],
)
def test_without_cloudwatch_logs_a_task_does_not_start_and_says_what_to_do(
    settings: dict[str, Any], words: str
) -> None:
    with InProcess.started(**settings) as emulator:
        emulator.ecs.create_cluster()
        define(emulator.ecs, "one")
        task = run(emulator.ecs)
        emulator.advance()
        reason = describe(emulator.ecs, task)["stoppedReason"]
    assert reason.startswith(f"ResourceInitializationError: failed to initialize logging driver: {words}")
    assert "name an endpoint that answers with --neighbour logs=URL" in reason


def test_the_story_of_a_task_does_not_say_that_its_log_driver_does_nothing(
    emulator: InProcess, ecs: Any, logs: Any
) -> None:
    logs.create_log_group(logGroupName="/ecs/web")
    define(ecs, "one")
    task = run(ecs)
    emulator.advance()
    story = emulator.app.story(task["taskArn"])
    assert story
    assert not [line for line in story if "logConfiguration" in line["text"]]


def test_output_of_a_time_that_was_moved_on_is_kept(emulator: InProcess, ecs: Any, logs: Any) -> None:
    logs.create_log_group(logGroupName="/ecs/web")
    define(ecs, "one")
    emulator.advance(40 * 24 * 3600)
    task = run(ecs)
    emulator.advance()
    until(lambda: messages(logs, stream_of(task)), ["one"])


def test_after_a_reset_nothing_writes_into_what_was_forgotten(emulator: InProcess, ecs: Any, logs: Any) -> None:
    logs.create_log_group(logGroupName="/ecs/web")
    define(ecs, "one")
    task = run(ecs)
    emulator.advance()
    until(lambda: messages(logs, stream_of(task)), ["one"])
    emulator.app.reset()
    assert logs.describe_log_groups()["logGroups"] == []
