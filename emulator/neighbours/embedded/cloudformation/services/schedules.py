"""EventBridge's rules, and the resources of its scheduler (documented: their type references)."""

from __future__ import annotations

import json

from emulator.neighbours.embedded.cloudformation.kinds import Api, Kind, UnstableError, only, retag, without
from emulator.neighbours.embedded.cloudformation.resource_types import Made, Properties, Wanted

# Rules


def _bus(properties: Properties) -> dict[str, str]:
    return only(properties, "EventBusName")


def _put_rule(api: Api, name: str, properties: Properties) -> str:
    request = {**without(properties, "Targets"), "Name": name}
    if isinstance(request.get("EventPattern"), dict):
        request["EventPattern"] = json.dumps(request["EventPattern"])
    return str(api("PutRule", request)["RuleArn"])


def _put_targets(api: Api, name: str, properties: Properties) -> None:
    targets = properties.get("Targets", [])
    if targets:
        answer = api("PutTargets", {"Rule": name, **_bus(properties), "Targets": targets})
        for entry in answer.get("FailedEntries", []):
            raise UnstableError(str(entry.get("ErrorMessage", entry)))


def _create_rule(api: Api, wanted: Wanted) -> Made:
    """The Ref of a rule of another bus than the default one has the bus in it."""
    arn = _put_rule(api, wanted.name, wanted.properties)
    bus = str(wanted.properties.get("EventBusName", "default")).rpartition("/")[2]
    return Made(wanted.name if bus == "default" else f"{bus}|{wanted.name}", {"Arn": arn, "RuleName": wanted.name})


def _complete_rule(api: Api, made: Made, wanted: Wanted) -> None:
    _put_targets(api, made.attributes["RuleName"], wanted.properties)


def _update_rule(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    name, after = made.attributes["RuleName"], wanted.properties
    _put_rule(api, name, without(after, "Tags"))
    kept = {target["Id"] for target in after.get("Targets", [])}
    gone = [target["Id"] for target in before.get("Targets", []) if target["Id"] not in kept]
    if gone:
        api("RemoveTargets", {"Rule": name, **_bus(after), "Ids": gone})
    _put_targets(api, name, after)
    retag(api, {"ResourceArn": made.attributes["Arn"]}, before, after)


def _delete_rule(api: Api, made: Made, properties: Properties) -> None:
    which = {"Rule": made.attributes["RuleName"], **_bus(properties)}
    ids = [target["Id"] for target in api("ListTargetsByRule", which)["Targets"]]
    if ids:
        api("RemoveTargets", {**which, "Ids": ids})
    api("DeleteRule", {"Name": which.pop("Rule"), **which})


# Schedules


def _create_schedule(api: Api, wanted: Wanted) -> Made:
    arn = api("CreateSchedule", {**wanted.properties, "Name": wanted.name})["ScheduleArn"]
    return Made(wanted.name, {"Arn": arn})


def _update_schedule(api: Api, made: Made, _before: Properties, wanted: Wanted) -> None:
    api("UpdateSchedule", {**wanted.properties, "Name": made.id})


def _delete_schedule(api: Api, made: Made, properties: Properties) -> None:
    api("DeleteSchedule", {"Name": made.id, **only(properties, "GroupName")})


def _create_group(api: Api, wanted: Wanted) -> Made:
    api("CreateScheduleGroup", {**wanted.properties, "Name": wanted.name})
    found = api("GetScheduleGroup", {"Name": wanted.name})
    dates = {name: str(found.get(name, "")) for name in ("CreationDate", "LastModificationDate")}
    return Made(wanted.name, {"Arn": found["Arn"], "State": found["State"], **dates})


def _update_group(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    retag(api, {"ResourceArn": made.attributes["Arn"]}, before, wanted.properties)


def _delete_group(api: Api, made: Made, _properties: Properties) -> None:
    api("DeleteScheduleGroup", {"Name": made.id})


KINDS = (
    Kind(
        type="AWS::Events::Rule",
        service="events",
        create=_create_rule,
        complete=_complete_rule,
        update=_update_rule,
        delete=_delete_rule,
        fixed=frozenset({"EventBusName", "Name"}),
        attributes=frozenset({"Arn", "RuleName"}),
        objects={"Targets": ("Id", "Arn")},
        named_by="Name",
        renamed={"PlacementStrategies": "PlacementStrategy", "TagList": "Tags"},
    ),
    Kind(
        type="AWS::Scheduler::Schedule",
        service="scheduler",
        create=_create_schedule,
        update=_update_schedule,
        delete=_delete_schedule,
        fixed=frozenset({"GroupName", "Name"}),
        attributes=frozenset({"Arn"}),
        named_by="Name",
        tagged=False,
    ),
    Kind(
        type="AWS::Scheduler::ScheduleGroup",
        service="scheduler",
        create=_create_group,
        update=_update_group,
        delete=_delete_group,
        fixed=frozenset({"Name"}),
        attributes=frozenset({"Arn", "CreationDate", "LastModificationDate", "State"}),
        named_by="Name",
    ),
)
