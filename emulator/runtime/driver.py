"""The seam between the emulator and whatever runs containers.

A driver does and reports; it decides nothing. Every method may be called again with the same arguments, by the same
process or by one started after a crash, and then finds what the first call made. Methods block and are called from
several threads at once; for one task, `prepare` and `remove` never run beside another call, and for one container
never two calls at a time.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal, Protocol

from emulator.planner.specs import ContainerSpec, PullPolicy, Subnet, TaskSpec


class DriverUnreachableError(Exception):
    """The engine does not answer. Nothing is known about what was asked; it may be asked again later."""


class PrepareFailedError(Exception):
    """The task's namespace cannot be made. Says why in one line."""


class NoFreeAddressError(PrepareFailedError):
    """The subnet's range has no address left."""


class StartFailedError(Exception):
    """The engine refused to create or start a container. Carries the engine's own words."""


class NoDoorsError(Exception):
    """Code in a task reaches nothing of this process. Says why, as the rest of a sentence."""


PullProblem = Literal["not-found", "denied", "wrong-platform", "unreachable", "other"]


class PullFailedError(Exception):
    """An image cannot be had: `problem` says what kind of failure, `detail` holds the engine's or registry's words."""

    def __init__(self, problem: PullProblem, detail: str) -> None:
        super().__init__(f"{problem}: {detail}")
        self.problem = problem
        self.detail = detail


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """Who asks a registry for an image. Secret, so nothing prints it."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Namespace:
    """The network namespace that a task's containers share. `id` means something to the driver only."""

    id: str
    address: str
    mac_address: str


@dataclass(frozen=True, slots=True)
class Doors:
    """Sockets that listen inside of a task's network namespace, so that who comes there is code of that task.

    Whoever has them serves them, and closes them. `api` is at `port` of 127.0.0.1, `endpoint` at 169.254.170.2:80.
    """

    port: int
    api: socket.socket
    endpoint: socket.socket

    def close(self) -> None:
        """Close both."""
        self.api.close()
        self.endpoint.close()


@dataclass(frozen=True, slots=True)
class Started:
    """A container that was started. `at` in seconds since the epoch, by the engine's clock."""

    runtime_id: str
    at: float


@dataclass(frozen=True, slots=True)
class Exit:
    """The end of a container. `code` is None when nobody can tell it any more (it was removed behind our back)."""

    code: int | None
    out_of_memory: bool
    at: float


@dataclass(frozen=True, slots=True)
class Found:
    """What the engine has of one of our tasks: is its namespace alive, and its containers by name, started or ended.

    A container that was created and never started is not listed.
    """

    task_arn: str
    namespace_alive: bool
    containers: dict[str, tuple[Started, Exit | None]]


Source = Literal["stdout", "stderr"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a container's output, without its newline. `at` in nanoseconds since the epoch, by the engine's clock.

    What a terminal shows is all `stdout`, and its lines end with a carriage return.
    """

    source: Source
    at: int
    text: bytes


class Output(Protocol):
    """What a container has printed, and prints until it ends: each line once, as the engine wrote them down."""

    def __iter__(self) -> Iterator[Line]:
        """Lines as they come. Ends when the container has ended and all was read, or is removed, or after `close`.

        An engine that does not answer is waited for.
        """
        ...

    def close(self) -> None:
        """End the iteration, from any thread, also while it waits."""
        ...


@dataclass(frozen=True, slots=True)
class Watcher:
    """Whom a driver tells what happens outside. All may be called from any thread.

    `connected` gives all that the engine has of this emulator, each time the connection is made: from then on each
    exit is told at least once. `disconnected` says that the engine stopped answering, and why.
    """

    connected: Callable[[list[Found]], None]
    disconnected: Callable[[str], None]
    exited: Callable[[str, str, Exit], None]
    """task ARN, container name, its end"""
    namespace_lost: Callable[[str], None]
    """task ARN"""


class Driver(Protocol):
    """Runs tasks."""

    name: str

    def watch(self, watcher: Watcher) -> None:
        """Connect in the background, and keep connected until `close`. Returns at once."""
        ...

    def free_range(self, candidates: Sequence[IPv4Network]) -> IPv4Network:
        """The first of these ranges that a VPC can have here: it collides with no network of the host or the engine.

        A range that already is a VPC of any emulator on this engine is free: VPCs of equal range share one network.
        Raises DriverUnreachableError, PrepareFailedError.
        """
        ...

    def prepare(self, task: TaskSpec, subnet: Subnet) -> Namespace:
        """Make what the containers of a task share: network, address, limits.

        Raises DriverUnreachableError, PrepareFailedError.
        """
        ...

    def api_port(self, namespace: Namespace) -> int | None:
        """At which port of 127.0.0.1 code in a namespace will find the API; None where no code runs.

        Raises DriverUnreachableError, NoDoorsError.
        """
        ...

    def doors(self, namespace: Namespace) -> Doors | None:
        """The sockets that listen inside; None where no code runs that could come. From now on they are the caller's.

        They are to be closed before `remove`. Asked again, it gives the same ones. Raises DriverUnreachableError,
        NoDoorsError.
        """
        ...

    def pull(self, image: str, policy: PullPolicy, login: Login | None = None) -> str:
        """Make an image available and return its digest (`sha256:…`; its id where it has no digest).

        `login` is shown to the image's registry, if it has to be asked.

        Raises DriverUnreachableError, PullFailedError. Never waits for ever.
        """
        ...

    def start(self, container: ContainerSpec, namespace: Namespace) -> Started:
        """Create and start a container. One that has ended meanwhile was started all the same.

        Its namespace's doors are open before it starts, if they can be opened.

        Raises DriverUnreachableError, StartFailedError.
        """
        ...

    def signal(self, task_arn: str, container: str, *, kill: bool) -> None:
        """Send the container's stop signal, or SIGKILL. One that is not running is left as it is.

        Raises DriverUnreachableError.
        """
        ...

    def logs(self, task_arn: str, container: str, since: int) -> Output:
        """A container's output from a moment on, in nanoseconds since the epoch; it was started, and may have ended."""
        ...

    def remove(self, task_arn: str) -> None:
        """Remove all that belongs to a task: containers, running or not, namespace, limits. No trace is fine too.

        Raises DriverUnreachableError.
        """
        ...

    def remove_all_but(self, task_arns: Iterable[str]) -> None:
        """Remove what carries this emulator's label and belongs to none of these tasks.

        Raises DriverUnreachableError.
        """
        ...

    def spare(self) -> int:
        """How many namespaces are ready for tasks to come."""
        ...

    def due(self) -> float | None:
        """The next moment at which `tick` has something to report, in seconds since the epoch; None for an engine that
        reports by itself.
        """
        ...

    def tick(self, now: float) -> None:
        """Report to the watcher what has happened until now."""
        ...

    def close(self, *, keep_tasks: bool) -> None:
        """Stop watching and let go of the engine. Without `keep_tasks` remove everything that carries our label.

        With it what runs goes on, to be found by the next process; spare namespaces and unused networks are removed.
        """
        ...
