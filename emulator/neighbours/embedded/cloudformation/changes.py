"""What an update of a stack would change. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.neighbours.embedded.cloudformation.builder import Around
from emulator.neighbours.embedded.cloudformation.intrinsics import Scope, resolve
from emulator.neighbours.embedded.cloudformation.parameters import text_of
from emulator.neighbours.embedded.cloudformation.resource_types import ResourceError, ResourceType
from emulator.neighbours.embedded.cloudformation.stack import Resource, Stack
from emulator.neighbours.embedded.cloudformation.targets import Find, Target
from emulator.neighbours.embedded.cloudformation.templates import invalid
from emulator.neighbours.embedded.cloudformation.walk import in_order
from emulator.neighbours.ports import ServiceRefusedError

NOT_KNOWN_YET = "{{not known before the update}}"
"""Stands for what a resource that is still to be made will be called."""


@dataclass(frozen=True, slots=True)
class Change:
    """What would happen to one resource: Add, Modify or Remove. Named as the answer's members are."""

    action: str
    logical_resource_id: str
    resource_type: str
    physical_resource_id: str | None = None
    replacement: str | None = None
    scope: list[str] = field(default_factory=list)
    details: list[dict[str, Any]] = field(default_factory=list)


def check_types(stack: Stack, target: Target) -> None:
    """Refuse a target in which a resource has become one of another type."""
    changed = [
        name
        for name, declared in target.resources.items()
        if name in stack.resources and stack.resources[name].type != declared["Type"]
    ]
    if changed:
        raise invalid(
            "Update of resource type is not permitted. The new template modifies resource type of the following "
            f"resources: [{', '.join(changed)}]"
        )


class Preview:
    """What would happen to a stack if it became the target."""

    def __init__(self, stack: Stack, target: Target, find: Find, around: Around) -> None:
        self._stack = stack
        self._target = target
        self._find = find
        self._moved: set[str] = set()
        self._tags_change = False
        self._scope = Scope(
            values=target.values,
            mappings=target.template["Mappings"],
            reference=lambda name: NOT_KNOWN_YET if name in self._moved else self._resource(name).physical_id,
            attribute=self._attribute,
            imported=around.imported,
            zones=around.zones,
        )

    def changes(self, tags: Mapping[str, str]) -> list[Change]:
        """What would happen, in the order of the template; `tags`: the stack's from then on."""
        self._tags_change = dict(tags) != self._stack.tags
        found: dict[str, Change] = {}

        def look(name: str) -> None:
            change = self._change(name)
            if change is not None:
                found[name] = change

        list(in_order(self._target.needs, look, lambda _: True))  # it never has to wait
        ordered = [found[name] for name in self._target.resources if name in found]
        gone = [each for name, each in self._stack.resources.items() if name not in self._target.resources]
        return [*ordered, *(Change("Remove", each.logical_id, each.type, each.physical_id) for each in gone)]

    def outputs_change(self) -> bool:
        """Would the stack show anything else?"""
        shown = {output.output_key: (output.output_value, output.export_name) for output in self._stack.outputs}
        try:
            now = {key: self._output(declared) for key, declared in self._target.outputs.items()}
        except (ServiceRefusedError, ResourceError):
            return True
        return shown != now

    def _output(self, declared: Mapping[str, Any]) -> tuple[str, str | None]:
        name = resolve(declared.get("Export", {}).get("Name"), self._scope)
        value = text_of(resolve(declared.get("Value"), self._scope))
        return value, text_of(name) if name is not None else None

    def _change(self, name: str) -> Change | None:
        declared, old = self._target.resources[name], self._stack.resources.get(name)
        if old is None or old.made is None:
            self._moved.add(name)
            return Change("Add", name, declared["Type"])
        type_ = self._type(name)
        try:
            properties = resolve(declared["Properties"], self._scope)
        except (ServiceRefusedError, ResourceError):
            properties = {**old.wanted.properties, NOT_KNOWN_YET: NOT_KNOWN_YET}
        names = [
            key
            for key in sorted({*properties, *old.wanted.properties})
            if properties.get(key) != old.wanted.properties.get(key)
        ]
        retag = type_.tagged and self._tags_change
        if not names and not retag and old.status != "UPDATE_FAILED":
            return None
        replaced = type_.must_replace(old.wanted.properties, properties)
        if replaced:
            self._moved.add(name)
        details = [_detail(type_, key, old, properties) for key in names]
        scope = [*(["Properties"] if names else []), *(["Tags"] if retag else [])]
        return Change("Modify", name, old.type, old.physical_id, str(replaced), scope, details)

    def _attribute(self, name: str, attribute: str) -> Any:
        if name in self._moved:
            return NOT_KNOWN_YET
        resource = self._resource(name)
        if resource.made is None:
            return NOT_KNOWN_YET
        return self._type(name).attribute(resource.made, resource.wanted, attribute)

    def _resource(self, name: str) -> Resource:
        found = self._stack.resources.get(name)
        if found is None:
            raise ResourceError(f"Unresolved resource dependencies [{name}]")
        return found

    def _type(self, name: str) -> ResourceType:
        found = self._find(self._target.resources[name]["Type"])
        if found is None:
            raise ResourceError(f"Unrecognized resource type of {name}")
        return found


def _detail(type_: ResourceType, key: str, old: Resource, properties: Mapping[str, Any]) -> dict[str, Any]:
    before = {key: old.wanted.properties[key]} if key in old.wanted.properties else {}
    after = {key: properties[key]} if key in properties else {}
    by_reference = NOT_KNOWN_YET in str(after)
    return {
        "Target": {
            "Attribute": "Properties",
            "Name": key,
            "RequiresRecreation": "Always" if type_.must_replace(before, after) else "Never",
        },
        "Evaluation": "Dynamic" if by_reference else "Static",
        "ChangeSource": "ResourceReference" if by_reference else "DirectModification",
    }
