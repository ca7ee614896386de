"""Capacity providers, by boto3."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulators import InProcess
from tests.operations.helpers import NETWORK, WEB, describe, refused

ARN = "arn:aws:ecs:us-east-1:000000000000:capacity-provider/"
DEFAULT = [{"capacityProvider": "FARGATE", "base": 1, "weight": 1}, {"capacityProvider": "FARGATE_SPOT", "weight": 3}]
NOT_ASSOCIATED = (
    "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the "
    "cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again."
)


@pytest.fixture
def ecs(emulator: InProcess) -> Any:
    """A client of an emulator that has the definition `web`, and a default cluster with both providers of Fargate."""
    found = emulator.ecs
    found.create_cluster(capacityProviders=["FARGATE", "FARGATE_SPOT"])
    found.register_task_definition(**WEB)
    return found


def provider(name: str) -> dict[str, Any]:
    return {"capacityProviderArn": ARN + name, "name": name, "status": "ACTIVE", "type": name, "tags": []}


def put(ecs: Any, *names: str, strategy: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    answer = ecs.put_cluster_capacity_providers(
        cluster="default", capacityProviders=list(names), defaultCapacityProviderStrategy=strategy or []
    )
    found: dict[str, Any] = answer["cluster"]
    return found


def run_by(ecs: Any, strategy: list[dict[str, Any]] | None, **request: Any) -> list[dict[str, Any]]:
    """RunTask of `web` by a strategy, or the cluster's default one; the tasks of the answer."""
    given = {"taskDefinition": "web", "networkConfiguration": NETWORK, **request}
    if strategy is not None:
        given["capacityProviderStrategy"] = strategy
    found: list[dict[str, Any]] = ecs.run_task(**given)["tasks"]
    return found


def test_everybody_has_the_providers_of_fargate(ecs: Any) -> None:
    answer = ecs.describe_capacity_providers(include=["TAGS"])
    assert answer["capacityProviders"] == [provider("FARGATE"), provider("FARGATE_SPOT")]
    assert answer["failures"] == []


def test_providers_are_described_by_name_or_arn(ecs: Any) -> None:
    answer = ecs.describe_capacity_providers(capacityProviders=[ARN + "FARGATE_SPOT", "mine", "mine"])
    assert answer["capacityProviders"] == [provider("FARGATE_SPOT")]
    assert answer["failures"] == [{"arn": ARN + "mine", "reason": "MISSING"}]


def test_providers_are_described_by_pages(ecs: Any) -> None:
    first = ecs.describe_capacity_providers(maxResults=1)
    second = ecs.describe_capacity_providers(maxResults=1, nextToken=first["nextToken"])
    found = [each["name"] for page in (first, second) for each in page["capacityProviders"]]
    assert (found, "nextToken" in second) == (["FARGATE", "FARGATE_SPOT"], False)


def test_the_providers_of_one_cluster_are_described(ecs: Any) -> None:
    put(ecs, "FARGATE_SPOT")
    answer = ecs.describe_capacity_providers(cluster="default")
    assert [each["name"] for each in answer["capacityProviders"]] == ["FARGATE_SPOT"]
    with refused("ClusterNotFoundException", "Cluster not found."):
        ecs.describe_capacity_providers(cluster="nope")


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"maxResults": 11}, "maxResults should be between 1 and 10"),
        ({"include": ["SETTINGS"]}, "include should be one of [TAGS]"),
        ({"capacityProviders": ["p"] * 101}, "capacityProviders can have at most 100 items."),
        ({"nextToken": "x"}, "Invalid token"),
    ],
)
def test_what_cannot_be_asked_of_providers(ecs: Any, request_: dict[str, Any], message: str) -> None:
    with refused("InvalidParameterException", message):
        ecs.describe_capacity_providers(**request_)


