"""A call of the ECS API as authorization sees it, and the ARNs of what it names.

Resources are named by their long ARNs, also where a caller gives a short one (documented: the developer guide's page
"Supported resource-level permissions").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import api_models as ecs
from emulator.policies.patterns import arn_parts
from emulator.state.arns import read_arn


class Place(Protocol):
    """Where a call is made: `operations.operation.Caller` is one."""

    @property
    def account(self) -> str:
        """Twelve digits."""
        ...

    @property
    def region(self) -> str:
        """Such as us-east-1."""
        ...

    @property
    def partition(self) -> str:
        """The part of ARNs behind `arn:`."""
        ...


class Facts(Protocol):
    """What the state knows of the things that a call names."""

    def tags(self, arn: str) -> Mapping[str, str]:
        """The tags of a resource; none for one that is not there."""
        ...

    def task_definition(self, reference: str) -> ecs.TaskDefinition | ecs.DaemonTaskDefinition | None:
        """A task definition by family, family:revision or ARN, or a daemon's one by its ARN; None if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """An operation's name and its request, as they came: nothing in the request has been checked."""

    operation: str
    request: Any
    place: Place
    facts: Facts

    def given(self, *members: str) -> Any:
        """A member of the request, and a member of that, and so on; None where one is missing."""
        value = self.request
        for member in members:
            value = getattr(value, member, None)
        return value

    def arn(self, resource: str) -> str:
        """The ARN of an ECS resource, such as `cluster/default`, where the call is made."""
        return f"arn:{self.place.partition}:ecs:{self.place.region}:{self.place.account}:{resource}"

    def named(self, kind: str, text: str) -> str:
        """The ARN of a resource that stands in no cluster, by its name or ARN."""
        return text if text.startswith("arn:") else self.arn(f"{kind}/{text}")

    @property
    def cluster(self) -> str:
        """The ARN of the cluster that the request names, or of the default one."""
        return self.named("cluster", self.given("cluster") or self.given("cluster_arn") or "default")

    def in_cluster(self, kind: str, text: str) -> str:
        """The long ARN of a resource in a cluster, by its name, id or ARN. The name may be `*`."""
        cluster = self.cluster.rpartition("/")[2]
        if not text.startswith("arn:"):
            return self.arn(f"{kind}/{cluster}/{text}")
        found = read_arn(text)
        if found is None or found.resource != kind or len(found.path) > 1:
            return text
        return ":".join([*arn_parts(text)[:5], f"{kind}/{cluster}/{found.name}"])

    def all_in_cluster(self, kind: str, texts: Iterable[str] | None) -> list[str]:
        """Those that a list names, each once; without a list, all of the cluster (inferred: the form of ListTasks)."""
        return [self.in_cluster(kind, text) for text in dict.fromkeys(texts or ("*",))]

    @property
    def service(self) -> str:
        """The ARN of the service that the request names or makes; one without a name may be any."""
        return self.in_cluster("service", self.given("service") or self.given("service_name") or "*")

    def in_service(self, kind: str, text: str) -> str:
        """The ARN of something in the request's service, by its id or ARN."""
        if text.startswith("arn:"):
            return text
        cluster_and_service = arn_parts(self.service)[5].partition("/")[2]
        return self.arn(f"{kind}/{cluster_and_service}/{text}")

    @property
    def definition(self) -> ecs.TaskDefinition | ecs.DaemonTaskDefinition | None:
        """The task definition that the request names."""
        members = ("task_definition", "task_definition_arn", "daemon_task_definition_arn")
        reference = next(filter(None, map(self.given, members)), None)
        return self.facts.task_definition(reference) if reference else None

    def definition_arn(self, reference: str, kind: str = "task-definition") -> str:
        """The ARN of the revision that a reference means.

        Without a revision it is the latest one's, and every one's where there is none. (Inferred: since 2024 a policy
        has to name revisions or `:*` for callers who name none. Observed 2024-05: aws/aws-cdk issue 30390.)
        """
        found = self.facts.task_definition(reference)
        known = getattr(found, "task_definition_arn", None) or getattr(found, "daemon_task_definition_arn", None)
        if known:
            return str(known)
        arn = self.named(kind, reference)
        return arn if ":" in arn_parts(arn)[5] else f"{arn}:*"
