"""What is known of a stack: its resources, what happened to them, and what it shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from emulator.neighbours.embedded.cloudformation.parameters import hidden
from emulator.neighbours.embedded.cloudformation.resource_types import Made, Wanted
from emulator.neighbours.embedded.cloudformation.targets import Target
from emulator.neighbours.embedded.cloudformation.walk import Work
from emulator.neighbours.ports import Place

Now = Callable[[], datetime]
Tell = Callable[["Stack", "Event"], None]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, as DescribeStackEvents shows it."""

    event_id: str
    stack_id: str
    stack_name: str
    logical_resource_id: str
    physical_resource_id: str
    resource_type: str
    resource_status: str
    resource_status_reason: str | None
    timestamp: datetime
    client_request_token: str | None = None


@dataclass(slots=True)
class Resource:
    """A resource of a stack.

    `made` and `wanted` are what there is, as it was last made or changed; `made` is None where there is nothing.
    `policies` are the resource's members DeletionPolicy and UpdateReplacePolicy.
    """

    logical_id: str
    type: str
    at: datetime
    wanted: Wanted
    policies: Mapping[str, str]
    made: Made | None = None
    status: str = ""
    reason: str | None = None
    last_id: str = ""

    @property
    def physical_id(self) -> str:
        """Its Ref; that of a resource which is gone, too."""
        return self.made.id if self.made is not None else self.last_id


@dataclass(frozen=True, slots=True)
class Output:
    """A value that a stack shows. Named as the answer's members are."""

    output_key: str
    output_value: str
    description: str | None
    export_name: str | None


@dataclass(slots=True)
class Options:
    """How a stack is to be made or changed."""

    on_failure: str = "ROLLBACK"
    """DO_NOTHING, ROLLBACK or DELETE."""
    retain_except_on_create: bool = False
    timeout_in_minutes: int | None = None
    capabilities: tuple[str, ...] = ()
    """What the caller consents to."""


@dataclass
class Stack:
    """A stack. Its attributes are named as moto's answers look for them."""

    class Meta:
        """Where an answer's member has another name than the attribute."""

        serialization_aliases = {"Parameters": "parameter_list"}

    stack_id: str
    name: str
    place: Place
    creation_time: datetime
    now: Now
    tell: Tell
    event_id: Callable[[], str]
    tags: dict[str, str] = field(default_factory=dict)
    status: str = "REVIEW_IN_PROGRESS"
    status_reason: str | None = None
    target: Target | None = None
    resources: dict[str, Resource] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    """The names of other stacks' exports that this one uses."""
    work: Work | None = None
    """What is being done to it."""
    options: Options = field(default_factory=Options)
    notification_arns: list[str] = field(default_factory=list)
    role_arn: str | None = None
    enable_termination_protection: bool = False
    policy: str = ""
    parent_id: str | None = None
    root_id: str | None = None
    depth: int = 0
    """How many stacks are around it."""
    last_updated_time: datetime | None = None
    deletion_time: datetime | None = None

    @property
    def disable_rollback(self) -> bool:
        """Is it left as it is when it fails?"""
        return self.options.on_failure == "DO_NOTHING"

    @property
    def capabilities(self) -> list[str]:
        """What the caller consented to."""
        return list(self.options.capabilities)

    @property
    def timeout_in_minutes(self) -> int | None:
        """How long it may take to be made."""
        return self.options.timeout_in_minutes

    @property
    def description(self) -> str | None:
        """The template's."""
        found = self.target.template.get("Description") if self.target else None
        return str(found) if found is not None else None

    template_description = description

    @property
    def template(self) -> str:
        """The text of its template."""
        return self.target.text if self.target else ""

    @property
    def parameter_list(self) -> list[dict[str, str]]:
        """Its parameters, without those that nobody shall see."""
        if self.target is None:
            return []
        secret = hidden(self.target.template["Parameters"])
        return [
            {"ParameterKey": name, "ParameterValue": "****" if name in secret else text}
            for name, text in self.target.parameters.items()
        ]

    def enter(self, status: str, reason: str | None = None) -> None:
        """Come to a status."""
        self.status, self.status_reason = status, reason
        if status == "DELETE_COMPLETE":
            self.deletion_time = self.now()
        if status == "UPDATE_IN_PROGRESS":
            self.last_updated_time = self.now()
        self._note(self.name, self.stack_id, "AWS::CloudFormation::Stack", status, reason)

    def note(self, resource: Resource, status: str, reason: str | None = None) -> None:
        """Have a resource come to a status."""
        resource.status, resource.reason, resource.at = status, reason, self.now()
        self._note(resource.logical_id, resource.physical_id, resource.type, status, reason)

    def _note(self, logical_id: str, physical_id: str, type_: str, status: str, reason: str | None) -> None:
        event = Event(
            event_id=self.event_id() if physical_id == self.stack_id else f"{logical_id}-{status}-{self.event_id()}",
            stack_id=self.stack_id,
            stack_name=self.name,
            logical_resource_id=logical_id,
            physical_resource_id=physical_id,
            resource_type=type_,
            resource_status=status,
            resource_status_reason=reason,
            timestamp=self.now(),
        )
        self.events.append(event)
        self.tell(self, event)
