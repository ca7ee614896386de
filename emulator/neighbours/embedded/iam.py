"""IAM in this process: the roles of ECS are there in every account, and AWS's own policies when somebody wants one."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from typing import Any

from emulator.neighbours.embedded.chance import drawn_from

EXECUTION_ROLE = "ecsTaskExecutionRole"
"""The console makes it for whoever has none (guide: Amazon ECS task execution IAM role)."""

TASKS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
"""Who may have a task's role: tasks."""

OF_ECS = re.compile(r"ECS|EC2ContainerService")
"""AWS's policies that are in every account here from the start, by their names."""

FULL_ACCESS_2018 = {
    "CreateDate": "2015-04-24T16:54:35+00:00",
    "UpdateDate": "2017-06-08T00:18:56+00:00",
    "DefaultVersionId": "v4",
    "Path": "/",
    "Document": {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": [
                    "autoscaling:Describe*",
                    "autoscaling:UpdateAutoScalingGroup",
                    "cloudformation:CreateStack",
                    "cloudformation:DeleteStack",
                    "cloudformation:DescribeStack*",
                    "cloudformation:UpdateStack",
                    "cloudwatch:GetMetricStatistics",
                    "ec2:Describe*",
                    "elasticloadbalancing:*",
                    "ecs:*",
                    "events:DescribeRule",
                    "events:DeleteRule",
                    "events:ListRuleNamesByTarget",
                    "events:ListTargetsByRule",
                    "events:PutRule",
                    "events:PutTargets",
                    "events:RemoveTargets",
                    "iam:ListInstanceProfiles",
                    "iam:ListRoles",
                    "iam:PassRole",
                ],
                "Resource": "*",
            }
        ],
    },
}
"""AmazonEC2ContainerServiceFullAccess, which AWS has withdrawn since (guide: Amazon ECS managed policies)."""


def make_accounts_ready() -> None:
    """Have every account begin with the roles of ECS, and find AWS's policies by their ARNs."""
    from moto.iam import models

    policies = {name: data for name, data in _aws_policies().items() if OF_ECS.search(name)}
    policies["AmazonEC2ContainerServiceFullAccess"] = FULL_ACCESS_2018
    models.SERVICE_NAME_CONVERSION["ecs"] = "ECS"
    backend: Any = models.IAMBackend
    backend._init_aws_policies = lambda self: [  # noqa: SLF001 - what it begins with
        _policy(self, name, data) for name, data in policies.items()
    ]
    backend.initialize_service_roles = _make_roles
    for name in ("attach_role_policy", "attach_user_policy", "attach_group_policy", "get_policy"):
        method = getattr(backend, name)
        setattr(backend, name, _with_policy_at_hand(getattr(method, "__wrapped__", method)))


def _make_roles(backend: Any) -> None:
    with drawn_from("iam", backend.account_id, backend.partition):
        backend.create_role(EXECUTION_ROLE, json.dumps(TASKS), "/", None, "", [], "3600")
        backend.create_service_linked_role("ecs.amazonaws.com", "Role to enable Amazon ECS to manage your cluster.", "")
    prefix = f"arn:{backend.partition}:iam::aws:policy"
    backend.attach_role_policy(f"{prefix}/service-role/AmazonECSTaskExecutionRolePolicy", EXECUTION_ROLE)
    backend.attach_role_policy(f"{prefix}/aws-service-role/AmazonECSServiceRolePolicy", "AWSServiceRoleForECS")


def _with_policy_at_hand(method: Callable[..., Any]) -> Callable[..., Any]:
    """Before a method looks for one of AWS's policies, have it in the account."""

    @functools.wraps(method)
    def looked_up(backend: Any, policy_arn: str, *rest: Any) -> Any:
        prefix, _, path = policy_arn.partition(":iam::aws:policy/")
        if path and policy_arn not in backend.managed_policies and prefix == f"arn:{backend.partition}":
            name = path.rpartition("/")[2]
            data = _aws_policies().get(name)
            if data is not None and data["Path"] == f"/{path.removesuffix(name)}":
                policy = _policy(backend, name, data)
                backend.aws_managed_policies.append(policy)
                backend.managed_policies[policy.arn] = policy
        return method(backend, policy_arn, *rest)

    return looked_up


def _aws_policies() -> dict[str, dict[str, Any]]:
    """All of AWS's policies by name: 1,600 of them, read in 25 ms and not kept, as they take 40 MiB."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    found: dict[str, dict[str, Any]] = json.loads(aws_managed_policies_data)
    return found


def _policy(backend: Any, name: str, data: dict[str, Any]) -> Any:
    from moto.iam.models import AWSManagedPolicy

    return AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, data)
