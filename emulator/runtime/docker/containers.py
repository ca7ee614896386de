"""From a container's specification to what the engine is asked to create. Functions of their arguments alone.

The rules are those of ECS's agent, as its sources have them, and of what the control plane sends it.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from emulator.planner.specs import ContainerSpec, LogSpec
from emulator.runtime.docker import labels
from emulator.runtime.docker.cgroups import Bounds
from emulator.runtime.docker.labels import OUR_PREFIX, Owner
from emulator.runtime.driver import StartFailedError

MIB = 2**20
LEAST_MEMORY = 6
"""MiB; Docker refuses less ("Minimum memory limit allowed is 6MB")."""
LEAST_SHARES, MOST_SHARES = 2, 262_144
"""The kernel's bounds for a share of processor time, to which ECS's agent brings a container's `cpu`."""
LEAST_NANO_CPUS = 10_000_000
"""Docker refuses less than a hundredth of a core."""
OPEN_FILES = {"Name": "nofile", "Soft": 65535, "Hard": 65535}
"""What Fargate gives when a task definition says nothing [documented]."""
LOG_CONFIG = {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}
FOLLOWED = {"max-size": "50m", "max-file": "2"}
"""For a container whose output is read: a reader that is a whole file behind misses lines, so the files are larger.
50 MiB are half a million short lines.
"""


def name_of(container: ContainerSpec) -> str:
    """The engine's name for a container: the same each time, so that a second attempt finds the first."""
    task = container.task
    plain = re.sub(r"[^A-Za-z0-9-]", "", container.name)
    digits = hashlib.sha256(f"{task.id}/{container.name}".encode()).hexdigest()[:20]
    return f"ecs-{task.family}-{task.revision}-{plain}-{digits}"


def create_body(
    container: ContainerSpec, *, namespace_id: str, image: str, owner: Owner, bounds: Bounds
) -> dict[str, Any]:
    """The body of the create call. `image` is what the daemon has: an id, or a name that it knows.

    The ulimits are those of the specification; Fargate's own are added by `with_open_files`. A container that joins a
    namespace has no hostname, DNS, hosts or ports of its own: Docker refuses them.

    Raises StartFailedError.
    """
    body: dict[str, Any] = {
        "Image": image,
        "Env": _variables(container),
        "Labels": _labels(container, owner),
        "OpenStdin": container.interactive,
        "Tty": container.pseudo_terminal,
        "Healthcheck": {"Test": ["NONE"]},  # an image's own check is run, but not reported, by no Fargate task
        "HostConfig": _host_config(container, namespace_id, bounds),
    }
    given = {
        "Entrypoint": None if container.entry_point is None else list(container.entry_point),
        "Cmd": None if container.command is None else list(container.command),
        "User": container.user,
        "WorkingDir": container.working_directory,
    }
    return body | {field: value for field, value in given.items() if value is not None}


def with_open_files(body: dict[str, Any]) -> dict[str, Any]:
    """The body with Fargate's limit of open files, unless it has one. Not every daemon may set it."""
    host_config = body["HostConfig"]
    if any(limit["Name"] == OPEN_FILES["Name"] for limit in host_config["Ulimits"]):
        return body
    return {**body, "HostConfig": {**host_config, "Ulimits": [*host_config["Ulimits"], OPEN_FILES]}}


def _variables(container: ContainerSpec) -> list[str]:
    """The container's variables. What cannot be one is refused here: the engine would quote its value, maybe a secret.

    Raises StartFailedError, in the words of Docker and of runc as far as they name no value.
    """
    variables = container.environment.merged()
    for name, value in variables.items():
        if not name:
            raise StartFailedError("invalid environment variable: its name is empty")
        if "\0" in f"{name}{value}":
            raise StartFailedError(f"environment variable value can't contain null(\\x00): {name!r}")
    return [f"{name}={value}" for name, value in variables.items()]


def _host_config(container: ContainerSpec, namespace_id: str, bounds: Bounds) -> dict[str, Any]:
    return {
        "NetworkMode": f"container:{namespace_id}",
        "ReadonlyRootfs": container.readonly_root_filesystem,
        "Init": container.init_process,
        "CapAdd": list(container.capabilities_add),
        "CapDrop": list(container.capabilities_drop),
        "Sysctls": dict(container.system_controls),
        "Ulimits": [{"Name": each.name, "Soft": each.soft, "Hard": each.hard} for each in container.ulimits],
        "CpuShares": min(MOST_SHARES, max(LEAST_SHARES, container.cpu)),
        "LogConfig": _log_config(container.log),
        **_limits(container, bounds),
    }


def _log_config(log: LogSpec | None) -> dict[str, Any]:
    if log is None:
        return LOG_CONFIG
    mode = {} if log.buffer is None else {"mode": "non-blocking", "max-buffer-size": str(log.buffer)}
    return {**LOG_CONFIG, "Config": {**FOLLOWED, **mode}}


def _labels(container: ContainerSpec, owner: Owner) -> dict[str, str]:
    """The user's labels, then ECS's, then ours. Of ours a user can set none, nor add any that we did not set."""
    task = container.task
    return {
        **{name: value for name, value in container.labels.items() if not name.startswith(OUR_PREFIX)},
        labels.TASK_ARN: task.arn,
        labels.CONTAINER_NAME: container.name,
        labels.FAMILY: task.family,
        labels.REVISION: str(task.revision),
        labels.CLUSTER: task.cluster_arn,
        **owner.labels("container"),
    }


def _limits(container: ContainerSpec, bounds: Bounds) -> dict[str, str | int]:
    """The container's own limits, within the task's: those of the parent cgroup, or here where there is none."""
    limits: dict[str, str | int] = {}
    memory = container.memory
    if bounds.cgroup_parent is not None:
        limits["CgroupParent"] = bounds.cgroup_parent
    else:
        memory = min((each for each in (memory, container.task.memory) if each is not None), default=None)
        if container.task.cpu is not None:
            quota = container.task.cpu * 1_000_000_000 // 1024
            limits["NanoCpus"] = max(LEAST_NANO_CPUS, min(quota, bounds.cores * 1_000_000_000))
    if memory is not None:
        limits["Memory"] = max(LEAST_MEMORY, memory) * MIB
    if container.memory_reservation is not None:
        limits["MemoryReservation"] = max(LEAST_MEMORY, container.memory_reservation) * MIB
    return limits
