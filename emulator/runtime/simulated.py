"""A driver that runs nothing: its containers follow the script in their Docker labels.

| label | the container |
| --- | --- |
| `emulator.run-for` | ends by itself after so many seconds (without it: runs until it is stopped) |
| `emulator.exit-code` | ends by itself with this code (0) |
| `emulator.stop-exit-code` | ends with this code when it gets its stop signal (143) |
| `emulator.ignore-stop` | `true`: does not heed the stop signal, and is killed |
| `emulator.out-of-memory` | `true`: its end by itself is an out-of-memory kill (137) |
| `emulator.fail-start` | is refused by the engine with these words |
| `emulator.logs` | prints these lines when it starts |

An image whose tag is `not-found`, `denied`, `wrong-platform` or `unreachable` cannot be pulled, for that reason.

With a clock that is moved by hand, hours of a task's life take no time at all. What "runs" is remembered in the
process only: a container that ran when the process was killed is gone, and ended with an unknown exit code.
"""

from __future__ import annotations

import hashlib
import heapq
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import get_args

from emulator.clock import Clock
from emulator.planner.specs import ContainerSpec, PullPolicy, Subnet, TaskSpec
from emulator.runtime.driver import (
    Doors,
    Exit,
    Found,
    Line,
    Login,
    Namespace,
    NoFreeAddressError,
    PrepareFailedError,
    PullFailedError,
    PullProblem,
    Started,
    StartFailedError,
    Watcher,
)

KILLED = 137
TERMINATED = 143


@dataclass(slots=True)
class _Container:
    spec: ContainerSpec
    started: Started
    exit: Exit | None = None
    removed: bool = False

    @property
    def labels(self) -> Mapping[str, str]:
        """The script."""
        return self.spec.labels

    def ends_by_itself(self) -> Exit | None:
        """How it will end when nobody stops it."""
        run_for = self.labels.get("emulator.run-for")
        if run_for is None and "emulator.exit-code" not in self.labels:
            return None
        at = round(self.started.at + float(run_for or 0), 3)
        if self.labels.get("emulator.out-of-memory") == "true":
            return Exit(KILLED, out_of_memory=True, at=at)
        return Exit(int(self.labels.get("emulator.exit-code", "0")), out_of_memory=False, at=at)

    def printed(self) -> list[Line]:
        """What it has printed: each line a nanosecond after the one before."""
        begin = round(self.started.at * 1000) * 1_000_000
        *texts, rest = self.labels.get("emulator.logs", "").split("\n")
        lines = [*texts, rest] if rest else texts
        return [Line("stdout", begin + place, text.encode()) for place, text in enumerate(lines)]


@dataclass(slots=True)
class _Task:
    namespace: Namespace
    containers: dict[str, _Container] = field(default_factory=dict)


