"""What ECS asks of the other services: one narrow protocol for each.

Every method blocks, may be called from several threads at once, and raises ServiceRefusedError for a service's no and
ServiceUnreachableError where nobody answers. None is called inside a transaction of the store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from emulator.state.arns import partition_of
from emulator.state.networks import DefaultNetwork, Vpc


class Place(NamedTuple):
    """Whose resources, and where: a 12-digit account and a region."""

    account: str
    region: str

    @property
    def partition(self) -> str:
        """The first part of this region's ARNs after `arn:`."""
        return partition_of(self.region)


class ServiceRefusedError(Exception):
    """A service answered no: the operation that was asked for, the error's code, the service's own sentence."""

    def __init__(self, operation: str, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{operation}: {code}: {message}")
        self.operation = operation
        self.code = code
        self.message = message
        self.status = status


class ServiceUnreachableError(Exception):
    """A service does not answer. Says which, and why."""


class ServiceAbsentError(ServiceUnreachableError):
    """A service is answered by nobody, as whoever started the emulator wanted it."""


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet of EC2. Ranges in CIDR notation; `vpc_cidrs` are those of the VPC around it, the first one first."""

    id: str
    vpc: str
    cidr: str
    vpc_cidrs: tuple[str, ...]
    availability_zone: str


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group of EC2."""

    id: str
    vpc: str


@dataclass(frozen=True, slots=True)
class NetworkInterface:
    """A task's elastic network interface, as DescribeNetworkInterfaces shall show it.

    `description` tells it from all others. `attached_at` in seconds since the epoch.
    """

    id: str
    subnet: str
    vpc: str
    availability_zone: str
    security_groups: tuple[str, ...]
    address: str
    mac_address: str
    description: str
    attached_at: float
    public_address: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


DefaultVpc = Callable[[Place], Vpc]
"""Gives an account's default VPC with its range, chosen if it has none yet. Raises ServiceRefusedError."""


class Network(Protocol):
    """EC2."""

    def default(self, place: Place) -> DefaultNetwork | None:
        """What is left of the network that the account had from the start. None where EC2 is elsewhere and has another.

        Asks nobody and waits for nothing.
        """
        ...

    def subnets(self, place: Place, ids: Sequence[str]) -> list[Subnet]:
        """Those of these subnets that there are."""
        ...

    def security_groups(self, place: Place, ids: Sequence[str]) -> list[SecurityGroup]:
        """Those of these groups that there are."""
        ...

    def default_security_group(self, place: Place, vpc: str) -> str | None:
        """The id of a VPC's default group."""
        ...

    def create_interface(self, place: Place, interface: NetworkInterface) -> str:
        """Have EC2 show a task's interface, as long as the task has it; gives the interface's id.

        Repeated for the same description, it finds what the first call made. Where EC2 is elsewhere, it chooses the id.
        """
        ...

    def delete_interface(self, place: Place, description: str) -> None:
        """Have EC2 show the interface of this description no more. One that is not there is fine."""
        ...


@dataclass(frozen=True, slots=True)
class Role:
    """A role of IAM. `trust` is its trust policy, a JSON document."""

    arn: str
    name: str
    trust: str


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """A session of a role. `expires_at` in seconds since the epoch. Secret, so nothing prints it."""

    role_arn: str
    access_key_id: str
    secret_access_key: str
    session_token: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class Principal:
    """A user, or a session of a role, and the policies that apply: JSON documents.

    `boundary` and `session` (those given when the session was made) are None where there are none.
    """

    arn: str
    user_id: str
    tags: Mapping[str, str]
    policies: tuple[str, ...]
    boundary: str | None = None
    session: tuple[str, ...] | None = None


Principals = Callable[[Place, str], Principal | None]
"""The principal that an access key was given to; None for a key that was not given out, or whose session has ended."""


class Identity(Protocol):
    """IAM and STS."""

    def role(self, place: Place, name: str) -> Role | None:
        """The role of a name, which may have a path before it; None when there is none."""
        ...

    def assume(self, place: Place, role_arn: str, session: str) -> Credentials:
        """A new session of a role, for six hours."""
        ...

    def revoke(self, place: Place, access_key_id: str) -> None:
        """End a session. One that is not there is fine."""
        ...


@dataclass(frozen=True, slots=True)
class LogEvent:
    """A line of output. `at` in milliseconds since the epoch."""

    at: int
    message: str


class Logs(Protocol):
    """CloudWatch Logs."""

    def create_group(self, place: Place, group: str) -> None:
        """Make a log group. One that is there is fine."""
        ...

    def create_stream(self, place: Place, group: str, stream: str) -> None:
        """Make a log stream. One that is there is fine; refused with ResourceNotFoundException without its group."""
        ...

    def put(self, place: Place, group: str, stream: str, events: Sequence[LogEvent]) -> bool:
        """Append events, oldest first: at most 10,000 of them, and 1 MiB with 26 bytes for each.

        Whether all were kept: the service drops those that are older than 14 days or two hours ahead of its clock.
        """
        ...

    def latest(self, place: Place, group: str, stream: str, most: int) -> list[LogEvent]:
        """The last events of a stream, oldest first. Refused with ResourceNotFoundException when it does not exist."""
        ...


class Secrets(Protocol):
    """Secrets Manager."""

    def secret(self, place: Place, name: str, *, stage: str | None = None, version: str | None = None) -> str:
        """A secret's text, by name or ARN; of the version that is AWSCURRENT unless told otherwise.

        Refused with ResourceNotFoundException when there is none.
        """
        ...


class Parameters(Protocol):
    """Parameter Store of Systems Manager."""

    def parameters(self, place: Place, names: Sequence[str]) -> tuple[dict[str, str], list[str]]:
        """The values of up to ten parameters, decrypted, by the names or ARNs given; and those that do not exist."""
        ...


class Objects(Protocol):
    """S3."""

    def read(self, place: Place, bucket: str, key: str) -> bytes:
        """An object's content. Refused with NoSuchBucket or NoSuchKey."""
        ...


class Registry(Protocol):
    """ECR."""

    def has_repository(self, place: Place, name: str) -> bool:
        """Is there a repository of this name?"""
        ...


class Ecs(Protocol):
    """ECS itself, for services that use it: CloudFormation makes clusters, a schedule runs tasks."""

    def __call__(self, operation: str, request: Mapping[str, Any], place: Place) -> dict[str, Any]:
        """Perform an operation of the ECS API. Members by their names in the API, as JSON has them.

        Raises ServiceRefusedError for what ECS refuses.
        """
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """All services that ECS asks."""

    network: Network
    identity: Identity
    logs: Logs
    secrets: Secrets
    parameters: Parameters
    objects: Objects
    registry: Registry
