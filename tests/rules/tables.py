"""The tables of requests that break a rule and that keep it, one file a resource.

A document of a file says what is asked (`asks`), with which request (`base`), and for each rule which changes of that
request break it, with AWS's sentence (`…` stands for any text in it), and which keep it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import api_models as ecs
from emulator.errors import ApiError
from emulator.operations.definition_content import definition_content
from emulator.rules.account_settings import SettingCall
from emulator.rules.capacity_providers import Removal, Strategy
from emulator.rules.clusters import ClusterContents, MadeAgain, Region
from emulator.rules.launch import NetworkFacts
from emulator.rules.revisions import FamilyHistory
from emulator.rules.roles import TaskRole
from emulator.rules.rule import first_refusal
from emulator.rules.tags import Tagging
from emulator.rules.task_definitions import refusal_of, registration
from emulator.rules.tasks import TaskRequest

SHORT = {"container": "containerDefinitions.0", "network": "networkConfiguration.awsvpcConfiguration"}
"""What stands for a longer path in a change."""


KEPT = {
    "account",
    "launch_type",
    "capacity_providers",
    "definition",
    "request",
    "in_all",
    "container_instances",
    "services",
    "tasks",
    "latest_revision",
    "clusters",
    "items",
    "providers",
    "in_use",
    "cluster",
    "roles",
    "arn",
    "may_be_assumed",
}
"""Members that are no part of a request: the facts beside it."""


@dataclass(frozen=True)
class Case:
    file: str
    asks: str
    rule: str
    document: dict[str, Any]
    says: str | None
    """The sentence; None where the rule is kept."""

    def __str__(self) -> str:
        return f"{self.asks}-{self.rule}-{'kept' if self.says is None else 'broken'}"

    def answer(self) -> ApiError | None:
        return ASK[self.asks](self.document)


def definition_of(document: dict[str, Any]) -> ecs.TaskDefinition:
    """What registering a definition answers."""
    body = json.dumps(document).encode()
    request = ecs.RegisterTaskDefinitionRequest.parse(body)
    facts = registration(request, len(body))
    return definition_content(
        request, facts, arn="arn:aws:ecs:r:1:task-definition/f:1", revision=1, registered_at=0.0, registered_by="root"
    )


def _register(document: dict[str, Any]) -> ApiError | None:
    body = json.dumps(document).encode()
    return refusal_of(registration(ecs.RegisterTaskDefinitionRequest.parse(body), len(body)))


def _run(document: dict[str, Any]) -> ApiError | None:
    request = ecs.RunTaskRequest.parse(json.dumps(document["request"]).encode())
    definition = definition_of(document["definition"])
    providers = tuple(document["capacity_providers"])
    ec2 = document.get("ec2")
    network = NetworkFacts(ec2.get("subnets", {}), ec2.get("groups", {})) if ec2 is not None else None
    return first_refusal("RunTask", TaskRequest(request, definition, document["launch_type"], providers, network))


def _make_again(document: dict[str, Any]) -> ApiError | None:
    request = ecs.CreateClusterRequest.parse(json.dumps(document["request"]).encode())
    cluster = ecs.Cluster.parse(json.dumps(document["cluster"]).encode())
    return first_refusal("CreateCluster:again", MadeAgain(request, cluster))


def _strategy(guards: str) -> Callable[[dict[str, Any]], ApiError | None]:
    def ask(document: dict[str, Any]) -> ApiError | None:
        items = tuple(ecs.CapacityProviderStrategyItem.parse(json.dumps(item).encode()) for item in document["items"])
        return first_refusal(guards, Strategy(items, document["providers"]))

    return ask


def _run_tags(document: dict[str, Any]) -> ApiError | None:
    return first_refusal("RunTask:tags", Tagging((), document["in_all"]))


def _tag(document: dict[str, Any]) -> ApiError | None:
    tags = tuple(ecs.Tag(**tag) for tag in document.get("tags", ()))
    return first_refusal("TagResource", Tagging(tags, document["in_all"]))


def _setting(guards: str) -> Callable[[dict[str, Any]], ApiError | None]:
    return lambda document: first_refusal(guards, SettingCall(**document))


def _request(guards: str, shape: type[ecs.Shape]) -> Callable[[dict[str, Any]], ApiError | None]:
    return lambda document: first_refusal(guards, shape.parse(json.dumps(document).encode()))


ASK: dict[str, Callable[[dict[str, Any]], ApiError | None]] = {
    "RegisterTaskDefinition": _register,
    "RegisterTaskDefinition:family": lambda document: first_refusal(
        "RegisterTaskDefinition:family", FamilyHistory(**document)
    ),
    "DeleteTaskDefinitions": _request("DeleteTaskDefinitions", ecs.DeleteTaskDefinitionsRequest),
    "RunTask:request": _request("RunTask:request", ecs.RunTaskRequest),
    "RunTask": _run,
    "ListTasks": _request("ListTasks", ecs.ListTasksRequest),
    "RunTask:strategy": _strategy("RunTask:strategy"),
    "RunTask:default-strategy": _strategy("RunTask:default-strategy"),
    "RunTask:tags": _run_tags,
    "RunTask:roles": lambda document: first_refusal("RunTask:roles", [TaskRole(**role) for role in document["roles"]]),
    "CreateCluster": _request("CreateCluster", ecs.CreateClusterRequest),
    "CreateCluster:strategy": _strategy("CreateCluster:strategy"),
    "CreateCluster:again": _make_again,
    "CreateCluster:new": lambda document: first_refusal("CreateCluster:new", Region(**document)),
    "UpdateCluster": _request("UpdateCluster", ecs.UpdateClusterRequest),
    "UpdateClusterSettings": _request("UpdateClusterSettings", ecs.UpdateClusterSettingsRequest),
    "PutClusterCapacityProviders": _request("PutClusterCapacityProviders", ecs.PutClusterCapacityProvidersRequest),
    "PutClusterCapacityProviders:strategy": _strategy("PutClusterCapacityProviders:strategy"),
    "PutClusterCapacityProviders:removal": lambda document: first_refusal(
        "PutClusterCapacityProviders:removal", Removal(tuple(document["in_use"]))
    ),
    "DeleteCluster": lambda document: first_refusal("DeleteCluster", ClusterContents(**document)),
    "TagResource": _tag,
    "UntagResource": _request("UntagResource", ecs.UntagResourceRequest),
    "PutAccountSetting": _setting("PutAccountSetting"),
    "PutAccountSettingDefault": _setting("PutAccountSettingDefault"),
    "DeleteAccountSetting": _setting("DeleteAccountSetting"),
    "ListAccountSettings": _setting("ListAccountSettings"),
    "GetTaskProtection": _request("GetTaskProtection", ecs.GetTaskProtectionRequest),
    "UpdateTaskProtection": _request("UpdateTaskProtection", ecs.UpdateTaskProtectionRequest),
}


def cases() -> Iterator[Case]:
    for path in sorted(Path(__file__).parent.glob("*.yaml")):
        for table in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            for rule, examples in table["rules"].items():
                for example in [*examples["breaks"], *examples["keeps"]]:
                    document = changed(table["base"], example["set"])
                    yield Case(path.name, table["asks"], rule, document, example.get("says"))


def changed(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy in which some values differ; None takes a value away."""
    document: dict[str, Any] = copy.deepcopy(base)
    for path, value in changes.items():
        *way, last = ".".join(SHORT.get(name, name) for name in path.split(".")).split(".")
        place: Any = document
        for name in way:
            place = place[int(name)] if isinstance(place, list) else place[name]
        if isinstance(place, list):
            place.insert(int(last), expanded(value))
        elif value is None:
            place.pop(last, None)
        else:
            place[last] = expanded(value)
    return document


def expanded(value: Any) -> Any:
    """`{repeat: [x, 3]}` is x, x, x; `{text: [a, 3]}` is aaa; `{numbered: [{key: k}, 3]}` has keys k0, k1, k2."""
    match value:
        case {"repeat": [item, int(times)]}:
            return [copy.deepcopy(item) for _ in range(times)]
        case {"text": [str(letter), int(times)]}:
            return letter * times
        case {"numbered": [{"key": str(key)}, int(times)]}:
            return [{"key": f"{key}{number}"} for number in range(times)]
        case dict():
            return {name: expanded(item) for name, item in value.items()}
        case list():
            return [expanded(item) for item in value]
        case _:
            return copy.deepcopy(value)


def with_less(document: Any) -> Iterator[Any]:
    """Copies from which one member or item is missing, wherever it stands. The first three items of a list count."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name not in KEPT:
                yield {other: kept for other, kept in document.items() if other != name}
            yield from ({**document, name: less} for less in with_less(value))
    elif isinstance(document, list):
        for place, value in enumerate(document[:3]):
            yield [*document[:place], *document[place + 1 :]]
            yield from ([*document[:place], less, *document[place + 1 :]] for less in with_less(value))
