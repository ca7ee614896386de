"""Values that containers have of Secrets Manager and Parameter Store: `secrets`, and `secretOptions` of their logs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import api_models as ecs
from emulator.neighbours.ports import Parameters, Place, ServiceRefusedError, ServiceUnreachableError
from emulator.neighbours.ports import Secrets as SecretsManager
from emulator.planner.containers import definition_of, execution_role
from emulator.planner.secret_references import MalformedReferenceError, SecretReference, read_secret
from emulator.planner.secret_values import SecretFormError, part_of
from emulator.planner.specs import ContainerSpec
from emulator.runtime.steps import failures
from emulator.runtime.steps.kept import Kept
from emulator.state.tasks import Task

BATCH = 10
"""Parameters that are asked for at once (documented: GetParameters)."""

Values = Mapping[SecretReference, str]


class Secrets:
    """Fetches a task's values once, before its first container starts; its containers get them when they start.

    Secrets Manager is asked before Parameter Store (inferred).
    """

    def __init__(self, secrets: SecretsManager, parameters: Parameters) -> None:
        self._secrets = secrets
        self._parameters = parameters
        self._kept: Kept[Values] = Kept()

    def before_start(self, task: Task, definition: ecs.TaskDefinition) -> None:
        """Have the values at hand. Raises StepFailedError."""
        self._values(task, definition)

    def at_start(self, task: Task, definition: ecs.TaskDefinition, spec: ContainerSpec) -> ContainerSpec:
        """The container with its values. After a restart they are fetched anew. Raises StepFailedError."""
        container = definition_of(definition, spec.name)
        asked = (_references(task, container.secrets), _references(task, _log_options(container)))
        if not any(asked):
            return spec
        values = self._values(task, definition)
        variables, options = ({name: values[each] for name, each in some.items()} for some in asked)
        return replace(spec, environment=replace(spec.environment, secrets=variables), log_secrets=options)

    def after_release(self, task: Task) -> None:
        """Forget a task's values."""
        self._kept.drop(task.arn)

    def _values(self, task: Task, definition: ecs.TaskDefinition) -> Values:
        kept = self._kept.of(task.arn)
        if kept is None:
            kept = self._fetch(task, definition)
            self._kept.keep(task.arn, kept)
        return kept

    def _fetch(self, task: Task, definition: ecs.TaskDefinition) -> Values:
        asked = list(dict.fromkeys(_all_references(task, definition)))
        if asked and execution_role(task, definition) is None:
            raise failures.secret_failure(f"ASM secret resource: {failures.NO_ROLE}")
        secrets = self._of_manager(each for each in asked if each.service == "secretsmanager")
        return {**secrets, **self._of_store(each for each in asked if each.service == "ssm")}

    def _of_manager(self, asked: Iterable[SecretReference]) -> Values:
        """Each secret is fetched once, however many of its members are asked for."""
        texts: dict[SecretReference, str] = {}
        values = {}
        for reference in asked:
            whole = replace(reference, json_key=None)
            if whole not in texts:
                texts[whole] = self._secret(whole)
            try:
                values[reference] = part_of(texts[whole], reference.json_key)
            except SecretFormError as error:
                raise failures.secret_failure(str(error)) from error
        return values

    def _secret(self, asked: SecretReference) -> str:
        place = Place(asked.account, asked.region)
        try:
            return self._secrets.secret(place, asked.id, stage=asked.stage, version=asked.version)
        except ServiceRefusedError as error:
            raise failures.secret_refused(asked.id, error) from error
        except ServiceUnreachableError as error:
            raise failures.secrets_unreachable(error) from error

    def _of_store(self, asked: Iterable[SecretReference]) -> Values:
        by_place: dict[Place, list[SecretReference]] = defaultdict(list)
        for reference in asked:
            by_place[Place(reference.account, reference.region)].append(reference)
        values: dict[SecretReference, str] = {}
        for place, some in by_place.items():
            for first in range(0, len(some), BATCH):
                values.update(self._batch(place, some[first : first + BATCH]))
        return values

    def _batch(self, place: Place, asked: Sequence[SecretReference]) -> Values:
        try:
            found, missing = self._parameters.parameters(place, [each.id for each in asked])
        except ServiceRefusedError as error:
            raise failures.parameters_refused(error) from error
        except ServiceUnreachableError as error:
            raise failures.parameters_unreachable(error) from error
        if missing:
            names = ",".join(each.name for each in asked if each.id in missing)
            raise failures.parameters_failure(f"invalid ssm parameters: {names}")
        return {each: found[each.id] for each in asked}


def _log_options(container: ecs.ContainerDefinition) -> tuple[ecs.Secret, ...] | None:
    return container.log_configuration.secret_options if container.log_configuration else None


def _all_references(task: Task, definition: ecs.TaskDefinition) -> Iterator[SecretReference]:
    for container in definition.container_definitions or ():
        yield from _references(task, container.secrets).values()
        yield from _references(task, _log_options(container)).values()


def _references(task: Task, secrets: Sequence[ecs.Secret] | None) -> dict[str, SecretReference]:
    """What is asked for, by the names of variables or options. Raises StepFailedError."""
    try:
        given = [(each.name or "", each.value_from or "") for each in secrets or ()]
        return {name: read_secret(value_from, task.account, task.region) for name, value_from in given}
    except MalformedReferenceError as error:
        raise failures.secret_failure(str(error)) from error
