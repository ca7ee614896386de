"""When a task definition that was deleted is no longer known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator.planner.task_definitions import CHECKED_AFTER, gone_at
from tests.builders import NOW, definition, definition_record


@pytest.mark.parametrize(
    ("requested", "tasks", "gone"),
    [(None, 0, None), (None, 2, None), (NOW, 0, NOW + CHECKED_AFTER), (NOW, 2, None)],
)
def test_it_goes_when_that_was_asked_for_and_no_task_needs_it(
    requested: float | None, tasks: int, gone: float | None
) -> None:
    assert gone_at(replace(definition_record(definition()), delete_requested_at=requested), tasks) == gone
