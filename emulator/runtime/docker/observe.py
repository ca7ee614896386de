"""What the engine's answers say, in the driver's terms. Functions of their arguments alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from emulator.runtime.docker.labels import CONTAINER_NAME, ROLE, task_of
from emulator.runtime.driver import Exit, Found, Started


def moment(text: str) -> float | None:
    """Seconds since the epoch, in whole milliseconds, of a time as Docker writes it: RFC 3339 with nanoseconds.

    None for Go's zero time, which stands for "never".
    """
    time = datetime.fromisoformat(text)  # keeps microseconds of the nine digits
    return None if time.year == 1 else round(time.timestamp(), 3)


def labels_of(container: Mapping[str, Any]) -> dict[str, str]:
    """The labels of an inspected container."""
    return dict(container["Config"].get("Labels") or {})


def task_of_inspected(container: Mapping[str, Any]) -> str | None:
    """The ARN of the task that an inspected container belongs to; None for a spare namespace."""
    return task_of(labels_of(container), str(container["Name"]))


def task_of_listed(container: Mapping[str, Any]) -> str | None:
    """The ARN of the task that a container belongs to, as lists show it; None for a spare namespace."""
    names = container.get("Names") or [""]  # none, while it is being removed
    return task_of(container["Labels"], str(names[0]))


def is_running(container: Mapping[str, Any]) -> bool:
    """Does an inspected container run? A paused one does."""
    return bool(container["State"]["Running"])


def started_of(container: Mapping[str, Any]) -> Started | None:
    """When an inspected container was started; None if it never was, as after a start that failed."""
    at = moment(container["State"]["StartedAt"])
    return None if at is None else Started(str(container["Id"]), at)


def exit_of(container: Mapping[str, Any]) -> Exit | None:
    """How an inspected container ended; None if it runs or never was started.

    A start that failed leaves an exit code and no end: that is no exit [tried].
    """
    state = container["State"]
    started, ended = moment(state["StartedAt"]), moment(state["FinishedAt"])
    if state["Running"] or started is None or ended is None:
        return None
    # Of a container that ends at once, Docker may note the end a millisecond before the start [tried].
    return Exit(code=int(state["ExitCode"]), out_of_memory=bool(state["OOMKilled"]), at=max(started, ended))


def exit_in(event: Mapping[str, Any]) -> Exit:
    """What a `die` event alone tells of an end, for a container that was removed before it could be inspected."""
    code = event["Actor"]["Attributes"].get("exitCode")
    at = round(event["timeNano"] / 1e9, 3)
    return Exit(code=None if code is None else int(code), out_of_memory=False, at=at)


def found_in(containers: Iterable[Mapping[str, Any]]) -> list[Found]:
    """Our tasks, of all our containers inspected."""
    alive: dict[str, bool] = {}
    tasks: dict[str, dict[str, tuple[Started, Exit | None]]] = {}
    for container in containers:
        labels = labels_of(container)
        task_arn = task_of_inspected(container)
        if task_arn is None:
            continue
        ours = tasks.setdefault(task_arn, {})
        if labels.get(ROLE) == "namespace":
            alive[task_arn] = alive.get(task_arn, False) or is_running(container)
        elif started := started_of(container):
            ours[labels[CONTAINER_NAME]] = (started, exit_of(container))
    return [Found(task_arn, alive.get(task_arn, False), ours) for task_arn, ours in tasks.items()]
