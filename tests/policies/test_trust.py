"""Who may assume a role."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.policies.documents import Kind, read_policy
from emulator.policies.trust import ECS_TASKS, may_assume, source_context
from tests.policies.world import ACCOUNT, PLACE

TASK = PLACE.ecs_arn("task/default/0123456789abcdef0123456789abcdef")


def trusts(*statements: dict[str, Any], service: str = ECS_TASKS, arn: str = TASK) -> bool:
    document = read_policy({"Version": "2012-10-17", "Statement": list(statements)}, Kind.TRUST)
    return may_assume(document, service, source_context(arn))


def trust(service: Any = ECS_TASKS, **elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", **elements}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (trust(), True),
        (trust(["ec2.amazonaws.com", ECS_TASKS]), True),
        (trust("ecs.amazonaws.com"), False),
        (trust("*.amazonaws.com"), False),
        (trust(Action="sts:*"), True),
        (trust(Action="sts:TagSession"), False),
        (trust(Principal={"AWS": ACCOUNT}), False),
        (trust(Principal="*"), True),
        (trust(Effect="Deny"), False),
    ],
)
def test_a_service_is_trusted_by_its_exact_name(statement: dict[str, Any], expected: bool) -> None:
    assert trusts(statement) is expected


CONFUSED_DEPUTY = trust(
    Condition={
        "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:*"},
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
    }
)


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        (TASK, True),
        (TASK.replace(ACCOUNT, "999999999999"), False),
        (TASK.replace("us-east-1", "eu-west-1"), False),
        ("", False),
    ],
)
def test_the_tasks_account_and_region_can_be_asked_for(arn: str, expected: bool) -> None:
    assert trusts(CONFUSED_DEPUTY, arn=arn) is expected


def test_a_deny_wins() -> None:
    assert not trusts(trust(), trust(Effect="Deny", Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}}))
    assert trusts(trust(), trust(Effect="Deny", Condition={"StringEquals": {"aws:SourceAccount": "999999999999"}}))


def test_all_but_some_services_can_be_denied() -> None:
    denied = {"Effect": "Deny", "NotPrincipal": {"Service": ECS_TASKS}, "Action": "*"}
    assert trusts(trust(), denied)
    assert not trusts(trust("lambda.amazonaws.com"), denied, service="lambda.amazonaws.com")
