"""Task definitions and their families."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import ClassVar

import api_models as ecs
from emulator.state.record import Group, Key, Record, parsed

_NUMBER = re.compile("[0-9]{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family(Record):
    """The revisions of one name. A revision number is never given twice, so the latest one is kept for ever."""

    kind: ClassVar[str] = "family"
    account: str
    region: str
    name: str
    latest_revision: int
    active: int = 0
    """How many of its revisions are ACTIVE."""
    inactive: int = 0
    """How many are INACTIVE or DELETE_IN_PROGRESS."""

    @property
    def key(self) -> Key:
        """Account, region, name."""
        return (self.account, self.region, self.name)

    def groups(self) -> tuple[Group, ...]:
        """Those that ListTaskDefinitionFamilies shows. One without revisions is none of them."""
        if not self.active and not self.inactive:
            return ()
        status = "ACTIVE" if self.active else "INACTIVE"
        return (families(self.account, self.region, "ALL"), families(self.account, self.region, status))


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
    delete_requested_at: float | None = None
    """When somebody asked to delete it, in seconds since the epoch."""

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


def families(account: str, region: str, status: str) -> Group:
    """The families that have revisions: ACTIVE with an active one, INACTIVE without, ALL of them."""
    return ("families", account, region, status)


def task_definitions(account: str, region: str, status: str) -> Group:
    """All task definitions of a status."""
    return ("status", account, region, status)


def revisions(account: str, region: str, family: str, status: str) -> Group:
    """A family's revisions of a status."""
    return ("family", account, region, family, status)


def revision_number(text: str) -> int | None:
    """The number of a revision; None for what is none."""
    return int(text) if _NUMBER.fullmatch(text) else None
