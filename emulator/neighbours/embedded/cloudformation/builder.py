"""Makes, changes and removes one resource of a stack at a time, and notes in the stack what happens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, NoReturn, Protocol, TypeVar

from emulator.neighbours.embedded.cloudformation import reasons
from emulator.neighbours.embedded.cloudformation.intrinsics import Scope, resolve
from emulator.neighbours.embedded.cloudformation.names import name_for
from emulator.neighbours.embedded.cloudformation.parameters import text_of
from emulator.neighbours.embedded.cloudformation.resource_types import Made, ResourceError, ResourceType, Wanted
from emulator.neighbours.embedded.cloudformation.stack import Resource, Stack
from emulator.neighbours.embedded.cloudformation.targets import Find, Target
from emulator.neighbours.embedded.cloudformation.walk import Work
from emulator.neighbours.ports import ServiceRefusedError, ServiceUnreachableError

logger = logging.getLogger(__name__)

T = TypeVar("T")

REPLACING = "Requested update requires the creation of a new physical resource; hence creating one."
BROKEN = "This is a defect of the emulator, not of the template. Its log says more."
POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")
KEPT = frozenset({"Retain", "RetainExceptOnCreate"})
"""Policies under which a resource is left where it is."""


class Around(Protocol):
    """What a stack asks of the account around it. Every method raises ServiceRefusedError."""

    def zones(self, region: str) -> list[str]:
        """The availability zones of a region."""
        ...

    def imported(self, name: str) -> str:
        """The value of another stack's export."""
        ...

    def fill(self, wanted: Wanted) -> Wanted:
        """Put in what dynamic references stand for."""
        ...

    def suffix(self) -> str:
        """What makes a name unlike all others."""
        ...

    def services(self, types: Iterable[str]) -> frozenset[str]:
        """The services, by moto's names, that types of resources belong to."""
        ...


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was done to a resource that was there, and what it was to be. It was `replaced`, or else changed."""

    wanted: Wanted
    replaced: bool


class Builder:
    """The resources of one stack, during one creation, change or removal of it.

    A method that raises ResourceError has noted it. Nothing waits.
    """

    def __init__(self, stack: Stack, find: Find, around: Around) -> None:
        self._stack = stack
        self._find = find
        self._around = around
        self.imports: set[str] = set()
        """The exports of other stacks that were used."""
        self.attempts: dict[str, Attempt] = {}
        """What was done, by logical id, to resources that were there before."""
        self.superseded: list[Resource] = []
        """Resources that others have taken the place of, as they were."""

    def scope(self, target: Target) -> Scope:
        """What names stand for, while the stack becomes this."""
        return Scope(
            values=target.values,
            mappings=target.template["Mappings"],
            reference=lambda name: self._made(name).id,
            attribute=self._attribute,
            imported=self._imported,
            zones=self._around.zones,
        )

    def build(self, name: str, target: Target) -> None:
        """Make a resource, or have it be what the target says. Raises ResourceError."""
        declared, old = target.resources[name], self._stack.resources.get(name)
        policies = {key: str(declared[key]) for key in POLICIES if key in declared}
        if old is None or old.made is None:
            self._create(name, target, policies)
            return
        wanted = self._tried(old, "UPDATE", lambda: self.wanted(name, target))
        type_ = self._type(old.type)
        same = old.wanted.properties == wanted.properties and (not type_.tagged or old.wanted.tags == wanted.tags)
        if same and old.status != "UPDATE_FAILED":
            old.policies = policies
        elif type_.must_replace(old.wanted.properties, wanted.properties):
            self._replace(old, wanted, policies)
        else:
            self._change(old, wanted, policies)

    def wanted(self, name: str, target: Target) -> Wanted:
        """What the target wants of a resource. Raises ServiceRefusedError, ResourceError."""
        stack, declared, old = self._stack, target.resources[name], self._stack.resources.get(name)
        type_ = self._type(declared["Type"])
        properties = resolve(declared["Properties"], self.scope(target))
        named = properties.get(type_.named_by) if type_.named_by else None
        if named is None:
            named = (
                old.wanted.name if old is not None and old.made is not None else self._new_name(declared["Type"], name)
            )
        return Wanted(
            logical_id=name,
            type=declared["Type"],
            name=text_of(named),
            properties=properties,
            place=stack.place,
            stack_id=stack.stack_id,
            stack_name=stack.name,
            tags=dict(stack.tags),
            beside=self._around.services(each["Type"] for each in target.resources.values()),
        )

    def is_done(self, name: str) -> bool:
        """Is a resource ready? Notes that it is. Raises ResourceError."""
        resource = self._stack.resources[name]
        verb, _, state = resource.status.partition("_")
        if state != "IN_PROGRESS" or resource.made is None:
            return True
        type_, made = self._type(resource.type), resource.made
        if self._tried(resource, verb, lambda: type_.is_ready(made, resource.wanted)):
            self._stack.note(resource, f"{verb}_COMPLETE")
            return True
        if self._stack.now() - resource.at > timedelta(seconds=type_.patience):
            self._fail(resource, verb, reasons.not_stable(self._stack.event_id()))
        return False

    def restore(self, name: str, former: Resource) -> None:
        """Have a resource be what it was. Raises ResourceError."""
        resource, attempt = self._stack.resources[name], self.attempts.get(name)
        if attempt is None and resource.status == former.status:
            return
        resource.made, resource.wanted, resource.policies = former.made, former.wanted, former.policies
        self._stack.note(resource, "UPDATE_IN_PROGRESS")
        if attempt is not None and not attempt.replaced:
            self._update(resource, attempt.wanted, former.wanted)

    def remove(self, resource: Resource, *, at_creation: bool) -> Work:
        """Remove a resource, unless its policy keeps it. Raises ResourceError, which is not noted."""
        stack, made = self._stack, resource.made
        if made is None:
            stack.note(resource, "DELETE_COMPLETE")
            return
        if self._is_kept(resource.policies.get("DeletionPolicy", ""), at_creation=at_creation):
            stack.note(resource, "DELETE_SKIPPED")
            return
        if resource.status != "DELETE_IN_PROGRESS":
            stack.note(resource, "DELETE_IN_PROGRESS")
        type_ = self._type(resource.type)
        while not _guarded(lambda: type_.delete(made, resource.wanted)):
            yield
        resource.last_id, resource.made = made.id, None
        stack.note(resource, "DELETE_COMPLETE")

    def _is_kept(self, policy: str, *, at_creation: bool) -> bool:
        exempt = policy == "RetainExceptOnCreate" or self._stack.options.retain_except_on_create
        return policy in KEPT and not (at_creation and exempt)

    def cancel(self) -> None:
        """Note of what is under way that it will not be finished."""
        for resource in self._stack.resources.values():
            if resource.status == "CREATE_IN_PROGRESS":
                self._stack.note(resource, "CREATE_FAILED", "Resource creation cancelled")
            elif resource.status == "UPDATE_IN_PROGRESS":
                self._stack.note(resource, "UPDATE_FAILED", "Resource update cancelled")

    def _create(self, name: str, target: Target, policies: Mapping[str, str]) -> None:
        stack, type_name = self._stack, target.resources[name]["Type"]
        blank = Wanted(name, type_name, "", {}, stack.place, stack.stack_id, stack.name)
        resource = Resource(name, type_name, stack.now(), blank, policies)
        stack.resources[name] = resource
        stack.note(resource, "CREATE_IN_PROGRESS")
        resource.wanted = self._tried(resource, "CREATE", lambda: self.wanted(name, target))
        self._make(resource, resource.wanted, "CREATE")

    def _make(self, resource: Resource, wanted: Wanted, verb: str) -> None:
        type_ = self._type(resource.type)
        filled = self._tried(resource, verb, lambda: self._around.fill(wanted))
        made = self._tried(resource, verb, lambda: type_.create(filled))
        resource.made = made
        self._stack.note(resource, f"{verb}_IN_PROGRESS", "Resource creation Initiated")
        resource.made = self._tried(resource, verb, lambda: type_.complete(made, filled))

    def _replace(self, resource: Resource, wanted: Wanted, policies: Mapping[str, str]) -> None:
        """Make another one; the former stays until all that used it use this one."""
        type_ = self._type(resource.type)
        self._stack.note(resource, "UPDATE_IN_PROGRESS", REPLACING)
        if type_.named_by and type_.names_are_unique:
            if type_.named_by not in wanted.properties:
                wanted = replace(wanted, name=self._new_name(wanted.type, wanted.logical_id))
            elif wanted.name == resource.wanted.name:
                self._fail(resource, "UPDATE", reasons.must_be_renamed(wanted.name))
        former = replace(resource, policies={"DeletionPolicy": resource.policies.get("UpdateReplacePolicy", "Delete")})
        self.attempts[resource.logical_id] = Attempt(wanted, replaced=True)
        try:
            self._make(resource, wanted, "UPDATE")
        finally:
            if resource.made is not former.made:
                self.superseded.append(former)
        resource.wanted, resource.policies = wanted, policies

    def _change(self, resource: Resource, wanted: Wanted, policies: Mapping[str, str]) -> None:
        self._stack.note(resource, "UPDATE_IN_PROGRESS")
        self.attempts[resource.logical_id] = Attempt(wanted, replaced=False)
        self._update(resource, resource.wanted, wanted)
        resource.wanted, resource.policies = wanted, policies

    def _update(self, resource: Resource, before: Wanted, wanted: Wanted) -> None:
        type_, made = self._type(resource.type), resource.made
        if made is None:
            raise ValueError(f"{resource.logical_id} is not there, so that it cannot be changed")

        def update() -> Made:
            return type_.update(made, self._around.fill(before), self._around.fill(wanted))

        resource.made = self._tried(resource, "UPDATE", update)

    def _made(self, name: str) -> Made:
        resource = self._stack.resources.get(name)
        if resource is None or resource.made is None:
            raise ResourceError(f"Unresolved resource dependencies [{name}] in the Resources block of the template")
        return resource.made

    def _attribute(self, name: str, attribute: str) -> Any:
        made = self._made(name)
        return self._type(self._stack.resources[name].type).attribute(
            made, self._stack.resources[name].wanted, attribute
        )

    def _imported(self, name: str) -> str:
        self.imports.add(name)
        return self._around.imported(name)

    def _new_name(self, type_: str, logical_id: str) -> str:
        return name_for(type_, self._stack.name, logical_id, self._around.suffix())

    def _type(self, name: str) -> ResourceType:
        found = self._find(name)
        if found is None:
            raise ValueError(f"nobody makes resources of type {name}: the template was to be refused")
        return found

    def _tried(self, resource: Resource, verb: str, what: Callable[[], T]) -> T:
        try:
            return _guarded(what)
        except ResourceError as error:
            self._fail(resource, verb, str(error))

    def _fail(self, resource: Resource, verb: str, reason: str) -> NoReturn:
        self._stack.note(resource, f"{verb}_FAILED", reason)
        raise ResourceError(reason)


def _guarded(what: Callable[[], T]) -> T:
    """Do something; whatever is wrong with it becomes a ResourceError."""
    try:
        return what()
    except ResourceError:
        raise
    except ServiceRefusedError as error:
        raise ResourceError(error.message) from error
    except ServiceUnreachableError as error:
        raise ResourceError(str(error)) from error
    except Exception as error:
        logger.exception("A resource of a stack failed: a defect of the emulator")
        raise ResourceError(BROKEN) from error
