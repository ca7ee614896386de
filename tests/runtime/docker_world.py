"""What the driver's daemon tests share: specifications, a watcher that waits, and looks at what is on the daemon."""

from __future__ import annotations

import os
import queue
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any, cast

import docker

from emulator.planner.specs import ContainerSpec, Subnet, TaskSpec
from emulator.runtime.docker import DockerDriver
from emulator.runtime.driver import Exit, Found, Watcher

PATIENCE = 30.0
"""Seconds after which what a test waits for is taken not to come."""
VPC = IPv4Network(f"10.{211 + os.getpid() % 40}.0.0/16")
"""The VPC of this test process. Another process that has the same one shares its network, which does no harm."""
SUBNET = Subnet("subnet-1", IPv4Network((VPC.network_address + 16 * 256, 20)), VPC)
API_PORT = 4566
"""At which port of its own loopback address a task has the API."""


def image_name(kind: str = "busybox") -> str:
    """Each test process has a name of its own for one and the same image."""
    return f"ecs-emulator-test/{kind}-{os.getpid()}:1"


CLUSTER = "arn:aws:ecs:us-east-1:000000000000:cluster/test"


def make_task(**given: Any) -> TaskSpec:
    task_id = secrets.token_hex(16)
    task = TaskSpec(
        arn=f"arn:aws:ecs:us-east-1:000000000000:task/test/{task_id}",
        id=task_id,
        cluster_arn=CLUSTER,
        family="web",
        revision=3,
        region="us-east-1",
        cpu=256,
        memory=512,
    )
    return replace(task, **given)


def make_container(task: TaskSpec, *command: str, name: str = "app", **given: Any) -> ContainerSpec:
    container = ContainerSpec(task=task, name=name, image=image_name(), command=command or None)
    return replace(container, **given)


def shell(task: TaskSpec, script: str, name: str = "app", **given: Any) -> ContainerSpec:
    return make_container(task, "sh", "-c", script, name=name, **given)


@dataclass
class Recorder:
    """A watcher that keeps what it is told, for a test to wait on."""

    told: queue.Queue[tuple[str, Any]] = field(default_factory=queue.Queue)

    def as_watcher(self) -> Watcher:
        return Watcher(
            connected=lambda found: self.told.put(("connected", found)),
            disconnected=lambda why: self.told.put(("disconnected", why)),
            exited=lambda arn, name, end: self.told.put(("exited", (arn, name, end))),
            namespace_lost=lambda arn: self.told.put(("namespace_lost", arn)),
        )

    def next(self, kind: str) -> Any:
        """The next of this kind; others that come before it are passed over."""
        while True:
            came, what = self.told.get(timeout=PATIENCE)
            if came == kind:
                return what

    def found(self) -> list[Found]:
        found: list[Found] = self.next("connected")
        return found

    def exit_of(self, task: TaskSpec, name: str = "app") -> Exit:
        while True:
            arn, container, end = self.next("exited")
            if (arn, container) == (task.arn, name):
                assert isinstance(end, Exit)
                return end


@dataclass
class Signpost:
    """A port of the host for containers to knock at, so that tests need not ask again and again."""

    listener: socket.socket

    @property
    def knock(self) -> str:
        """A shell command that knocks, from a task in SUBNET's VPC."""
        return f"echo ready | nc {VPC[1]} {self.listener.getsockname()[1]}"

    def wait(self) -> IPv4Address:
        """Whose knock is next."""
        connection, (address, _) = self.listener.accept()
        connection.close()
        return IPv4Address(address)


MakeDriver = Callable[..., DockerDriver]


def ours(api: docker.APIClient, instance: str) -> list[dict[str, Any]]:
    return list(api.containers(all=True, filters={"label": f"ecs-emulator.instance={instance}"}))


def vpc_networks(api: docker.APIClient, cidr: IPv4Network = VPC) -> list[dict[str, Any]]:
    return list(api.networks(filters={"label": f"ecs-emulator.vpc={cidr}"}))


def cgroup_folders(task: TaskSpec) -> list[Path]:
    return list(Path("/sys/fs/cgroup").glob(f"*/ecs/{task.id}"))


def create(api: docker.APIClient, name: str, body: dict[str, Any]) -> str:
    """Create a container as somebody other than the driver would, and return its id."""
    created: dict[str, Any] = cast("Any", api).create_container_from_config(body, name.strip("/"))
    return str(created["Id"])


def in_threads(*calls: Callable[[], object]) -> list[object]:
    """Make these calls at once and return what they return; raises what one of them raises."""
    results: dict[int, object] = {}

    def run(place: int, call: Callable[[], object]) -> None:
        try:
            results[place] = call()
        except BaseException as error:  # noqa: BLE001 - raised below, in the test's own thread
            results[place] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * PATIENCE)
    for result in results.values():
        if isinstance(result, BaseException):
            raise result
    return [results[place] for place in range(len(calls))]
