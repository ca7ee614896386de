"""Names and passwords for private registries, which containers name in `repositoryCredentials`."""

from __future__ import annotations

from collections.abc import Mapping

import api_models as ecs
from emulator.neighbours.ports import Place, Secrets, ServiceRefusedError, ServiceUnreachableError
from emulator.planner.containers import definition_of, execution_role
from emulator.planner.secret_references import read_registry_secret
from emulator.planner.secret_values import SecretFormError, login_of
from emulator.runtime.driver import Login
from emulator.runtime.steps import failures
from emulator.runtime.steps.kept import Kept
from emulator.state.tasks import Task

Logins = Mapping[str, Login]
"""Logins by the secret's name or ARN, as the task definition has it."""


class RegistryLogins:
    """Fetches a task's logins once, before its private images are pulled."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._kept: Kept[Logins] = Kept()

    def before_start(self, task: Task, definition: ecs.TaskDefinition) -> None:
        """Have the logins at hand. Raises StepFailedError."""
        if self._kept.of(task.arn) is None:
            found = (_secret_of(container) for container in definition.container_definitions or ())
            secrets = dict.fromkeys(secret for secret in found if secret)
            self._kept.keep(task.arn, {secret: self._fetch(task, definition, secret) for secret in secrets})

    def at_pull(self, task: Task, definition: ecs.TaskDefinition, container: str) -> Login | None:
        """A container's login; None without one. After a restart it is fetched anew. Raises StepFailedError."""
        secret = _secret_of(definition_of(definition, container))
        if secret is None:
            return None
        # A pull may end after its task is gone: what it had to fetch is not kept.
        return (self._kept.of(task.arn) or {}).get(secret) or self._fetch(task, definition, secret)

    def after_release(self, task: Task) -> None:
        """Forget a task's logins."""
        self._kept.drop(task.arn)

    def _fetch(self, task: Task, definition: ecs.TaskDefinition, secret: str) -> Login:
        if execution_role(task, definition) is None:
            raise failures.login_failure(f"asm resource: {failures.NO_ROLE}")
        asked = read_registry_secret(secret, task.account, task.region)
        try:
            username, password = login_of(self._secrets.secret(Place(asked.account, asked.region), asked.id))
        except SecretFormError as error:
            raise failures.login_failure(str(error)) from error
        except ServiceRefusedError as error:
            raise failures.login_refused(asked.id, error) from error
        except ServiceUnreachableError as error:
            raise failures.login_unreachable(error) from error
        return Login(username, password)


def _secret_of(container: ecs.ContainerDefinition) -> str | None:
    return container.repository_credentials.credentials_parameter if container.repository_credentials else None
