"""The Docker daemon without an emulator: the limit of what an emulator can reach, and how a first line is seen."""

from __future__ import annotations

import calendar
import itertools
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from ipaddress import IPv4Network
from typing import Any, cast
from uuid import uuid4

import docker
from docker import APIClient
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from benchmarks.servers import ROOT
from emulator.runtime.docker.containers import LOG_CONFIG
from emulator.runtime.docker.labels import CONTAINER_NAME, TASK_ARN
from emulator.runtime.docker.pause import IMAGE as PAUSE_IMAGE
from emulator.runtime.docker.pause import image_archive
from tests.images import import_busybox

LABEL = "ecs-emulator-bench"
"""On every container and network that a benchmark makes by itself; its value is the run."""
RUN = uuid4().hex[:12]
PATIENCE = 60.0
THREADS = 4
"""More gain nothing; the emulator has as many."""
BETWEEN_LOOKS = 0.005

COMMAND = ("sh", "-c", "trap 'exit 0' TERM; echo ready; sleep 600 & wait")
"""Says one line, then stays until it is told to end, which it does at once."""


class NoLineError(Exception):
    """A container said nothing."""


@cache
def problem() -> str | None:
    """Why what needs a daemon cannot be measured; None when it can."""
    asked = subprocess.run([ROOT / "scripts" / "docker-answers"], capture_output=True, text=True, check=False)
    return None if asked.returncode == 0 else asked.stderr.strip() or "no Docker daemon answers"


def version() -> str:
    """The daemon's version, or that there is none."""
    if problem():
        return "none"
    with _client() as api:
        return str(api.version()["Version"])


@dataclass(slots=True)
class Daemon:
    """A daemon, one image on it, and one network of the kind that VPCs have."""

    api: APIClient
    image: str
    network: str
    addresses: Iterator[Any]
    made: list[str] = field(default_factory=list)
    """The containers that are not removed yet."""

    def pair(self) -> tuple[str, float]:
        """What a task needs at least: a pause container with an address, and one container that joins it.

        Gives the container, and the milliseconds that the pause container took.
        """
        begin = time.perf_counter()
        pause = self._create(
            {
                "Image": PAUSE_IMAGE,
                "HostConfig": {"NetworkMode": self.network, "LogConfig": {"Type": "none", "Config": {}}},
                "NetworkingConfig": {
                    "EndpointsConfig": {self.network: {"IPAMConfig": {"IPv4Address": str(next(self.addresses))}}}
                },
            }
        )
        self.api.start(pause)
        paused = (time.perf_counter() - begin) * 1000
        container = self._create(self._application({"NetworkMode": f"container:{pause}"}))
        self.api.start(container)
        return container, paused

    def many(self, number: int, *, with_pause: bool) -> float:
        """The milliseconds that so many containers take, each with a pause container of its own or plain, by as many
        threads as do the daemon good.
        """
        begin = time.perf_counter()
        with ThreadPoolExecutor(THREADS) as threads:
            for made in [threads.submit(self.pair if with_pause else self._plain) for _ in range(number)]:
                made.result()
        return (time.perf_counter() - begin) * 1000

    def _plain(self) -> None:
        self.api.start(self._create(self._application({})))

    def plain_attached(self) -> tuple[str, int]:
        """One container on Docker's own network, as `docker run` makes it, with a client attached before the start.

        Gives the container, and the moment at which the client saw its first line, in nanoseconds since the epoch.
        """
        container = self._create(self._application({}))
        output = self.api.attach(container, stdout=True, stream=True)
        with ThreadPoolExecutor(1) as thread:
            # The line comes before the daemon answers that the container is started.
            seen = thread.submit(lambda: (next(output), time.time_ns())[1])
            try:
                self.api.start(container)
                return container, seen.result(PATIENCE)
            finally:
                output.close()

    def _application(self, host_config: Mapping[str, Any]) -> dict[str, Any]:
        return {"Image": self.image, "Cmd": list(COMMAND), "HostConfig": {"LogConfig": LOG_CONFIG, **host_config}}

    def _create(self, body: Mapping[str, Any]) -> str:
        config = {**body, "Labels": {LABEL: RUN}}
        container = str(cast("Any", self.api).create_container_from_config(config)["Id"])
        self.made.append(container)
        return container

    def container_of(self, task_arn: str, since: float) -> str:
        """Wait until a container of a task is started, and give its id.

        By the daemon's events, those since a moment (seconds since the epoch) too: so nothing is asked again and again.
        """
        wanted = {"event": "start", "type": "container", "label": [f"{TASK_ARN}={task_arn}"]}
        events = self.api.events(since=int(since), filters=wanted, decode=True)
        try:
            for event in events:
                if CONTAINER_NAME in event["Actor"]["Attributes"]:  # a namespace has a task, and no name in it
                    return str(event["id"])
        finally:
            events.close()
        raise NoLineError(f"the daemon reports no start of {task_arn}")

    def first_line(self, container: str) -> int:
        """When a container's first line reached the daemon, in nanoseconds since the epoch: the time in its log."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            log = self.api.logs(container, stdout=True, stderr=True, timestamps=True)
            if b"\n" in log:
                return nanoseconds(log.split(b" ", 1)[0].decode())
            time.sleep(BETWEEN_LOOKS)
        raise NoLineError(f"container {container[:12]} said nothing in {PATIENCE:g} s")

    def clear(self) -> None:
        """Remove the containers made so far, those that hold a namespace last."""
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(self._remove, reversed(self.made)))
        self.made.clear()

    def _remove(self, container: str) -> None:
        with suppress(NotFound):
            self.api.remove_container(container, force=True, v=True)


def nanoseconds(text: str) -> int:
    """Nanoseconds since the epoch of a time as Docker writes it, in UTC with up to nine digits."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(fraction.ljust(9, "0"))