class _Output:
    """As emulator.runtime.driver.Output."""

    def __init__(self, container: _Container | None, since: int, changed: threading.Condition) -> None:
        """`changed`: told of each end."""
        self._container = container
        self._since = since
        self._changed = changed
        self._closed = False

    def __iter__(self) -> Iterator[Line]:
        container = self._container
        if container is None:
            return
        for line in container.printed():
            if self._closed:
                return
            if line.at >= self._since:
                yield line
        with self._changed:
            self._changed.wait_for(lambda: self._closed or container.removed or container.exit is not None)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class SimulatedDriver:
    """Tasks that exist on paper."""

    name = "simulated"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[str, _Task] = {}
        self._ends: list[tuple[float, str, str]] = []
        """When which container ends by itself, soonest first: moment, task ARN, name."""
        self._held: set[IPv4Address] = set()
        self._next_offset: dict[str, int] = {}
        self._watcher: Watcher | None = None
        self._lock = threading.Condition()
        """Held by whoever looks at or changes the above; told of each end."""

    def watch(self, watcher: Watcher) -> None:
        """Tell at once what there is."""
        self._watcher = watcher
        with self._lock:
            found = [
                Found(
                    arn,
                    namespace_alive=True,
                    containers={name: (c.started, c.exit) for name, c in t.containers.items()},
                )
                for arn, t in self._tasks.items()
            ]
        watcher.connected(found)

    def free_range(self, candidates: Sequence[IPv4Network]) -> IPv4Network:
        """The first one: nothing else lives here. Raises PrepareFailedError when there is none."""
        if not candidates:
            raise PrepareFailedError("no range of addresses is left for another VPC")
        return candidates[0]

    def prepare(self, task: TaskSpec, subnet: Subnet) -> Namespace:
        """Give the task the next free address of the subnet. Raises NoFreeAddressError."""
        with self._lock:
            if task.arn not in self._tasks:
                address = self._take_address(subnet)
                mac = "0a:" + ":".join(f"{byte:02x}" for byte in hashlib.sha256(task.arn.encode()).digest()[:5])
                self._tasks[task.arn] = _Task(Namespace(f"simulated-{task.id}", str(address), mac))
            return self._tasks[task.arn].namespace

    def _take_address(self, subnet: Subnet) -> IPv4Address:
        # AWS keeps the first four addresses of a subnet, and the last. The search goes on where the last one ended.
        usable = subnet.cidr.num_addresses - 5
        first = self._next_offset.get(subnet.id, 0)
        for step in range(usable):
            offset = (first + step) % usable
            address = subnet.cidr[offset + 4]
            if address not in self._held:
                self._held.add(address)
                self._next_offset[subnet.id] = offset + 1
                return address
        raise NoFreeAddressError(f"subnet {subnet.id} has no free address")

    def api_port(self, namespace: Namespace) -> int | None:  # noqa: ARG002
        """None: no code runs."""
        return None

    def doors(self, namespace: Namespace) -> Doors | None:  # noqa: ARG002
        """None: no code runs."""
        return None

    def pull(self, image: str, policy: PullPolicy, login: Login | None = None) -> str:  # noqa: ARG002 - all are at hand
        """A digest made of the name. Raises PullFailedError for the names that ask for it."""
        tag = image.rsplit(":", 1)[-1]
        for problem in get_args(PullProblem):
            if tag == problem:
                raise PullFailedError(problem, f"the simulated image {image} is {problem}")
        return f"sha256:{hashlib.sha256(image.encode()).hexdigest()}"

    def start(self, container: ContainerSpec, namespace: Namespace) -> Started:  # noqa: ARG002
        """Begin the script. Raises StartFailedError where the script says so."""
        refusal = container.labels.get("emulator.fail-start")
        if refusal is not None:
            raise StartFailedError(refusal)
        with self._lock:
            task = self._tasks.get(container.task.arn)
            if task is None:
                raise StartFailedError("the task's namespace is gone")
            if container.name not in task.containers:
                runtime_id = hashlib.sha256(f"{container.task.arn}/{container.name}".encode()).hexdigest()
                started = Started(runtime_id, self._clock.now())
                begun = task.containers[container.name] = _Container(container, started)
                end = begun.ends_by_itself()
                if end is not None:
                    heapq.heappush(self._ends, (end.at, container.task.arn, container.name))
            return task.containers[container.name].started

    def signal(self, task_arn: str, container: str, *, kill: bool) -> None:
        """End a container as its script says; SIGKILL always does."""
        with self._lock:
            task = self._tasks.get(task_arn)
            found = task.containers.get(container) if task else None
            if found is None or found.exit is not None:
                return
            if not kill and found.labels.get("emulator.ignore-stop") == "true":
                return
            code = KILLED if kill else int(found.labels.get("emulator.stop-exit-code", str(TERMINATED)))
            found.exit = Exit(code, out_of_memory=False, at=self._clock.now())
            self._lock.notify_all()
        self._tell([(task_arn, container, found.exit)])

    def logs(self, task_arn: str, container: str, since: int) -> _Output:
        """What a container's script says that it prints, until its end."""
        with self._lock:
            task = self._tasks.get(task_arn)
            return _Output(task.containers.get(container) if task else None, since, self._lock)

    def remove(self, task_arn: str) -> None:
        """Forget a task."""
        with self._lock:
            self._forget(task_arn)

    def remove_all_but(self, task_arns: Iterable[str]) -> None:
        """Forget all others."""
        with self._lock:
            for arn in set(self._tasks) - set(task_arns):
                self._forget(arn)

    def _forget(self, task_arn: str) -> None:
        task = self._tasks.pop(task_arn, None)
        if task is not None:
            self._held.discard(IPv4Address(task.namespace.address))
            for container in task.containers.values():
                container.removed = True
            self._lock.notify_all()

    def spare(self) -> int:
        """None: making one takes no time."""
        return 0

    def due(self) -> float | None:
        """When the next container ends by itself."""
        with self._lock:
            while self._ends and self._running(*self._ends[0][1:]) is None:
                heapq.heappop(self._ends)
            return self._ends[0][0] if self._ends else None

    def tick(self, now: float) -> None:
        """End the containers whose time has come."""
        ended = []
        with self._lock:
            while self._ends and self._ends[0][0] <= now:
                _, arn, name = heapq.heappop(self._ends)
                container = self._running(arn, name)
                if container is not None:
                    container.exit = container.ends_by_itself()
                    self._lock.notify_all()
                    ended.append((arn, name, container.exit))
        self._tell(ended)

    def _running(self, arn: str, name: str) -> _Container | None:
        task = self._tasks.get(arn)
        container = task.containers.get(name) if task else None
        return container if container is not None and container.exit is None else None

    def _tell(self, ended: list[tuple[str, str, Exit | None]]) -> None:
        for arn, name, end in ended:
            if self._watcher is not None and end is not None:
                self._watcher.exited(arn, name, end)

    def close(self, *, keep_tasks: bool) -> None:  # noqa: ARG002 - nothing outlives the process
        """Stop telling."""
        self._watcher = None
