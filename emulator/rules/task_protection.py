"""What GetTaskProtection and UpdateTaskProtection refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import api_models as ecs
from emulator.rules.rule import broken, rule
from emulator.rules.shared import SharedRules

MOST_TO_SEE = 100
MOST_TO_CHANGE = 10
MINUTES = range(1, 2880 + 1)

Found = Mapping[str, object] | None


class WithTasks(Protocol):
    """A request about tasks."""

    @property
    def tasks(self) -> tuple[str, ...] | None:
        """The tasks' ids or ARNs."""
        ...


TASKS = SharedRules()
"""What holds for the tasks in both operations."""


@TASKS.rule(
    refuse="InvalidParameterException",
    says="Tasks cannot be empty.",
    evidence="observed 2022-02: karanpratapsingh/preview-environments issue 7 (DescribeTasks)",
)
def tasks_are_named(request: WithTasks) -> Found:
    """A call is about one task at least."""
    return None if request.tasks else broken()


for _guard in ("GetTaskProtection", "UpdateTaskProtection"):
    TASKS.guard(_guard)


@rule(
    "GetTaskProtection",
    refuse="InvalidParameterException",
    says="taskIds can have at most 100 items.",
    evidence="inferred: the bound is documented, the sentence is that of DescribeTasks",
)
def a_hundred_tasks_are_seen_at_most(request: ecs.GetTaskProtectionRequest) -> Found:
    """One call asks about a hundred tasks at most."""
    return broken() if len(request.tasks or ()) > MOST_TO_SEE else None


@rule(
    "UpdateTaskProtection",
    refuse="InvalidParameterException",
    says="taskIds can have at most 10 items.",
    evidence="inferred: the bound is documented, the sentence is that of DescribeTasks",
)
def ten_tasks_are_changed_at_most(request: ecs.UpdateTaskProtectionRequest) -> Found:
    """One call protects ten tasks at most."""
    return broken() if len(request.tasks or ()) > MOST_TO_CHANGE else None


@rule(
    "UpdateTaskProtection",
    refuse="InvalidParameterException",
    says="expiresInMinutes should be between 1 and 2880",
    evidence="inferred: the bounds are documented",
)
def protection_lasts_two_days_at_most(request: ecs.UpdateTaskProtectionRequest) -> Found:
    """Protection ends by itself after a minute at least and two days at most."""
    return None if request.expires_in_minutes is None or request.expires_in_minutes in MINUTES else broken()
