"""Protection of a service's tasks from being stopped when their service shrinks or is deployed anew."""

from __future__ import annotations

from dataclasses import replace

import api_models as ecs
import emulator.rules.task_protection  # noqa: F401 - registers what is refused
from emulator.operations.clusters import find_cluster
from emulator.operations.operation import Caller, Read, Write, reads, writes
from emulator.operations.tasks import task_key
from emulator.rules.rule import enforce
from emulator.state.clusters import Cluster
from emulator.state.store import Tables, Transaction
from emulator.state.tasks import Task

MINUTES = 120
"""How long protection lasts when nobody says (documented: UpdateTaskProtection)."""


@reads("GetTaskProtection")
def get_task_protection(call: Read[ecs.GetTaskProtectionRequest]) -> ecs.GetTaskProtectionResponse:
    """A service's task that was never protected, is no longer, or has stopped is not protected (the last: inferred)."""
    request = call.request
    enforce("GetTaskProtection", request)
    cluster = find_cluster(call.state, call.caller, request.cluster)
    found = [_service_task(call.state, call.caller, cluster, name) for name in request.tasks or ()]
    return ecs.GetTaskProtectionResponse(
        protected_tasks=tuple(_shown(task, call.now) for task in found if isinstance(task, Task)),
        failures=tuple(failure for failure in found if isinstance(failure, ecs.Failure)),
    )


@writes("UpdateTaskProtection")
def update_task_protection(call: Write[ecs.UpdateTaskProtectionRequest]) -> ecs.UpdateTaskProtectionResponse:
    """Every call counts the minutes anew (documented: UpdateTaskProtection)."""
    request = call.request
    enforce("UpdateTaskProtection", request)
    cluster = find_cluster(call.state, call.caller, request.cluster)
    minutes = (request.expires_in_minutes or MINUTES) if request.protection_enabled else 0
    protected, failures = [], []
    for name in request.tasks or ():
        found = _service_task(call.state, call.caller, cluster, name)
        if isinstance(found, Task) and found.desired_status == "STOPPED":
            found = _not_valid(found)
        if isinstance(found, Task):
            protected.append(_shown(_protected(call, found, minutes), call.now))
        else:
            failures.append(found)
    return ecs.UpdateTaskProtectionResponse(protected_tasks=tuple(protected), failures=tuple(failures))


def _protected(call: Write[ecs.UpdateTaskProtectionRequest], task: Task, minutes: int) -> Task:
    """The task, kept protected for so many minutes, or with none no longer."""
    until = round(call.now + 60 * minutes, 3) if minutes else None
    said = f"protected from scale-in for {minutes} minutes" if minutes else "no longer protected from scale-in"
    call.state.tell(task, call.now, f"UpdateTaskProtection: {said}")
    return call.state.tasks.put(replace(task, protected_until=until))


def _service_task(state: Tables | Transaction, caller: Caller, cluster: Cluster, identifier: str) -> Task | ecs.Failure:
    """A task that a service runs, or why it cannot be protected (documented: API failure reasons)."""
    key = task_key(identifier, cluster, caller)
    task = state.tasks.get(key)
    if task is None:
        return ecs.Failure(arn=caller.ecs_arn(f"task/{cluster.name}/{key[-1]}"), reason="MISSING")
    return task if task.of_service else _not_valid(task)


def _not_valid(task: Task) -> ecs.Failure:
    """A task that no service runs (documented), or that shall stop (inferred)."""
    return ecs.Failure(arn=task.arn, reason="TASK_NOT_VALID")


def _shown(task: Task, now: float) -> ecs.ProtectedTask:
    until = task.protection(now)
    return ecs.ProtectedTask(task_arn=task.arn, protection_enabled=until is not None, expiration_date=until)
