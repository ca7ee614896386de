"""Clusters, by boto3."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulators import InProcess, client
from tests.operations.helpers import WEB, refused, run

ARN = "arn:aws:ecs:us-east-1:000000000000:cluster/"


def test_a_cluster_is_made_with_its_defaults(emulator: InProcess) -> None:
    made = emulator.ecs.create_cluster(clusterName="demo", tags=[{"key": "a", "value": "b"}])["cluster"]
    assert made == {
        "clusterArn": ARN + "demo",
        "clusterName": "demo",
        "status": "ACTIVE",
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": 0,
        "pendingTasksCount": 0,
        "activeServicesCount": 0,
        "statistics": [],
        "tags": [{"key": "a", "value": "b"}],
        "settings": [{"name": "containerInsights", "value": "disabled"}],
        "capacityProviders": [],
        "defaultCapacityProviderStrategy": [],
    }


def test_a_cluster_without_a_name_is_the_default_one(emulator: InProcess) -> None:
    assert emulator.ecs.create_cluster()["cluster"]["clusterName"] == "default"
    assert emulator.ecs.describe_clusters()["clusters"][0]["clusterName"] == "default"


def test_making_a_cluster_that_exists_answers_it_unchanged(emulator: InProcess) -> None:
    first = emulator.ecs.create_cluster(clusterName="demo", tags=[{"key": "a", "value": "b"}])["cluster"]
    again = emulator.ecs.create_cluster(clusterName="demo", tags=[{"key": "c", "value": "d"}])["cluster"]
    assert again == first


def test_what_was_not_asked_for_is_empty_or_absent(emulator: InProcess) -> None:
    emulator.ecs.create_cluster(
        clusterName="demo",
        tags=[{"key": "a", "value": "b"}],
        configuration={"executeCommandConfiguration": {"logging": "DEFAULT"}},
    )
    plain = emulator.ecs.describe_clusters(clusters=["demo"])["clusters"][0]
    assert (plain["tags"], plain["settings"], plain["statistics"]) == ([], [], [])
    assert "configuration" not in plain
    include = ["TAGS", "SETTINGS", "STATISTICS", "CONFIGURATIONS"]
    full = emulator.ecs.describe_clusters(clusters=[ARN + "demo"], include=include)["clusters"][0]
    assert full["tags"] == [{"key": "a", "value": "b"}]
    assert full["settings"] == [{"name": "containerInsights", "value": "disabled"}]
    assert full["configuration"] == {"executeCommandConfiguration": {"logging": "DEFAULT"}}
    assert {pair["name"] for pair in full["statistics"]} >= {"runningFargateTasksCount", "activeEC2ServiceCount"}


def test_everything_of_a_cluster_is_shown_when_asked_for(emulator: InProcess) -> None:
    given = {"executeCommandConfiguration": {"logging": "NONE"}, "managedStorageConfiguration": {"kmsKeyId": "k"}}
    made = emulator.ecs.create_cluster(
        clusterName="demo", configuration=given, serviceConnectDefaults={"namespace": "shop"}
    )["cluster"]
    (attachment,) = made["attachments"]
    assert (made["status"], made["attachmentsStatus"], attachment["status"]) == (
        "PROVISIONING",
        "UPDATE_IN_PROGRESS",
        "ATTACHING",
    )
    include = ["ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS"]
    shown = emulator.ecs.describe_clusters(clusters=["demo"], include=include)["clusters"][0]
    assert shown["attachments"] == [{"id": attachment["id"], "type": "sc", "status": "ATTACHED", "details": []}]
    assert (shown["status"], shown["attachmentsStatus"]) == ("ACTIVE", "UPDATE_COMPLETE")
    assert shown["configuration"] == given
    assert len(shown["statistics"]) == 12


def test_an_unknown_include_is_refused(emulator: InProcess) -> None:
    message = "include should be one of [ATTACHMENTS,CONFIGURATIONS,SETTINGS,STATISTICS,TAGS]"
    with refused("InvalidParameterException", message):
        emulator.ecs.describe_clusters(include=["TASKS"])


def test_a_cluster_is_changed_in_what_is_given(emulator: InProcess) -> None:
    ecs = emulator.ecs
    ecs.create_cluster(clusterName="demo", tags=[{"key": "a", "value": "b"}])
    settings = [{"name": "containerInsights", "value": "enhanced"}]
    assert ecs.update_cluster(cluster="demo", settings=settings)["cluster"]["settings"] == settings
    configuration = {"executeCommandConfiguration": {"logging": "NONE"}}
    changed = ecs.update_cluster(cluster=ARN + "demo", configuration=configuration)["cluster"]
    assert (changed["settings"], changed["configuration"]) == (settings, configuration)
    assert (changed["status"], changed["tags"]) == ("ACTIVE", [{"key": "a", "value": "b"}])
    named = ecs.update_cluster(cluster="demo", serviceConnectDefaults={"namespace": "shop"})["cluster"]
    assert named["serviceConnectDefaults"]["namespace"].endswith("namespace/shop")
    assert named["attachments"][0]["status"] == "ATTACHED"
    unnamed = ecs.update_cluster(cluster="demo", serviceConnectDefaults={"namespace": ""})["cluster"]
    assert {"serviceConnectDefaults", "attachments"}.isdisjoint(unnamed)


def test_the_settings_of_a_cluster_are_changed(emulator: InProcess) -> None:
    emulator.ecs.create_cluster()
    settings = [{"name": "containerInsights", "value": "enabled"}]
    changed = emulator.ecs.update_cluster_settings(cluster="default", settings=settings)["cluster"]
    assert changed["settings"] == settings
    assert emulator.ecs.describe_clusters(include=["SETTINGS"])["clusters"][0]["settings"] == settings


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("update_cluster", {}),
        ("update_cluster_settings", {"settings": []}),
        ("put_cluster_capacity_providers", {"capacityProviders": [], "defaultCapacityProviderStrategy": []}),
    ],
)
def test_only_a_cluster_that_is_there_is_changed(emulator: InProcess, operation: str, request_: dict[str, Any]) -> None:
    ecs = emulator.ecs
    with refused("ClusterNotFoundException", "Cluster not found."):
        getattr(ecs, operation)(cluster="demo", **request_)
    ecs.create_cluster(clusterName="demo")
    ecs.delete_cluster(cluster="demo")
    with refused("ClusterNotFoundException", "The referenced cluster was inactive."):
        getattr(ecs, operation)(cluster="demo", **request_)


def test_a_cluster_that_is_not_there_is_a_failure(emulator: InProcess) -> None:
    answer = emulator.ecs.describe_clusters(clusters=["nope"])
    assert answer["clusters"] == []
    assert answer["failures"] == [{"arn": ARN + "nope", "reason": "MISSING"}]


def test_more_than_a_hundred_names_are_refused(emulator: InProcess) -> None:
    with refused("InvalidParameterException", "clusters can have at most 100 items."):
        emulator.ecs.describe_clusters(clusters=[f"c{number}" for number in range(101)])


def test_clusters_are_listed_by_pages(emulator: InProcess) -> None:
    names = [f"c{number}" for number in range(5)]
    for name in names:
        emulator.ecs.create_cluster(clusterName=name)
    pages = list(emulator.ecs.get_paginator("list_clusters").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["clusterArns"]) for page in pages] == [2, 2, 1]
    assert [arn for page in pages for arn in page["clusterArns"]] == [ARN + name for name in names]


@pytest.mark.parametrize("size", [0, 101])
def test_a_page_size_out_of_bounds_is_refused(emulator: InProcess, size: int) -> None:
    with refused("InvalidParameterException", "maxResults should be between 1 and 100"):
        emulator.ecs.list_clusters(maxResults=size)


@pytest.mark.parametrize("token", ["x", "AAAA", "bm90IG91cnMgYnV0IGxvbmcgZW5vdWdoIHRvIGJlIG9uZQ=="])
def test_a_token_of_somebody_else_is_refused(emulator: InProcess, token: str) -> None:
    with refused("InvalidParameterException", "Invalid token"):
        emulator.ecs.list_clusters(nextToken=token)


def test_a_token_is_good_for_its_own_question_only(emulator: InProcess) -> None:
    for name in ("a", "b"):
        emulator.ecs.create_cluster(clusterName=name)
    token = emulator.ecs.list_clusters(maxResults=1)["nextToken"]
    with refused("InvalidParameterException", "Invalid token"):
        client(emulator.url, region="eu-west-1").list_clusters(nextToken=token)


def test_a_deleted_cluster_is_inactive_and_can_be_made_anew(emulator: InProcess) -> None:
    emulator.ecs.create_cluster(clusterName="demo")
    assert emulator.ecs.delete_cluster(cluster="demo")["cluster"]["status"] == "INACTIVE"
    assert emulator.ecs.describe_clusters(clusters=["demo"])["clusters"][0]["status"] == "INACTIVE"
    assert emulator.ecs.list_clusters()["clusterArns"] == []
    emulator.ecs.register_task_definition(**WEB)
    with refused("ClusterNotFoundException", "The referenced cluster was inactive."):
        run(emulator.ecs, cluster="demo")
    assert emulator.ecs.create_cluster(clusterName="demo")["cluster"]["status"] == "ACTIVE"


def test_a_cluster_with_tasks_cannot_be_deleted(emulator: InProcess) -> None:
    emulator.ecs.create_cluster(clusterName="demo")
    emulator.ecs.register_task_definition(**WEB)
    task = run(emulator.ecs, cluster="demo")
    message = "The Cluster cannot be deleted while Tasks are active."
    with refused("ClusterContainsTasksException", message):
        emulator.ecs.delete_cluster(cluster="demo")
    emulator.advance()
    assert emulator.ecs.describe_clusters(clusters=["demo"])["clusters"][0]["runningTasksCount"] == 1
    emulator.ecs.stop_task(cluster="demo", task=task["taskArn"])
    emulator.advance()
    assert emulator.ecs.delete_cluster(cluster="demo")["cluster"]["status"] == "INACTIVE"


def test_an_unknown_cluster_cannot_be_deleted(emulator: InProcess) -> None:
    with refused("ClusterNotFoundException", "Cluster not found."):
        emulator.ecs.delete_cluster(cluster="nope")


def test_a_name_with_a_dot_is_refused(emulator: InProcess) -> None:
    sentence = r"must match ^[a-zA-Z0-9\-_]{1,255}$, but was my.cluster"
    with refused("InvalidParameterException", f"ClusterName {sentence}"):
        emulator.ecs.create_cluster(clusterName="my.cluster")
    with refused("InvalidParameterException", f"Cluster {sentence}"):
        emulator.ecs.list_tasks(cluster="my.cluster")


def test_accounts_and_regions_do_not_see_each_other(emulator: InProcess) -> None:
    emulator.ecs.create_cluster(clusterName="demo")
    assert client(emulator.url, region="eu-west-1").list_clusters()["clusterArns"] == []
    other = client(emulator.url, account="123456789012")
    assert other.list_clusters()["clusterArns"] == []
    made = other.create_cluster(clusterName="demo")["cluster"]
    assert made["clusterArn"] == "arn:aws:ecs:us-east-1:123456789012:cluster/demo"


@pytest.mark.parametrize(
    ("arn", "message"),
    [
        ("arn:aws:ecs:us-east-1", "Invalid identifier: Unexpected number of separators"),
        ("arn:aws:ecs:us-east-1:999999999999:cluster/demo", "AccountIDs mismatch"),
    ],
)
def test_a_broken_or_foreign_arn_is_refused(emulator: InProcess, arn: str, message: str) -> None:
    with refused("InvalidParameterException", message):
        emulator.ecs.list_tasks(cluster=arn)
