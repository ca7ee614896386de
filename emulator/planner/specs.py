"""What a runtime is asked to run: a task and its containers, with everything resolved.

Task definition and overrides are merged, defaults filled in and units converted here, so that a driver translates
these fields to its engine and decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Literal

from emulator.planner.environment import Environment


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet as the runtime needs it: its own range and the range of the VPC around it."""

    id: str
    cidr: IPv4Network
    vpc_cidr: IPv4Network


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """The task as a whole. `cpu` in CPU units (1024 are one core), `memory` in MiB; both bind all of its containers."""

    arn: str
    id: str
    cluster_arn: str
    family: str
    revision: int
    region: str
    cpu: int | None
    memory: int | None


@dataclass(frozen=True, slots=True)
class Ulimit:
    """A resource limit of a container's processes."""

    name: str
    soft: int
    hard: int


@dataclass(frozen=True, slots=True)
class LogSpec:
    """A log stream of CloudWatch Logs that takes a container's output, in the account of its task.

    `begins`: a regular expression; where there is one, an event is a line that it is found in and all lines up to the
    next such line. `buffer`: with it a container never waits for its log, and so many bytes may be on their way;
    without it the container waits.
    """

    group: str
    region: str
    stream: str
    create_group: bool = False
    begins: str | None = None
    buffer: int | None = None


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """One container of a task. `cpu` in CPU units (a share), memory in MiB; None means the image's or engine's default.

    `labels` are the user's dockerLabels; a driver adds the ones that ECS adds, which win. `log` is None where nobody
    asked for the output. `log_secrets` are options of the log driver that come from secrets, and are never printed.
    """

    task: TaskSpec
    name: str
    image: str
    command: tuple[str, ...] | None = None
    entry_point: tuple[str, ...] | None = None
    environment: Environment = field(default_factory=Environment)
    user: str | None = None
    working_directory: str | None = None
    readonly_root_filesystem: bool = False
    init_process: bool = False
    interactive: bool = False
    pseudo_terminal: bool = False
    cpu: int = 0
    memory: int | None = None
    memory_reservation: int | None = None
    ulimits: tuple[Ulimit, ...] = ()
    capabilities_add: tuple[str, ...] = ()
    capabilities_drop: tuple[str, ...] = ()
    system_controls: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    log: LogSpec | None = None
    log_secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


PullPolicy = Literal["always", "missing", "never"]
"""When an image is asked of its registry: before every start, when the daemon lacks it, or not at all."""
