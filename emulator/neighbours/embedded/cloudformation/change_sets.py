"""Change sets: what a stack shall become, and what that would change."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from emulator.neighbours.embedded.cloudformation.changes import Change
from emulator.neighbours.embedded.cloudformation.stack import Options, Stack
from emulator.neighbours.embedded.cloudformation.targets import Target


@dataclass
class ChangeSet:
    """What a stack shall become when this is executed."""

    change_set_id: str
    change_set_name: str
    change_set_type: str
    stack: Stack
    target: Target
    tags: dict[str, str]
    options: Options
    creation_time: datetime
    changes: list[Change]
    description: str | None = None
    notification_arns: list[str] = field(default_factory=list)
    on_stack_failure: str | None = None
    status: str = "CREATE_COMPLETE"
    status_reason: str | None = None
    executed: bool = False

    @property
    def execution_status(self) -> str:
        """Can it be executed, or how did that go?"""
        if self.status == "FAILED":
            return "UNAVAILABLE"
        if not self.executed:
            return "AVAILABLE"
        if self.stack.work is not None:
            return "EXECUTE_IN_PROGRESS"
        return "EXECUTE_COMPLETE" if self.stack.status == f"{self.change_set_type}_COMPLETE" else "EXECUTE_FAILED"