def test_a_cluster_is_made_with_providers_and_is_ready_at_the_next_look(emulator: InProcess) -> None:
    ecs = emulator.ecs
    made = ecs.create_cluster(
        clusterName="demo", capacityProviders=["FARGATE", "FARGATE_SPOT"], defaultCapacityProviderStrategy=DEFAULT
    )["cluster"]
    assert made["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert made["defaultCapacityProviderStrategy"] == [
        {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
        {"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": 3},
    ]
    assert (made["status"], made["attachmentsStatus"]) == ("PROVISIONING", "UPDATE_IN_PROGRESS")
    found = ecs.describe_clusters(clusters=["demo"], include=["ATTACHMENTS"])["clusters"][0]
    assert (found["status"], found["attachmentsStatus"]) == ("ACTIVE", "UPDATE_COMPLETE")
    assert "attachmentsStatus" not in ecs.describe_clusters(clusters=["demo"])["clusters"][0]


def test_a_cluster_cannot_be_made_again_with_other_providers(ecs: Any) -> None:
    assert ecs.create_cluster(capacityProviders=["FARGATE", "FARGATE_SPOT"])["cluster"]["status"] == "ACTIVE"
    message = "Arguments on this idempotent request are inconsistent with arguments used in previous request(s)."
    with refused("InvalidParameterException", message):
        ecs.create_cluster(capacityProviders=["FARGATE"])


def test_the_providers_of_a_cluster_are_replaced(ecs: Any) -> None:
    changed = put(ecs, "FARGATE_SPOT", strategy=[{"capacityProvider": "FARGATE_SPOT"}])
    assert changed["capacityProviders"] == ["FARGATE_SPOT"]
    assert changed["defaultCapacityProviderStrategy"] == [{"capacityProvider": "FARGATE_SPOT", "base": 0, "weight": 1}]
    assert (changed["status"], changed["attachmentsStatus"]) == ("ACTIVE", "UPDATE_IN_PROGRESS")
    assert put(ecs)["capacityProviders"] == []
    assert ecs.describe_clusters()["clusters"][0]["defaultCapacityProviderStrategy"] == []


def test_a_provider_that_nobody_has_cannot_be_associated(ecs: Any) -> None:
    message = "The specified capacity provider 'mine' was not found. Specify a valid capacity provider and try again."
    with refused("InvalidParameterException", message):
        put(ecs, "FARGATE", "mine")
    with refused("InvalidParameterException", message):
        ecs.create_cluster(clusterName="other", capacityProviders=["mine"])
    with refused("InvalidParameterException", NOT_ASSOCIATED):
        put(ecs, "FARGATE", strategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}])
    assert ecs.describe_clusters()["clusters"][0]["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]


def test_a_provider_stays_while_a_task_uses_it(emulator: InProcess, ecs: Any) -> None:
    (task,) = run_by(ecs, [{"capacityProvider": "FARGATE_SPOT", "weight": 1}])
    emulator.advance()
    with refused("ResourceInUseException", "The specified capacity provider is in use and cannot be removed."):
        put(ecs, "FARGATE")
    assert put(ecs, "FARGATE_SPOT")["capacityProviders"] == ["FARGATE_SPOT"]
    ecs.stop_task(task=task["taskArn"])
    emulator.advance()
    assert put(ecs, "FARGATE")["capacityProviders"] == ["FARGATE"]


def test_tasks_follow_a_strategy(emulator: InProcess, ecs: Any) -> None:
    tasks = run_by(ecs, DEFAULT, count=9)
    names = [task["capacityProviderName"] for task in tasks]
    assert (names.count("FARGATE"), names.count("FARGATE_SPOT")) == (3, 6)
    assert {task["launchType"] for task in tasks} == {"FARGATE"}
    emulator.advance()
    shown = describe(ecs, tasks[0])
    assert (shown["lastStatus"], shown["capacityProviderName"]) == ("RUNNING", "FARGATE")


def test_tasks_follow_the_default_strategy_unless_they_are_told_otherwise(ecs: Any) -> None:
    put(ecs, "FARGATE", "FARGATE_SPOT", strategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}])
    assert run_by(ecs, None)[0]["capacityProviderName"] == "FARGATE_SPOT"
    assert run_by(ecs, [{"capacityProvider": "FARGATE"}])[0]["capacityProviderName"] == "FARGATE"
    assert "capacityProviderName" not in run_by(ecs, None, launchType="FARGATE")[0]


def test_a_strategy_cannot_name_a_provider_that_the_cluster_does_not_have(ecs: Any) -> None:
    put(ecs, "FARGATE")
    with refused("InvalidParameterException", NOT_ASSOCIATED):
        run_by(ecs, [{"capacityProvider": "FARGATE_SPOT", "weight": 1}])
    assert ecs.list_tasks()["taskArns"] == []


def test_a_launch_type_and_a_strategy_do_not_mix(ecs: Any) -> None:
    message = "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
    with refused("InvalidParameterException", message):
        run_by(ecs, [{"capacityProvider": "FARGATE", "weight": 1}], launchType="FARGATE")


def test_a_default_strategy_without_weights_is_refused_when_tasks_follow_it(ecs: Any) -> None:
    put(ecs, "FARGATE", strategy=[{"capacityProvider": "FARGATE", "weight": 0}])
    message = (
        "There are no capacity providers with a weight value greater than zero defined in the default capacity "
        "provider strategy. At least one capacity provider must have a weight value greater than zero specified. "
        "Update the cluster's default capacity provider strategy or specify a valid capacity provider strategy and "
        "try again."
    )
    with refused("InvalidParameterException", message):
        run_by(ecs, None)


def test_spot_does_not_run_windows(ecs: Any) -> None:
    windows = {"cpuArchitecture": "X86_64", "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}
    ecs.register_task_definition(**{**WEB, "family": "w", "cpu": "1024", "memory": "2048"}, runtimePlatform=windows)
    with refused("InvalidParameterException", "FARGATE_SPOT capacity provider is not supported when using Windows."):
        run_by(ecs, [{"capacityProvider": "FARGATE_SPOT", "weight": 1}], taskDefinition="w")
