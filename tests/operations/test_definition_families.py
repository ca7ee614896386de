"""Families of task definitions, by boto3."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulators import InProcess, client
from tests.operations.helpers import WEB, refused


def register(ecs: Any, *families: str) -> None:
    for family in families:
        ecs.register_task_definition(**{**WEB, "family": family})


def families(ecs: Any, **request: Any) -> list[str]:
    pages = ecs.get_paginator("list_task_definition_families").paginate(**request, PaginationConfig={"PageSize": 2})
    return [family for page in pages for family in page["families"]]


@pytest.fixture
def ecs(emulator: InProcess) -> Any:
    """Four families; `web` has no active revision, `web-api` one of two."""
    found = emulator.ecs
    register(found, "web-api", "web", "Web", "web-api", "api")
    for gone in ("web:1", "web-api:1"):
        found.deregister_task_definition(taskDefinition=gone)
    return found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["Web", "api", "web", "web-api"]),
        ({"status": "ALL"}, ["Web", "api", "web", "web-api"]),
        ({"status": "ACTIVE"}, ["Web", "api", "web-api"]),
        ({"status": "INACTIVE"}, ["web"]),
        ({"familyPrefix": "we"}, ["web", "web-api"]),
        ({"familyPrefix": "web"}, ["web", "web-api"]),
        ({"familyPrefix": "web-"}, ["web-api"]),
        ({"familyPrefix": "web", "status": "ACTIVE"}, ["web-api"]),
        ({"familyPrefix": "web-api-"}, []),
    ],
)
def test_families_are_listed_by_name_filtered_by_beginning_and_status(
    ecs: Any, asked: dict[str, str], found: list[str]
) -> None:
    assert families(ecs, **asked) == found


def test_a_further_revision_makes_a_family_active_again(ecs: Any) -> None:
    register(ecs, "web")
    assert families(ecs, status="INACTIVE") == []
    assert families(ecs, familyPrefix="web", status="ACTIVE") == ["web", "web-api"]


def test_families_of_another_region_are_not_listed(emulator: InProcess, ecs: Any) -> None:
    assert families(client(emulator.url, region="eu-west-1")) == []


def test_a_page_has_as_many_as_asked_for_and_its_token_leads_on(ecs: Any) -> None:
    first = ecs.list_task_definition_families(maxResults=3)
    assert first["families"] == ["Web", "api", "web"]
    rest = ecs.list_task_definition_families(maxResults=3, nextToken=first["nextToken"])
    assert rest["families"] == ["web-api"]
    assert "nextToken" not in rest


@pytest.mark.parametrize("change", [{"status": "ACTIVE"}, {"familyPrefix": "w"}])
def test_a_token_belongs_to_its_question(ecs: Any, change: dict[str, str]) -> None:
    token = ecs.list_task_definition_families(maxResults=1)["nextToken"]
    with refused("InvalidParameterException", "Invalid token"):
        ecs.list_task_definition_families(maxResults=1, nextToken=token, **change)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"status": "DELETE_IN_PROGRESS"}, "status should be one of [ACTIVE,INACTIVE,ALL]"),
        ({"maxResults": 101}, "maxResults should be between 1 and 100"),
    ],
)
def test_what_cannot_be_listed(ecs: Any, asked: dict[str, Any], message: str) -> None:
    with refused("InvalidParameterException", message):
        ecs.list_task_definition_families(**asked)
