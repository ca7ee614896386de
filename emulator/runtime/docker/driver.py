"""The Docker driver: puts the package's parts together behind the driver protocol."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from emulator.clock import Clock
from emulator.planner.specs import ContainerSpec, PullPolicy, Subnet, TaskSpec
from emulator.runtime.docker.cgroups import TaskLimits, Way
from emulator.runtime.docker.doors import DoorOpener
from emulator.runtime.docker.engine import Engine
from emulator.runtime.docker.images import Images
from emulator.runtime.docker.known import Known
from emulator.runtime.docker.labels import CONTAINER_NAME, ROLE, TASK_ARN, Owner
from emulator.runtime.docker.logs import ContainerOutput
from emulator.runtime.docker.namespaces import ColdNamespaces
from emulator.runtime.docker.networks import Networks
from emulator.runtime.docker.observe import is_running, labels_of, started_of
from emulator.runtime.docker.pool import Pool
from emulator.runtime.docker.removal import Removal
from emulator.runtime.docker.setting import Setting
from emulator.runtime.docker.signals import Signals
from emulator.runtime.docker.starts import Starts
from emulator.runtime.docker.sweep import Sweep
from emulator.runtime.docker.watch import Watch
from emulator.runtime.driver import Doors, DriverUnreachableError, Login, Namespace, Started, Watcher

logger = logging.getLogger(__name__)

LAST_PING = 3.0
"""Seconds that a daemon has, at the end, to show that it can be asked to clean up."""


class DockerDriver:
    """Runs tasks on one Docker daemon, for one emulator. See emulator.runtime.driver.Driver for every method."""

    name = "docker"

    def __init__(  # noqa: PLR0913 - all are named
        self,
        *,
        instance: str,
        ephemeral_lock: Path | None,
        clock: Clock,
        port: int,
        base_url: str | None = None,
        pool: int = 0,
    ) -> None:
        """`instance`: the emulator's id, which our label carries.

        `ephemeral_lock`: for an emulator that keeps nothing, the file that its process holds an exclusive flock on for
        its life; when it is killed, another emulator sees from it that what is left belongs to nobody.
        `port`: the API's, which code in tasks has on its own loopback address too.
        `base_url`: the daemon; by default what DOCKER_HOST and its relatives say, else the local socket.
        `pool`: how many namespaces may be kept ready in each subnet that is used.
        Nothing is asked of the daemon yet.
        """
        self._engine = Engine(base_url)
        self._known = Known()
        self._setting = setting = Setting(self._engine, Owner(instance, ephemeral_lock, port=port), self._known, clock)
        self._networks = Networks(self._engine)
        self._doors = DoorOpener(self._engine, port)
        self._limits = TaskLimits(self._engine)
        self._images = Images(self._engine)
        self._namespaces = ColdNamespaces(setting, self._networks, self._doors)
        self._pool = Pool(self._namespaces, clock, pool)
        self._starts = Starts(setting, self._images, self._limits, self._doors)
        self._signals = Signals(setting)
        self._removal = Removal(setting, self._namespaces, self._limits, self._doors)
        self._sweep = Sweep(setting, self._networks, self._limits)
        self._watch = Watch(setting, self._limits, on_connect=self._on_connect, on_found=self._adopt)

    @property
    def limits(self) -> Way | None:
        """How a task as a whole is limited on this daemon; None until it was asked."""
        return self._limits.way

    def watch(self, watcher: Watcher) -> None:
        """Connect in the background, and keep connected until `close`."""
        self._watch.begin(watcher)
        self._pool.begin()

    def free_range(self, candidates: Sequence[IPv4Network]) -> IPv4Network:
        """The first of these ranges that overlaps with no network of this machine or of the daemon."""
        return self._networks.free_range(candidates)

    def prepare(self, task: TaskSpec, subnet: Subnet) -> Namespace:
        """Make the task's limits and its network namespace."""
        with self._pool.busy():
            namespace = self._pool.take(task, subnet)
            # Limits last: after a kill in between, the namespace tells the next process that there is a task.
            self._limits.make(task.id, cpu=task.cpu, memory=task.memory)
            return namespace

    def api_port(self, namespace: Namespace) -> int:
        """Where code in a task's namespace finds the API."""
        return self._doors.port(namespace.id)

    def doors(self, namespace: Namespace) -> Doors:
        """The sockets that listen inside of a task's namespace."""
        return self._doors.take(namespace.id)

    def pull(self, image: str, policy: PullPolicy, login: Login | None = None) -> str:
        """Make an image available and return its digest."""
        return self._images.pull(image, policy, login)

    def start(self, container: ContainerSpec, namespace: Namespace) -> Started:
        """Create and start a container."""
        with self._pool.busy():
            return self._starts.start(container, namespace)

    def signal(self, task_arn: str, container: str, *, kill: bool) -> None:
        """Send the container's stop signal, or SIGKILL."""
        self._signals.send(task_arn, container, kill=kill)

    def logs(self, task_arn: str, container: str, since: int) -> ContainerOutput:
        """A container's output from a moment on."""
        return ContainerOutput(self._setting, task_arn, container, since)

    def remove(self, task_arn: str) -> None:
        """Remove all that belongs to a task."""
        self._removal.task(task_arn)

    def remove_all_but(self, task_arns: Iterable[str]) -> None:
        """Remove what carries our label and belongs to none of these tasks."""
        with self._pool.busy():
            self._pool.drain()
            self._removal.all_but(task_arns)

    def spare(self) -> int:
        """How many namespaces are ready for tasks to come."""
        return self._pool.ready()

    def due(self) -> float | None:
        """Never: Docker reports by itself."""
        return None

    def tick(self, now: float) -> None:
        """Nothing to do: Docker reports by itself."""

    def close(self, *, keep_tasks: bool) -> None:
        """Stop watching and let go of the daemon; without `keep_tasks` remove everything that carries our label."""
        self._watch.stop()
        self._pool.close()
        try:
            self._engine.ping(LAST_PING)
            self._pool.drain()
            if keep_tasks:
                self._removal.spares()
            else:
                self._removal.all_but(())
            self._networks.remove_unused()
        except DriverUnreachableError as error:
            logger.warning("what this emulator has on the container engine stays there: %s", error)
        finally:
            self._doors.close()
            self._engine.close()

    def _on_connect(self, info: dict[str, Any]) -> None:
        self._limits.decide(info)
        self._sweep.run()

    def _adopt(self, containers: list[dict[str, Any]]) -> None:
        """Learn from our containers what an earlier process, or an earlier connection, knew of them."""
        for container in containers:
            labels = labels_of(container)
            if labels.get(ROLE) == "namespace" and is_running(container):
                self._namespaces.adopt(container)
            elif TASK_ARN in labels and CONTAINER_NAME in labels and started_of(container) is not None:
                self._known.started(labels[TASK_ARN], labels[CONTAINER_NAME], str(container["Id"]))