@contextmanager
def image() -> Iterator[str]:
    """A small image under a name of its own, which is taken away at the end. Raises DockerException."""
    with _client() as api:
        name = f"{LABEL}/busybox:{RUN}"
        try:
            yield import_busybox(api, name)
        finally:
            with suppress(ImageNotFound):
                api.remove_image(name)


@contextmanager
def daemon(image_name: str) -> Iterator[Daemon]:
    """The daemon for what is measured without an emulator. Everything made with it is removed at the end."""
    with _client() as api:
        # The same bytes and so the same image as the emulator's, which stays as it does.
        list(cast("Any", api).load_image(image_archive(str(api.version()["Arch"]))))
        try:
            yield Daemon(api, image_name, *_network(api))
        finally:
            _remove_all(api)


def _remove_all(api: APIClient) -> None:
    """By label and not by what we remember: an interruption may come before we know what the daemon has made."""
    ours = {"label": f"{LABEL}={RUN}"}
    for container in api.containers(all=True, filters=ours):
        with suppress(NotFound):
            api.remove_container(container["Id"], force=True, v=True)
    for network in api.networks(filters=ours):
        api.remove_network(network["Id"])


def _network(api: APIClient) -> tuple[str, Iterator[Any]]:
    """A bridge network as the emulator makes one for a VPC, in a range that none has, and its addresses in turn."""
    for second in range(99, 60, -1):
        cidr = IPv4Network(f"10.{second}.0.0/16")
        pool = docker.types.IPAMPool(subnet=str(cidr), gateway=str(cidr[1]))
        with suppress(APIError):
            made = api.create_network(
                f"{LABEL}-{str(cidr).replace('/', '-')}",
                driver="bridge",
                ipam=docker.types.IPAMConfig(pool_configs=[pool]),
                labels={LABEL: RUN},
            )
            return str(made["Id"]), itertools.islice(cidr.hosts(), 3, None)
    raise DockerException("no range from 10.61.0.0/16 to 10.99.0.0/16 is free for a network")


@contextmanager
def _client() -> Iterator[APIClient]:
    api = docker.from_env().api
    try:
        yield api
    finally:
        api.close()
