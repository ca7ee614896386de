"""The resources of Elastic Load Balancing (documented: ElasticLoadBalancingV2 resource type reference).

Moto's own leave out a load balancer's type, attributes and tags, and are never removed.
"""

from __future__ import annotations

from emulator.neighbours.embedded.cloudformation.kinds import Api, Kind, changed, only, retag, without
from emulator.neighbours.embedded.cloudformation.resource_types import Made, Properties, Wanted


def _retag(api: Api, made: Made, before: Properties, after: Properties) -> None:
    retag(api, {"ResourceArns": [made.id]}, before, after, ("AddTags", "RemoveTags"))


# Load balancers


def _create_balancer(api: Api, wanted: Wanted) -> Made:
    request = {**without(wanted.properties, "LoadBalancerAttributes"), "Name": wanted.name}
    found = api("CreateLoadBalancer", request)["LoadBalancers"][0]
    arn = found["LoadBalancerArn"]
    return Made(
        arn,
        {
            "CanonicalHostedZoneID": found.get("CanonicalHostedZoneId", ""),
            "DNSName": found["DNSName"],
            "LoadBalancerArn": arn,
            "LoadBalancerFullName": arn.partition(":loadbalancer/")[2],
            "LoadBalancerName": found["LoadBalancerName"],
            "SecurityGroups": found.get("SecurityGroups", []),
        },
    )


def _complete_balancer(api: Api, made: Made, wanted: Wanted) -> None:
    attributes = wanted.properties.get("LoadBalancerAttributes")
    if attributes:
        api("ModifyLoadBalancerAttributes", {"LoadBalancerArn": made.id, "Attributes": attributes})


