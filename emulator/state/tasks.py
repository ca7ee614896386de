"""Tasks, and what is known of their containers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import api_models as ecs
from emulator.state.arns import partition_of
from emulator.state.record import Group, Key, Record, parsed

STATUSES = ("PROVISIONING", "PENDING", "RUNNING", "STOPPING", "DEPROVISIONING", "STOPPED")
"""The last status of a task, in the order in which it is passed through; a task may leave some out, and never goes
back. (Guide: task lifecycle.)
"""


class InvalidTransitionError(Exception):
    """A task was to go back in its life. It is a defect of the emulator, and tells which task and between what."""


@dataclass(frozen=True, slots=True)
class ContainerExit:
    """The end of a container. `code` is None when nobody knows it any more; `at` in seconds since the epoch."""

    code: int | None
    out_of_memory: bool
    at: float


@dataclass(frozen=True, slots=True)
class ContainerState:
    """What was asked of the engine for a container, and what it reported. Times in seconds since the epoch."""

    digest: str | None = None
    pulled_at: float | None = None
    starting: bool = False
    """A start was asked for and has not been answered."""
    runtime_id: str | None = None
    started_at: float | None = None
    start_refused: str | None = None
    signalled: bool = False
    kill_at: float | None = None
    killed: bool = False
    exit: ContainerExit | None = None

    @property
    def alive(self) -> bool:
        """The engine runs it, or may be about to."""
        return self.exit is None and (self.starting or self.started_at is not None)


@dataclass(frozen=True, slots=True)
class Interface:
    """A task's elastic network interface. `namespace` means something to the driver only."""

    id: str
    namespace: str
    address: str
    mac_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Record):
    """A task. Its view lacks the tags.

    What DescribeTasks shows is in the view; what the driver reported and the view does not show yet stands beside it.
    """

    kind: ClassVar[str] = "task"
    account: str
    region: str
    cluster: str
    id: str
    arn: str
    family: str
    revision: int
    launch_type: str
    last_status: str
    desired_status: str
    subnet: str
    security_groups: tuple[str, ...] = ()
    """Of its network interface: those that were asked for, else the VPC's default group."""
    assign_public_ip: bool = False
    """Its network interface has a public address; see `emulator.state.networks.public_address`."""
    capacity_provider: str | None = None
    """None for a task that was asked for by its launch type."""
    started_by: str | None = None
    client_token: str | None = None
    request_digest: str | None = None
    """What was asked for with the client token."""
    tags: dict[str, str] = field(default_factory=dict)
    containers: dict[str, ContainerState] = field(default_factory=dict)
    interface: Interface | None = None
    failure: str | None = None
    """Why the platform could not prepare the task: the reason that DescribeTasks will show."""
    provided: bool = False
    """What its containers need of other services was at hand before the first one started."""
    namespace_lost: bool = False
    released: bool = False
    """Nothing of the task is left on the engine."""
    expires_at: float | None = None
    """When a stopped task is forgotten."""
    protected_until: float | None = None
    """Until when its service must not stop it to shrink; see `protection`."""

    @property
    def key(self) -> Key:
        """Account, region, cluster, id."""
        return (self.account, self.region, self.cluster, self.id)

    @property
    def content(self) -> ecs.Task:
        """The view, parsed."""
        return parsed(ecs.Task, self.view)

    @property
    def of_service(self) -> bool:
        """Whether a service runs it. RunTask lets nobody else choose a group of this form."""
        return (self.content.group or "").startswith("service:")

    def protection(self, now: float) -> float | None:
        """Until when the task is protected from scale-in; None for one that is not, or no longer, or shall stop."""
        until = self.protected_until
        return until if until is not None and now < until and self.desired_status != "STOPPED" else None

    @property
    def attachment_arn(self) -> str:
        """The ARN of its network interface's attachment, which ECS does not show: EC2 does, as the description."""
        attachments = self.content.attachments or ()
        id_ = next((found.id for found in attachments if found.type == "ElasticNetworkInterface"), None)
        return f"arn:{partition_of(self.region)}:ecs:{self.region}:{self.account}:attachment/{id_}"

    @property
    def definition_key(self) -> Key:
        """The key of its task definition."""
        return (self.account, self.region, self.family, self.revision)

    def groups(self) -> tuple[Group, ...]:
        """By what ListTasks filters, by last status, by client token, by capacity provider, by id and by definition."""
        cluster = (self.account, self.region, self.cluster)
        groups = [
            tasks_with_status(cluster, self.last_status),
            listed_tasks(cluster, self.desired_status),
            listed_tasks(cluster, self.desired_status, family=self.family),
            tasks_of_id(self.id),
            tasks_everywhere(self.last_status),
            tasks_of_definition(self.definition_key),
        ]
        if self.started_by:
            groups.append(listed_tasks(cluster, self.desired_status, started_by=self.started_by))
        if self.client_token:
            groups.append(tasks_of_token(cluster, self.client_token))
        if self.capacity_provider and self.last_status != "STOPPED":
            groups.append(tasks_of_provider(cluster, self.capacity_provider))
        return tuple(groups)

    def container(self, name: str, **changes: Any) -> Task:
        """A copy in which something else is known of one container."""
        state = replace(self.containers[name], **changes)
        return replace(self, containers={**self.containers, name: state})

    def shown(self, content: ecs.Task) -> Task:
        """A copy that the API shows like this. Raises InvalidTransitionError for a step back."""
        last, desired = str(content.last_status), str(content.desired_status)
        if STATUSES.index(last) < STATUSES.index(self.last_status):
            raise InvalidTransitionError(f"{self.arn} cannot go from {self.last_status} back to {last}")
        if self.desired_status == "STOPPED" != desired:
            raise InvalidTransitionError(f"{self.arn} was asked to stop and cannot be wanted {desired}")
        return replace(self, view=content.to_json(), last_status=last, desired_status=desired)

    def with_tags(self, tags: Mapping[str, str]) -> Task:
        """A copy with these tags only."""
        return replace(self, tags=dict(tags))


def asked_to_stop(content: ecs.Task, code: str, reason: str, now: float) -> ecs.Task:
    """A task that shall stop: the change that StopTask, a failure and the end of an essential container have in common.

    The version counts this change too.
    """
    return content.replace(
        desired_status="STOPPED",
        stop_code=code,
        stopped_reason=reason[:1024],
        stopping_at=now,
        version=(content.version or 0) + 1,
    )


def tasks_with_status(cluster: Key, last_status: str) -> Group:
    """A cluster's tasks of a last status."""
    return ("last", *cluster, last_status)


def listed_tasks(cluster: Key, desired_status: str, *, family: str = "", started_by: str = "") -> Group:
    """A cluster's tasks of a desired status; of one family, or started by one name."""
    return ("desired", *cluster, desired_status, family, started_by)


def tasks_of_token(cluster: Key, token: str) -> Group:
    """The tasks that were made for a client token."""
    return ("token", *cluster, token)


def tasks_of_provider(cluster: Key, provider: str) -> Group:
    """A cluster's tasks that use a capacity provider. Stopped ones use it no more."""
    return ("provider", *cluster, provider)


def tasks_of_id(task_id: str) -> Group:
    """The task of an id, whatever its account, region and cluster."""
    return ("id", task_id)


def tasks_everywhere(last_status: str) -> Group:
    """All tasks of a last status, whosever they are."""
    return ("everywhere", last_status)


def tasks_of_definition(definition: Key) -> Group:
    """The tasks of a task definition, stopped ones too."""
    return ("definition", *definition)
