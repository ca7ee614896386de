"""The life of a task: what it becomes next, and what has to be done for it.

A task is taken one visible step at a time; after each step it is planned again. States and stop codes are those of
the Amazon ECS developer guide ("task lifecycle", "stopped task error codes"); reasons were observed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import api_models as ecs
from emulator.planner.containers import (
    asks_other_services,
    container_spec,
    definition_of,
    is_essential,
    not_provided,
    stop_timeout,
    task_spec,
    warnings,
)
from emulator.planner.plan import Action, Plan, Prepare, Provide, PullImage, Release, SignalContainer, StartContainer
from emulator.state.networks import private_dns_name
from emulator.state.tasks import ContainerState, Task, asked_to_stop

KEPT_STOPPED = 3600.0
"""Seconds for which DescribeTasks shows a stopped task (guide: DescribeTasks, at least one hour)."""

OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"


def plan_task(task: Task, definition: ecs.TaskDefinition, now: float) -> Plan:
    """What ought to happen to a task next."""
    late = _late_reasons(task)
    if late is not None:
        return Plan(after=task.shown(late))
    if task.desired_status == "STOPPED":
        return _plan_stop(task, definition, now)
    return _plan_life(task, definition, now)


def _plan_life(task: Task, definition: ecs.TaskDefinition, now: float) -> Plan:
    """The task shall run: network, images, containers."""
    failure = _failure(task, definition)
    if failure:
        return _stop(task, *failure, now)
    if task.last_status == "PROVISIONING":
        return _plan_provisioning(task, definition, now)
    if task.last_status == "PENDING":
        return _plan_pending(task, definition)
    return _plan_running(task, definition, now)


def _late_reasons(task: Task) -> ecs.Task | None:
    """What the API shows, with the reason of containers whose end was shown before the reason was known; None if there
    are none.
    """
    if not any(state.exit and state.exit.out_of_memory for state in task.containers.values()):
        return None
    content = task.content
    shown = tuple(
        found.replace(reason=OUT_OF_MEMORY)
        if found.last_status == "STOPPED" and found.reason is None and _out_of_memory(task, found)
        else found
        for found in content.containers or ()
    )
    if shown == content.containers:
        return None
    return content.replace(containers=shown, version=_next(content))


def _out_of_memory(task: Task, shown: ecs.Container) -> bool:
    end = task.containers[shown.name or ""].exit
    return end is not None and end.out_of_memory


def _plan_stopped(task: Task, now: float) -> Plan:
    if task.expires_at is None or now >= task.expires_at:
        return Plan(forget=True)
    return Plan(wake=task.expires_at)


def _failure(task: Task, definition: ecs.TaskDefinition) -> tuple[str, str] | None:
    """Stop code and reason of what keeps a task from starting, or from going on."""
    if task.last_status == "RUNNING":
        return ("EssentialContainerExited", "Essential container in task exited") if task.namespace_lost else None
    if task.failure:
        return "TaskFailedToStart", task.failure
    missing = not_provided(definition)
    if missing:
        reason = f"ResourceInitializationError: {missing} is not supported by this emulator yet"
        return "TaskFailedToStart", reason
    if task.namespace_lost or any(state.start_refused for state in task.containers.values()):
        return "TaskFailedToStart", "Task failed to start"
    return None


def _stop(task: Task, code: str, reason: str, now: float) -> Plan:
    return Plan(after=task.shown(asked_to_stop(task.content, code, reason, now)), said=(f"{code}: {reason}",))


def _plan_provisioning(task: Task, definition: ecs.TaskDefinition, now: float) -> Plan:
    if task.interface is None:
        return Plan(actions=(Prepare(task_spec(task), task.subnet),))
    content = task.content
    shown = content.replace(
        last_status="PENDING",
        connectivity="CONNECTED",
        connectivity_at=now,
        pull_started_at=now,
        attachments=tuple(_attached(found, task) for found in content.attachments or ()),
        version=_next(content),
    )
    return Plan(after=task.shown(shown), said=("PROVISIONING -> PENDING", *warnings(definition)))


def _plan_pending(task: Task, definition: ecs.TaskDefinition) -> Plan:
    unpulled = [definition_of(definition, name) for name, state in task.containers.items() if state.digest is None]
    missing: list[Action] = []
    if not task.provided and asks_other_services(task, definition):
        missing.append(Provide())
        unpulled = [found for found in unpulled if not found.repository_credentials]
    missing.extend(PullImage(found.name or "", found.image or "") for found in unpulled)
    if missing:
        return Plan(actions=tuple(missing))
    unasked = [name for name, state in task.containers.items() if state.started_at is None and not state.starting]
    if unasked:
        asked = {name: replace(state, starting=True) for name, state in task.containers.items() if name in unasked}
        return Plan(after=replace(task, containers={**task.containers, **asked}))
    unanswered = [name for name, state in task.containers.items() if state.started_at is None]
    if unanswered:
        starts = (StartContainer(name, container_spec(task, definition, name)) for name in unanswered)
        return Plan(actions=tuple(starts))
    return Plan(after=task.shown(_running(task)), said=("PENDING -> RUNNING",))


def _running(task: Task) -> ecs.Task:
    content = task.content
    return content.replace(
        last_status="RUNNING",
        pull_stopped_at=_pull_stopped_at(task),
        started_at=_started_at(task),
        health_status="UNKNOWN",
        containers=tuple(
            _shown_container(found, task, last_status="RUNNING", health_status="UNKNOWN")
            for found in content.containers or ()
        ),
        version=_next(content),
    )


def _plan_running(task: Task, definition: ecs.TaskDefinition, now: float) -> Plan:
    ended = [name for name in _shown_as(task, "RUNNING") if task.containers[name].exit]
    if not ended:
        return Plan()
    content = _with_exits(task, definition)
    if any(is_essential(definition_of(definition, name)) for name in ended):
        stopping = asked_to_stop(content, "EssentialContainerExited", "Essential container in task exited", now)
        return Plan(after=task.shown(stopping), said=("essential container exited",))
    return Plan(after=task.shown(content.replace(version=_next(content))))


def _plan_stop(task: Task, definition: ecs.TaskDefinition, now: float) -> Plan:
    """The task shall stop: signal, wait, kill; then remove everything; then it is stopped."""
    if task.last_status == "STOPPED":
        return _plan_stopped(task, now)
    if task.last_status == "DEPROVISIONING":
        return _plan_deprovisioning(task, now)
    alive = {name: state for name, state in task.containers.items() if state.alive}
    if not alive:
        return _deprovision(task, definition)
    if task.last_status != "STOPPING":
        return _begin_stopping(task, definition, now)
    return _plan_stopping(task, definition, alive, now)


def _begin_stopping(task: Task, definition: ecs.TaskDefinition, now: float) -> Plan:
    content = _with_exits(task, definition)
    shown = content.replace(last_status="STOPPING", version=_next(content))
    deadlines = {
        name: replace(state, kill_at=now + stop_timeout(definition_of(definition, name)))
        for name, state in task.containers.items()
        if state.alive
    }
    after = replace(task, containers={**task.containers, **deadlines}).shown(shown)
    return Plan(after=after, said=(f"{task.last_status} -> STOPPING",))


def _plan_stopping(task: Task, definition: ecs.TaskDefinition, alive: dict[str, ContainerState], now: float) -> Plan:
    if any(task.containers[name].exit for name in _shown_as(task, "RUNNING")):
        content = _with_exits(task, definition)
        return Plan(after=task.shown(content.replace(version=_next(content))))
    actions: list[Action] = []
    deadlines: list[float] = []
    for name, state in alive.items():
        if state.starting:
            actions.append(StartContainer(name, container_spec(task, definition, name)))
        elif not state.signalled:
            actions.append(SignalContainer(name, kill=False))
        elif not state.killed and state.kill_at is not None:
            if now >= state.kill_at:
                actions.append(SignalContainer(name, kill=True))
            else:
                deadlines.append(state.kill_at)
    return Plan(actions=tuple(actions), wake=min(deadlines, default=None))


def _deprovision(task: Task, definition: ecs.TaskDefinition) -> Plan:
    content = _with_exits(task, definition)
    shown = content.replace(
        last_status="DEPROVISIONING",
        pull_stopped_at=content.pull_stopped_at or (_pull_stopped_at(task) if content.pull_started_at else None),
        containers=tuple(
            found if found.last_status == "STOPPED" else _never_started(found, task)
            for found in content.containers or ()
        ),
        attachments=tuple(found.replace(status="DETACHING") for found in content.attachments or ()),
        version=_next(content),
    )
    return Plan(after=task.shown(shown), said=(f"{task.last_status} -> DEPROVISIONING",))


def _plan_deprovisioning(task: Task, now: float) -> Plan:
    if not task.released:
        return Plan(actions=(Release(),))
    content = task.content
    shown = content.replace(
        last_status="STOPPED",
        stopped_at=now,
        attachments=tuple(found.replace(status="DELETED") for found in content.attachments or ()),
        version=_next(content),
    )
    after = replace(task.shown(shown), expires_at=now + KEPT_STOPPED, tags={})
    return Plan(after=after, said=("DEPROVISIONING -> STOPPED",))


def _attached(attachment: ecs.Attachment, task: Task) -> ecs.Attachment:
    """The interface's attachment with all its details, in AWS's order (observed)."""
    if task.interface is None or attachment.type != "ElasticNetworkInterface":
        return attachment
    details = {
        "subnetId": task.subnet,
        "networkInterfaceId": task.interface.id,
        "macAddress": task.interface.mac_address,
        "privateDnsName": private_dns_name(task.interface.address, task.region),
        "privateIPv4Address": task.interface.address,
    }
    pairs = tuple(ecs.KeyValuePair(name=name, value=value) for name, value in details.items())
    return attachment.replace(status="ATTACHED", details=pairs)


def _shown_container(shown: ecs.Container, task: Task, **changes: str | int | None) -> ecs.Container:
    """A container that the engine knows, as the API shows it."""
    state = task.containers[shown.name or ""]
    attachment = next((found.id for found in task.content.attachments or ()), None)
    return shown.replace(
        runtime_id=_runtime_id(task, state),
        image_digest=state.digest,
        network_bindings=(),
        network_interfaces=(
            ecs.NetworkInterface(
                attachment_id=attachment, private_ipv4_address=task.interface.address if task.interface else None
            ),
        ),
        **changes,
    )


def _runtime_id(task: Task, state: ContainerState) -> str | None:
    """Fargate shows the task's id and a decimal number (observed)."""
    if state.runtime_id is None:
        return None
    return f"{task.id}-{int(state.runtime_id[:8], 16) % 10**10:010d}"


