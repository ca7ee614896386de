"""Brings a stack from one template to another, and back again when that fails.

What takes its time is a generator: it stops where it has to wait for a resource, and goes on when it is asked to.
Nothing waits here.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

from emulator.neighbours.embedded.cloudformation import reasons
from emulator.neighbours.embedded.cloudformation.builder import Around, Builder
from emulator.neighbours.embedded.cloudformation.intrinsics import resolve
from emulator.neighbours.embedded.cloudformation.parameters import text_of
from emulator.neighbours.embedded.cloudformation.removal import removed
from emulator.neighbours.embedded.cloudformation.resource_types import ResourceError
from emulator.neighbours.embedded.cloudformation.stack import Output, Resource, Stack
from emulator.neighbours.embedded.cloudformation.targets import Find, Target
from emulator.neighbours.embedded.cloudformation.templates import invalid
from emulator.neighbours.embedded.cloudformation.walk import Work, in_order
from emulator.neighbours.ports import ServiceRefusedError

LATE = "Stack creation time exceeded the specified timeout. "
LEFT_OVER = "Update successful. One or more resources could not be deleted."


class Account(Around, Protocol):
    """What a deployment asks of the account around the stack."""

    def export(self, stack: Stack, outputs: list[Output]) -> None:
        """Have these be the stack's exports. Raises ServiceRefusedError where another stack has or uses one."""
        ...


class StackError(Exception):
    """A stack cannot be brought where it shall be. Carries the reason of its status."""


