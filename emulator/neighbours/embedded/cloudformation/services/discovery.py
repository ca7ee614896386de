"""The resources of Cloud Map (documented: ServiceDiscovery resource type reference)."""

from __future__ import annotations

from collections.abc import Callable

from emulator.neighbours.embedded.cloudformation.kinds import (
    Api,
    Kind,
    UnstableError,
    changed,
    only,
    retag,
    without,
)
from emulator.neighbours.embedded.cloudformation.resource_types import Made, Properties, Wanted


def _create_namespace(operation: str) -> Callable[[Api, Wanted], Made]:
    def create(api: Api, wanted: Wanted) -> Made:
        operation_id = api(operation, wanted.properties)["OperationId"]
        done = api("GetOperation", {"OperationId": operation_id})["Operation"]
        if "NAMESPACE" not in done.get("Targets", {}):
            raise UnstableError(str(done.get("ErrorMessage", "The namespace was not made.")))
        found = api("GetNamespace", {"Id": done["Targets"]["NAMESPACE"]})["Namespace"]
        zone = found.get("Properties", {}).get("DnsProperties", {}).get("HostedZoneId", "")
        return Made(found["Id"], {"Id": found["Id"], "Arn": found["Arn"], "HostedZoneId": zone})

    return create


def _update_namespace(operation: str) -> Callable[[Api, Made, Properties, Wanted], None]:
    def update(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
        after = wanted.properties
        if changed(before, after, "Description", "Properties"):
            change = {"Description": after.get("Description", ""), **only(after, "Properties")}
            api(operation, {"Id": made.id, "Namespace": change})
        retag(api, {"ResourceArn": made.attributes["Arn"]}, before, after)

    return update


def _delete_namespace(api: Api, made: Made, _properties: Properties) -> None:
    api("DeleteNamespace", {"Id": made.id})


def _namespace(kind: str, fixed: frozenset[str], attributes: frozenset[str]) -> Kind:
    return Kind(
        type=f"AWS::ServiceDiscovery::{kind}",
        service="servicediscovery",
        create=_create_namespace(f"Create{kind}"),
        update=_update_namespace(f"Update{kind}"),
        delete=_delete_namespace,
        fixed=fixed,
        attributes=attributes,
    )


def _create_service(api: Api, wanted: Wanted) -> Made:
    request = {**without(wanted.properties, "ServiceAttributes"), "Name": wanted.name}
    found = api("CreateService", request)["Service"]
    return Made(found["Id"], {"Id": found["Id"], "Arn": found["Arn"], "Name": found["Name"]})


def _set_attributes(api: Api, made: Made, wanted: Wanted) -> None:
    attributes = wanted.properties.get("ServiceAttributes")
    if attributes:
        api("UpdateServiceAttributes", {"ServiceId": made.id, "Attributes": attributes})


def _update_service(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    after = wanted.properties
    if changed(before, after, "Description", "DnsConfig", "HealthCheckConfig"):
        change = only(after, "Description", "HealthCheckConfig")
        if "DnsConfig" in after:
            change["DnsConfig"] = only(after["DnsConfig"], "DnsRecords")
        api("UpdateService", {"Id": made.id, "Service": change})
    if changed(before, after, "ServiceAttributes"):
        _set_attributes(api, made, wanted)
    retag(api, {"ResourceArn": made.attributes["Arn"]}, before, after)


def _delete_service(api: Api, made: Made, _properties: Properties) -> None:
    api("DeleteService", {"Id": made.id})


KINDS = (
    _namespace("PrivateDnsNamespace", frozenset({"Name", "Vpc"}), frozenset({"Id", "Arn", "HostedZoneId"})),
    _namespace("PublicDnsNamespace", frozenset({"Name"}), frozenset({"Id", "Arn", "HostedZoneId"})),
    _namespace("HttpNamespace", frozenset({"Name"}), frozenset({"Id", "Arn"})),
    Kind(
        type="AWS::ServiceDiscovery::Service",
        service="servicediscovery",
        create=_create_service,
        complete=_set_attributes,
        update=_update_service,
        delete=_delete_service,
        fixed=frozenset({"HealthCheckCustomConfig", "Name", "NamespaceId", "Type"}),
        attributes=frozenset({"Id", "Arn", "Name"}),
        named_by="Name",
    ),
)
