"""The credentials of a task's role: a session of it, which the task's containers ask for at 169.254.170.2."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import api_models as ecs
from emulator.clock import Clock
from emulator.errors import ApiError
from emulator.ids import derived_uuid
from emulator.neighbours.ports import (
    Credentials,
    Identity,
    Place,
    ServiceAbsentError,
    ServiceRefusedError,
    ServiceUnreachableError,
)
from emulator.planner.containers import task_role
from emulator.planner.specs import ContainerSpec
from emulator.runtime.steps.steps import StepFailedError
from emulator.state.arns import partition_of, task_key
from emulator.state.store import Store
from emulator.state.tasks import Task

logger = logging.getLogger(__name__)

VARIABLE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
RENEWED = 15 * 60.0
"""Seconds before its end at which a session is followed by another one (inferred)."""

_ROLE = re.compile(r"arn:[a-z-]+:iam::(?P<account>\d{12}):role/.+", re.ASCII)


class TaskCredentials:
    """Assumes the roles of tasks. Sessions are kept in memory only: after a restart they are had anew when asked for.

    A task's credentials have an id that is part of their path. It is derived from the task's ARN: no record has to keep
    it, and a container that outlives this process finds its credentials where it found them before.
    """

    def __init__(self, store: Store, identity: Identity, clock: Clock, secret: str) -> None:
        """`secret`: a UUID that this emulator keeps to itself, so that nobody can guess an id."""
        self._store = store
        self._identity = identity
        self._clock = clock
        self._secret = secret
        self._lock = threading.Lock()
        self._sessions: dict[str, list[Credentials]] = {}
        """By task ARN, oldest first. A session that was followed by another one may be in use until its end."""

    def before_start(self, task: Task, definition: ecs.TaskDefinition) -> None:
        """Have a session at hand. Raises StepFailedError."""
        role = task_role(task, definition)
        if role is None:
            return
        try:
            self._session(task, role)
        except ServiceAbsentError:
            return  # whoever wants no other services runs tasks all the same
        except (ServiceRefusedError, ServiceUnreachableError) as error:
            logger.warning("%s cannot have its role: %s", task.arn, error)
            raise StepFailedError(not_assumed(role_arn(role, task))) from error

    def at_start(self, task: Task, definition: ecs.TaskDefinition, spec: ContainerSpec) -> ContainerSpec:
        """The container, told where its credentials are; what its definition says there does not count."""
        if task_role(task, definition) is None:
            return spec
        path = f"/v2/credentials/{self.id_of(task.arn)}"
        return replace(spec, environment=spec.environment.with_injected({VARIABLE: path}))

    def after_release(self, task: Task) -> None:
        """End a task's sessions."""
        with self._lock:
            sessions = self._sessions.pop(task.arn, [])
        self._revoke(task, sessions)

    def id_of(self, task_arn: str) -> str:
        """The id under which code in a task asks for its credentials."""
        return derived_uuid(self._secret, task_arn)

    def shown(self, task_arn: str, id_: str) -> Mapping[str, str]:
        """What code in a task is told when it asks for the credentials of an id. Raises ApiError."""
        task = self._store.state.tasks.get(task_key(task_arn))
        definition = self._store.state.task_definitions.get(task.definition_key) if task else None
        role = task_role(task, definition.content) if task and definition else None
        if task is None or role is None or _is_over(task) or id_ != self.id_of(task_arn):
            raise ApiError("InvalidIdInRequest", "Credentials not found")
        try:
            session = self._session(task, role)
        except (ServiceRefusedError, ServiceUnreachableError) as error:
            logger.warning("%s cannot have credentials of its role: %s", task.arn, error)
            raise ApiError("CredentialsUninitialized", "Credentials uninitialized for ID", status=503) from error
        if session is None:
            raise ApiError("InvalidIdInRequest", "Credentials not found")
        return as_sdks_read(session)

    def _session(self, task: Task, role: str) -> Credentials | None:
        """A task's session; None if the task is over. Raises ServiceRefusedError, ServiceUnreachableError."""
        with self._lock:
            known = self._holding(task)
        if known is not None:
            return known
        arn = role_arn(role, task)
        return self._keep(task, self._identity.assume(_place_of(arn, task), arn, task.id))

    def _holding(self, task: Task) -> Credentials | None:
        """The newest session, if it holds for long enough. The caller has the lock."""
        newest = self._sessions[task.arn][-1] if task.arn in self._sessions else None
        return newest if newest and newest.expires_at - self._clock.now() >= RENEWED else None

    def _keep(self, task: Task, session: Credentials) -> Credentials | None:
        """Keep a new session, unless another thread was quicker, or the task has come to its end meanwhile."""
        with self._lock:
            now = self._store.state.tasks.get(task.key)
            counts = None if now is None or _is_over(now) else self._holding(task) or session
            known = self._sessions.get(task.arn, [])
            ended = [each for each in known if each.expires_at <= self._clock.now()]
            if counts is session:
                self._sessions[task.arn] = [each for each in known if each not in ended] + [session]
            else:
                ended = [session]
        self._revoke(task, ended)
        return counts

    def _revoke(self, task: Task, sessions: Iterable[Credentials]) -> None:
        for session in sessions:
            try:
                self._identity.revoke(_place_of(session.role_arn, task), session.access_key_id)
            except (ServiceRefusedError, ServiceUnreachableError) as error:
                logger.warning("%s: a session of its role stays: %s", task.arn, error)


def _is_over(task: Task) -> bool:
    """Have all of a task's containers ended for good?"""
    return task.last_status in ("DEPROVISIONING", "STOPPED")


def _place_of(arn: str, task: Task) -> Place:
    """Where a role is assumed: in its own account. Raises ServiceRefusedError for an ARN that is no role's."""
    found = _ROLE.fullmatch(arn)
    if found is None:
        raise ServiceRefusedError("AssumeRole", "ValidationError", f"{arn} is invalid")
    return Place(found["account"], task.region)


def role_arn(role: str, task: Task) -> str:
    """The ARN of a role that may be given by its name alone (documented: RegisterTaskDefinition, taskRoleArn)."""
    if role.startswith("arn:"):
        return role
    return f"arn:{partition_of(task.region)}:iam::{task.account}:role/{role.removeprefix('/')}"


def not_assumed(arn: str) -> str:
    """What a task says whose role cannot be assumed."""
    return (
        f"ECS was unable to assume the role '{arn}' that was provided for this task. Please verify that the role being "
        "passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this "
        "role."
    )


def as_sdks_read(session: Credentials) -> dict[str, str]:
    """A session as the agent shows it, in the agent's order."""
    return {
        "RoleArn": session.role_arn,
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "Token": session.session_token,
        "Expiration": datetime.fromtimestamp(int(session.expires_at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
