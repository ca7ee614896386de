"""A type of resource that does what a test tells it, and an account around a stack that has nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from emulator.neighbours.embedded.cloudformation.deployment import Deployment
from emulator.neighbours.embedded.cloudformation.resource_types import Made, Properties, ResourceError, Wanted
from emulator.neighbours.embedded.cloudformation.stack import Options, Output, Stack
from emulator.neighbours.embedded.cloudformation.targets import Identity, Target, target
from emulator.neighbours.ports import Place, ServiceRefusedError

PLACE = Place("123456789012", "eu-west-1")


@dataclass
class Scripted:
    """Resources named `Logical-1`, `Logical-2`. A property says what becomes of one:

    `Fails` at create or update; `Waits` until the test says so; `Fixed` needs another resource when it changes.
    """

    named_by: str = ""
    names_are_unique: bool = True
    tagged: bool = False
    patience: float = 600
    there: dict[str, Properties] = field(default_factory=dict)
    """What there is, by id."""
    stuck: set[str] = field(default_factory=set)
    """The ids of those that refuse to be removed."""
    ready: set[str] = field(default_factory=set)
    """The logical ids of those that are waited for no more."""
    made: int = 0

    def has_attribute(self, name: str) -> bool:
        return name == "Arn"

    def attribute(self, made: Made, wanted: Wanted, name: str) -> Any:
        return f"{name}:{made.id}"

    def must_replace(self, before: Properties, after: Properties) -> bool:
        return before.get("Fixed") != after.get("Fixed")

    def create(self, wanted: Wanted) -> Made:
        if wanted.properties.get("Fails") == "create":
            raise ResourceError("no")
        self.made += 1
        made = Made(f"{wanted.logical_id}-{self.made}")
        self.there[made.id] = wanted.properties
        return made

    def complete(self, made: Made, wanted: Wanted) -> Made:
        if wanted.properties.get("Fails") == "complete":
            raise ResourceError("not whole")
        return made

    def update(self, made: Made, before: Wanted, wanted: Wanted) -> Made:
        self.there[made.id] = wanted.properties
        if wanted.properties.get("Fails") == "update":
            raise ResourceError("no change")
        return made

    def is_ready(self, made: Made, wanted: Wanted) -> bool:
        return not wanted.properties.get("Waits") or wanted.logical_id in self.ready

    def delete(self, made: Made, wanted: Wanted) -> bool:
        if made.id in self.stuck:
            raise ResourceError("stuck")
        if wanted.properties.get("Lingers") and wanted.logical_id not in self.ready:
            return False
        del self.there[made.id]
        return True


class Nowhere:
    """An account with nothing in it."""

    def __init__(self) -> None:
        self.names = 0

    def zones(self, region: str) -> list[str]:
        return [f"{region}a"]

    def imported(self, name: str) -> str:
        raise ServiceRefusedError("", "ValidationError", f"No export named {name} found.")

    def fill(self, wanted: Wanted) -> Wanted:
        return wanted

    def suffix(self) -> str:
        self.names += 1
        return f"N{self.names}"

    def services(self, types: Iterable[str]) -> frozenset[str]:
        return frozenset()

    def export(self, stack: Stack, outputs: list[Output]) -> None:
        if any(output.export_name == "taken" for output in outputs):
            raise ServiceRefusedError("", "ValidationError", "Export with name taken is already exported by stack t")


class World:
    """A stack of resources of type T, and its time."""

    def __init__(self, **options: Any) -> None:
        self.type = Scripted()
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.stack = Stack(
            stack_id="arn:stack/s/1",
            name="s",
            place=PLACE,
            creation_time=self.now,
            now=lambda: self.now,
            tell=lambda stack, event: None,
            event_id=lambda: "e",
            options=Options(**options),
        )

    def target(self, resources: dict[str, dict[str, Any]], **outputs: Any) -> Target:
        """Resources by their properties; the members DependsOn and DeletionPolicy are theirs."""
        declared: dict[str, Any] = {}
        for name, properties in resources.items():
            own = {key: properties[key] for key in ("DependsOn", "DeletionPolicy") if key in properties}
            rest = {key: value for key, value in properties.items() if key not in own}
            declared[name] = {"Type": "T", "Properties": rest, **own}
        template = {"Resources": declared, "Outputs": outputs}
        import json

        identity = Identity(self.stack.stack_id, "s", PLACE)
        return target(json.dumps(template), {}, identity, lambda _: self.type, lambda _: {})

    def create(self, resources: dict[str, dict[str, Any]], **outputs: Any) -> None:
        self.begin(self.deployment().create(self.target(resources, **outputs)))

    def update(self, resources: dict[str, dict[str, Any]], **outputs: Any) -> None:
        self.begin(self.deployment().update(self.target(resources, **outputs)))

    def delete(self) -> None:
        self.begin(self.deployment().delete())

    def deployment(self) -> Deployment:
        return Deployment(self.stack, lambda _: self.type, Nowhere())

    def begin(self, work: Any) -> None:
        self.stack.work = work
        self.go_on()

    def go_on(self, after: float = 0) -> None:
        """Ask the work to go on, after so many seconds."""
        self.now += timedelta(seconds=after)
        if self.stack.work is not None and next(self.stack.work, "done") == "done":
            self.stack.work = None

    def left_as(self, on_failure: str) -> None:
        self.stack.options = replace(self.stack.options, on_failure=on_failure)

    @property
    def told(self) -> list[str]:
        """The stack's events: `A CREATE_COMPLETE`."""
        return [f"{event.logical_resource_id} {event.resource_status}" for event in self.stack.events]
