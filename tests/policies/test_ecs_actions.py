"""What each operation needs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api_models.operations import OPERATIONS
from emulator.policies.decision import AccessRequest, Policies, first_refusal
from emulator.policies.ecs_actions import PASSING
from emulator.policies.ecs_keys import KEYS
from emulator.policies.ecs_needs import CREATING, NEEDS
from tests.policies.world import (
    ACCOUNT,
    AGENT,
    EXECUTION_ROLE,
    PLACE,
    TASK_ROLE,
    USER,
    WEB,
    World,
    allow,
    allowed,
    deny,
    needed,
    policy,
    shape,
)

arn = PLACE.ecs_arn
CLUSTER = arn("cluster/prod")
TAGS = [{"key": "team", "value": "blue"}]
ROLE = f"arn:aws:iam::{ACCOUNT}:role/infra"


def resources(operation: str, request: dict[str, Any]) -> list[str]:
    return [found.resource for found in needed(operation, request) if found.action == f"ecs:{operation}"]


def one(action: str, found: list[AccessRequest]) -> AccessRequest:
    [request] = [request for request in found if request.action == action]
    return request


def test_every_operation_of_the_service_has_an_entry() -> None:
    assert sorted(NEEDS) == sorted(OPERATIONS)
    assert set(NEEDS) >= {*CREATING, *PASSING}


def test_every_key_of_an_operation_can_be_read_and_every_key_belongs_to_one() -> None:
    assert {key for need in NEEDS.values() for key in need.keys} == set(KEYS)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_needs_its_own_action(operation: str) -> None:
    first, *_ = needed(operation)
    assert first.action == f"ecs:{operation}"
    assert not allowed(policy(allow(), deny(f"ecs:{operation}")), first)


@pytest.mark.parametrize(
    ("operation", "request_", "expected"),
    [
        ("ListClusters", {}, ["*"]),
        ("DescribeTaskDefinition", {"taskDefinition": "web"}, ["*"]),
        ("ListServices", {"cluster": "prod"}, ["*"]),
        ("CreateCluster", {}, ["cluster/default"]),
        ("CreateCluster", {"clusterName": "prod"}, ["cluster/prod"]),
        ("DescribeClusters", {}, ["cluster/default"]),
        ("DescribeClusters", {"clusters": ["a", arn("cluster/b"), "a"]}, ["cluster/a", "cluster/b"]),
        ("PutClusterCapacityProviders", {"cluster": "prod"}, ["cluster/prod"]),
        ("DeregisterContainerInstance", {"cluster": "prod", "containerInstance": "1"}, ["cluster/prod"]),
        ("DescribeServices", {"cluster": "prod", "services": ["web"]}, ["service/prod/web"]),
        ("DescribeServices", {"cluster": CLUSTER, "services": [arn("service/web")]}, ["service/prod/web"]),
        ("CreateService", {"cluster": "prod", "serviceName": "web"}, ["service/prod/web"]),
        ("UpdateService", {"service": arn("service/prod/web")}, ["service/prod/web"]),
        ("ListServiceDeployments", {"service": "web"}, ["service/default/web"]),
        ("DescribeTasks", {"tasks": ["1", arn("task/default/2")]}, ["task/default/1", "task/default/2"]),
        ("StopTask", {"task": arn("task/1")}, ["task/default/1"]),
        ("GetTaskProtection", {"cluster": "prod"}, ["task/prod/*"]),
        ("ListTasks", {"cluster": "prod"}, ["container-instance/prod/*"]),
        ("ListTasks", {"cluster": "prod", "containerInstance": "1"}, ["container-instance/prod/1"]),
        ("UpdateContainerInstancesState", {"containerInstances": ["1", "2"]},
         ["container-instance/default/1", "container-instance/default/2"]),
        ("UpdateContainerAgent", {"containerInstance": "1"}, ["container-instance/default/1"]),
        ("PutAttributes", {"attributes": [{"name": "a", "targetId": "1"}, {"name": "b", "targetId": "1"}]},
         ["container-instance/default/1"]),
        ("RunTask", {"taskDefinition": "web"}, ["task-definition/web:3"]),
        ("RunTask", {"taskDefinition": "api"}, ["task-definition/api:*"]),
        ("RunTask", {"taskDefinition": "api:7"}, ["task-definition/api:7"]),
        ("RunTask", {"taskDefinition": arn("task-definition/api")}, ["task-definition/api:*"]),
        ("RegisterTaskDefinition", {"family": "web", "containerDefinitions": []}, ["task-definition/web:*"]),
        ("DeleteTaskDefinitions", {"taskDefinitions": ["web:3", "api:1"]},
         ["task-definition/web:3", "task-definition/api:1"]),
        ("ExecuteCommand", {"cluster": "prod", "task": "1"}, ["cluster/prod", "task/prod/1"]),
        ("CreateTaskSet", {"cluster": "prod", "service": "web"}, ["task-set/prod/web/*"]),
        ("DescribeTaskSets", {"cluster": "prod", "service": "web"}, ["task-set/prod/web/*"]),
        ("DescribeTaskSets", {"cluster": "prod", "service": "web", "taskSets": ["ecs-svc/1"]},
         ["task-set/prod/web/ecs-svc/1"]),
        ("DeleteTaskSet", {"cluster": "prod", "service": arn("service/web"), "taskSet": "ecs-svc/1"},
         ["task-set/prod/web/ecs-svc/1"]),
        ("UpdateTaskSet", {"cluster": "prod", "service": "web", "taskSet": arn("task-set/prod/web/ecs-svc/1")},
         ["task-set/prod/web/ecs-svc/1"]),
        ("DescribeServiceDeployments", {"serviceDeploymentArns": [arn("service-deployment/prod/web/1")]},
         ["service/prod/web", "service-deployment/prod/web/1"]),
        ("StopServiceDeployment", {"serviceDeploymentArn": arn("service-deployment/prod/web/1")},
         ["service/prod/web", "service-deployment/prod/web/1"]),
        ("DescribeServiceRevisions", {"serviceRevisionArns": [arn("service-revision/prod/web/1")]},
         ["service/prod/web", "service-revision/prod/web/1"]),
        ("DescribeServiceRevisions", {"serviceRevisionArns": []}, ["*"]),
        ("TagResource", {"resourceArn": CLUSTER, "tags": []}, ["cluster/prod"]),
        ("DescribeCapacityProviders", {}, ["capacity-provider/*"]),
        ("DescribeCapacityProviders", {"capacityProviders": ["FARGATE"]}, ["capacity-provider/FARGATE"]),
        ("CreateCapacityProvider", {"name": "mine"}, ["capacity-provider/mine"]),
        ("DeleteCapacityProvider", {"capacityProvider": "mine"}, ["capacity-provider/mine"]),
        ("CreateDaemon", {"daemonName": "agent", "clusterArn": CLUSTER}, ["daemon/prod/agent"]),
        ("DescribeDaemon", {"daemonArn": arn("daemon/prod/agent")}, ["daemon/prod/agent"]),
        ("DescribeDaemonRevisions", {"daemonRevisionArns": [arn("daemon-revision/prod/agent/1")]},
         ["daemon/prod/agent", "daemon-revision/prod/agent/1"]),
        ("RegisterDaemonTaskDefinition", {"family": "agent"}, ["daemon-task-definition/agent:*"]),
        ("DescribeDaemonTaskDefinition", {"daemonTaskDefinition": "agent:1"}, ["daemon-task-definition/agent:1"]),
        ("CreateExpressGatewayService", {"cluster": "prod", "serviceName": "web"}, ["service/prod/web"]),
        ("UpdateExpressGatewayService", {"serviceArn": arn("service/prod/web")}, ["service/prod/web"]),
        ("CreateGateway", {"name": "front"}, ["gateway/front/*"]),
        ("DescribeGateway", {"gateway": arn("gateway/front/1")}, ["gateway/front/1"]),
        ("ListGatewayRoutes", {}, ["*"]),
    ],
)  # fmt: skip
def test_an_operation_acts_on(operation: str, request_: dict[str, Any], expected: list[str]) -> None:
    assert resources(operation, request_) == [found if found == "*" else arn(found) for found in expected]


@pytest.mark.parametrize(
    ("operation", "request_", "context"),
    [
        ("DeleteCluster", {"cluster": "prod"}, {}),
        ("StopTask", {"cluster": "prod", "task": "1"}, {"ecs:cluster": CLUSTER}),
        ("ListServices", {}, {"ecs:cluster": arn("cluster/default")}),
        ("ListServicesByNamespace", {"namespace": "arn:aws:servicediscovery:r:1:namespace/ns-1"},
         {"ecs:namespace": "arn:aws:servicediscovery:r:1:namespace/ns-1"}),
        ("PutAccountSetting", {"name": "containerInsights", "value": "enabled"},
         {"ecs:account-setting": "containerInsights"}),
        ("ExecuteCommand", {"cluster": "prod", "task": "1", "container": "web"},
         {"ecs:cluster": CLUSTER, "ecs:container-name": "web", "ecs:task": arn("task/prod/1")}),
        ("UpdateTaskSet", {"cluster": "prod", "service": "web", "taskSet": "1"},
         {"ecs:cluster": CLUSTER, "ecs:service": arn("service/prod/web")}),
        ("DeleteExpressGatewayService", {"serviceArn": arn("service/prod/web")}, {"ecs:cluster": CLUSTER}),
        ("DescribeGatewayRoute", {"gatewayRouteArn": arn("gateway-route/front/1/2")},
         {"ecs:gateway": arn("gateway/front/1")}),
        ("ListGatewayRoutes", {"gateway": arn("gateway/front/1"), "cluster": "prod", "service": "web"},
         {"ecs:gateway": arn("gateway/front/1"), "ecs:cluster": CLUSTER, "ecs:service": arn("service/prod/web")}),
        ("CreateCluster",
         {"clusterName": "prod", "capacityProviders": ["FARGATE"],
          "defaultCapacityProviderStrategy": [{"capacityProvider": "FARGATE"}, {"capacityProvider": "mine"}],
          "configuration": {"managedStorageConfiguration": {"fargateEphemeralStorageKmsKeyId": "key-1"}}},
         {"ecs:capacity-provider": (arn("capacity-provider/FARGATE"), arn("capacity-provider/mine")),
          "ecs:fargate-ephemeral-storage-kms-key": "key-1"}),
        ("CreateCapacityProvider",
         {"name": "mine", "managedInstancesProvider": {
             "propagateTags": "CAPACITY_PROVIDER",
             "instanceLaunchTemplate": {"instanceMetadataTagsPropagation": True}}},
         {"ecs:propagate-tags": "CAPACITY_PROVIDER", "ecs:instance-metadata-tags-propagation": "true"}),
        ("RunTask", {"cluster": "prod", "taskDefinition": "web"},
         {"ecs:cluster": CLUSTER, "ecs:enable-ebs-volumes": "false", "ecs:enable-execute-command": "false",
          "ecs:task-cpu": "256", "ecs:task-memory": "512"}),
        ("RunTask",
         {"taskDefinition": "web", "enableExecuteCommand": True, "overrides": {"cpu": "1 vCPU", "memory": "2 GB"},
          "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT"}],
          "volumeConfigurations": [{"name": "data", "managedEBSVolume": {"roleArn": ROLE}}, {"name": "other"}]},
         {"ecs:cluster": arn("cluster/default"), "ecs:enable-ebs-volumes": "true", "ecs:enable-execute-command": "true",
          "ecs:task-cpu": "1024", "ecs:task-memory": "2048",
          "ecs:capacity-provider": (arn("capacity-provider/FARGATE_SPOT"),)}),
        ("StartTask", {"taskDefinition": "api", "containerInstances": ["1"]},
         {"ecs:cluster": arn("cluster/default"), "ecs:enable-ebs-volumes": "false",
          "ecs:enable-execute-command": "false", "ecs:container-instances": arn("container-instance/default/1")}),
        ("UpdateService", {"cluster": "prod", "service": "web", "desiredCount": 1}, {"ecs:cluster": CLUSTER}),
        ("UpdateService",
         {"cluster": "prod", "service": "web", "taskDefinition": "web", "enableExecuteCommand": False,
          "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}},
          "serviceConnectConfiguration": {"enabled": True, "namespace": "local"}, "vpcLatticeConfigurations": []},
         {"ecs:cluster": CLUSTER, "ecs:task-definition": WEB.task_definition_arn,
          "ecs:enable-execute-command": "false", "ecs:auto-assign-public-ip": "true", "ecs:subnet": ("subnet-1",),
          "ecs:enable-service-connect": "true", "ecs:namespace": "local", "ecs:enable-vpc-lattice": "false",
          "ecs:task-cpu": "256", "ecs:task-memory": "512"}),
        ("CreateService",
         {"serviceName": "web", "taskDefinition": "api", "propagateTags": "SERVICE", "enableECSManagedTags": True,
          "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1", "subnet-2"]}}},
         {"ecs:cluster": arn("cluster/default"), "ecs:task-definition": arn("task-definition/api:*"),
          "ecs:propagate-tags": "SERVICE", "ecs:enable-ecs-managed-tags": "true", "ecs:enable-execute-command": "false",
          "ecs:enable-ebs-volumes": "false", "ecs:enable-service-connect": "false", "ecs:enable-vpc-lattice": "false",
          "ecs:auto-assign-public-ip": "false", "ecs:subnet": ("subnet-1", "subnet-2")}),
        ("RegisterTaskDefinition",
         {"family": "web", "cpu": ".5 vCPU", "memory": "lots", "requiresCompatibilities": ["FARGATE", "EC2"],
          "containerDefinitions": [{"name": "web"}, {"name": "root", "privileged": True}]},
         {"ecs:privileged": "true", "ecs:task-cpu": "512", "ecs:compute-compatibility": ("FARGATE", "EC2")}),
        ("CreateDaemon",
         {"daemonName": "agent", "daemonTaskDefinitionArn": AGENT.daemon_task_definition_arn,
          "capacityProviderArns": [arn("capacity-provider/mine")]},
         {"ecs:cluster": arn("cluster/default"), "ecs:daemon-task-definition": AGENT.daemon_task_definition_arn,
          "ecs:capacity-provider": (arn("capacity-provider/mine"),), "ecs:enable-ecs-managed-tags": "false",
          "ecs:enable-execute-command": "false"}),
        ("CreateExpressGatewayService",
         {"cluster": "prod", "infrastructureRoleArn": ROLE, "cpu": "1024", "memory": "2048",
          "networkConfiguration": {"subnets": ["subnet-1"]}},
         {"ecs:cluster": CLUSTER, "ecs:task-cpu": "1024", "ecs:task-memory": "2048", "ecs:subnet": ("subnet-1",),
          "ecs:enable-ecs-managed-tags": "false"}),
        ("TagResource", {"resourceArn": arn("service/prod/web"), "tags": TAGS},
         {"ecs:cluster": CLUSTER, "aws:RequestTag/team": "blue", "aws:TagKeys": ("team",)}),
        ("UntagResource", {"resourceArn": CLUSTER, "tagKeys": ["team", "cost"]}, {"aws:TagKeys": ("team", "cost")}),
    ],
)  # fmt: skip
def test_an_operation_says_under_its_condition_keys(
    operation: str, request_: dict[str, Any], context: dict[str, Any]
) -> None:
    assert needed(operation, request_)[0].context == context


def test_a_deployment_names_its_service_and_a_revision_its_daemon() -> None:
    service, deployment = needed(
        "StopServiceDeployment", {"serviceDeploymentArn": arn("service-deployment/prod/web/1")}
    )
    assert service.context == {"ecs:cluster": CLUSTER}
    assert deployment.context == {"ecs:cluster": CLUSTER, "ecs:service": arn("service/prod/web")}
    _, revision = needed("DescribeDaemonRevisions", {"daemonRevisionArns": [arn("daemon-revision/prod/agent/1")]})
    assert revision.context == {"ecs:cluster": CLUSTER, "ecs:daemon": arn("daemon/prod/agent")}


def test_one_instance_is_a_text_and_several_are_a_list() -> None:
    [request] = needed("StartTask", {"taskDefinition": "api", "containerInstances": ["1", "2"]})
    assert request.context["ecs:container-instances"] == (
        arn("container-instance/default/1"),
        arn("container-instance/default/2"),
    )


def test_a_resources_tags_are_under_both_prefixes() -> None:
    world = World({arn("task/prod/1"): {"team": "blue"}, TASK_ROLE: {"team": "red"}})
    stop = needed("StopTask", {"cluster": "prod", "task": "1"}, world)[0]
    assert (stop.context["aws:ResourceTag/team"], stop.context["ecs:ResourceTag/team"]) == ("blue", "blue")
    *_, role = needed("RunTask", {"taskDefinition": "web"}, world)
    assert (role.context["aws:ResourceTag/team"], role.context["iam:ResourceTag/team"]) == ("red", "red")


# Tagging.


@pytest.mark.parametrize(
    ("operation", "request_", "resource"),
    [
        ("CreateCluster", {"clusterName": "prod"}, "cluster/prod"),
        ("CreateCapacityProvider", {"name": "mine"}, "capacity-provider/mine"),
        ("CreateService", {"cluster": "prod", "serviceName": "web"}, "service/prod/web"),
        ("CreateTaskSet", {"cluster": "prod", "service": "web"}, "task-set/prod/web/*"),
        ("CreateDaemon", {"daemonName": "agent"}, "daemon/default/agent"),
        ("CreateGateway", {"name": "front"}, "gateway/front/*"),
        ("CreateExpressGatewayService", {"cluster": "prod", "serviceName": "web"}, "service/prod/web"),
        ("RegisterContainerInstance", {"cluster": "prod"}, "container-instance/prod/*"),
        ("RegisterTaskDefinition", {"family": "web", "containerDefinitions": []}, "task-definition/web:*"),
        ("RegisterDaemonTaskDefinition", {"family": "agent"}, "daemon-task-definition/agent:*"),
        ("RunTask", {"cluster": "prod", "taskDefinition": "web"}, "task/prod/*"),
        ("StartTask", {"cluster": "prod", "taskDefinition": "web"}, "task/prod/*"),
    ],
)
def test_to_make_something_with_tags_is_to_tag_it(operation: str, request_: dict[str, Any], resource: str) -> None:
    tagging = one("ecs:TagResource", needed(operation, {**request_, "tags": TAGS}))
    assert tagging.resource == arn(resource)
    assert tagging.context["ecs:CreateAction"] == operation
    assert tagging.context["aws:RequestTag/team"] == "blue"
    assert "ecs:TagResource" not in {found.action for found in needed(operation, request_)}


def test_all_operations_that_make_something_with_tags_are_known() -> None:
    with_tags = {operation for operation in OPERATIONS if "tags" in shape(operation).model_fields}
    assert set(CREATING) == with_tags - {"TagResource"}


@pytest.mark.parametrize(
    ("request_", "tagged", "expected"),
    [
        ({"enableECSManagedTags": True}, {}, True),
        ({"propagateTags": "TASK_DEFINITION"}, {"team": "blue"}, True),
        ({"propagateTags": "TASK_DEFINITION"}, {}, False),
        ({"propagateTags": "NONE"}, {"team": "blue"}, False),
    ],
)
def test_tags_that_ecs_sets_on_a_task_count(request_: dict[str, Any], tagged: dict[str, str], expected: bool) -> None:
    world = World({str(WEB.task_definition_arn): tagged})
    found = needed("RunTask", {"taskDefinition": "web", **request_}, world)
    assert ("ecs:TagResource" in {request.action for request in found}) is expected


def test_tagging_can_be_allowed_on_creation_alone() -> None:
    created = {"StringEquals": {"ecs:CreateAction": ["CreateCluster", "RunTask"]}}
    document = policy(allow("ecs:CreateCluster"), allow("ecs:TagResource", Condition=created))
    assert allowed(document, *needed("CreateCluster", {"tags": TAGS}))
    assert not allowed(document, *needed("TagResource", {"resourceArn": CLUSTER, "tags": TAGS}))


# Roles.


def passed(operation: str, request: dict[str, Any]) -> list[tuple[str, Any]]:
    found = needed(operation, request)
    return [
        (request.resource, request.context["iam:PassedToService"])
        for request in found
        if request.action == "iam:PassRole"
    ]


TO_TASKS, TO_ECS = "ecs-tasks.amazonaws.com", "ecs.amazonaws.com"
BOTH = [(EXECUTION_ROLE, TO_TASKS), (TASK_ROLE, TO_TASKS)]


@pytest.mark.parametrize(
    ("operation", "request_", "expected"),
    [
        ("RunTask", {"taskDefinition": "web"}, BOTH),
        ("RunTask", {"taskDefinition": "without-roles"}, []),
        ("RunTask", {"taskDefinition": "web", "overrides": {"taskRoleArn": ROLE}},
         [(EXECUTION_ROLE, TO_TASKS), (ROLE, TO_TASKS)]),
        ("RunTask", {"taskDefinition": "api", "overrides": {"taskRoleArn": "team/infra", "executionRoleArn": "/x"}},
         [(f"arn:aws:iam::{ACCOUNT}:role/x", TO_TASKS), (f"arn:aws:iam::{ACCOUNT}:role/team/infra", TO_TASKS)]),
        ("RunTask",
         {"taskDefinition": "api", "volumeConfigurations": [{"name": "d", "managedEBSVolume": {"roleArn": ROLE}}]},
         [(ROLE, TO_ECS)]),
        ("StartTask", {"taskDefinition": "web"}, BOTH),
        ("RegisterTaskDefinition", {"executionRoleArn": EXECUTION_ROLE, "taskRoleArn": TASK_ROLE}, BOTH),
        ("RegisterTaskDefinition", {"executionRoleArn": ROLE, "taskRoleArn": ROLE}, [(ROLE, TO_TASKS)]),
        ("RegisterTaskDefinition", {"family": "web"}, []),
        ("CreateService", {"serviceName": "web", "taskDefinition": "web"}, BOTH),
        ("CreateService", {"serviceName": "web", "role": "ecsServiceRole"},
         [(f"arn:aws:iam::{ACCOUNT}:role/ecsServiceRole", TO_ECS)]),
        ("CreateService",
         {"serviceName": "web",
          "loadBalancers": [{"advancedConfiguration": {"roleArn": ROLE}}, {"targetGroupArn": "x"}],
          "deploymentConfiguration": {"lifecycleHooks": [{"roleArn": f"{ROLE}2"}]},
          "vpcLatticeConfigurations": [{"roleArn": f"{ROLE}3"}]},
         [(f"{ROLE}3", TO_ECS), (ROLE, TO_ECS), (f"{ROLE}2", TO_ECS)]),
        ("UpdateService", {"service": "web", "desiredCount": 3}, []),
        ("UpdateService", {"service": "web", "taskDefinition": "web:3"}, BOTH),
        ("CreateTaskSet", {"service": "web", "taskDefinition": str(WEB.task_definition_arn)}, BOTH),
        ("CreateDaemon", {"daemonTaskDefinitionArn": AGENT.daemon_task_definition_arn}, [(TASK_ROLE, TO_TASKS)]),
        ("CreateCapacityProvider", {"name": "x", "managedInstancesProvider": {"infrastructureRoleArn": ROLE}},
         [(ROLE, TO_ECS)]),
        ("CreateExpressGatewayService", {"infrastructureRoleArn": ROLE, "executionRoleArn": EXECUTION_ROLE},
         [(EXECUTION_ROLE, TO_TASKS), (ROLE, TO_ECS)]),
        ("DescribeTaskDefinition", {"taskDefinition": "web"}, []),
        ("DeregisterTaskDefinition", {"taskDefinition": "web:3"}, []),
    ],
)  # fmt: skip
def test_roles_are_passed(operation: str, request_: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert passed(operation, request_) == expected


def test_what_ecs_is_not_allowed_to_be_handed_is_said_in_awss_words() -> None:
    policies = Policies(USER, (policy(allow("ecs:*"), allow("iam:PassRole", TASK_ROLE)),))
    refusal = first_refusal(policies, needed("RunTask", {"taskDefinition": "web"}))
    assert refusal is not None
    assert refusal.message == (
        f"User: {USER} is not authorized to perform: iam:PassRole on resource: {EXECUTION_ROLE} "
        "because no identity-based policy allows the iam:PassRole action"
    )


# What else an operation does.


@pytest.mark.parametrize(
    ("operation", "request_", "expected"),
    [
        ("CreateCapacityProvider", {"name": "x", "cluster": "prod"}, [("ecs:PutClusterCapacityProviders", CLUSTER)]),
        ("DeleteCapacityProvider", {"capacityProvider": "x", "cluster": "prod"},
         [("ecs:PutClusterCapacityProviders", CLUSTER)]),
        ("DeleteCapacityProvider", {"capacityProvider": "x"}, []),
        ("CreateExpressGatewayService", {},
         [("ecs:CreateCluster", arn("cluster/default")), ("ecs:RegisterTaskDefinition", arn("task-definition/*"))]),
        ("CreateExpressGatewayService", {"cluster": "prod", "taskDefinitionArn": str(WEB.task_definition_arn)}, []),
        ("UpdateExpressGatewayService", {"serviceArn": arn("service/prod/web")},
         [("ecs:RegisterTaskDefinition", arn("task-definition/*"))]),
    ],
)  # fmt: skip
def test_some_operations_need_other_actions(
    operation: str, request_: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    others = [found for found in needed(operation, request_)[1:] if found.action != "iam:PassRole"]
    assert [(found.action, found.resource) for found in others] == expected


NASTY = st.sampled_from(["", "arn:", "arn:aws:ecs:::", "arn:aws:ecs:r:1:task/a", "a/b:c", "*", "x" * 5000, "1" * 400])


@settings(deadline=None)
@given(st.sampled_from(sorted(OPERATIONS)), st.data())
def test_any_request_that_parses_is_answered(operation: str, data: st.DataObject) -> None:
    document = {
        name: data.draw(NASTY if kind == "text" else st.lists(NASTY, max_size=3))
        for name, kind in members(operation).items()
        if data.draw(st.booleans())
    }
    assert needed(operation, document)


def members(operation: str) -> dict[str, str]:
    """The members of a request that are texts, and those that are lists of texts, by their names on the wire."""
    fields = shape(operation).model_fields.values()
    kinds = {"str | None": "text", "tuple[str, ...] | None": "list"}
    return {str(field.alias): kinds[str(field.annotation)] for field in fields if str(field.annotation) in kinds}