def _update_balancer(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    after, which = wanted.properties, {"LoadBalancerArn": made.id}
    if changed(before, after, "SecurityGroups"):
        api("SetSecurityGroups", {**which, "SecurityGroups": after.get("SecurityGroups", [])})
    if changed(before, after, "Subnets", "SubnetMappings"):
        api("SetSubnets", {**which, **only(after, "Subnets", "SubnetMappings")})
    if changed(before, after, "IpAddressType"):
        api("SetIpAddressType", {**which, "IpAddressType": after.get("IpAddressType", "ipv4")})
    if changed(before, after, "LoadBalancerAttributes"):
        _complete_balancer(api, made, wanted)
    _retag(api, made, before, after)


def _delete_balancer(api: Api, made: Made, _properties: Properties) -> None:
    api("DeleteLoadBalancer", {"LoadBalancerArn": made.id})


# Target groups

HEALTH = (
    "HealthCheckEnabled",
    "HealthCheckIntervalSeconds",
    "HealthCheckPath",
    "HealthCheckPort",
    "HealthCheckProtocol",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "Matcher",
    "UnhealthyThresholdCount",
)


def _create_group(api: Api, wanted: Wanted) -> Made:
    request = {**without(wanted.properties, "TargetGroupAttributes", "Targets"), "Name": wanted.name}
    arn = api("CreateTargetGroup", request)["TargetGroups"][0]["TargetGroupArn"]
    names = {"TargetGroupName": wanted.name, "TargetGroupFullName": arn.rpartition(":")[2]}
    return Made(arn, {"TargetGroupArn": arn, **names})


def _complete_group(api: Api, made: Made, wanted: Wanted) -> None:
    which, properties = {"TargetGroupArn": made.id}, wanted.properties
    if properties.get("TargetGroupAttributes"):
        attributes = {"Attributes": properties["TargetGroupAttributes"]}
        api("ModifyTargetGroupAttributes", {**which, **attributes})
    if properties.get("Targets"):
        api("RegisterTargets", {**which, "Targets": properties["Targets"]})


def _update_group(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    after, which = wanted.properties, {"TargetGroupArn": made.id}
    if changed(before, after, *HEALTH):
        api("ModifyTargetGroup", {**which, **only(after, *HEALTH)})
    gone = [target for target in before.get("Targets", []) if target not in after.get("Targets", [])]
    if gone:
        api("DeregisterTargets", {**which, "Targets": gone})
    if changed(before, after, "TargetGroupAttributes", "Targets"):
        _complete_group(api, made, wanted)
    _retag(api, made, before, after)


def _delete_group(api: Api, made: Made, _properties: Properties) -> None:
    api("DeleteTargetGroup", {"TargetGroupArn": made.id})


# Listeners


def _create_listener(api: Api, wanted: Wanted) -> Made:
    arn = api("CreateListener", without(wanted.properties, "ListenerAttributes"))["Listeners"][0]["ListenerArn"]
    return Made(arn, {"ListenerArn": arn})


def _complete_listener(api: Api, made: Made, wanted: Wanted) -> None:
    attributes = wanted.properties.get("ListenerAttributes")
    if attributes:
        api("ModifyListenerAttributes", {"ListenerArn": made.id, "Attributes": attributes})


def _update_listener(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    after = wanted.properties
    rest = without(after, "ListenerAttributes", "LoadBalancerArn", "Tags")
    if changed(before, after, *rest):
        api("ModifyListener", {"ListenerArn": made.id, **rest})
    if changed(before, after, "ListenerAttributes"):
        _complete_listener(api, made, wanted)
    _retag(api, made, before, after)


def _delete_listener(api: Api, made: Made, _properties: Properties) -> None:
    api("DeleteListener", {"ListenerArn": made.id})


# Rules of listeners


def _create_rule(api: Api, wanted: Wanted) -> Made:
    found = api("CreateRule", wanted.properties)["Rules"][0]
    return Made(found["RuleArn"], {"RuleArn": found["RuleArn"], "IsDefault": found.get("IsDefault", False)})


def _update_rule(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    after = wanted.properties
    if changed(before, after, "Actions", "Conditions", "Transforms"):
        api("ModifyRule", {"RuleArn": made.id, **only(after, "Actions", "Conditions", "Transforms")})
    if changed(before, after, "Priority"):
        api("SetRulePriorities", {"RulePriorities": [{"RuleArn": made.id, **only(after, "Priority")}]})
    _retag(api, made, before, after)


def _delete_rule(api: Api, made: Made, _properties: Properties) -> None:
    api("DeleteRule", {"RuleArn": made.id})


KINDS = (
    Kind(
        type="AWS::ElasticLoadBalancingV2::LoadBalancer",
        service="elbv2",
        create=_create_balancer,
        complete=_complete_balancer,
        update=_update_balancer,
        delete=_delete_balancer,
        fixed=frozenset({"Name", "Scheme", "Type"}),
        changeable=frozenset(
            {"IpAddressType", "LoadBalancerAttributes", "SecurityGroups", "SubnetMappings", "Subnets", "Tags"}
        ),
        attributes=frozenset(
            {
                "CanonicalHostedZoneID",
                "DNSName",
                "LoadBalancerArn",
                "LoadBalancerFullName",
                "LoadBalancerName",
                "SecurityGroups",
            }
        ),
        named_by="Name",
    ),
    Kind(
        type="AWS::ElasticLoadBalancingV2::TargetGroup",
        service="elbv2",
        create=_create_group,
        complete=_complete_group,
        update=_update_group,
        delete=_delete_group,
        fixed=frozenset({"IpAddressType", "Name", "Port", "Protocol", "ProtocolVersion", "TargetType", "VpcId"}),
        changeable=frozenset({*HEALTH, "Tags", "TargetGroupAttributes", "Targets"}),
        attributes=frozenset({"TargetGroupArn", "TargetGroupFullName", "TargetGroupName"}),
        named_by="Name",
    ),
    Kind(
        type="AWS::ElasticLoadBalancingV2::Listener",
        service="elbv2",
        create=_create_listener,
        complete=_complete_listener,
        update=_update_listener,
        delete=_delete_listener,
        fixed=frozenset({"LoadBalancerArn"}),
        attributes=frozenset({"ListenerArn"}),
    ),
    Kind(
        type="AWS::ElasticLoadBalancingV2::ListenerRule",
        service="elbv2",
        create=_create_rule,
        update=_update_rule,
        delete=_delete_rule,
        fixed=frozenset({"ListenerArn"}),
        attributes=frozenset({"IsDefault", "RuleArn"}),
    ),
)
