"""Task definitions and their families."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import api_models as ecs
from emulator.state.record import Group, Key, Record, parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class Family(Record):
    """The revisions of one name. A revision number is never given twice, so the latest one is kept for ever."""

    kind: ClassVar[str] = "family"
    account: str
    region: str
    name: str
    latest_revision: int

    @property
    def key(self) -> Key:
        """Account, region, name."""
        return (self.account, self.region, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDefinition(Record):
    """One revision of a family. Its view lacks the tags, as the API's answer does."""

    kind: ClassVar[str] = "task-definition"
    account: str
    region: str
    family: str
    revision: int
    arn: str
    status: str
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """Account, region, family, revision."""
        return (self.account, self.region, self.family, self.revision)

    def groups(self) -> tuple[Group, ...]:
        """By status: all of a region, and those of the family."""
        return (
            task_definitions(self.account, self.region, self.status),
            revisions(self.account, self.region, self.family, self.status),
        )

    @property
    def content(self) -> ecs.TaskDefinition:
        """The view, parsed."""
        return parsed(ecs.TaskDefinition, self.view)


def task_definitions(account: str, region: str, status: str) -> Group:
    """All task definitions of a status."""
    return ("status", account, region, status)


def revisions(account: str, region: str, family: str, status: str) -> Group:
    """A family's revisions of a status."""
    return ("family", account, region, family, status)
