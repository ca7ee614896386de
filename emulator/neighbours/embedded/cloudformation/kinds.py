"""Types of resources that are made through the API of one service: what to call, as a table; and who calls it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from emulator.ids import Ids
from emulator.neighbours.clients import Clients
from emulator.neighbours.embedded.cloudformation import reasons
from emulator.neighbours.embedded.cloudformation.members import PropertyError, check_objects, fitted
from emulator.neighbours.embedded.cloudformation.resource_types import Made, Properties, ResourceError, Wanted
from emulator.neighbours.ports import Ecs, Place, ServiceRefusedError, ServiceUnreachableError

Api = Callable[[str, Properties], dict[str, Any]]
"""Calls an operation of the kind's service. Members may be written as properties are."""

HOUR = 3600.0


class ExistsError(Exception):
    """A resource of this name is there, and is not the stack's. Carries the name."""


class UnstableError(Exception):
    """A resource that will never be what was wanted. Carries the reason."""


def _nothing_to_complete(_api: Api, _made: Made, _wanted: Wanted) -> None:
    """What is made is complete."""


def _at_once(_api: Api, _made: Made) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A type of resource, and what to call for it.

    `fixed`: properties whose change needs a new resource, with slashes for members; None for all but the tags
    (documented: the types' schemas, createOnlyProperties). `delete` answers False when it has to be asked again.
    """

    type: str
    service: str
    """By botocore's name."""
    create: Callable[[Api, Wanted], Made]
    delete: Callable[[Api, Made, Properties], bool | None]
    complete: Callable[[Api, Made, Wanted], None] = _nothing_to_complete
    update: Callable[[Api, Made, Properties, Wanted], None] | None = None
    is_ready: Callable[[Api, Made], bool] = _at_once
    fixed: frozenset[str] | None = frozenset()
    attributes: frozenset[str] = frozenset()
    changeable: frozenset[str] | None = None
    """What `update` knows how to change; None for all that is not fixed."""
    named_by: str = ""
    names_are_unique: bool = True
    """Are there no two of one name?"""
    tagged: bool = True
    """Has it a property Tags, which the tags of the stack are added to?"""
    required: frozenset[str] = frozenset()
    """Properties without which nothing can be called. What else is missing the service says."""
    objects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Properties that are lists of objects, and the members that each of those must have, where kinds look inside."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    patience: float = HOUR


class Services:
    """Calls services for kinds: ECS in this process, others through botocore's clients."""

    def __init__(self, ecs: Ecs, clients: Clients, ids: Ids) -> None:
        self._ecs = ecs
        self._clients = clients
        self.ids = ids

    def api(self, kind: Kind, place: Place) -> Api:
        """The calls of a kind's service. They raise ServiceRefusedError, PropertyError, ServiceUnreachableError."""

        def call(operation: str, members: Properties) -> dict[str, Any]:
            return self.call(kind.service, operation, members, place, kind.renamed)

        return call

    def call(
        self,
        service: str,
        operation: str,
        members: Properties,
        place: Place,
        renamed: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Call one operation. Raises ServiceRefusedError, PropertyError, ServiceUnreachableError."""
        shape = self._clients.model(service).operation_model(operation).input_shape
        request = fitted(dict(members), shape, renamed) if shape is not None else {}
        if service == "ecs":
            return self._ecs(operation, request, place)
        return self._through_client(service, operation, request, place)

    def service_id(self, service: str) -> str:
        """How a service is named in the sentences of events."""
        return str(self._clients.model(service).service_id)

    def _through_client(self, service: str, operation: str, request: Properties, place: Place) -> dict[str, Any]:
        from botocore import xform_name
        from botocore.exceptions import ParamValidationError

        with self._clients.asking(service, place) as client:
            try:
                answer: dict[str, Any] = getattr(client, xform_name(operation))(**request)
            except ParamValidationError as error:
                raise PropertyError(f"#: {error.kwargs['report']}") from None
        return answer


class Adapter:
    """A kind as the engine knows types. See ResourceType for every method."""

    def __init__(self, kind: Kind, services: Services) -> None:
        self._kind = kind
        self._services = services
        self.named_by = kind.named_by
        self.names_are_unique = kind.names_are_unique
        self.tagged = kind.tagged
        self.patience = kind.patience

    def has_attribute(self, name: str) -> bool:
        """Is it one of the kind's?"""
        return name in self._kind.attributes

    def must_replace(self, before: Properties, after: Properties) -> bool:
        """Has a fixed property changed, or any where there is no way to change one?"""
        changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
        if self._kind.fixed is None:
            return bool(changed - {"Tags"})
        return any(_at(before, path) != _at(after, path) for path in self._kind.fixed)

    def attribute(self, made: Made, wanted: Wanted, name: str) -> Any:
        """What the kind found out when it was made."""
        if not self.has_attribute(name):
            raise ResourceError(reasons.no_attribute(wanted.logical_id, name))
        return made.attributes[name]

    def create(self, wanted: Wanted) -> Made:
        """Make one."""
        with self._refusals(wanted):
            self._check(wanted.properties)
            return self._kind.create(self._api(wanted), self._with_stack_tags(wanted))

    def complete(self, made: Made, wanted: Wanted) -> Made:
        """Make what belongs to it."""
        with self._refusals(wanted):
            self._kind.complete(self._api(wanted), made, self._with_stack_tags(wanted))
        return made

    def update(self, made: Made, before: Wanted, wanted: Wanted) -> Made:
        """Change it, if it is known how to change all that is to be."""
        with self._refusals(wanted):
            self._check(wanted.properties)
        was, now = self._with_stack_tags(before).properties, self._with_stack_tags(wanted)
        keys = {key for key in {*was, *now.properties} if was.get(key) != now.properties.get(key)}
        strange = keys - self._kind.changeable if self._kind.changeable is not None else set()
        if self._kind.update is None or strange:
            names = ", ".join(sorted(strange or keys))
            raise ResourceError(f"This emulator cannot change {names} of a resource of type {wanted.type}.")
        with self._refusals(wanted):
            self._kind.update(self._api(wanted), made, was, now)
        return made

    def is_ready(self, made: Made, wanted: Wanted) -> bool:
        """Is it ready?"""
        with self._refusals(wanted):
            return self._kind.is_ready(self._api(wanted), made)

    def delete(self, made: Made, wanted: Wanted) -> bool:
        """Remove it. One that is gone is fine."""
        with self._refusals(wanted):
            try:
                return self._kind.delete(self._api(wanted), made, wanted.properties) is not False
            except ServiceRefusedError as refusal:
                if reasons.is_missing(refusal):
                    return True
                raise

    def _check(self, properties: Properties) -> None:
        """Raises PropertyError."""
        for name in sorted(self._kind.required - properties.keys()):
            raise PropertyError(f"#: required key [{name}] not found")
        tags = {"Tags": ("Key",)} if self._kind.tagged else {}
        for name, members in {**tags, **self._kind.objects}.items():
            check_objects(properties.get(name, []), members, f"#/{name}")

    def _api(self, wanted: Wanted) -> Api:
        return self._services.api(self._kind, wanted.place)

    def _with_stack_tags(self, wanted: Wanted) -> Wanted:
        if not self._kind.tagged or not wanted.tags:
            return wanted
        own = wanted.properties.get("Tags", [])
        named = {tag.get("Key") for tag in own if isinstance(tag, dict)}
        added = [{"Key": key, "Value": value} for key, value in wanted.tags.items() if key not in named]
        return replace(wanted, properties={**wanted.properties, "Tags": [*own, *added]})

    @contextmanager
    def _refusals(self, wanted: Wanted) -> Iterator[None]:
        """What a service says, as the reason of a stack's event."""
        ids = self._services.ids
        try:
            yield
        except ServiceRefusedError as refusal:
            service = self._services.service_id(self._kind.service)
            raise ResourceError(reasons.refused(service, refusal, ids.uuid(), ids.uuid())) from refusal
        except PropertyError as error:
            raise ResourceError(reasons.wrong_properties(wanted.logical_id, str(error))) from error
        except ExistsError as error:
            raise ResourceError(reasons.exists(wanted.type, str(error), ids.uuid())) from error
        except UnstableError as error:
            raise ResourceError(reasons.handler_said(str(error), ids.uuid(), "GeneralServiceException")) from error
        except ServiceUnreachableError as error:
            raise ResourceError(str(error)) from error


def _at(properties: Any, path: str) -> Any:
    for name in path.split("/"):
        properties = properties.get(name) if isinstance(properties, dict) else None
    return properties


def retag(
    api: Api,
    which: Properties,
    before: Properties,
    after: Properties,
    verbs: tuple[str, str] = ("TagResource", "UntagResource"),
) -> None:
    """Have a resource's tags be what they are now. `which`: how the operations name it."""
    was = {tag["Key"]: tag.get("Value", "") for tag in before.get("Tags", [])}
    now = {tag["Key"]: tag.get("Value", "") for tag in after.get("Tags", [])}
    new = [{"Key": key, "Value": value} for key, value in now.items() if was.get(key) != value]
    gone = [key for key in was if key not in now]
    if new:
        api(verbs[0], {**which, "Tags": new})
    if gone:
        api(verbs[1], {**which, "TagKeys": gone})


def without(properties: Properties, *names: str) -> dict[str, Any]:
    """The properties but for some."""
    return {key: value for key, value in properties.items() if key not in names}


def only(properties: Properties, *names: str) -> dict[str, Any]:
    """Those of some properties that there are."""
    return {key: properties[key] for key in names if key in properties}


def changed(before: Properties, after: Properties, *names: str) -> bool:
    """Is one of these properties not what it was?"""
    return any(before.get(name) != after.get(name) for name in names)
