"""The table of what ECS's operations act on, and of the condition keys that they have.

Documented: the Service Authorization Reference for Amazon ECS, as of 2026-10, if nothing else is said. On which
resources the operations on gateways act is inferred from their condition keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from emulator.policies.ecs_call import Call
from emulator.policies.patterns import arn_parts

Resources = Callable[[Call], Iterable[str]]


@dataclass(frozen=True, slots=True)
class Need:
    """The resources of an operation, each of which must be allowed, and the condition keys that it has."""

    resources: Resources
    keys: tuple[str, ...] = ()


def _all(_: Call) -> list[str]:
    """The action has no resources."""
    return ["*"]


def _cluster(call: Call) -> list[str]:
    return [call.cluster]


def _service(call: Call) -> list[str]:
    return [call.service]


def _task(call: Call) -> list[str]:
    return [call.in_cluster("task", call.given("task") or "*")]


def _tasks(call: Call) -> list[str]:
    return call.all_in_cluster("task", call.given("tasks"))


def _definition(call: Call) -> list[str]:
    return [call.definition_arn(call.given("task_definition") or "*")]


def _new_revisions(kind: str) -> Resources:
    """A revision that is yet to be numbered (observed, without a date: the comment of a public policy)."""
    return lambda call: [call.arn(f"{kind}/{call.given('family') or ''}:*")]


def _task_sets(call: Call) -> list[str]:
    named = call.given("task_sets") or [call.given("task_set") or "*"]
    return [call.in_service("task-set", text) for text in dict.fromkeys(named)]


def _listed_tasks(call: Call) -> list[str]:
    """ListTasks acts on the instance that it names, or on all of the cluster's.

    Observed, without a date, in the comment of a public policy; in 2019 and 2023 it was `*` (fabfuel/ecs-deploy issue
    119, cdklabs/construct-hub pull 1207). A policy for `*` is met either way.
    """
    return [call.in_cluster("container-instance", call.given("container_instance") or "*")]


def _container_instances(call: Call) -> list[str]:
    given = call.given("container_instance")
    return call.all_in_cluster("container-instance", [given] if given else call.given("container_instances"))


def _attribute_targets(call: Call) -> list[str]:
    targets = [attribute.target_id for attribute in call.given("attributes") or () if attribute.target_id]
    return call.all_in_cluster("container-instance", targets)


def _capacity_providers(call: Call) -> list[str]:
    names = call.given("capacity_providers") or [call.given("name") or call.given("capacity_provider") or "*"]
    return [call.named("capacity-provider", name) for name in dict.fromkeys(names)]


def _gateway(call: Call) -> list[str]:
    """By name or ARN. A gateway's ARN ends with an id, which its name does not tell."""
    text = call.given("gateway") or call.given("name") or "*"
    return [text if text.startswith("arn:") else call.arn(f"gateway/{text}/*")]


def _gateway_or_all(call: Call) -> list[str]:
    return _gateway(call) if call.given("gateway") else ["*"]


def _by_arn(member: str) -> Resources:
    """The resource is named by its ARN alone."""
    return lambda call: [call.given(member) or "*"]


def _with_parents(kind: str, member: str) -> Resources:
    """Both a deployment or revision and the service or daemon that it belongs to. A member names one or several."""

    def resources(call: Call) -> Iterator[str]:
        given = call.given(member) or ("*",)
        for arn in dict.fromkeys([given] if isinstance(given, str) else given):
            parts = arn_parts(arn)
            if parts[5]:
                yield ":".join([*parts[:5], "/".join([kind, *parts[5].split("/")[1:3]])])
            yield arn

    return resources


_LAUNCH = ("ecs:cluster", "ecs:enable-ebs-volumes", "ecs:enable-execute-command", "ecs:task-cpu", "ecs:task-memory")
_TAGS = ("ecs:enable-ecs-managed-tags", "ecs:propagate-tags")
_SERVICE = (
    *_LAUNCH,
    *_TAGS,
    "ecs:auto-assign-public-ip",
    "ecs:capacity-provider",
    "ecs:enable-service-connect",
    "ecs:enable-vpc-lattice",
    "ecs:namespace",
    "ecs:subnet",
    "ecs:task-definition",
)
_EXPRESS = (*_TAGS, "ecs:cluster", "ecs:subnet", "ecs:task-cpu", "ecs:task-definition", "ecs:task-memory")
_DAEMON = (
    *_TAGS,
    "ecs:capacity-provider",
    "ecs:cluster",
    "ecs:daemon-task-definition",
    "ecs:enable-execute-command",
    "ecs:task-cpu",
    "ecs:task-memory",
)
_DEFINITION = ("ecs:privileged", "ecs:task-cpu", "ecs:task-memory")
_TASK_SET = ("ecs:cluster", "ecs:service")
_DEPLOYMENT = ("ecs:cluster", "ecs:service")
_ROLLOUT = ("ecs:cluster", "ecs:daemon")
_PROVIDER = ("ecs:instance-metadata-tags-propagation", "ecs:propagate-tags")