class Deployment:
    """One creation, change or removal of a stack."""

    def __init__(self, stack: Stack, find: Find, account: Account) -> None:
        self._stack = stack
        self._account = account
        self._builder = Builder(stack, find, account)
        self._begun = stack.now()

    def create(self, target: Target) -> Work:
        """Make a new stack's resources."""
        stack = self._stack
        stack.enter("CREATE_IN_PROGRESS", "User Initiated")
        stack.target = target
        try:
            yield from self._bring(target)
        except StackError as error:
            yield from self._give_up(target, str(error))
        else:
            stack.enter("CREATE_COMPLETE")

    def _give_up(self, target: Target, reason: str) -> Work:
        """What becomes of a stack that could not be made (documented: stack failure options)."""
        stack = self._stack
        if stack.options.on_failure == "DO_NOTHING":
            stack.enter("CREATE_FAILED", reason)
            return
        verb, said = ("DELETE", "Delete") if stack.options.on_failure == "DELETE" else ("ROLLBACK", "Rollback")
        stack.enter(f"{verb}_IN_PROGRESS", f"{reason}{said} requested by user.")
        failed = yield from self._remove(stack.resources.values(), target.needs, at_creation=True)
        if failed:
            stack.enter(f"{verb}_FAILED", reasons.failed_to_delete(failed))
        else:
            stack.enter(f"{verb}_COMPLETE")

    def update(self, target: Target, tags: Mapping[str, str] | None = None) -> Work:
        """Make, change and remove resources until the stack is what the target says. `tags`: None to leave them."""
        stack, former, former_tags = self._stack, self._stack.target, self._stack.tags
        before = {name: replace(resource) for name, resource in stack.resources.items()}
        stack.enter("UPDATE_IN_PROGRESS", "User Initiated")
        stack.target = target
        stack.tags = dict(tags) if tags is not None else stack.tags
        try:
            yield from self._bring(target)
        except StackError as error:
            if stack.options.on_failure == "DO_NOTHING" or former is None:
                stack.enter("UPDATE_FAILED", str(error))
                return
            stack.target, stack.tags = former, former_tags
            yield from self._go_back(target, former, before, str(error))
        else:
            yield from self._clean_up(target, former)

    def _clean_up(self, target: Target, former: Target | None) -> Work:
        """Remove what is not used any more."""
        stack = self._stack
        stack.enter("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        gone = [resource for name, resource in stack.resources.items() if name not in target.resources]
        for resource in gone:
            del stack.resources[resource.logical_id]
        needs = former.needs if former else {}
        failed = yield from self._remove([*gone, *self._builder.superseded], needs)
        stack.enter("UPDATE_COMPLETE", LEFT_OVER if failed else None)

    def _go_back(self, target: Target, former: Target, before: Mapping[str, Resource], reason: str) -> Work:
        """Have all be as it was."""
        stack, builder = self._stack, self._builder
        stack.enter("UPDATE_ROLLBACK_IN_PROGRESS", reason)
        new = [replace(stack.resources[each.logical_id]) for each in builder.superseded]
        fresh = [name for name in stack.resources if name not in before or before[name].made is None]
        new += [stack.resources.pop(name) for name in fresh]
        stack.resources |= {name: each for name, each in before.items() if name not in stack.resources}
        needs = {name: former.needs.get(name, set()) & set(before) for name in before}
        try:
            yield from in_order(needs, lambda name: builder.restore(name, before[name]), builder.is_done)
        except ResourceError:
            builder.cancel()
            stack.enter("UPDATE_ROLLBACK_FAILED", self._failures())
            return
        stack.enter("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        yield from self._remove(new, target.needs)
        stack.enter("UPDATE_ROLLBACK_COMPLETE")

    def delete(self, keep: Iterable[str] = ()) -> Work:
        """Remove the stack's resources but those to `keep`."""
        stack, kept = self._stack, set(keep)
        stack.enter("DELETE_IN_PROGRESS", "User Initiated")
        for name in kept & set(stack.resources):
            stack.note(stack.resources[name], "DELETE_SKIPPED")
        rest = [resource for name, resource in stack.resources.items() if name not in kept]
        failed = yield from self._remove(rest, stack.target.needs if stack.target else {})
        if failed:
            stack.enter("DELETE_FAILED", reasons.failed_to_delete(failed))
        else:
            stack.enter("DELETE_COMPLETE")

    def _bring(self, target: Target) -> Work:
        """Have every resource be as the target says, and show its outputs. Raises StackError."""
        stack, builder = self._stack, self._builder
        walk = in_order(target.needs, lambda name: builder.build(name, target), builder.is_done)
        try:
            for _ in walk:
                self._check_time()
                yield
        except ResourceError:
            builder.cancel()
            raise StackError(self._failures()) from None
        try:
            outputs = self._outputs(target)
            self._account.export(stack, outputs)
        except (ServiceRefusedError, ResourceError) as error:
            raise StackError(f"{getattr(error, 'message', error)}. ") from None
        stack.outputs, stack.imports = outputs, builder.imports

    def _check_time(self) -> None:
        minutes = self._stack.options.timeout_in_minutes
        if minutes is not None and self._stack.now() - self._begun > timedelta(minutes=minutes):
            self._builder.cancel()
            raise StackError(LATE)

    def _failures(self) -> str:
        found = self._stack.resources.values()
        return reasons.failed_to(
            [each.logical_id for each in found if each.status == "CREATE_FAILED"],
            [each.logical_id for each in found if each.status == "UPDATE_FAILED"],
        )

    def _remove(
        self, resources: Iterable[Resource], needs: Mapping[str, set[str]], *, at_creation: bool = False
    ) -> Generator[None, None, list[str]]:
        """Remove resources; the logical ids of those that could not be."""

        def remove(resource: Resource) -> Work:
            return self._builder.remove(resource, at_creation=at_creation)

        refusals = yield from removed(resources, needs, remove)
        for resource, reason in refusals:
            self._stack.note(resource, "DELETE_FAILED", reason)
        return [resource.logical_id for resource, _ in refusals]

    def _outputs(self, target: Target) -> list[Output]:
        scope = self._builder.scope(target)
        found = []
        for key, declared in target.outputs.items():
            value = _one(key, resolve(declared.get("Value"), scope))
            name = resolve(declared.get("Export", {}).get("Name"), scope)
            description = declared.get("Description")
            export = _one(key, name) if name is not None else None
            found.append(Output(key, value, text_of(description) if description is not None else None, export))
        return found


def _one(key: str, value: Any) -> str:
    if value is None or isinstance(value, dict | list):
        raise invalid(
            f"Template format error: The Value field of every Outputs member must evaluate to a String: {key}"
        )
    return text_of(value)
