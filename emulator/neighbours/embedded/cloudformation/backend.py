"""The stacks and change sets of an account in a region, in the place of moto's."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
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
        self,
        name: str,
        template: str,
        parameters: Mapping[str, str],
        tags: Mapping[str, str] | None = None,
        options: Options | None = None,
        **more: Any,
    ) -> Stack:
        """Make a stack. `more`: attributes of it. Raises ServiceRefusedError; what fails later is a status."""
        if self.live(name) is not None:
            raise ServiceRefusedError("", "AlreadyExistsException", f"Stack [{name}] already exists")
        stack = self._stack(name, tags or {}, options or Options(), more)
        wanted = self.target(stack, template, parameters)
        templates.check_capabilities(wanted.template, stack.capabilities)
        self.stacks[stack.stack_id] = stack
        self._run(stack, self._deployment(stack).create(wanted))
        return stack

    def update(
        self,
        stack: Stack,
        template: str,
        parameters: Mapping[str, str],
        tags: Mapping[str, str] | None = None,
        options: Options | None = None,
    ) -> None:
        """Change a stack. As `create_stack`. `tags`: None to leave them."""
        self.check_can_be_updated(stack)
        wanted = self.target(stack, template, parameters)
        templates.check_capabilities(wanted.template, stack.capabilities)
        check_types(stack, wanted)
        if not self.preview(stack, wanted, stack.tags if tags is None else tags):
            raise invalid(NO_UPDATES)
        stack.options = options or Options()
        self._run(stack, self._deployment(stack).update(wanted, tags))

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

    def target(self, stack: Stack, text: str, parameters: Mapping[str, str]) -> Target:
        """What a template would have a stack be. Raises ServiceRefusedError."""
        identity = Identity(stack.stack_id, stack.name, self.place, tuple(stack.notification_arns))
        return target(text, parameters, identity, self.catalogue.find, self.around.stored)

    def preview(self, stack: Stack, wanted: Target, tags: Mapping[str, str]) -> list[Change] | bool:
        """What would change: resources, or else whether anything would."""
        looked = Preview(stack, wanted, self.catalogue.find, self.around)
        return looked.changes(tags) or looked.outputs_change() or dict(tags) != stack.tags

    def renew(self) -> None:
        """Go on with what is under way, inner stacks first."""
        for stack in reversed(list(self.stacks.values())):
            if stack.work is not None:
                self._go_on(stack)

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

    def _stack(self, name: str, tags: Mapping[str, str], options: Options, more: Mapping[str, Any]) -> Stack:
        return Stack(
            stack_id=generate_stack_id(name, self.region_name, self.account_id),
            name=name,
            place=self.place,
            creation_time=self.now(),
            now=self.now,
            tell=self.around.tell,
            event_id=self.parts.services.ids.uuid,
            tags=dict(tags),
            options=options,
            **{key: value for key, value in more.items() if value is not None},
        )

    def now(self) -> datetime:
        """The emulator's time."""
        return datetime.fromtimestamp(self.parts.clock.now(), UTC)

    # Change sets

    def create_change_set(  # type: ignore[override]
        self,
        named: tuple[str, str, str],
        template: str,
        parameters: Mapping[str, str],
        tags: Mapping[str, str] | None,
        **more: Any,
    ) -> ChangeSet:
        """Find out what a template would change. Raises ServiceRefusedError.

        `named`: the stack, the change set, and CREATE or UPDATE. `more`: attributes of the change set.
        """
        stack_name, name, kind = named
        stack = self._stack_of_change_set(stack_name, name, kind, tags or {}, more)
        if any(each.change_set_name == name and each.stack is stack for each in self.change_sets.values()):
            raise ServiceRefusedError("", "AlreadyExistsException", f"ChangeSet [{name}] already exists")
        wanted = self.target(stack, template, parameters)
        templates.check_capabilities(wanted.template, more.get("capabilities") or [])
        check_types(stack, wanted)
        new_tags = dict(tags) if tags is not None else stack.tags
        found = self.preview(stack, wanted, new_tags)
        change_set = ChangeSet(
            change_set_id=generate_changeset_id(name, self.region_name, self.account_id),
            change_set_name=name,
            change_set_type=kind,
            stack=stack,
            target=wanted,
            tags=new_tags,
            creation_time=self.now(),
            changes=found if isinstance(found, list) else [],
            **{key: value for key, value in more.items() if value is not None},
        )
        if not found:
            change_set.status, change_set.status_reason = "FAILED", NO_CHANGES
        if stack.stack_id not in self.stacks:
            self.stacks[stack.stack_id] = stack
            stack.enter("REVIEW_IN_PROGRESS", "User Initiated")
        self.change_sets[change_set.change_set_id] = change_set
        return change_set

    def _stack_of_change_set(
        self, stack_name: str, name: str, kind: str, tags: Mapping[str, str], more: Mapping[str, Any]
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
            attributes = {key: more[key] for key in ("capabilities", "notification_arns") if key in more}
            return self._stack(stack_name, tags, Options(), attributes)
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
        stack = change_set.stack
        on_failure = "DO_NOTHING" if disable_rollback else change_set.on_stack_failure or "ROLLBACK"
        stack.options = replace(stack.options, on_failure=on_failure)
        stack.capabilities = list(change_set.capabilities)
        change_set.executed = True
        for other in list(self.change_sets.values()):
            if other.stack is stack and other is not change_set:
                del self.change_sets[other.change_set_id]
        if change_set.change_set_type == "CREATE":
            stack.tags = change_set.tags
            self._run(stack, self._deployment(stack).create(change_set.target))
        else:
            self.check_can_be_updated(stack)
            self._run(stack, self._deployment(stack).update(change_set.target, change_set.tags))

    # Stacks within stacks

    def create_nested(self, wanted: Wanted, url: str, parameters: Mapping[str, str]) -> Stack:
        """See Stacks. It is left as it is when it fails: the stack around it removes it."""
        around = self.stacks[wanted.stack_id]
        return self.create_stack(
            wanted.name,
            self.around.template_at(url),
            parameters,
            wanted.tags,
            Options(on_failure="DO_NOTHING"),
            capabilities=around.capabilities,
            notification_arns=wanted.properties.get("NotificationARNs", []),
            parent_id=around.stack_id,
            root_id=around.root_id or around.stack_id,
        )

    def update_nested(self, stack: Stack, wanted: Wanted, url: str, parameters: Mapping[str, str]) -> None:
        """See Stacks."""
        stack.capabilities = self.stacks[wanted.stack_id].capabilities
        try:
            self.update(stack, self.around.template_at(url), parameters, wanted.tags)
        except ServiceRefusedError as refusal:
            if refusal.message != NO_UPDATES:
                raise

    def delete_nested(self, stack: Stack) -> None:
        """See Stacks."""
        self.delete_stack(stack.stack_id)
