"""Tasks, by boto3, with simulated containers and time that stands still."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import requests

from tests.builders import NOW, SUBNET, SUBNETS
from tests.emulators import InProcess
from tests.operations.helpers import NETWORK, WEB, describe, refused, run, scripted

CLUSTER = "arn:aws:ecs:us-east-1:000000000000:cluster/default"
UNKNOWN = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def ecs(emulator: InProcess) -> Any:
    """A client of an emulator that has the default cluster and the definition `web`."""
    emulator.ecs.create_cluster()
    emulator.ecs.register_task_definition(**WEB)
    return emulator.ecs


def test_run_task_answers_before_anything_was_started(ecs: Any) -> None:
    task = run(ecs)
    id_ = task["taskArn"].rsplit("/", 1)[1]
    assert re.fullmatch(r"[0-9a-f]{32}", id_)
    (attachment,) = task.pop("attachments")
    assert attachment.pop("id")
    assert attachment == {
        "type": "ElasticNetworkInterface",
        "status": "PRECREATED",
        "details": [{"name": "subnetId", "value": SUBNET}],
    }
    (container,) = task.pop("containers")
    assert container.pop("containerArn").startswith(f"arn:aws:ecs:us-east-1:000000000000:container/default/{id_}/")
    assert container == {
        "taskArn": task["taskArn"],
        "name": "web",
        "image": "web:1",
        "lastStatus": "PENDING",
        "networkInterfaces": [],
        "cpu": "0",
    }
    assert task.pop("createdAt").timestamp() == NOW
    assert task == {
        "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
        "availabilityZone": "us-east-1a",
        "clusterArn": CLUSTER,
        "cpu": "256",
        "memory": "512",
        "desiredStatus": "RUNNING",
        "lastStatus": "PROVISIONING",
        "enableExecuteCommand": False,
        "group": "family:web",
        "launchType": "FARGATE",
        "overrides": {"containerOverrides": [{"name": "web"}], "inferenceAcceleratorOverrides": []},
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "tags": [],
        "taskArn": f"arn:aws:ecs:us-east-1:000000000000:task/default/{id_}",
        "taskDefinitionArn": "arn:aws:ecs:us-east-1:000000000000:task-definition/web:1",
        "version": 1,
        "ephemeralStorage": {"sizeInGiB": 20},
        "fargateEphemeralStorage": {"sizeInGiB": 20},
    }


def test_a_running_task_shows_its_interface_and_its_containers(emulator: InProcess, ecs: Any) -> None:
    task = run(ecs)
    emulator.advance()
    shown = describe(ecs, task)
    assert (shown["lastStatus"], shown["version"], shown["connectivity"]) == ("RUNNING", 3, "CONNECTED")
    details = {pair["name"]: pair["value"] for pair in shown["attachments"][0]["details"]}
    assert list(details) == ["subnetId", "networkInterfaceId", "macAddress", "privateDnsName", "privateIPv4Address"]
    container = shown["containers"][0]
    assert container["lastStatus"] == "RUNNING"
    assert container["networkBindings"] == []
    assert container["networkInterfaces"] == [
        {"attachmentId": shown["attachments"][0]["id"], "privateIpv4Address": details["privateIPv4Address"]}
    ]
    assert re.fullmatch(rf"{task['taskArn'].rsplit('/', 1)[1]}-\d{{10}}", container["runtimeId"])
    assert container["imageDigest"].startswith("sha256:")
    for earlier, later in [("createdAt", "connectivityAt"), ("connectivityAt", "pullStartedAt")]:
        assert shown[earlier] <= shown[later]
    assert shown["pullStartedAt"] <= shown["pullStoppedAt"] <= shown["startedAt"]


def test_stop_task_answers_at_once_and_counts_the_change_afterwards(emulator: InProcess, ecs: Any) -> None:
    task = run(ecs)
    emulator.advance()
    stopped = ecs.stop_task(task=task["taskArn"], reason="enough")["task"]
    assert (stopped["lastStatus"], stopped["desiredStatus"], stopped["version"]) == ("RUNNING", "STOPPED", 3)
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "enough")
    assert "stoppingAt" in stopped
    emulator.advance()
    shown = describe(ecs, task)
    assert (shown["lastStatus"], shown["containers"][0]["exitCode"], shown["version"]) == ("STOPPED", 143, 7)
    assert shown["attachments"][0]["status"] == "DELETED"
    assert ecs.stop_task(task=task["taskArn"])["task"] == shown


def test_a_stop_without_a_reason_has_awss(ecs: Any) -> None:
    assert ecs.stop_task(task=run(ecs)["taskArn"])["task"]["stoppedReason"] == "Task stopped by user"


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (UNKNOWN, "The referenced task was not found."),
        (f"arn:aws:ecs:us-east-1:000000000000:task/default/{UNKNOWN}", "The referenced task was not found."),
        ("None", "taskId length should be one of [32,36]"),
        (
            f"arn:aws:ecs:us-east-1:000000000000:task/other/{UNKNOWN}",
            "Invalid identifier: Identifier is for cluster other. Your cluster is default",
        ),
    ],
)
def test_a_task_that_cannot_be_stopped(ecs: Any, task: str, message: str) -> None:
    with refused("InvalidParameterException", message):
        ecs.stop_task(task=task)


def test_an_exit_code_is_shown(emulator: InProcess, ecs: Any) -> None:
    ecs.register_task_definition(**scripted(run_for="3", exit_code="5"))
    task = run(ecs)
    emulator.advance(3)
    shown = describe(ecs, task)
    assert (shown["stopCode"], shown["stoppedReason"]) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert shown["containers"][0]["exitCode"] == 5
    assert shown["startedAt"] <= shown["executionStoppedAt"] <= shown["stoppingAt"] <= shown["stoppedAt"]


def test_several_tasks_at_once(emulator: InProcess, ecs: Any) -> None:
    answer = ecs.run_task(taskDefinition="web", launchType="FARGATE", networkConfiguration=NETWORK, count=10)
    arns = [task["taskArn"] for task in answer["tasks"]]
    assert len(set(arns)) == 10
    emulator.advance()
    shown = ecs.describe_tasks(tasks=arns)["tasks"]
    addresses = {task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] for task in shown}
    assert len(addresses) == 10


@pytest.mark.parametrize("count", [0, 11, -1])
def test_a_count_out_of_bounds_is_refused_and_starts_nothing(ecs: Any, count: int) -> None:
    with pytest.raises(ecs.exceptions.InvalidParameterException):
        run(ecs, count=count)
    assert ecs.list_tasks()["taskArns"] == []


def test_tasks_are_spread_over_the_subnets_and_their_zones(emulator: InProcess, ecs: Any) -> None:
    network = {"awsvpcConfiguration": {"subnets": SUBNETS}}
    tasks = []
    for _ in range(4):
        request = {"taskDefinition": "web", "launchType": "FARGATE", "networkConfiguration": network, "count": 10}
        tasks += ecs.run_task(**request)["tasks"]
    found = {task["attachments"][0]["details"][0]["value"]: task["availabilityZone"] for task in tasks}
    assert set(found) == set(SUBNETS)
    assert set(found.values()) == {"us-east-1a", "us-east-1b", "us-east-1c"}
    emulator.advance()
    addresses = [describe(ecs, task)["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] for task in tasks]
    ranges = {address.rsplit(".", 1)[0] for address in addresses}
    assert ranges == {"10.200.0", "10.200.16", "10.200.32"}


def test_overrides_are_shown_and_the_size_of_the_task_follows_them(ecs: Any) -> None:
    overrides = {
        "cpu": "512",
        "memory": "1 GB",
        "containerOverrides": [{"name": "web", "command": ["a"], "environment": [{"name": "A", "value": "b"}]}],
    }
    task = run(ecs, overrides=overrides)
    assert (task["cpu"], task["memory"]) == ("512", "1024")
    assert task["overrides"]["containerOverrides"] == overrides["containerOverrides"]


def test_roles_and_storage_are_overridden(ecs: Any) -> None:
    overrides = {
        "taskRoleArn": "arn:aws:iam::000000000000:role/ecsTaskExecutionRole",
        "executionRoleArn": "arn:aws:iam::000000000000:role/ecsTaskExecutionRole",
        "ephemeralStorage": {"sizeInGiB": 50},
    }
    task = run(ecs, overrides=overrides, referenceId="mine")
    assert {name: task["overrides"][name] for name in overrides} == overrides
    assert task["ephemeralStorage"] == task["fargateEphemeralStorage"] == {"sizeInGiB": 50}


def test_a_client_token_makes_its_tasks_once(ecs: Any) -> None:
    first = run(ecs, clientToken="abc", startedBy="me")
    assert run(ecs, clientToken="abc", startedBy="me")["taskArn"] == first["taskArn"]
    assert len(ecs.list_tasks()["taskArns"]) == 1
    with pytest.raises(ecs.exceptions.ConflictException) as caught:
        run(ecs, clientToken="abc", startedBy="you")
    assert caught.value.response["resourceIds"] == [first["taskArn"]]


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"cluster": "nope"}, "ClusterNotFoundException", "Cluster not found."),
        ({"taskDefinition": "nope"}, "ClientException", "TaskDefinition not found."),
        ({"taskDefinition": "web:9"}, "ClientException", "TaskDefinition not found."),
        (
            {"networkConfiguration": None},
            "InvalidParameterException",
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        ),
        (
            {"networkConfiguration": {"awsvpcConfiguration": {"subnets": []}}},
            "InvalidParameterException",
            "subnets can not be empty.",
        ),
        (
            {"overrides": {"containerOverrides": [{"name": "other"}]}},
            "InvalidParameterException",
            "Override for container named other is not a container in the TaskDefinition.",
        ),
        (
            {"launchType": None},
            "InvalidParameterException",
            "No Container Instances were found in your cluster.",
        ),
    ],
)
def test_what_run_task_refuses(ecs: Any, change: dict[str, Any], code: str, message: str) -> None:
    with refused(code, message):
        run(ecs, **change)
    assert ecs.list_tasks()["taskArns"] == []


def test_an_inactive_definition_cannot_be_run(ecs: Any) -> None:
    ecs.deregister_task_definition(taskDefinition="web:1")
    with refused("InvalidParameterException", "TaskDefinition is inactive"):
        run(ecs, taskDefinition="web:1")


def test_a_definition_that_is_not_for_fargate_cannot_be_run_there(ecs: Any) -> None:
    ecs.register_task_definition(
        family="ec2", containerDefinitions=[{"name": "web", "image": "web", "memory": 64, "privileged": True}]
    )
    with refused("InvalidParameterException", "Task definition does not support launch_type FARGATE."):
        run(ecs, taskDefinition="ec2", networkConfiguration=None)


def test_no_task_is_accepted_while_the_engine_is_gone(emulator: InProcess, ecs: Any) -> None:
    emulator.app.runtime._on_disconnected("connection refused")
    message = "No task can be started: the container engine does not answer (connection refused)."
    with refused("ServerException", message, status=500):
        run(ecs)
    emulator.app.runtime.connect()
    assert run(ecs)["lastStatus"] == "PROVISIONING"


def test_a_task_of_a_foreign_cluster_or_unknown_id_is_a_failure(ecs: Any) -> None:
    task = run(ecs)
    answer = ecs.describe_tasks(tasks=[task["taskArn"], UNKNOWN])
    assert [found["taskArn"] for found in answer["tasks"]] == [task["taskArn"]]
    arn = f"arn:aws:ecs:us-east-1:000000000000:task/default/{UNKNOWN}"
    assert answer["failures"] == [{"arn": arn, "reason": "MISSING"}]


def test_describe_tasks_wants_one_to_a_hundred_tasks(ecs: Any) -> None:
    with refused("InvalidParameterException", "Tasks cannot be empty."):
        ecs.describe_tasks(tasks=[])
    with refused("InvalidParameterException", "taskIds can have at most 100 items."):
        ecs.describe_tasks(tasks=[UNKNOWN] * 101)


def test_tasks_are_listed_by_what_is_asked_for(emulator: InProcess, ecs: Any) -> None:
    ecs.register_task_definition(**{**WEB, "family": "other"})
    mine = run(ecs, startedBy="me")["taskArn"]
    other = run(ecs, taskDefinition="other")["taskArn"]
    gone = run(ecs)["taskArn"]
    emulator.advance()
    ecs.stop_task(task=gone)
    emulator.advance()

    def listed(**request: Any) -> set[str]:
        return set(ecs.list_tasks(**request)["taskArns"])

    assert listed() == {mine, other}
    assert listed(startedBy="me") == {mine}
    assert listed(family="other") == {other}
    assert listed(desiredStatus="STOPPED") == {gone}
    assert listed(desiredStatus="PENDING") == set()
    assert listed(launchType="FARGATE") == {mine, other}
    assert listed(launchType="EC2") == set()
    emulator.advance(3600)
    assert listed(desiredStatus="STOPPED") == set()


def test_tasks_are_listed_by_pages(ecs: Any) -> None:
    made = {run(ecs)["taskArn"] for _ in range(5)}
    pages = list(ecs.get_paginator("list_tasks").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["taskArns"]) for page in pages] == [2, 2, 1]
    assert {arn for page in pages for arn in page["taskArns"]} == made


def test_the_story_of_a_task_is_told(emulator: InProcess, ecs: Any) -> None:
    task = run(ecs)
    emulator.advance()
    told = requests.get(f"{emulator.url}/_emulator/story/{task['taskArn']}", timeout=10).json()
    assert told[0]["text"] == "RunTask accepted: web:1"
    assert told[-1]["text"] == "PENDING -> RUNNING"
    text = requests.get(
        f"{emulator.url}/_emulator/story/{task['taskArn'].rsplit('/', 1)[1]}",
        headers={"Accept": "text/plain"},
        timeout=10,
    ).text
    assert "PENDING -> RUNNING" in text


def test_health_counts_the_tasks(emulator: InProcess, ecs: Any) -> None:
    run(ecs)
    emulator.advance()
    health = requests.get(f"{emulator.url}/_emulator/health", timeout=10).json()
    assert (health["status"], health["runtime"]["name"]) == ("ok", "simulated")
    assert health["tasks"]["RUNNING"] == 1


def test_a_reset_forgets_everything(emulator: InProcess, ecs: Any) -> None:
    run(ecs)
    emulator.advance()
    assert requests.post(f"{emulator.url}/_emulator/reset", timeout=10).json() == {"status": "reset"}
    assert ecs.list_clusters()["clusterArns"] == []
    assert ecs.list_task_definitions()["taskDefinitionArns"] == []
    ecs.create_cluster()
    ecs.register_task_definition(**WEB)
    task = run(ecs)
    emulator.advance()
    assert describe(ecs, task)["lastStatus"] == "RUNNING"


def raw(emulator: InProcess, operation: str, body: bytes) -> requests.Response:
    return requests.post(
        emulator.url,
        data=body,
        headers={
            "X-Amz-Target": f"AmazonEC2ContainerServiceV20141113.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
        },
        timeout=30,
    )


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"count":"1"}',
        b'{"taskDefinition":7}',
        b'{"overrides":{"containerOverrides":{}}}',
        b'{"x":' * 50_000,
        b'\xff{"taskDefinition":"web"}',
    ],
)
def test_a_body_that_is_not_what_it_should_be_changes_nothing(emulator: InProcess, ecs: Any, body: bytes) -> None:
    answer = raw(emulator, "RunTask", body)
    assert (answer.status_code, answer.json()["__type"]) == (400, "SerializationException")
    assert ecs.list_tasks()["taskArns"] == []


def test_a_required_member_that_is_missing_is_named(emulator: InProcess, ecs: Any) -> None:
    answer = raw(emulator, "RunTask", json.dumps({"launchType": "FARGATE"}).encode())
    assert (answer.status_code, answer.json()["__type"]) == (400, "InvalidParameterException")
    assert answer.json()["message"] == "TaskDefinition can not be blank."
