"""Environment files of containers, which lie in S3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import api_models as ecs
from emulator.neighbours.ports import Objects, Place, ServiceRefusedError, ServiceUnreachableError
from emulator.planner.containers import definition_of, environment_files, execution_role
from emulator.planner.environment import read_file
from emulator.planner.secret_references import MalformedReferenceError, read_object
from emulator.planner.specs import ContainerSpec
from emulator.runtime.steps import failures
from emulator.runtime.steps.kept import Kept
from emulator.state.tasks import Task

Files = Mapping[str, Mapping[str, str]]
"""The variables of each file, by its ARN."""


class EnvironmentFiles:
    """Fetches a task's files once, before its first container starts; its containers get them when they start."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._kept: Kept[Files] = Kept()

    def before_start(self, task: Task, definition: ecs.TaskDefinition) -> None:
        """Have the files at hand. Raises StepFailedError."""
        self._files(task, definition)

    def at_start(self, task: Task, definition: ecs.TaskDefinition, spec: ContainerSpec) -> ContainerSpec:
        """The container with its files. After a restart they are fetched anew. Raises StepFailedError."""
        arns = environment_files(task, definition_of(definition, spec.name))
        if not arns:
            return spec
        files = self._files(task, definition)
        return replace(spec, environment=replace(spec.environment, files=tuple(files[arn] for arn in arns)))

    def after_release(self, task: Task) -> None:
        """Forget a task's files."""
        self._kept.drop(task.arn)

    def _files(self, task: Task, definition: ecs.TaskDefinition) -> Files:
        kept = self._kept.of(task.arn)
        if kept is None:
            kept = self._fetch(task, definition)
            self._kept.keep(task.arn, kept)
        return kept

    def _fetch(self, task: Task, definition: ecs.TaskDefinition) -> Files:
        containers = definition.container_definitions or ()
        arns = dict.fromkeys(arn for container in containers for arn in environment_files(task, container))
        if arns and execution_role(task, definition) is None:
            raise failures.file_failure(f"environment file resource: {failures.NO_ROLE}")
        return {arn: self._file(Place(task.account, task.region), arn) for arn in arns}

    def _file(self, place: Place, arn: str) -> Mapping[str, str]:
        try:
            where = read_object(arn)
            content = self._objects.read(place, where.bucket, where.key)
        except MalformedReferenceError as error:
            raise failures.file_failure(str(error)) from error
        except ServiceRefusedError as error:
            raise failures.file_refused(error) from error
        except ServiceUnreachableError as error:
            raise failures.files_unreachable(error) from error
        # What is no UTF-8 would not reach a container in any other form either.
        return read_file(content.decode(errors="replace"))
