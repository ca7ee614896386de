"""What the engine knows of a type of resource, whoever makes resources of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from emulator.neighbours.ports import Place

Properties = Mapping[str, Any]


class ResourceError(Exception):
    """A resource that could not be made, changed or removed. Says why, as a stack's event does."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a template wants of one resource. `properties` have no functions any more.

    `name` is the resource's own where its type has one: the template's, else one made for it. `tags` are the stack's.
    `beside`: the services, by moto's names, that the template has resources of.
    """

    logical_id: str
    type: str
    name: str
    properties: Properties
    place: Place
    stack_id: str
    stack_name: str
    tags: Mapping[str, str] = field(default_factory=dict)
    beside: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Made:
    """A resource that there is. `id` is what Ref gives, `attributes` what GetAtt does.

    `handle` is for the type alone.
    """

    id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    handle: Any = None


class ResourceType(Protocol):
    """Makes, changes and removes resources of a type. What a service refuses is a ResourceError."""

    @property
    def named_by(self) -> str:
        """The property that names a resource; empty for a type without one."""
        ...

    @property
    def names_are_unique(self) -> bool:
        """Can there be one resource of a name only?"""
        ...

    @property
    def tagged(self) -> bool:
        """Do the tags of the stack become the resource's?"""
        ...

    @property
    def patience(self) -> float:
        """Seconds that a resource has to become ready."""
        ...

    def has_attribute(self, name: str) -> bool:
        """Can GetAtt be asked for this?"""
        ...

    def must_replace(self, before: Properties, after: Properties) -> bool:
        """Does this change need a new resource?"""
        ...

    def attribute(self, made: Made, wanted: Wanted, name: str) -> Any:
        """What GetAtt gives."""
        ...

    def create(self, wanted: Wanted) -> Made:
        """Make a resource. What fails later than this is removed again by whoever asked."""
        ...

    def complete(self, made: Made, wanted: Wanted) -> Made:
        """Make what belongs to a new resource."""
        ...

    def update(self, made: Made, before: Wanted, wanted: Wanted) -> Made:
        """Change a resource. `before`: what it was when it was last made or changed."""
        ...

    def is_ready(self, made: Made, wanted: Wanted) -> bool:
        """Is it what was wanted yet? Asked after each of the above."""
        ...

    def delete(self, made: Made, wanted: Wanted) -> bool:
        """Remove a resource, if it is there. False when that takes longer: ask again."""
        ...
