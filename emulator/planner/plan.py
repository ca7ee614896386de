"""What planning yields: one change to make now, or else the actions to have under way and the moment to look again."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.planner.specs import ContainerSpec, TaskSpec
from emulator.state.tasks import Task


@dataclass(frozen=True, slots=True)
class Prepare:
    """Make what the task's containers share: its network interface and limits."""

    task: TaskSpec
    subnet: str


@dataclass(frozen=True, slots=True)
class PullImage:
    """Have a container's image at hand."""

    container: str
    image: str


@dataclass(frozen=True, slots=True)
class Provide:
    """Have at hand what containers need of other services: values, files, log streams, credentials."""


@dataclass(frozen=True, slots=True)
class StartContainer:
    """Create and start a container."""

    container: str
    spec: ContainerSpec


@dataclass(frozen=True, slots=True)
class SignalContainer:
    """Ask a container to end, or end it."""

    container: str
    kill: bool


@dataclass(frozen=True, slots=True)
class Release:
    """Remove all that the engine has of the task."""


Action = Prepare | Provide | PullImage | StartContainer | SignalContainer | Release


@dataclass(frozen=True, slots=True)
class Plan:
    """What ought to happen to a task.

    Either `after`, the task as it shall be from now on, with what to add to its story; or `forget`, when nothing of it
    need be known any more; or neither, and then `actions` are to be under way (each may be asked for again until its
    observation arrives), and `wake` is the next moment at which time alone changes the plan, in seconds since the
    epoch.
    """

    after: Task | None = None
    said: tuple[str, ...] = ()
    forget: bool = False
    actions: tuple[Action, ...] = ()
    wake: float | None = None