def _never_started(shown: ecs.Container, task: Task) -> ecs.Container:
    refused = task.containers[shown.name or ""].start_refused
    reason = f"CannotStartContainerError: {refused}"[:1024] if refused else None
    return shown.replace(last_status="STOPPED", reason=reason)


def _shown_as(task: Task, last_status: str) -> Iterator[str]:
    """Names of the containers that the API shows in this status."""
    for found in task.content.containers or ():
        if found.last_status == last_status:
            yield found.name or ""


def _with_exits(task: Task, definition: ecs.TaskDefinition) -> ecs.Task:
    """What the API shows, with every end that was observed, and the moment at which the first essential one came."""
    content = task.content
    containers = []
    execution_stopped_at = content.execution_stopped_at
    for found in content.containers or ():
        state = task.containers[found.name or ""]
        if state.exit is None or found.last_status == "STOPPED":
            containers.append(found)
            continue
        containers.append(
            _shown_container(
                found,
                task,
                last_status="STOPPED",
                exit_code=state.exit.code,
                reason=OUT_OF_MEMORY if state.exit.out_of_memory else None,
            )
        )
        if is_essential(definition_of(definition, found.name or "")):
            at = max(state.exit.at, content.started_at or content.created_at or 0.0)
            execution_stopped_at = min(at, execution_stopped_at or at)
    return content.replace(containers=tuple(containers), execution_stopped_at=execution_stopped_at)


def _pull_stopped_at(task: Task) -> float | None:
    return max((state.pulled_at for state in task.containers.values() if state.pulled_at), default=None)


def _started_at(task: Task) -> float:
    """When the last container was up; never before its image was there, whichever clock says so."""
    started = max(state.started_at or 0.0 for state in task.containers.values())
    return max(started, _pull_stopped_at(task) or 0.0)


def _next(content: ecs.Task) -> int:
    return (content.version or 0) + 1
