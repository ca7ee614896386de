"""The resources of Application Auto Scaling and of CloudWatch's alarms (documented: their type references)."""

from __future__ import annotations

from typing import Any

from emulator.neighbours.embedded.cloudformation.kinds import Api, Kind, only, retag, without
from emulator.neighbours.embedded.cloudformation.resource_types import Made, Properties, Wanted

IDENTITY = ("ResourceId", "ScalableDimension", "ServiceNamespace")


# Scalable targets


def _register(api: Api, properties: Properties) -> str:
    return str(api("RegisterScalableTarget", without(properties, "ScheduledActions")).get("ScalableTargetARN", ""))


def _create_target(api: Api, wanted: Wanted) -> Made:
    arn = _register(api, wanted.properties)
    id_ = "|".join(str(wanted.properties[name]) for name in IDENTITY)
    return Made(id_, {"Id": id_, "Arn": arn})


def _schedule(api: Api, _made: Made, wanted: Wanted) -> None:
    for action in wanted.properties.get("ScheduledActions", []):
        api("PutScheduledAction", {**only(wanted.properties, *IDENTITY), **action})


def _update_target(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    after = wanted.properties
    _register(api, without(after, "Tags"))
    kept = {action["ScheduledActionName"] for action in after.get("ScheduledActions", [])}
    for action in before.get("ScheduledActions", []):
        if action["ScheduledActionName"] not in kept:
            api("DeleteScheduledAction", {**only(after, *IDENTITY), **only(action, "ScheduledActionName")})
    _schedule(api, made, wanted)
    retag(api, {"ResourceArn": made.attributes["Arn"]}, before, after)


def _deregister(api: Api, _made: Made, properties: Properties) -> None:
    api("DeregisterScalableTarget", only(properties, *IDENTITY))


# Scaling policies


def _identity(properties: Properties) -> dict[str, Any]:
    """A policy names its target by its Ref, or by the three members of it."""
    if "ScalingTargetId" in properties:
        return dict(zip(IDENTITY, str(properties["ScalingTargetId"]).split("|"), strict=False))
    return only(properties, *IDENTITY)


def _put_policy(api: Api, properties: Properties) -> dict[str, Any]:
    return api("PutScalingPolicy", {**without(properties, "ScalingTargetId"), **_identity(properties)})


def _create_policy(api: Api, wanted: Wanted) -> Made:
    arn = _put_policy(api, wanted.properties)["PolicyARN"]
    return Made(arn, {"Arn": arn})


def _update_policy(api: Api, _made: Made, _before: Properties, wanted: Wanted) -> None:
    _put_policy(api, wanted.properties)


def _delete_policy(api: Api, _made: Made, properties: Properties) -> None:
    api("DeleteScalingPolicy", {**only(properties, "PolicyName"), **_identity(properties)})


# Alarms


def _create_alarm(api: Api, wanted: Wanted) -> Made:
    api("PutMetricAlarm", {**wanted.properties, "AlarmName": wanted.name})
    found = api("DescribeAlarms", {"AlarmNames": [wanted.name], "AlarmTypes": ["MetricAlarm"]})["MetricAlarms"]
    return Made(wanted.name, {"Arn": found[0]["AlarmArn"] if found else ""})


def _update_alarm(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    api("PutMetricAlarm", {**without(wanted.properties, "Tags"), "AlarmName": made.id})
    retag(api, {"ResourceArn": made.attributes["Arn"]}, before, wanted.properties)


def _delete_alarm(api: Api, made: Made, _properties: Properties) -> None:
    api("DeleteAlarms", {"AlarmNames": [made.id]})


KINDS = (
    Kind(
        type="AWS::ApplicationAutoScaling::ScalableTarget",
        service="application-autoscaling",
        create=_create_target,
        complete=_schedule,
        update=_update_target,
        delete=_deregister,
        fixed=frozenset(IDENTITY),
        required=frozenset({*IDENTITY, "MaxCapacity", "MinCapacity"}),
        objects={"ScheduledActions": ("ScheduledActionName",)},
        attributes=frozenset({"Id"}),
    ),
    Kind(
        type="AWS::ApplicationAutoScaling::ScalingPolicy",
        service="application-autoscaling",
        create=_create_policy,
        update=_update_policy,
        delete=_delete_policy,
        fixed=frozenset({"PolicyName", "ScalingTargetId", *IDENTITY}),
        required=frozenset({"PolicyName", "PolicyType"}),
        attributes=frozenset({"Arn"}),
        tagged=False,
    ),
    Kind(
        type="AWS::CloudWatch::Alarm",
        service="cloudwatch",
        create=_create_alarm,
        update=_update_alarm,
        delete=_delete_alarm,
        fixed=frozenset({"AlarmName"}),
        attributes=frozenset({"Arn"}),
        named_by="AlarmName",
    ),
)
