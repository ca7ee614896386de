"""Clusters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from emulator.state.record import Group, Key, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster(Record):
    """A cluster. Its view lacks the tags and all counts of tasks and services: they are not its own."""

    kind: ClassVar[str] = "cluster"
    account: str
    region: str
    name: str
    arn: str
    status: str
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        """Account, region, name."""
        return (self.account, self.region, self.name)

    def groups(self) -> tuple[Group, ...]:
        """Those that ListClusters shows."""
        return (active_clusters(self.account, self.region),) if self.status == "ACTIVE" else ()


def active_clusters(account: str, region: str) -> Group:
    """The clusters that were not deleted."""
    return ("active", account, region)
