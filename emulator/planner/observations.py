"""What can be seen of a task from outside, and how it enters the record.

An observation says what happened, never what shall follow: it fills in what is known and leaves what the API shows to
the planner. One that is already known, or comes too late, changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from emulator.state.tasks import ContainerExit, Interface, Task


@dataclass(frozen=True, slots=True)
class Prepared:
    """The network interface is attached."""

    interface: Interface

    def enter(self, task: Task) -> Task:
        """The task with its interface."""
        return task if task.interface else replace(task, interface=self.interface)

    def __str__(self) -> str:
        return f"network interface {self.interface.id} attached at {self.interface.address}"


@dataclass(frozen=True, slots=True)
class PlatformFailed:
    """The platform could not prepare the task: no address, no image. `reason` is what DescribeTasks will say."""

    reason: str

    def enter(self, task: Task) -> Task:
        """The task with its first failure."""
        return task if task.failure else replace(task, failure=self.reason)

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True, slots=True)
class Provided:
    """What the containers need of other services is at hand."""

    def enter(self, task: Task) -> Task:
        """The task with all it needs."""
        return task if task.provided else replace(task, provided=True)

    def __str__(self) -> str:
        return "what the task needs of other services is at hand"


@dataclass(frozen=True, slots=True)
class ImagePulled:
    """A container's image is at hand."""

    container: str
    digest: str
    at: float

    def enter(self, task: Task) -> Task:
        """The task knowing the image's digest."""
        if task.containers[self.container].digest:
            return task
        return task.container(self.container, digest=self.digest, pulled_at=self.at)

    def __str__(self) -> str:
        return f"image of {self.container} ready, {self.digest}"


@dataclass(frozen=True, slots=True)
class ContainerStarted:
    """A container was started; it may have ended since."""

    container: str
    runtime_id: str
    at: float

    def enter(self, task: Task) -> Task:
        """The task with the container started."""
        state = task.containers[self.container]
        if state.started_at is not None:
            return task
        at = min(self.at, state.exit.at) if state.exit else self.at
        return task.container(self.container, starting=False, runtime_id=self.runtime_id, started_at=at)

    def __str__(self) -> str:
        return f"container {self.container} started"


@dataclass(frozen=True, slots=True)
class StartRefused:
    """The engine would not start a container."""

    container: str
    reason: str

    def enter(self, task: Task) -> Task:
        """The task with the container never started."""
        if task.containers[self.container].start_refused:
            return task
        return task.container(self.container, starting=False, start_refused=self.reason)

    def __str__(self) -> str:
        return f"container {self.container} could not start: {self.reason}"


@dataclass(frozen=True, slots=True)
class StartUnknown:
    """A start was asked for, nobody answered, and the engine has no such container: it has to be asked for again."""

    container: str

    def enter(self, task: Task) -> Task:
        """The task with the start not asked for."""
        state = task.containers[self.container]
        if not state.starting or state.started_at is not None:
            return task
        return task.container(self.container, starting=False)

    def __str__(self) -> str:
        return f"container {self.container} was not started yet"


@dataclass(frozen=True, slots=True)
class Signalled:
    """A container was told to end."""

    container: str
    kill: bool

    def enter(self, task: Task) -> Task:
        """The task with the container told."""
        state = task.containers[self.container]
        if state.killed or (state.signalled and not self.kill):
            return task
        return task.container(self.container, signalled=True, killed=self.kill)

    def __str__(self) -> str:
        return f"container {self.container} was sent {'SIGKILL' if self.kill else 'its stop signal'}"


@dataclass(frozen=True, slots=True)
class ContainerExited:
    """A container ended."""

    container: str
    exit: ContainerExit

    def enter(self, task: Task) -> Task:
        """The task with the container's end."""
        state = task.containers[self.container]
        if state.exit is not None:
            # The kernel's word that it was out of memory may come after the end itself.
            if not self.exit.out_of_memory or state.exit.out_of_memory:
                return task
            return task.container(self.container, exit=replace(state.exit, out_of_memory=True))
        started_at = state.started_at if state.started_at is None else min(state.started_at, self.exit.at)
        return task.container(self.container, started_at=started_at, exit=self.exit)

    def __str__(self) -> str:
        code = "an unknown exit code" if self.exit.code is None else f"exit code {self.exit.code}"
        return f"container {self.container} ended with {code}{', out of memory' if self.exit.out_of_memory else ''}"


@dataclass(frozen=True, slots=True)
class NamespaceLost:
    """What the containers shared is gone."""

    def enter(self, task: Task) -> Task:
        """The task without its network."""
        return replace(task, namespace_lost=True) if not task.released else task

    def __str__(self) -> str:
        return "the task's network namespace is gone"


@dataclass(frozen=True, slots=True)
class Released:
    """Nothing of the task is left on the engine."""

    def enter(self, task: Task) -> Task:
        """The task without a trace."""
        return replace(task, released=True)

    def __str__(self) -> str:
        return "containers and network interface removed"


Observation = (
    Prepared
    | PlatformFailed
    | Provided
    | ImagePulled
    | ContainerStarted
    | StartRefused
    | StartUnknown
    | Signalled
    | ContainerExited
    | NamespaceLost
    | Released
)
