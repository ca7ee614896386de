"""Account settings, by boto3."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.rules.account_settings import SETTINGS
from tests.emulators import InProcess, client
from tests.operations.helpers import refused

ROOT = "arn:aws:iam::000000000000:root"
USER = "arn:aws:iam::000000000000:user/me"


@pytest.fixture
def ecs(emulator: InProcess) -> Any:
    return emulator.ecs


def setting(name: str, value: str, principal: str = ROOT) -> dict[str, str]:
    return {"name": name, "value": value, "principalArn": principal, "type": "user"}


def value_for(ecs: Any, principal: str, name: str = "containerInsights") -> str:
    """What holds for a principal."""
    (found,) = ecs.list_account_settings(effectiveSettings=True, principalArn=principal, name=name)["settings"]
    value: str = found["value"]
    return value


def insights_of_a_new_cluster(ecs: Any, name: str = "demo", **request: Any) -> str:
    (found,) = ecs.create_cluster(clusterName=name, **request)["cluster"]["settings"]
    assert found["name"] == "containerInsights"
    value: str = found["value"]
    return value


def test_a_setting_is_made_for_the_caller(ecs: Any) -> None:
    made = ecs.put_account_setting(name="awsvpcTrunking", value="enabled")["setting"]
    assert made == setting("awsvpcTrunking", "enabled")
    assert ecs.list_account_settings()["settings"] == [made]


def test_a_setting_is_made_for_another_principal(ecs: Any) -> None:
    made = ecs.put_account_setting(name="awsvpcTrunking", value="enabled", principalArn=USER)["setting"]
    assert made == setting("awsvpcTrunking", "enabled", USER)
    assert ecs.list_account_settings()["settings"] == []
    assert ecs.list_account_settings(principalArn=USER)["settings"] == [made]


def test_the_default_is_the_root_users_setting(ecs: Any) -> None:
    made = ecs.put_account_setting_default(name="dualStackIPv6", value="disabled")["setting"]
    assert made == setting("dualStackIPv6", "disabled")
    assert ecs.list_account_settings(principalArn=ROOT)["settings"] == [made]


def test_a_principal_has_its_own_setting_then_the_accounts_then_that_of_aws(ecs: Any) -> None:
    assert value_for(ecs, USER) == "disabled"
    ecs.put_account_setting_default(name="containerInsights", value="enabled")
    assert value_for(ecs, USER) == "enabled"
    ecs.put_account_setting(name="containerInsights", value="enhanced", principalArn=USER)
    assert value_for(ecs, USER) == "enhanced"
    assert value_for(ecs, ROOT) == "enabled"


def test_a_deleted_setting_makes_room_for_the_accounts(ecs: Any) -> None:
    ecs.put_account_setting_default(name="containerInsights", value="enabled")
    ecs.put_account_setting(name="containerInsights", value="enhanced", principalArn=USER)
    deleted = ecs.delete_account_setting(name="containerInsights", principalArn=USER)["setting"]
    assert deleted == setting("containerInsights", "enabled", USER)
    assert ecs.list_account_settings(principalArn=USER)["settings"] == []


def test_a_deleted_default_makes_room_for_that_of_aws(ecs: Any) -> None:
    ecs.put_account_setting_default(name="containerInsights", value="enabled")
    assert ecs.delete_account_setting(name="containerInsights")["setting"] == setting("containerInsights", "disabled")
    assert value_for(ecs, ROOT) == "disabled"


def test_a_setting_that_was_never_made_can_be_deleted(ecs: Any) -> None:
    deleted = ecs.delete_account_setting(name="taskLongArnFormat", principalArn=USER)["setting"]
    assert deleted == setting("taskLongArnFormat", "enabled", USER)


def test_all_that_holds_is_listed_by_name_in_pages_of_ten(ecs: Any) -> None:
    first = ecs.list_account_settings(effectiveSettings=True)
    assert len(first["settings"]) == 10
    rest = ecs.list_account_settings(effectiveSettings=True, nextToken=first["nextToken"])
    assert "nextToken" not in rest
    found = [*first["settings"], *rest["settings"]]
    assert [each["name"] for each in found] == sorted(SETTINGS)
    assert {each["name"]: each["value"] for each in found} == {
        "awsvpcTrunking": "disabled",
        "containerInsights": "disabled",
        "containerInstanceLongArnFormat": "enabled",
        "defaultLogDriverMode": "non-blocking",
        "dualStackIPv6": "enabled",
        "fargateEventWindows": "disabled",
        "fargateFIPSMode": "disabled",
        "fargateTaskRetirementWaitPeriod": "7",
        "guardDutyActivate": "off",
        "serviceLongArnFormat": "enabled",
        "tagResourceAuthorization": "on",
        "taskLongArnFormat": "enabled",
    }
    assert [each["name"] for each in found if each["type"] == "aws_managed"] == ["guardDutyActivate"]


def test_what_holds_is_shown_with_whom_it_was_set_for(ecs: Any) -> None:
    ecs.put_account_setting(name="awsvpcTrunking", value="enabled", principalArn=USER)
    found = ecs.list_account_settings(effectiveSettings=True, principalArn=USER, maxResults=2)["settings"]
    assert found == [setting("awsvpcTrunking", "enabled", USER), setting("containerInsights", "disabled", ROOT)]


def test_settings_that_were_made_are_listed_by_pages(ecs: Any) -> None:
    made = [
        ecs.put_account_setting(name=name, value="enabled", principalArn=USER)["setting"]
        for name in ("awsvpcTrunking", "containerInsights", "dualStackIPv6", "fargateFIPSMode", "taskLongArnFormat")
    ]
    pages = ecs.get_paginator("list_account_settings").paginate(principalArn=USER, PaginationConfig={"PageSize": 2})
    listed = [page["settings"] for page in pages]
    assert listed == [made[:2], made[2:4], made[4:]]


@pytest.mark.parametrize("every", [True, False])
def test_settings_are_filtered_by_name_and_value(ecs: Any, every: bool) -> None:
    made = ecs.put_account_setting(name="awsvpcTrunking", value="enabled")["setting"]
    ecs.put_account_setting(name="containerInsights", value="enabled")

    def listed(**request: Any) -> Any:
        return ecs.list_account_settings(effectiveSettings=every, **request)["settings"]

    assert listed(name="awsvpcTrunking") == [made]
    assert listed(name="awsvpcTrunking", value="enabled") == [made]
    assert listed(name="awsvpcTrunking", value="disabled") == []


@pytest.mark.parametrize("size", [0, 11])
def test_a_page_size_out_of_bounds_is_refused(ecs: Any, size: int) -> None:
    with refused("InvalidParameterException", "maxResults should be between 1 and 10"):
        ecs.list_account_settings(maxResults=size)


def test_a_token_is_good_for_its_own_question_only(ecs: Any) -> None:
    token = ecs.list_account_settings(effectiveSettings=True)["nextToken"]
    with refused("InvalidParameterException", "Invalid token"):
        ecs.list_account_settings(effectiveSettings=True, principalArn=USER, nextToken=token)


def test_accounts_and_regions_have_their_own_settings(emulator: InProcess) -> None:
    emulator.ecs.put_account_setting_default(name="containerInsights", value="enabled")
    assert value_for(client(emulator.url, region="eu-west-1"), ROOT) == "disabled"
    other = client(emulator.url, account="123456789012")
    assert value_for(other, "arn:aws:iam::123456789012:root") == "disabled"


def test_new_clusters_have_the_accounts_container_insights(ecs: Any) -> None:
    assert insights_of_a_new_cluster(ecs, "before") == "disabled"
    ecs.put_account_setting_default(name="containerInsights", value="enhanced")
    assert insights_of_a_new_cluster(ecs, "after") == "enhanced"
    (before,) = ecs.describe_clusters(clusters=["before"], include=["SETTINGS"])["clusters"]
    assert before["settings"] == [{"name": "containerInsights", "value": "disabled"}]


def test_a_cluster_with_settings_of_its_own_keeps_them(ecs: Any) -> None:
    ecs.put_account_setting_default(name="containerInsights", value="enabled")
    given = [{"name": "containerInsights", "value": "disabled"}]
    assert insights_of_a_new_cluster(ecs, settings=given) == "disabled"


def test_nobody_can_opt_out_of_long_arns(ecs: Any) -> None:
    message = "You can no longer disable Long Arn settings"
    with refused("InvalidParameterException", message):
        ecs.put_account_setting(name="taskLongArnFormat", value="disabled")
    with refused("InvalidParameterException", message):
        ecs.put_account_setting_default(name="serviceLongArnFormat", value="disabled")
    assert value_for(ecs, ROOT, "taskLongArnFormat") == "enabled"


@pytest.mark.parametrize("call", ["put_account_setting", "put_account_setting_default"])
def test_an_unknown_value_is_refused(ecs: Any, call: str) -> None:
    with refused("InvalidParameterException", "Invalid setting 'value'"):
        getattr(ecs, call)(name="containerInsights", value="ENABLED")


def test_an_unknown_name_is_refused_with_those_that_there_are(ecs: Any) -> None:
    with pytest.raises(ecs.exceptions.InvalidParameterException, match=r"unknown should be one of \[service.*IPv6\]"):
        ecs.list_account_settings(name="insights")


def test_a_principal_of_another_account_is_refused(ecs: Any) -> None:
    with pytest.raises(ecs.exceptions.InvalidParameterException):
        ecs.delete_account_setting(name="awsvpcTrunking", principalArn="arn:aws:iam::123456789012:user/me")
