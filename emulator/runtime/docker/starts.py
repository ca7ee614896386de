"""Creating and starting a container, once however often it is asked for."""

from __future__ import annotations

import logging
from typing import Any

from emulator.planner.specs import ContainerSpec
from emulator.runtime.docker import containers
from emulator.runtime.docker.cgroups import TaskLimits
from emulator.runtime.docker.doors import DoorOpener
from emulator.runtime.docker.engine import RefusedError
from emulator.runtime.docker.images import Images
from emulator.runtime.docker.labels import TASK_ARN
from emulator.runtime.docker.observe import labels_of, started_of
from emulator.runtime.docker.removal import remove_container
from emulator.runtime.docker.setting import Setting
from emulator.runtime.driver import Namespace, Started, StartFailedError

logger = logging.getLogger(__name__)


class Starts:
    """Starts containers on one daemon. Three calls each: create, start, and inspect for the moment it started."""

    def __init__(self, setting: Setting, images: Images, limits: TaskLimits, doors: DoorOpener) -> None:
        self._engine = setting.engine
        self._owner = setting.owner
        self._known = setting.known
        self._clock = setting.clock
        self._images = images
        self._limits = limits
        self._doors = doors
        self._sets_open_files = True

    def start(self, container: ContainerSpec, namespace: Namespace) -> Started:
        """As Driver.start."""
        self._doors.begin(namespace.id)
        try:
            started = self._create_and_start(container, namespace)
        except RefusedError as refusal:
            raise StartFailedError(refusal.words) from refusal
        self._known.started(container.task.arn, container.name, started.runtime_id)
        return started

    def _create_and_start(self, container: ContainerSpec, namespace: Namespace) -> Started:
        body = containers.create_body(
            container,
            namespace_id=namespace.id,
            image=self._images.id_of(container.image),
            owner=self._owner,
            bounds=self._limits.bounds(container.task.id),
        )
        if not self._sets_open_files:
            return self._run(container, namespace, body)
        raised = containers.with_open_files(body)
        try:
            return self._run(container, namespace, raised)
        except RefusedError as refusal:
            if raised is body or "rlimit" not in refusal.words:
                raise
            if self._sets_open_files:
                self._sets_open_files = False
                logger.warning("this daemon may not give containers Fargate's limit of open files: they keep its own")
        refused = str(self._engine.inspect(containers.name_of(container))["Id"])
        self._known.removing(refused)
        remove_container(self._engine, refused)
        return self._run(container, namespace, body)

    def _run(self, container: ContainerSpec, namespace: Namespace, body: dict[str, Any]) -> Started:
        name = containers.name_of(container)
        try:
            container_id = self._create(name, body, container.image)
        except RefusedError as refusal:
            if not refusal.name_taken:
                raise
            existing = self._existing(name, container)
            if (started := started_of(existing)) is not None:
                return started
            container_id = str(existing["Id"])
        self._doors.wait(namespace.id)
        with self._engine.asking() as api:
            api.start(container_id)
        return self._moment_of(container_id)

    def _create(self, name: str, body: dict[str, Any], image: str) -> str:
        """The id of the new container. An image that is not where it was is looked for once more."""
        try:
            return self._engine.create(name, body)
        except RefusedError as refusal:
            found = self._images.look_again(image) if refusal.no_such_image else None
            if found is None:
                raise
        return self._engine.create(name, {**body, "Image": found})

    def _existing(self, name: str, container: ContainerSpec) -> dict[str, Any]:
        """The container that bears the name. Raises StartFailedError if it is somebody else's."""
        existing = self._engine.inspect(name)
        labels = labels_of(existing)
        if not self._owner.owns(labels) or labels.get(TASK_ARN) != container.task.arn:
            raise StartFailedError(f"the container {name} is not this emulator's; remove it (docker rm -f {name})")
        return existing

    def _moment_of(self, container_id: str) -> Started:
        """When it started. For one that was removed at once, now."""
        try:
            started = started_of(self._engine.inspect(container_id))
        except RefusedError:
            started = None
        return started or Started(container_id, self._clock.now())
