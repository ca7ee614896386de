"""The names of resources that a template does not name. Pure."""

from __future__ import annotations

LONGEST = {
    "AWS::ElasticLoadBalancingV2::LoadBalancer": 32,
    "AWS::ElasticLoadBalancingV2::TargetGroup": 32,
    "AWS::Events::Rule": 64,
    "AWS::IAM::Role": 64,
    "AWS::IAM::User": 64,
    "AWS::Lambda::Function": 64,
    "AWS::S3::Bucket": 63,
    "AWS::Scheduler::Schedule": 64,
    "AWS::Scheduler::ScheduleGroup": 64,
    "AWS::SQS::Queue": 80,
}
"""Characters, where they are fewer than 255 (documented: the services' quotas)."""


def name_for(type_: str, stack: str, logical_id: str, suffix: str) -> str:
    """Stack, logical id and a suffix, both cut where the type's names are short (documented: Name type)."""
    room = LONGEST.get(type_, 255) - len(suffix) - 2
    if len(stack) + len(logical_id) > room:
        stack = stack[: max(room // 2, room - len(logical_id))]
        logical_id = logical_id[: room - len(stack)]
    name = f"{stack.rstrip('-')}-{logical_id}-{suffix}"
    return name.lower() if type_ == "AWS::S3::Bucket" else name
