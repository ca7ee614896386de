"""What is done for a task at each moment of its life, beside running containers: the registered steps, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import api_models as ecs
from emulator.planner.specs import ContainerSpec
from emulator.runtime.driver import Login, PullFailedError
from emulator.state.tasks import Interface, Task


class StepFailedError(Exception):
    """A task cannot have what it needs. Says what DescribeTasks will show as its reason."""


Attach = Callable[[Task, Interface], Interface]
"""Makes a task's network interface known; gives it back, maybe under another id. Raises StepFailedError."""
Provide = Callable[[Task, "ecs.TaskDefinition"], None]
"""Has something at hand for a task. Raises StepFailedError."""
Authorize = Callable[[Task, "ecs.TaskDefinition", str], Login | None]
"""Whose name and password a container's image is pulled with; None for anybody's. Raises StepFailedError."""
Diagnose = Callable[[str, PullFailedError], PullFailedError]
"""What kind of failure it was that an image could not be pulled, by one who knows more of its registry."""
Complete = Callable[[Task, "ecs.TaskDefinition", ContainerSpec], ContainerSpec]
"""Adds to a container what only its start may know, such as secrets. Raises StepFailedError."""
Follow = Callable[[Task, ContainerSpec], None]
"""Goes along with a container that was started."""
Leave = Callable[[Task], None]
"""Ends what was done for a task."""
Forget = Callable[[], None]
"""Lets go of all tasks at once."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of each moment. All may be called again for the same task, by this process or the next one."""

    at_attach: Sequence[Attach] = field(default=())
    at_before_start: Sequence[Provide] = field(default=())
    at_pull: Sequence[Authorize] = field(default=())
    at_pull_failure: Sequence[Diagnose] = field(default=())
    at_start: Sequence[Complete] = field(default=())
    at_after_start: Sequence[Follow] = field(default=())
    at_before_release: Sequence[Leave] = field(default=())
    at_after_release: Sequence[Leave] = field(default=())
    at_forget: Sequence[Forget] = field(default=())

    def attached(self, task: Task, interface: Interface) -> Interface:
        """Once the namespace has its address, before anything is shown of it. Raises StepFailedError."""
        for step in self.at_attach:
            interface = step(task, interface)
        return interface

    def before_start(self, task: Task, definition: ecs.TaskDefinition) -> None:
        """Before the first container starts, while images are pulled. Raises StepFailedError."""
        for step in self.at_before_start:
            step(task, definition)

    def login(self, task: Task, definition: ecs.TaskDefinition, container: str) -> Login | None:
        """Before a container's image is pulled, and for one of a private registry after `before_start`.

        Raises StepFailedError.
        """
        logins = (step(task, definition, container) for step in self.at_pull)
        return next((login for login in logins if login is not None), None)

    def pull_problem(self, image: str, error: PullFailedError) -> PullFailedError:
        """After an image could not be pulled."""
        for step in self.at_pull_failure:
            error = step(image, error)
        return error

    def complete(self, task: Task, definition: ecs.TaskDefinition, spec: ContainerSpec) -> ContainerSpec:
        """Right before a container starts. Raises StepFailedError."""
        for step in self.at_start:
            spec = step(task, definition, spec)
        return spec

    def after_start(self, task: Task, spec: ContainerSpec) -> None:
        """Right after a container was started, and when one is found that was: it may have ended already."""
        for step in self.at_after_start:
            step(task, spec)

    def before_release(self, task: Task) -> None:
        """All containers have ended, and are about to be removed."""
        for step in self.at_before_release:
            step(task)

    def after_release(self, task: Task) -> None:
        """Nothing of the task is left on the engine."""
        for step in self.at_after_release:
            step(task)

    def forget(self) -> None:
        """No task concerns this process any more: all are forgotten, or the process ends and they go on."""
        for step in self.at_forget:
            step()
