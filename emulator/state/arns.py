"""Amazon Resource Names of ECS, long and short."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.state.record import Key


def partition_of(region: str) -> str:
    """The first part of a region's ARNs after `arn:`."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


@dataclass(frozen=True, slots=True)
class Arn:
    """An ARN of ECS, taken apart. `path` is what stands behind the resource type: `("default", "0123…")` for a task."""

    account: str
    region: str
    resource: str
    path: tuple[str, ...]

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path[-1]


def read_arn(text: str) -> Arn | None:
    """An ARN of ECS taken apart; None for anything else. `task/default/0123` alone is none."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "ecs":
        return None
    resource, *path = parts[5].split("/")
    if not resource or not path or not all(path):
        return None
    return Arn(account=parts[4], region=parts[3], resource=resource, path=tuple(path))


def task_key(arn: str) -> Key:
    """The key of the task of a long ARN. Raises ValueError for anything else."""
    found = read_arn(arn)
    if found is None or found.resource != "task" or len(found.path) != 2:
        raise ValueError(f"{arn} is not the long ARN of a task")
    return (found.account, found.region, *found.path)
