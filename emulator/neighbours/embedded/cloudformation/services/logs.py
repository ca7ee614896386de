"""Log groups (documented: Logs resource type reference). Moto's own make them, but cannot change one."""

from __future__ import annotations

from emulator.neighbours.embedded.cloudformation.kinds import Api, Kind, changed, retag, without
from emulator.neighbours.embedded.cloudformation.resource_types import Made, Properties, Wanted
from emulator.state.arns import partition_of


def _create(api: Api, wanted: Wanted) -> Made:
    api("CreateLogGroup", {**without(wanted.properties, "RetentionInDays"), "LogGroupName": wanted.name})
    account, region = wanted.place
    arn = f"arn:{partition_of(region)}:logs:{region}:{account}:log-group:{wanted.name}:*"
    return Made(wanted.name, {"Arn": arn})


def _retain(api: Api, made: Made, wanted: Wanted) -> None:
    if "RetentionInDays" in wanted.properties:
        days = wanted.properties["RetentionInDays"]
        api("PutRetentionPolicy", {"LogGroupName": made.id, "RetentionInDays": days})


def _update(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    after = wanted.properties
    if changed(before, after, "RetentionInDays"):
        _retain(api, made, wanted)
        if "RetentionInDays" not in after:
            api("DeleteRetentionPolicy", {"LogGroupName": made.id})
    retag(api, {"ResourceArn": str(made.attributes["Arn"]).removesuffix(":*")}, before, after)


def _delete(api: Api, made: Made, _properties: Properties) -> None:
    api("DeleteLogGroup", {"LogGroupName": made.id})


KINDS = (
    Kind(
        type="AWS::Logs::LogGroup",
        service="logs",
        create=_create,
        complete=_retain,
        update=_update,
        delete=_delete,
        fixed=frozenset({"LogGroupName"}),
        changeable=frozenset({"RetentionInDays", "Tags"}),
        attributes=frozenset({"Arn"}),
        named_by="LogGroupName",
    ),
)
