"""Log streams: made before a task starts, filled while its containers run, complete before they are removed."""

from __future__ import annotations

import logging
import threading
from functools import partial

import api_models as ecs
from emulator.neighbours.ports import Logs, Place, ServiceRefusedError, ServiceUnreachableError
from emulator.planner.log_options import log_problem, log_spec
from emulator.planner.specs import ContainerSpec, LogSpec
from emulator.runtime.driver import Driver
from emulator.runtime.steps.log_follower import NOT_FOUND, Follower, Patience, Stream
from emulator.runtime.steps.steps import StepFailedError
from emulator.state.tasks import Task

log = logging.getLogger(__name__)

PATIENCE = Patience(quiet=30.0, refused=5.0)
"""How long the removal of a task's containers waits for their output. An engine may need seconds to look through a
large log, in which nothing seems to go on.
"""
NO_PATIENCE = Patience(quiet=0.0, refused=0.0)
JOIN_WITHIN = 5.0
"""Seconds that the threads of followers have to end, each."""


class AwsLogs:
    """What the log driver `awslogs` does for containers: their output goes to CloudWatch Logs."""

    def __init__(self, logs: Logs, driver: Driver) -> None:
        self._logs = logs
        self._driver = driver
        self._lock = threading.Lock()
        self._followers: dict[str, dict[str, Follower]] = {}
        """By the task's ARN and the container's name."""

    def before_start(self, task: Task, definition: ecs.TaskDefinition) -> None:
        """Make the streams of a task's containers, and the groups that they ask for. Raises StepFailedError."""
        for container in definition.container_definitions or ():
            spec = log_spec(task, container)
            if spec is None:
                continue
            problem = log_problem(container)
            if problem is not None:
                raise StepFailedError(f"{NOT_VALID}: {problem} : exit status 1")
            stream = self._stream(task, spec)
            try:
                if spec.create_group:
                    stream.create_with_group()
                else:
                    stream.create()
            except ServiceRefusedError as refusal:
                raise StepFailedError(refused(refusal)) from refusal
            except ServiceUnreachableError as error:
                raise StepFailedError(unreachable(error)) from error

    def _stream(self, task: Task, spec: LogSpec) -> Stream:
        return Stream(self._logs, Place(task.account, spec.region), spec.group, spec.stream)

    def after_start(self, task: Task, spec: ContainerSpec) -> None:
        """Begin to follow a container, unless it is followed."""
        if spec.log is None:
            return
        with self._lock:
            followed = self._followers.setdefault(task.arn, {})
            known = followed.get(spec.name)
            if known is not None and not known.is_finished:
                return
            follower = followed[spec.name] = Follower(
                f"container {spec.name} of {task.arn}",
                self._stream(task, spec.log),
                spec.log.begins,
                partial(self._driver.logs, task.arn, spec.name),
            )
        follower.begin()

    def before_release(self, task: Task) -> None:
        """Wait until the output of all containers was read to its end and put."""
        with self._lock:
            followers = list(self._followers.get(task.arn, {}).values())
        patience = PATIENCE
        for follower in followers:
            if not follower.wait(patience):
                patience = NO_PATIENCE

    def after_release(self, task: Task) -> None:
        """The containers are gone, and with them what was not read."""
        with self._lock:
            followed = self._followers.pop(task.arn, {})
        for name, follower in followed.items():
            if not follower.is_finished:
                log.warning("the last output of container %s of %s is lost: it could not be put", name, task.arn)
                follower.cancel()

    def forget(self) -> None:
        """Follow nothing any more. What was not put is still in the engine's log, for whoever follows it next."""
        with self._lock:
            followers = [each for followed in self._followers.values() for each in followed.values()]
            self._followers.clear()
        for follower in followers:
            follower.cancel()
        for follower in followers:
            follower.join(JOIN_WITHIN)


NOT_VALID = "ResourceInitializationError: failed to validate logger args"


def refused(refusal: ServiceRefusedError) -> str:
    """What Fargate says when it is refused a stream or a group (observed in public reports of stopped tasks)."""
    what = "group" if refusal.operation == "CreateLogGroup" else "stream"
    said = f"{refusal.code}: {refusal.message}"
    if refusal.code != NOT_FOUND:
        said = (
            f"operation error CloudWatch Logs: {refusal.operation}, https response error "
            f"StatusCode: {refusal.status}, api error {said}"
        )
    return (
        f"{NOT_VALID}: create stream has been retried 1 times: failed to create Cloudwatch log {what}: {said} "
        ": exit status 1"
    )


def unreachable(error: ServiceUnreachableError) -> str:
    """Why a task does not start when nobody answers for CloudWatch Logs (inferred)."""
    return (
        f"ResourceInitializationError: failed to initialize logging driver: {error}. CloudWatch Logs has to answer: "
        "start the emulator without --neighbours none, or name an endpoint that answers with --neighbour logs=URL."
    )
