"""When a service counts as ready, and as gone, by what ECS answers (documented: DescribeServices)."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.neighbours.embedded.cloudformation.kinds import UnstableError
from emulator.neighbours.embedded.cloudformation.resource_types import Made
from emulator.neighbours.embedded.cloudformation.services.ecs import SERVICE

MADE = Made("arn:service", {"Cluster": "arn:cluster"})


def answering(**service: Any) -> Any:
    """An ECS with one service."""

    def api(operation: str, members: Any) -> dict[str, Any]:
        assert members["Cluster"] == "arn:cluster"
        if operation == "DeleteService":
            return {"service": {**service, "status": "DRAINING"}}
        return {"services": [service]}

    return api


@pytest.mark.parametrize(
    ("running", "deployments", "ready"),
    [
        (2, [{"rolloutState": "COMPLETED"}], True),
        (2, [{}], True),
        (1, [{"rolloutState": "COMPLETED"}], False),
        (2, [{"rolloutState": "IN_PROGRESS"}], False),
        (2, [{"rolloutState": "COMPLETED"}, {"rolloutState": "COMPLETED"}], False),
    ],
)
def test_a_service_is_ready_when_it_is_steady(running: int, deployments: list[Any], ready: bool) -> None:
    api = answering(status="ACTIVE", desiredCount=2, runningCount=running, deployments=deployments)
    assert SERVICE.is_ready(api, MADE) == ready


def test_one_that_others_deploy_is_not_waited_for() -> None:
    assert SERVICE.is_ready(answering(status="ACTIVE", deploymentController={"type": "EXTERNAL"}), MADE)


def test_one_whose_circuit_is_broken_never_will_be() -> None:
    api = answering(desiredCount=1, runningCount=0, deployments=[{"rolloutState": "FAILED"}])
    with pytest.raises(UnstableError, match="ECS Deployment Circuit Breaker was triggered"):
        SERVICE.is_ready(api, MADE)


@pytest.mark.parametrize(("status", "gone"), [("ACTIVE", False), ("DRAINING", False), ("INACTIVE", True)])
def test_one_is_gone_when_its_tasks_are(status: str, gone: bool) -> None:
    assert SERVICE.delete(answering(status=status), MADE, {}) == gone
