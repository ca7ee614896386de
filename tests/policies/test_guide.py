"""The user guide's policies allow what they say, and not what is beside it. They are in guide.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.policies.decision import AccessRequest
from tests.policies.world import allowed, needed, policy

POLICIES = yaml.safe_load(Path(__file__).with_name("guide.yaml").read_text(encoding="utf-8"))


def cases(expected: str) -> list[Any]:
    return [
        pytest.param(found["statements"], call, id=f"{found['policy']}-{next(iter(call))}")
        for found in POLICIES
        for call in found[expected]
    ]


def requests_of(call: dict[str, Any]) -> list[AccessRequest]:
    [(name, detail)] = call.items()
    if ":" not in name:
        return needed(name, detail)
    resource, context = (detail, {}) if isinstance(detail, str) else detail
    return [AccessRequest(name, resource, context)]


@pytest.mark.parametrize(("statements", "call"), cases("allows"))
def test_a_policy_of_the_guide_allows(statements: list[dict[str, Any]], call: dict[str, Any]) -> None:
    assert allowed(policy(*statements), *requests_of(call))


@pytest.mark.parametrize(("statements", "call"), cases("refuses"))
def test_a_policy_of_the_guide_does_not_allow(statements: list[dict[str, Any]], call: dict[str, Any]) -> None:
    assert not allowed(policy(*statements), *requests_of(call))
