"""The end of a task definition that somebody asked to delete."""

from __future__ import annotations

from emulator.state.task_definitions import TaskDefinition

CHECKED_AFTER = 60.0
"""Seconds after which ECS looks whether a definition is still used (guide: task definition states, which says
"periodically"; how often is inferred).
"""


def gone_at(definition: TaskDefinition, tasks: int) -> float | None:
    """The moment from which on a definition is no longer known; None while it stays.

    `tasks` counts those that DescribeTasks still shows. A stopped task keeps its definition for the hour for which it
    is shown itself (guide: deleting a task definition revision, at most one hour).
    """
    if definition.delete_requested_at is None or tasks:
        return None
    return definition.delete_requested_at + CHECKED_AFTER
