"""The stacks and change sets of an account in a region, in the place of moto's."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar

from moto.cloudformation.models import CloudFormationBackend
from moto.cloudformation.utils import generate_changeset_id, generate_stack_id

from emulator.clock import Clock
from emulator.neighbours.embedded.cloudformation import templates
from emulator.neighbours.embedded.cloudformation.account import PlaceAround
from emulator.neighbours.embedded.cloudformation.builder import BROKEN
from emulator.neighbours.embedded.cloudformation.catalogue import Catalogue
from emulator.neighbours.embedded.cloudformation.change_sets import ChangeSet
from emulator.neighbours.embedded.cloudformation.changes import Change, Preview, check_types
from emulator.neighbours.embedded.cloudformation.deployment import Deployment
from emulator.neighbours.embedded.cloudformation.kinds import Services
from emulator.neighbours.embedded.cloudformation.resource_types import Wanted
from emulator.neighbours.embedded.cloudformation.stack import Options, Stack
from emulator.neighbours.embedded.cloudformation.targets import Identity, Target, target
from emulator.neighbours.embedded.cloudformation.templates import invalid
from emulator.neighbours.embedded.cloudformation.walk import Work
from emulator.neighbours.embedded.locks import Locks
from emulator.neighbours.ports import Place, ServiceRefusedError

logger = logging.getLogger(__name__)

UPDATABLE = frozenset(
    {"CREATE_COMPLETE", "CREATE_FAILED", "UPDATE_COMPLETE", "UPDATE_FAILED", "UPDATE_ROLLBACK_COMPLETE"}
)
DEEPEST = 10
"""Stacks within a stack within a stack: one that has itself within it would never end (inferred)."""
NO_UPDATES = "No updates are to be performed."
NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."
MOST_PARAMETERS_ASKED = 10
"""Of Parameter Store at a time (documented: GetParameters)."""

_BUCKET_IN_HOST = re.compile(r"(.+)\.s3[.-].*")


@dataclass(frozen=True, slots=True)
class Parts:
    """What stacks are made with."""

    services: Services
    locks: Locks
    clock: Clock


@dataclass(frozen=True, slots=True)
class Submission:
    """What a caller wants a stack to be. `tags`: None to leave them."""

    text: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str] | None = None
    options: Options = field(default_factory=Options)

    def tags_of(self, stack: Stack) -> dict[str, str]:
        """The tags that a stack would have."""
        return dict(stack.tags if self.tags is None else self.tags)


class Backend(CloudFormationBackend):
    """Moto's, which keeps stack sets, with stacks of ours."""

    parts: ClassVar[Parts]

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.place = Place(account_id, region_name)
        self.stacks: dict[str, Stack] = {}  # type: ignore[assignment]
        self.deleted_stacks: dict[str, Stack] = {}  # type: ignore[assignment]
        self.change_sets: dict[str, ChangeSet] = {}  # type: ignore[assignment]
        self.catalogue = Catalogue(self.parts.services, self.parts.locks, self)
        self.around = PlaceAround(self.parts.services, self.place, self.stacks, self.exports)

    # Stacks

    def create_stack(  # type: ignore[override]
        self, name: str, template: str, parameters: Mapping[str, str], **_: Any
    ) -> Stack:
        """Make the stack of a stack set's instance, which moto asks for as `StackSet:<name>`; AWS names it as here."""
        named = f"StackSet-{name.removeprefix('StackSet:')}-{self.parts.services.ids.uuid()}"
        return self.create(named, Submission(template, parameters))

    def create(self, name: str, submission: Submission, **more: Any) -> Stack:
        """Make a stack. `more`: attributes of it. Raises ServiceRefusedError; what fails later is a status."""
        if self.live(name) is not None:
            raise ServiceRefusedError("", "AlreadyExistsException", f"Stack [{name}] already exists")
        stack = self._stack(name, submission, more)
        wanted = self._target(stack, submission)
        self.stacks[stack.stack_id] = stack
        self._run(stack, self._deployment(stack).create(wanted))
        return stack

    def update(self, stack: Stack, submission: Submission) -> None:
        """Change a stack. As `create`."""
        self.check_can_be_updated(stack)
        wanted = self._target(stack, submission)
        check_types(stack, wanted)
        if not self._preview(stack, wanted, submission.tags_of(stack))[1]:
            raise invalid(NO_UPDATES)
        stack.options = submission.options
        self._run(stack, self._deployment(stack).update(wanted, submission.tags))

    def delete_stack(self, name_or_stack_id: str, retained: Iterable[str] = ()) -> None:
        """Remove a stack. One that is not there is fine."""
        stack = self.stacks.get(name_or_stack_id) or self.live(name_or_stack_id)
        if stack is None or stack.status == "DELETE_IN_PROGRESS":
            return
        if stack.enable_termination_protection:
            raise invalid(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        if stack.status.startswith("UPDATE") and stack.work is not None:
            raise invalid(f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
        kept = set(retained)
        if kept and stack.status != "DELETE_FAILED":
            raise invalid(
                f"Invalid operation on stack [{stack.stack_id}]. Specify resources to retain only when the current "
                "stack state is DELETE_FAILED."
            )
        if stack.work is not None:
            stack.work.close()
        for change_set in [each for each in self.change_sets.values() if each.stack is stack]:
            del self.change_sets[change_set.change_set_id]
        used = self.around.still_used(stack)
        if used is not None:
            stack.enter("DELETE_FAILED", used)
            return
        self._run(stack, self._deployment(stack).delete(kept))

    def live(self, name: str) -> Stack | None:
        """The stack of a name that is not deleted."""
        return next((stack for stack in self.stacks.values() if stack.name == name), None)

    def check_can_be_updated(self, stack: Stack) -> None:
        """Refuse to change a stack in a status that has to be left otherwise."""
        if stack.status not in UPDATABLE:
            raise invalid(f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")

    def _target(self, stack: Stack, submission: Submission) -> Target:
        """What a submission would have a stack be. Raises ServiceRefusedError."""
        identity = Identity(stack.stack_id, stack.name, self.place, tuple(stack.notification_arns))
        wanted = target(submission.text, submission.parameters, identity, self.catalogue.find, self.around.stored)
        templates.check_capabilities(wanted.template, submission.options.capabilities)
        return wanted

    def _preview(self, stack: Stack, wanted: Target, tags: Mapping[str, str]) -> tuple[list[Change], bool]:
        """What would become of the resources, and whether anything at all would change."""
        preview = Preview(stack, wanted, self.catalogue.find, self.around)
        changes = preview.changes(tags)
        return changes, bool(changes) or preview.outputs_change() or dict(tags) != stack.tags

    def renew(self) -> bool:
        """Go on with what is under way, inner stacks first. Says whether anything was."""
        under_way = [stack for stack in reversed(list(self.stacks.values())) if stack.work is not None]
        for stack in under_way:
            self._go_on(stack)
        return bool(under_way)

    def _deployment(self, stack: Stack) -> Deployment:
        return Deployment(stack, self.catalogue.find, self.around)

    def _run(self, stack: Stack, work: Work) -> None:
        stack.work = work
        self._go_on(stack)

    def _go_on(self, stack: Stack) -> None:
        if stack.work is None:
            return
        try:
            next(stack.work)
        except StopIteration:
            stack.work = None
        except Exception:
            logger.exception("Stack %s failed: a defect of the emulator", stack.stack_id)
            stack.work = None
            verb = stack.status.partition("_COMPLETE")[0].removesuffix("_IN_PROGRESS")
            stack.enter(f"{verb}_FAILED", BROKEN)
        if stack.status == "DELETE_COMPLETE" and self.stacks.pop(stack.stack_id, None) is not None:
            self.deleted_stacks[stack.stack_id] = stack
            self.around.drop_exports(stack)

    def _stack(self, name: str, submission: Submission, more: Mapping[str, Any]) -> Stack:
        return Stack(
            stack_id=generate_stack_id(name, self.region_name, self.account_id),
            name=name,
            place=self.place,
            creation_time=self.now(),
            now=self.now,
            tell=self.around.tell,
            event_id=self.parts.services.ids.uuid,
            tags=dict(submission.tags or {}),
            options=submission.options,
            **{key: value for key, value in more.items() if value is not None},
        )

    def now(self) -> datetime:
        """The emulator's time."""
        return datetime.fromtimestamp(self.parts.clock.now(), UTC)

    # Change sets

    def create_change_set(  # type: ignore[override]
        self, named: tuple[str, str, str], submission: Submission, **more: Any
    ) -> ChangeSet:
        """Find out what a submission would change. Raises ServiceRefusedError.

        `named`: the stack, the change set, and CREATE or UPDATE. `more`: attributes of the change set.
        """
        stack_name, name, kind = named
        stack = self._stack_to_change(stack_name, name, kind, submission, more)
        self._check_name_is_free(stack, name)
        wanted = self._target(stack, submission)
        check_types(stack, wanted)
        changes, changed = self._preview(stack, wanted, submission.tags_of(stack))
        change_set = ChangeSet(
            change_set_id=generate_changeset_id(name, self.region_name, self.account_id),
            change_set_name=name,
            change_set_type=kind,
            stack=stack,
            target=wanted,
            tags=submission.tags_of(stack),
            options=submission.options,
            creation_time=self.now(),
            changes=changes,
            **{key: value for key, value in more.items() if value is not None},
        )
        if not changed:
            change_set.status, change_set.status_reason = "FAILED", NO_CHANGES
        if stack.stack_id not in self.stacks:
            self.stacks[stack.stack_id] = stack
            stack.enter("REVIEW_IN_PROGRESS", "User Initiated")
        self.change_sets[change_set.change_set_id] = change_set
        return change_set

    def _check_name_is_free(self, stack: Stack, name: str) -> None:
        """Only what may still be executed keeps its name.

        The CLI names change sets by the second. On AWS no second sees two of them; here one often does (inferred for
        those that failed, which on AWS keep theirs).
        """
        for each in self.change_sets.values():
            if each.change_set_name == name and each.stack is stack and each.execution_status == "AVAILABLE":
                raise ServiceRefusedError("", "AlreadyExistsException", f"ChangeSet [{name}] already exists")

    def _stack_to_change(
        self, stack_name: str, name: str, kind: str, submission: Submission, more: Mapping[str, Any]
    ) -> Stack:
        stack = self.stacks.get(stack_name) or self.live(stack_name)
        if kind == "UPDATE":
            if stack is None or stack.status == "REVIEW_IN_PROGRESS":
                raise invalid(f"Stack [{stack_name}] does not exist")
            self.check_can_be_updated(stack)
            return stack
        if kind != "CREATE":
            message = f"Change sets of type {kind} are not implemented in this emulator."
            raise ServiceRefusedError("", "NotImplementedException", message, 501)
        if stack is None:
            return self._stack(stack_name, submission, {"notification_arns": more.get("notification_arns")})
        if stack.status != "REVIEW_IN_PROGRESS":
            raise invalid(
                f"Stack [{stack_name}] already exists and cannot be created again with the changeSet [{name}]."
            )
        return stack

    def change_set(self, name_or_id: str, stack_name: str | None) -> ChangeSet:
        """A change set by its id, or by its name and its stack's. Raises ServiceRefusedError."""
        found = self.change_sets.get(name_or_id) or next(
            (
                each
                for each in reversed(list(self.change_sets.values()))
                if each.change_set_name == name_or_id and stack_name in {each.stack.name, each.stack.stack_id}
            ),
            None,
        )
        if found is None:
            raise ServiceRefusedError("", "ChangeSetNotFound", f"ChangeSet [{name_or_id}] does not exist", 404)
        return found

    def execute(self, change_set: ChangeSet, *, disable_rollback: bool | None = None) -> None:
        """Have a stack become what a change set says. Raises ServiceRefusedError."""
        if change_set.execution_status != "AVAILABLE":
            message = (
                f"ChangeSet [{change_set.change_set_id}] cannot be executed in its current status of "
                f"[{change_set.status}]"
            )
            raise ServiceRefusedError("", "InvalidChangeSetStatus", message)
        stack, on_failure = change_set.stack, "DO_NOTHING" if disable_rollback else change_set.options.on_failure
        if change_set.change_set_type == "UPDATE":
            self.check_can_be_updated(stack)
        change_set.executed = True
        for other in [each for each in self.change_sets.values() if each.stack is stack and each is not change_set]:
            del self.change_sets[other.change_set_id]
        stack.options = replace(change_set.options, on_failure=on_failure)
        deployment = self._deployment(stack)
        if change_set.change_set_type == "UPDATE":
            self._run(stack, deployment.update(change_set.target, change_set.tags))
        else:
            stack.tags = change_set.tags
            self._run(stack, deployment.create(change_set.target))

    # Stacks within stacks

    def create_nested(self, wanted: Wanted, url: str, parameters: Mapping[str, str]) -> Stack:
        """See Stacks. It is left as it is when it fails: the stack around it removes it."""
        outer = self.stacks[wanted.stack_id]
        if outer.depth >= DEEPEST:
            raise invalid(f"Stacks may lie at most {DEEPEST} levels within each other in this emulator.")
        options = Options(on_failure="DO_NOTHING", capabilities=outer.options.capabilities)
        return self.create(
            wanted.name,
            Submission(self.around.template_at(url), parameters, wanted.tags, options),
            notification_arns=wanted.properties.get("NotificationARNs"),
            parent_id=outer.stack_id,
            root_id=outer.root_id or outer.stack_id,
            depth=outer.depth + 1,
        )

    def update_nested(self, stack: Stack, wanted: Wanted, url: str, parameters: Mapping[str, str]) -> None:
        """See Stacks."""
        options = Options(capabilities=self.stacks[wanted.stack_id].options.capabilities)
        try:
            self.update(stack, Submission(self.around.template_at(url), parameters, wanted.tags, options))
        except ServiceRefusedError as refusal:
            if refusal.message != NO_UPDATES:
                raise

    def delete_nested(self, stack: Stack) -> None:
        """See Stacks."""
        self.delete_stack(stack.stack_id)