NEEDS: dict[str, Need] = {
    "AssociateGatewayWithCluster": Need(_gateway, ("ecs:cluster",)),
    "ContinueServiceDeployment": Need(_with_parents("service", "service_deployment_arn"), _DEPLOYMENT),
    "CreateCapacityProvider": Need(_capacity_providers, _PROVIDER),
    "CreateCluster": Need(
        lambda call: [call.named("cluster", call.given("cluster_name") or "default")],
        ("ecs:capacity-provider", "ecs:fargate-ephemeral-storage-kms-key"),
    ),
    "CreateDaemon": Need(lambda call: [call.in_cluster("daemon", call.given("daemon_name") or "*")], _DAEMON),
    "CreateExpressGatewayService": Need(_service, _EXPRESS),
    "CreateGateway": Need(_gateway, _TAGS),
    "CreateService": Need(_service, _SERVICE),
    "CreateTaskSet": Need(_task_sets, (*_TASK_SET, "ecs:capacity-provider", "ecs:task-definition")),
    "DeleteAccountSetting": Need(_all, ("ecs:account-setting",)),
    "DeleteAttributes": Need(_attribute_targets, ("ecs:cluster",)),
    "DeleteCapacityProvider": Need(_capacity_providers),
    "DeleteCluster": Need(_cluster),
    "DeleteDaemon": Need(_by_arn("daemon_arn"), ("ecs:cluster",)),
    "DeleteDaemonTaskDefinition": Need(
        lambda call: [call.definition_arn(call.given("daemon_task_definition") or "*", "daemon-task-definition")]
    ),
    "DeleteExpressGatewayService": Need(_by_arn("service_arn"), ("ecs:cluster",)),
    "DeleteGateway": Need(_gateway),
    "DeleteService": Need(_service, ("ecs:cluster",)),
    "DeleteTaskDefinitions": Need(
        lambda call: list(map(call.definition_arn, dict.fromkeys(call.given("task_definitions") or ("*",))))
    ),
    "DeleteTaskSet": Need(_task_sets, _TASK_SET),
    "DeregisterContainerInstance": Need(_cluster),
    "DeregisterTaskDefinition": Need(_all),
    "DescribeCapacityProviders": Need(_capacity_providers),
    "DescribeClusters": Need(
        lambda call: [call.named("cluster", name) for name in dict.fromkeys(call.given("clusters") or ("default",))]
    ),
    "DescribeContainerInstances": Need(_container_instances, ("ecs:cluster",)),
    "DescribeDaemon": Need(_by_arn("daemon_arn"), ("ecs:cluster",)),
    "DescribeDaemonDeployments": Need(_with_parents("daemon", "daemon_deployment_arns"), _ROLLOUT),
    "DescribeDaemonRevisions": Need(_with_parents("daemon", "daemon_revision_arns"), _ROLLOUT),
    "DescribeDaemonTaskDefinition": Need(
        lambda call: [call.definition_arn(call.given("daemon_task_definition") or "*", "daemon-task-definition")]
    ),
    "DescribeExpressGatewayService": Need(_by_arn("service_arn"), ("ecs:cluster",)),
    "DescribeGateway": Need(_gateway),
    "DescribeGatewayResources": Need(_gateway),
    "DescribeGatewayRoute": Need(_by_arn("gateway_route_arn"), ("ecs:gateway",)),
    "DescribeServiceDeployments": Need(_with_parents("service", "service_deployment_arns"), _DEPLOYMENT),
    "DescribeServiceRevisions": Need(_with_parents("service", "service_revision_arns"), _DEPLOYMENT),
    "DescribeServices": Need(lambda call: call.all_in_cluster("service", call.given("services")), ("ecs:cluster",)),
    "DescribeTaskDefinition": Need(_all),
    "DescribeTaskSets": Need(_task_sets, _TASK_SET),
    "DescribeTasks": Need(_tasks, ("ecs:cluster",)),
    "DisassociateGatewayFromCluster": Need(_gateway, ("ecs:cluster",)),
    "DiscoverPollEndpoint": Need(_all),
    "ExecuteCommand": Need(
        lambda call: [*_cluster(call), *_task(call)], ("ecs:cluster", "ecs:container-name", "ecs:task")
    ),
    "GetTaskProtection": Need(_tasks, ("ecs:cluster",)),
    "ListAccountSettings": Need(_all),
    "ListAttributes": Need(_cluster),
    "ListClusters": Need(_all),
    "ListContainerInstances": Need(_cluster),
    "ListDaemonDeployments": Need(_by_arn("daemon_arn"), ("ecs:cluster",)),
    "ListDaemonTaskDefinitions": Need(_all),
    "ListDaemons": Need(_all, ("ecs:cluster",)),
    "ListGatewayClusterAssociations": Need(_gateway_or_all, ("ecs:cluster", "ecs:gateway")),
    "ListGatewayRoutes": Need(_gateway_or_all, ("ecs:cluster", "ecs:gateway", "ecs:service")),
    "ListGateways": Need(_all),
    "ListServiceDeployments": Need(_service, ("ecs:cluster",)),
    "ListServices": Need(_all, ("ecs:cluster",)),
    "ListServicesByNamespace": Need(_all, ("ecs:namespace",)),
    "ListTagsForResource": Need(_by_arn("resource_arn")),
    "ListTaskDefinitionFamilies": Need(_all),
    "ListTaskDefinitions": Need(_all),
    "ListTasks": Need(_listed_tasks, ("ecs:cluster",)),
    "PutAccountSetting": Need(_all, ("ecs:account-setting",)),
    "PutAccountSettingDefault": Need(_all, ("ecs:account-setting",)),
    "PutAttributes": Need(_attribute_targets, ("ecs:cluster",)),
    "PutClusterCapacityProviders": Need(_cluster, ("ecs:capacity-provider",)),
    "RegisterContainerInstance": Need(_cluster),
    "RegisterDaemonTaskDefinition": Need(_new_revisions("daemon-task-definition"), _DEFINITION),
    "RegisterTaskDefinition": Need(_new_revisions("task-definition"), (*_DEFINITION, "ecs:compute-compatibility")),
    "RunTask": Need(_definition, (*_LAUNCH, "ecs:capacity-provider")),
    "StartTask": Need(_definition, (*_LAUNCH, "ecs:container-instances")),
    "StopServiceDeployment": Need(_with_parents("service", "service_deployment_arn"), _DEPLOYMENT),
    "StopTask": Need(_task, ("ecs:cluster",)),
    "SubmitAttachmentStateChanges": Need(_cluster),
    "SubmitContainerStateChange": Need(_cluster),
    "SubmitTaskStateChange": Need(_cluster),
    "TagResource": Need(_by_arn("resource_arn"), ("ecs:cluster",)),
    "UntagResource": Need(_by_arn("resource_arn"), ("ecs:cluster",)),
    "UpdateCapacityProvider": Need(_capacity_providers, _PROVIDER),
    "UpdateCluster": Need(_cluster, ("ecs:fargate-ephemeral-storage-kms-key",)),
    "UpdateClusterSettings": Need(_cluster),
    "UpdateContainerAgent": Need(_container_instances, ("ecs:cluster",)),
    "UpdateContainerInstancesState": Need(_container_instances, ("ecs:cluster",)),
    "UpdateDaemon": Need(_by_arn("daemon_arn"), _DAEMON),
    "UpdateExpressGatewayService": Need(_by_arn("service_arn"), _EXPRESS),
    "UpdateGateway": Need(_gateway, _TAGS),
    "UpdateService": Need(_service, _SERVICE),
    "UpdateServicePrimaryTaskSet": Need(_service, ("ecs:cluster",)),
    "UpdateTaskProtection": Need(_tasks, ("ecs:cluster",)),
    "UpdateTaskSet": Need(_task_sets, _TASK_SET),
}
"""Every operation of ECS."""

_OWN = (
    "CreateCapacityProvider",
    "CreateCluster",
    "CreateDaemon",
    "CreateExpressGatewayService",
    "CreateGateway",
    "CreateService",
    "CreateTaskSet",
    "RegisterDaemonTaskDefinition",
    "RegisterTaskDefinition",
)

CREATING: dict[str, Resources] = {
    **{operation: NEEDS[operation].resources for operation in _OWN},
    "RegisterContainerInstance": lambda call: [call.in_cluster("container-instance", "*")],
    "RunTask": lambda call: [call.in_cluster("task", "*")],
    "StartTask": lambda call: [call.in_cluster("task", "*")],
}
"""Operations that make something with tags, and what that will be."""
