"""What a VPC is made of (documented: EC2 resource type reference).

Moto's own are changed in nothing but being replaced, and most are never removed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from emulator.neighbours.embedded.cloudformation.kinds import Api, Kind, changed, only, retag, without
from emulator.neighbours.embedded.cloudformation.resource_types import Made, Properties, Wanted


def _tag(api: Api, made: Made, wanted: Wanted) -> None:
    _retag(api, made, {}, wanted.properties)


def _retag(api: Api, made: Made, before: Properties, after: Properties) -> None:
    """`DeleteTags` names tags, not keys."""

    def call(operation: str, members: Properties) -> dict[str, Any]:
        if operation == "DeleteTags":
            members = {**only(members, "Resources"), "Tags": [{"Key": key} for key in members["TagKeys"]]}
        return api(operation, members)

    retag(call, {"Resources": [made.attributes.get("Tagged", made.id)]}, before, after, ("CreateTags", "DeleteTags"))


def _update_tags(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    _retag(api, made, before, wanted.properties)


def _by_id(operation: str, member: str) -> Callable[[Api, Made, Properties], None]:
    """How most are removed."""

    def delete(api: Api, made: Made, _properties: Properties) -> None:
        api(operation, {member: made.id})

    return delete


# VPCs and subnets


def _create_vpc(api: Api, wanted: Wanted) -> Made:
    request = without(wanted.properties, "EnableDnsHostnames", "EnableDnsSupport", "Tags")
    vpc = api("CreateVpc", request)["Vpc"]
    of_vpc = {"Filters": [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]}
    groups = api("DescribeSecurityGroups", of_vpc)["SecurityGroups"]
    lists = api("DescribeNetworkAcls", of_vpc)["NetworkAcls"]
    return Made(
        vpc["VpcId"],
        {
            "CidrBlock": vpc["CidrBlock"],
            "CidrBlockAssociations": [each["AssociationId"] for each in vpc.get("CidrBlockAssociationSet", [])],
            "DefaultNetworkAcl": next((each["NetworkAclId"] for each in lists), ""),
            "DefaultSecurityGroup": next((each["GroupId"] for each in groups if each["GroupName"] == "default"), ""),
            "Ipv6CidrBlocks": [],
            "VpcId": vpc["VpcId"],
        },
    )


def _complete_vpc(api: Api, made: Made, wanted: Wanted) -> None:
    for name in ("EnableDnsSupport", "EnableDnsHostnames"):
        if name in wanted.properties:
            api("ModifyVpcAttribute", {"VpcId": made.id, name: {"Value": wanted.properties[name]}})
    _tag(api, made, wanted)


def _update_vpc(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    for name, default in (("EnableDnsSupport", True), ("EnableDnsHostnames", False)):
        if changed(before, wanted.properties, name):
            api("ModifyVpcAttribute", {"VpcId": made.id, name: {"Value": wanted.properties.get(name, default)}})
    _retag(api, made, before, wanted.properties)


def _create_subnet(api: Api, wanted: Wanted) -> Made:
    subnet = api("CreateSubnet", without(wanted.properties, "MapPublicIpOnLaunch", "Tags"))["Subnet"]
    attributes = only(subnet, "AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "SubnetId", "VpcId")
    return Made(subnet["SubnetId"], {**attributes, "Ipv6CidrBlocks": []})


def _map_addresses(api: Api, made: Made, properties: Properties) -> None:
    value = {"Value": properties.get("MapPublicIpOnLaunch", False)}
    api("ModifySubnetAttribute", {"SubnetId": made.id, "MapPublicIpOnLaunch": value})


def _complete_subnet(api: Api, made: Made, wanted: Wanted) -> None:
    if "MapPublicIpOnLaunch" in wanted.properties:
        _map_addresses(api, made, wanted.properties)
    _tag(api, made, wanted)


def _update_subnet(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    if changed(before, wanted.properties, "MapPublicIpOnLaunch"):
        _map_addresses(api, made, wanted.properties)
    _retag(api, made, before, wanted.properties)


# Gateways


def _create_internet_gateway(api: Api, _wanted: Wanted) -> Made:
    id_ = api("CreateInternetGateway", {})["InternetGateway"]["InternetGatewayId"]
    return Made(id_, {"InternetGatewayId": id_})


def _attach(verb: str, api: Api, properties: Properties) -> None:
    for kind in ("InternetGateway", "VpnGateway"):
        if f"{kind}Id" in properties:
            api(f"{verb}{kind}", only(properties, "VpcId", f"{kind}Id"))


def _create_attachment(api: Api, wanted: Wanted) -> Made:
    _attach("Attach", api, wanted.properties)
    kind = "IGW" if "InternetGatewayId" in wanted.properties else "VGW"
    return Made(f"{kind}|{wanted.properties['VpcId']}", {"AttachmentType": kind})


def _delete_attachment(api: Api, _made: Made, properties: Properties) -> None:
    _attach("Detach", api, properties)


def _create_address(api: Api, wanted: Wanted) -> Made:
    found = api("AllocateAddress", only(wanted.properties, "Domain") or {"Domain": "vpc"})
    names = {"AllocationId": found["AllocationId"], "PublicIp": found["PublicIp"]}
    return Made(found["PublicIp"], {**names, "Tagged": found["AllocationId"]})


def _delete_address(api: Api, made: Made, _properties: Properties) -> None:
    api("ReleaseAddress", {"AllocationId": made.attributes["AllocationId"]})


def _create_nat_gateway(api: Api, wanted: Wanted) -> Made:
    found = api("CreateNatGateway", without(wanted.properties, "Tags"))["NatGateway"]
    return Made(found["NatGatewayId"], {"NatGatewayId": found["NatGatewayId"]})


def _create_endpoint(api: Api, wanted: Wanted) -> Made:
    request = without(wanted.properties, "Tags")
    if isinstance(request.get("PolicyDocument"), dict):
        request["PolicyDocument"] = json.dumps(request["PolicyDocument"])
    found = api("CreateVpcEndpoint", request)["VpcEndpoint"]
    names = {"Id": found["VpcEndpointId"], "DnsEntries": [each["DnsName"] for each in found.get("DnsEntries", [])]}
    return Made(found["VpcEndpointId"], names)


def _delete_endpoint(api: Api, made: Made, _properties: Properties) -> None:
    api("DeleteVpcEndpoints", {"VpcEndpointIds": [made.id]})


# Routes

DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


def _create_table(api: Api, wanted: Wanted) -> Made:
    id_ = api("CreateRouteTable", only(wanted.properties, "VpcId"))["RouteTable"]["RouteTableId"]
    return Made(id_, {"RouteTableId": id_})


def _create_route(api: Api, wanted: Wanted) -> Made:
    api("CreateRoute", wanted.properties)
    to = next((str(wanted.properties[name]) for name in DESTINATIONS if name in wanted.properties), "")
    return Made(f"{wanted.properties['RouteTableId']}|{to}", {"CidrBlock": to})


def _update_route(api: Api, _made: Made, _before: Properties, wanted: Wanted) -> None:
    api("ReplaceRoute", wanted.properties)


def _delete_route(api: Api, _made: Made, properties: Properties) -> None:
    api("DeleteRoute", only(properties, "RouteTableId", *DESTINATIONS))


def _create_association(api: Api, wanted: Wanted) -> Made:
    id_ = api("AssociateRouteTable", wanted.properties)["AssociationId"]
    return Made(id_, {"Id": id_})


# Security groups

ANYWHERE = {"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}
"""What a group lets out unless told otherwise."""
PEERS = {
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId"),
}
"""Where in a permission each property of a rule is."""


def _permission(rule: Properties) -> dict[str, Any]:
    permission = only(rule, "IpProtocol", "FromPort", "ToPort")
    for name, (members, member) in PEERS.items():
        if name in rule:
            permission[members] = [{member: rule[name], **only(rule, "Description")}]
    return permission


def _change_rules(api: Api, group: str, verb: str, direction: str, rules: list[Properties]) -> None:
    if rules:
        permissions = [_permission(rule) for rule in rules]
        api(f"{verb}SecurityGroup{direction}", {"GroupId": group, "IpPermissions": permissions})


def _create_group(api: Api, wanted: Wanted) -> Made:
    request = {"GroupName": wanted.name, "Description": wanted.properties.get("GroupDescription", "")}
    id_ = api("CreateSecurityGroup", {**request, **only(wanted.properties, "VpcId")})["GroupId"]
    return Made(id_, {"GroupId": id_, "VpcId": wanted.properties.get("VpcId", "")})


def _complete_group(api: Api, made: Made, wanted: Wanted) -> None:
    properties = wanted.properties
    _change_rules(api, made.id, "Authorize", "Ingress", properties.get("SecurityGroupIngress", []))
    if properties.get("SecurityGroupEgress"):
        _change_rules(api, made.id, "Revoke", "Egress", [ANYWHERE])
        _change_rules(api, made.id, "Authorize", "Egress", properties["SecurityGroupEgress"])
    _tag(api, made, wanted)


def _update_group(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    for direction, default in (("Ingress", []), ("Egress", [ANYWHERE])):
        was = before.get(f"SecurityGroup{direction}") or default
        now = wanted.properties.get(f"SecurityGroup{direction}") or default
        _change_rules(api, made.id, "Revoke", direction, [rule for rule in was if rule not in now])
        _change_rules(api, made.id, "Authorize", direction, [rule for rule in now if rule not in was])
    _retag(api, made, before, wanted.properties)


def _create_group_rule(direction: str) -> Callable[[Api, Wanted], Made]:
    def create(api: Api, wanted: Wanted) -> Made:
        properties = wanted.properties
        permissions = {"GroupId": properties["GroupId"], "IpPermissions": [_permission(properties)]}
        found = api(f"AuthorizeSecurityGroup{direction}", permissions).get("SecurityGroupRules", [])
        id_ = found[0]["SecurityGroupRuleId"] if found else wanted.name
        return Made(id_, {"Id": id_})

    return create


def _delete_group_rule(direction: str) -> Callable[[Api, Made, Properties], None]:
    def delete(api: Api, _made: Made, properties: Properties) -> None:
        _change_rules(api, str(properties["GroupId"]), "Revoke", direction, [properties])

    return delete


def _group_rule(direction: str) -> Kind:
    return Kind(
        type=f"AWS::EC2::SecurityGroup{direction}",
        service="ec2",
        create=_create_group_rule(direction),
        delete=_delete_group_rule(direction),
        fixed=None,
        required=frozenset({"GroupId", "IpProtocol"}),
        attributes=frozenset({"Id"}),
        tagged=False,
    )


KINDS = (
    Kind(
        type="AWS::EC2::VPC",
        service="ec2",
        create=_create_vpc,
        complete=_complete_vpc,
        update=_update_vpc,
        delete=_by_id("DeleteVpc", "VpcId"),
        fixed=frozenset({"CidrBlock", "InstanceTenancy", "Ipv4IpamPoolId", "Ipv4NetmaskLength"}),
        changeable=frozenset({"EnableDnsHostnames", "EnableDnsSupport", "Tags"}),
        attributes=frozenset(
            {
                "CidrBlock",
                "CidrBlockAssociations",
                "DefaultNetworkAcl",
                "DefaultSecurityGroup",
                "Ipv6CidrBlocks",
                "VpcId",
            }
        ),
    ),
    Kind(
        type="AWS::EC2::Subnet",
        service="ec2",
        create=_create_subnet,
        complete=_complete_subnet,
        update=_update_subnet,
        delete=_by_id("DeleteSubnet", "SubnetId"),
        fixed=frozenset({"AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "Ipv6CidrBlock", "VpcId"}),
        changeable=frozenset({"MapPublicIpOnLaunch", "Tags"}),
        attributes=frozenset(
            {"AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "Ipv6CidrBlocks", "SubnetId", "VpcId"}
        ),
    ),
    Kind(
        type="AWS::EC2::InternetGateway",
        service="ec2",
        create=_create_internet_gateway,
        complete=_tag,
        update=_update_tags,
        changeable=frozenset({"Tags"}),
        delete=_by_id("DeleteInternetGateway", "InternetGatewayId"),
        attributes=frozenset({"InternetGatewayId"}),
    ),
    Kind(
        type="AWS::EC2::VPCGatewayAttachment",
        service="ec2",
        create=_create_attachment,
        delete=_delete_attachment,
        fixed=None,
        required=frozenset({"VpcId"}),
        attributes=frozenset({"AttachmentType"}),
        tagged=False,
    ),
    Kind(
        type="AWS::EC2::EIP",
        service="ec2",
        create=_create_address,
        complete=_tag,
        update=_update_tags,
        changeable=frozenset({"Tags"}),
        delete=_delete_address,
        fixed=frozenset({"Domain"}),
        attributes=frozenset({"AllocationId", "PublicIp"}),
    ),
    Kind(
        type="AWS::EC2::NatGateway",
        service="ec2",
        create=_create_nat_gateway,
        complete=_tag,
        update=_update_tags,
        changeable=frozenset({"Tags"}),
        delete=_by_id("DeleteNatGateway", "NatGatewayId"),
        fixed=frozenset({"AllocationId", "ConnectivityType", "PrivateIpAddress", "SubnetId"}),
        attributes=frozenset({"NatGatewayId"}),
    ),
    Kind(
        type="AWS::EC2::VPCEndpoint",
        service="ec2",
        create=_create_endpoint,
        complete=_tag,
        update=_update_tags,
        changeable=frozenset({"Tags"}),
        delete=_delete_endpoint,
        fixed=frozenset(
            {
                "PolicyDocument",
                "PrivateDnsEnabled",
                "RouteTableIds",
                "SecurityGroupIds",
                "ServiceName",
                "SubnetIds",
                "VpcEndpointType",
                "VpcId",
            }
        ),
        attributes=frozenset({"DnsEntries", "Id"}),
    ),
    Kind(
        type="AWS::EC2::RouteTable",
        service="ec2",
        create=_create_table,
        complete=_tag,
        update=_update_tags,
        changeable=frozenset({"Tags"}),
        delete=_by_id("DeleteRouteTable", "RouteTableId"),
        fixed=frozenset({"VpcId"}),
        attributes=frozenset({"RouteTableId"}),
    ),
    Kind(
        type="AWS::EC2::Route",
        service="ec2",
        create=_create_route,
        update=_update_route,
        delete=_delete_route,
        fixed=frozenset({"RouteTableId", *DESTINATIONS}),
        required=frozenset({"RouteTableId"}),
        attributes=frozenset({"CidrBlock"}),
        tagged=False,
    ),
    Kind(
        type="AWS::EC2::SubnetRouteTableAssociation",
        service="ec2",
        create=_create_association,
        delete=_by_id("DisassociateRouteTable", "AssociationId"),
        fixed=None,
        attributes=frozenset({"Id"}),
        tagged=False,
    ),
    Kind(
        type="AWS::EC2::SecurityGroup",
        service="ec2",
        create=_create_group,
        complete=_complete_group,
        update=_update_group,
        delete=_by_id("DeleteSecurityGroup", "GroupId"),
        fixed=frozenset({"GroupDescription", "GroupName", "VpcId"}),
        objects={"SecurityGroupEgress": (), "SecurityGroupIngress": ()},
        attributes=frozenset({"GroupId", "VpcId"}),
        named_by="GroupName",
    ),
    _group_rule("Ingress"),
    _group_rule("Egress"),
)
