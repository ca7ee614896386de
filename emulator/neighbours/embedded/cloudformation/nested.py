"""Stacks within stacks, and the types for which there is nothing to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from emulator.neighbours.embedded.cloudformation.kinds import HOUR
from emulator.neighbours.embedded.cloudformation.members import PropertyError
from emulator.neighbours.embedded.cloudformation.parameters import text_of
from emulator.neighbours.embedded.cloudformation.reasons import wrong_properties
from emulator.neighbours.embedded.cloudformation.resource_types import Made, Properties, ResourceError, Wanted
from emulator.neighbours.embedded.cloudformation.stack import Stack

DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


class Stacks(Protocol):
    """The stacks of an account and region. What a template is refused for is a ServiceRefusedError."""

    def create_nested(self, wanted: Wanted, url: str, parameters: Mapping[str, str]) -> Stack:
        """Make a stack out of a template in S3."""
        ...

    def update_nested(self, stack: Stack, wanted: Wanted, url: str, parameters: Mapping[str, str]) -> None:
        """Change one, unless it is so already."""
        ...

    def delete_nested(self, stack: Stack) -> None:
        """Remove one."""
        ...


class NestedStack:
    """AWS::CloudFormation::Stack. See ResourceType for every method."""

    named_by = ""
    names_are_unique = True
    tagged = True
    patience = 24 * HOUR

    def __init__(self, stacks: Stacks) -> None:
        self._stacks = stacks

    def has_attribute(self, name: str) -> bool:
        """The outputs."""
        return name.startswith("Outputs.")

    def must_replace(self, _before: Properties, _after: Properties) -> bool:
        """Never."""
        return False

    def attribute(self, made: Made, _wanted: Wanted, name: str) -> Any:
        """An output."""
        key = name.removeprefix("Outputs.")
        for output in made.handle.outputs:
            if output.output_key == key:
                return output.output_value
        raise ResourceError(f"Template error: Unable to retrieve {name} attribute for AWS::CloudFormation::Stack")

    def create(self, wanted: Wanted) -> Made:
        """Make one."""
        stack = self._stacks.create_nested(wanted, _url(wanted), _parameters(wanted))
        return Made(stack.stack_id, handle=stack)

    def complete(self, made: Made, _wanted: Wanted) -> Made:
        """It does that itself."""
        return made

    def update(self, made: Made, _before: Wanted, wanted: Wanted) -> Made:
        """Change it."""
        self._stacks.update_nested(made.handle, wanted, _url(wanted), _parameters(wanted))
        return made

    def is_ready(self, made: Made, _wanted: Wanted) -> bool:
        """Is it complete? (observed: the sentences in stack events of many public issues)"""
        stack: Stack = made.handle
        if stack.status in DONE:
            return True
        if stack.work is not None:
            return False
        reason = stack.status_reason or ""
        if stack.status.startswith("UPDATE"):
            raise ResourceError(
                f"Embedded stack {stack.stack_id} was not successfully updated. Currently in {stack.status} "
                f"with reason: {_last_reason(stack)}"
            )
        raise ResourceError(f"Embedded stack {stack.stack_id} was not successfully created: {reason}")

    def delete(self, made: Made, _wanted: Wanted) -> bool:
        """Remove it."""
        stack: Stack = made.handle
        if stack.status not in {"DELETE_IN_PROGRESS", "DELETE_COMPLETE"}:
            self._stacks.delete_nested(stack)
        if stack.status == "DELETE_COMPLETE":
            return True
        if stack.work is not None:
            return False
        raise ResourceError(f"Embedded stack {stack.stack_id} was not successfully deleted: {stack.status_reason}")


def _last_reason(stack: Stack) -> str:
    for event in reversed(stack.events):
        if event.resource_status == "UPDATE_ROLLBACK_IN_PROGRESS" and event.resource_status_reason:
            return event.resource_status_reason
    return stack.status_reason or ""


def _url(wanted: Wanted) -> str:
    url = wanted.properties.get("TemplateURL")
    if not isinstance(url, str):
        raise ResourceError(wrong_properties(wanted.logical_id, "#: required key [TemplateURL] not found"))
    return url


def _parameters(wanted: Wanted) -> dict[str, str]:
    given = wanted.properties.get("Parameters", {})
    if not isinstance(given, dict):
        raise ResourceError(wrong_properties(wanted.logical_id, "#/Parameters: expected type: JSONObject"))
    return {
        name: ",".join(text_of(each) for each in value) if isinstance(value, list) else text_of(value)
        for name, value in given.items()
    }


class Nothing:
    """A type whose resources are nothing but a name. See ResourceType for every method."""

    named_by = ""
    names_are_unique = True
    tagged = False
    patience = HOUR

    def has_attribute(self, _name: str) -> bool:
        """It has none."""
        return False

    def must_replace(self, _before: Properties, _after: Properties) -> bool:
        """Never."""
        return False

    def attribute(self, _made: Made, _wanted: Wanted, name: str) -> Any:
        """It has none."""
        raise PropertyError(name)

    def create(self, wanted: Wanted) -> Made:
        """Its name is all."""
        return Made(wanted.name)

    def complete(self, made: Made, _wanted: Wanted) -> Made:
        """It is."""
        return made

    def update(self, made: Made, _before: Wanted, _wanted: Wanted) -> Made:
        """There is nothing to change."""
        return made

    def is_ready(self, _made: Made, _wanted: Wanted) -> bool:
        """At once."""
        return True

    def delete(self, _made: Made, _wanted: Wanted) -> bool:
        """There is nothing to remove."""
        return True


NOTHING = frozenset({"AWS::CDK::Metadata", "AWS::CloudFormation::WaitConditionHandle"})
"""What the CDK says of itself, and the handle that short templates use for a stack of nothing."""
