"""The resources of ECS (documented: ECS resource type reference)."""

from __future__ import annotations

from emulator.neighbours.embedded.cloudformation import reasons
from emulator.neighbours.embedded.cloudformation.kinds import (
    HOUR,
    Api,
    ExistsError,
    Kind,
    UnstableError,
    changed,
    only,
    retag,
    without,
)
from emulator.neighbours.embedded.cloudformation.resource_types import Made, Properties, Wanted
from emulator.neighbours.ports import ServiceRefusedError

# Clusters


def _create_cluster(api: Api, wanted: Wanted) -> Made:
    """ECS answers with the cluster of this name where there is one; CloudFormation does not take it over."""
    found = api("DescribeClusters", {"Clusters": [wanted.name]})["clusters"]
    if any(cluster["status"] == "ACTIVE" for cluster in found):
        raise ExistsError(wanted.name)
    cluster = api("CreateCluster", {**wanted.properties, "ClusterName": wanted.name})["cluster"]
    return Made(cluster["clusterName"], {"Arn": cluster["clusterArn"]})


def _update_cluster(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    after = wanted.properties
    settings = ("ClusterSettings", "Configuration", "ServiceConnectDefaults")
    if changed(before, after, *settings):
        update = only(after, *settings)
        if "ServiceConnectDefaults" in before and "ServiceConnectDefaults" not in after:
            update["ServiceConnectDefaults"] = {"Namespace": ""}
        if update:
            api("UpdateCluster", {"Cluster": made.id, **update})
    if changed(before, after, "CapacityProviders", "DefaultCapacityProviderStrategy"):
        _associate(api, made.id, after)
    retag(api, {"ResourceArn": made.attributes["Arn"]}, before, after)


def _delete_cluster(api: Api, made: Made, _properties: Properties) -> bool:
    """A cluster whose last tasks are ending is asked for again; one with tasks that run on refuses."""
    try:
        api("DeleteCluster", {"Cluster": made.id})
    except ServiceRefusedError as refusal:
        if refusal.code != "ClusterContainsTasksException" or _runs_tasks(api, made.id):
            raise
        return False
    return True


def _runs_tasks(api: Api, cluster: str) -> bool:
    return bool(api("ListTasks", {"Cluster": cluster, "DesiredStatus": "RUNNING"})["taskArns"])


CLUSTER = Kind(
    type="AWS::ECS::Cluster",
    service="ecs",
    create=_create_cluster,
    update=_update_cluster,
    delete=_delete_cluster,
    fixed=frozenset({"ClusterName"}),
    attributes=frozenset({"Arn"}),
    named_by="ClusterName",
    renamed={"ClusterSettings": "settings"},
)


# The capacity providers of a cluster


def _associate(api: Api, cluster: str, properties: Properties) -> None:
    providers = {name: properties.get(name, []) for name in ("CapacityProviders", "DefaultCapacityProviderStrategy")}
    api("PutClusterCapacityProviders", {"Cluster": cluster, **providers})


def _create_association(api: Api, wanted: Wanted) -> Made:
    cluster = str(wanted.properties.get("Cluster", "default"))
    _associate(api, cluster, wanted.properties)
    return Made(cluster.rpartition("/")[2])


def _update_association(api: Api, made: Made, _before: Properties, wanted: Wanted) -> None:
    _associate(api, made.id, wanted.properties)


def _delete_association(api: Api, made: Made, _properties: Properties) -> bool:
    """As `_delete_cluster`."""
    try:
        _associate(api, made.id, {})
    except ServiceRefusedError as refusal:
        if refusal.code != "ResourceInUseException" or _runs_tasks(api, made.id):
            raise
        return False
    return True


ASSOCIATIONS = Kind(
    type="AWS::ECS::ClusterCapacityProviderAssociations",
    service="ecs",
    create=_create_association,
    update=_update_association,
    delete=_delete_association,
    fixed=frozenset({"Cluster"}),
    tagged=False,
)


# Task definitions


def _register(api: Api, wanted: Wanted) -> Made:
    answer = api("RegisterTaskDefinition", {**wanted.properties, "Family": wanted.name})
    arn = answer["taskDefinition"]["taskDefinitionArn"]
    return Made(arn, {"TaskDefinitionArn": arn})


def _update_definition(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    retag(api, {"ResourceArn": made.id}, before, wanted.properties)


def _deregister(api: Api, made: Made, _properties: Properties) -> None:
    """One that somebody deregistered or deleted meanwhile is gone."""
    try:
        found = api("DescribeTaskDefinition", {"TaskDefinition": made.id})["taskDefinition"]
    except ServiceRefusedError as refusal:
        if refusal.code == "ClientException":
            return
        raise
    if found["status"] == "ACTIVE":
        api("DeregisterTaskDefinition", {"TaskDefinition": made.id})


TASK_DEFINITION = Kind(
    type="AWS::ECS::TaskDefinition",
    service="ecs",
    create=_register,
    update=_update_definition,
    delete=_deregister,
    fixed=None,
    attributes=frozenset({"TaskDefinitionArn"}),
    named_by="Family",
    names_are_unique=False,
    renamed={"ProxyConfigurationProperties": "properties"},
)


# Services

FIXED_OF_SERVICE = frozenset({"Cluster", "LaunchType", "Role", "SchedulingStrategy", "ServiceName"})
"""LaunchType is said to be fixed on a condition; a change always made a new service (observed 2026-09)."""
LISTS_OF_SERVICE = (
    "CapacityProviderStrategy",
    "LoadBalancers",
    "PlacementConstraints",
    "PlacementStrategies",
    "ServiceRegistries",
    "VolumeConfigurations",
    "VpcLatticeConfigurations",
)


def _create_service(api: Api, wanted: Wanted) -> Made:
    request = {**without(wanted.properties, "ForceNewDeployment"), "ServiceName": wanted.name}
    try:
        service = api("CreateService", request)["service"]
    except ServiceRefusedError as refusal:
        if "not idempotent" in refusal.message:
            raise ExistsError(wanted.name) from refusal
        raise
    arn, name = service["serviceArn"], service["serviceName"]
    return Made(arn, {"Name": name, "ServiceArn": arn, "Cluster": service["clusterArn"]})


def _update_service(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    after = wanted.properties
    update = {
        name: value
        for name, value in without(after, "Tags", *FIXED_OF_SERVICE).items()
        if before.get(name) != value and name != "ForceNewDeployment"
    }
    update |= {name: [] for name in LISTS_OF_SERVICE if name in before and name not in after}
    if changed(before, after, "ForceNewDeployment"):
        update["ForceNewDeployment"] = after.get("ForceNewDeployment", {}).get("EnableForceNewDeployment", False)
    if update:
        api("UpdateService", {"Cluster": made.attributes["Cluster"], "Service": made.id, **update})
    retag(api, {"ResourceArn": made.id}, before, after)


def _service_is_steady(api: Api, made: Made) -> bool:
    """One deployment, and as many tasks as wanted (documented: steady state of a service)."""
    found = api("DescribeServices", {"Cluster": made.attributes["Cluster"], "Services": [made.id]})["services"]
    if not found or found[0].get("deploymentController", {}).get("type", "ECS") != "ECS":
        return True
    deployments = found[0]["deployments"]
    if any(deployment.get("rolloutState") == "FAILED" for deployment in deployments):
        raise UnstableError(reasons.CIRCUIT_BROKEN)
    only_one = len(deployments) == 1 and deployments[0].get("rolloutState", "COMPLETED") == "COMPLETED"
    return only_one and found[0]["runningCount"] == found[0]["desiredCount"]


def _delete_service(api: Api, made: Made, _properties: Properties) -> bool:
    which = {"Cluster": made.attributes["Cluster"]}
    found = api("DescribeServices", {**which, "Services": [made.id]})["services"]
    if found and found[0]["status"] == "ACTIVE":
        found = [api("DeleteService", {**which, "Service": made.id, "Force": True})["service"]]
    return not found or found[0]["status"] == "INACTIVE"


SERVICE = Kind(
    type="AWS::ECS::Service",
    service="ecs",
    create=_create_service,
    update=_update_service,
    delete=_delete_service,
    is_ready=_service_is_steady,
    fixed=FIXED_OF_SERVICE,
    attributes=frozenset({"Name", "ServiceArn"}),
    named_by="ServiceName",
    names_are_unique=False,  # CreateService says so itself
    renamed={"PlacementStrategies": "placementStrategy"},
    patience=3 * HOUR,
)


# Capacity providers


def _create_provider(api: Api, wanted: Wanted) -> Made:
    answer = api("CreateCapacityProvider", {**wanted.properties, "Name": wanted.name})
    return Made(answer["capacityProvider"]["name"], {"Arn": answer["capacityProvider"]["capacityProviderArn"]})


def _update_provider(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    after = wanted.properties
    if changed(before, after, "AutoScalingGroupProvider", "ManagedInstancesProvider"):
        update = only(after, "ClusterName", "ManagedInstancesProvider")
        if "AutoScalingGroupProvider" in after:
            group = without(after["AutoScalingGroupProvider"], "AutoScalingGroupArn")
            update["AutoScalingGroupProvider"] = group
        api("UpdateCapacityProvider", {"Name": made.id, **update})
    retag(api, {"ResourceArn": made.attributes["Arn"]}, before, after)


def _delete_provider(api: Api, made: Made, properties: Properties) -> None:
    api("DeleteCapacityProvider", {"CapacityProvider": made.id, **only(properties, "ClusterName")})


CAPACITY_PROVIDER = Kind(
    type="AWS::ECS::CapacityProvider",
    service="ecs",
    create=_create_provider,
    update=_update_provider,
    delete=_delete_provider,
    fixed=frozenset({"AutoScalingGroupProvider/AutoScalingGroupArn", "ClusterName", "Name"}),
    named_by="Name",
    renamed={"ClusterName": "cluster"},
)


# Task sets


def _of_service(properties: Properties) -> dict[str, str]:
    return only(properties, "Cluster", "Service")


def _create_task_set(api: Api, wanted: Wanted) -> Made:
    """Its Ref is made of the three members of its identity (inferred from the type's schema)."""
    found = api("CreateTaskSet", wanted.properties)["taskSet"]
    identity = [*_of_service(wanted.properties).values(), found["id"]]
    return Made("|".join(identity), {"Id": found["id"], "Arn": found["taskSetArn"]})


def _update_task_set(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    after = wanted.properties
    if changed(before, after, "Scale") and "Scale" in after:
        api("UpdateTaskSet", {**_of_service(after), "TaskSet": made.attributes["Id"], "Scale": after["Scale"]})
    retag(api, {"ResourceArn": made.attributes["Arn"]}, before, after)


def _task_set_is_steady(api: Api, made: Made) -> bool:
    cluster, service, id_ = made.id.rsplit("|", 2)
    which = {"Cluster": cluster, "Service": service, "TaskSets": [id_]}
    found = api("DescribeTaskSets", which)["taskSets"]
    return not found or found[0]["stabilityStatus"] == "STEADY_STATE"


def _delete_task_set(api: Api, made: Made, properties: Properties) -> bool:
    which = _of_service(properties)
    id_ = made.attributes["Id"]
    found = api("DescribeTaskSets", {**which, "TaskSets": [id_]})["taskSets"]
    if found and found[0]["status"] != "DRAINING":
        api("DeleteTaskSet", {**which, "TaskSet": id_, "Force": True})
        found = api("DescribeTaskSets", {**which, "TaskSets": [id_]})["taskSets"]
    return not found


TASK_SET = Kind(
    type="AWS::ECS::TaskSet",
    service="ecs",
    create=_create_task_set,
    update=_update_task_set,
    delete=_delete_task_set,
    is_ready=_task_set_is_steady,
    fixed=frozenset(
        {
            "CapacityProviderStrategy",
            "Cluster",
            "ExternalId",
            "LaunchType",
            "LoadBalancers",
            "NetworkConfiguration",
            "PlatformVersion",
            "Service",
            "ServiceRegistries",
            "TaskDefinition",
        }
    ),
    attributes=frozenset({"Id"}),
    patience=3 * HOUR,
)


def _make_primary(api: Api, properties: Properties) -> None:
    request = {**_of_service(properties), "PrimaryTaskSet": properties.get("TaskSetId", "")}
    api("UpdateServicePrimaryTaskSet", request)


def _create_primary(api: Api, wanted: Wanted) -> Made:
    _make_primary(api, wanted.properties)
    return Made("|".join(_of_service(wanted.properties).values()))


def _update_primary(api: Api, _made: Made, _before: Properties, wanted: Wanted) -> None:
    _make_primary(api, wanted.properties)


def _leave_primary(_api: Api, _made: Made, _properties: Properties) -> None:
    """A task set stays the primary one until another is."""


PRIMARY_TASK_SET = Kind(
    type="AWS::ECS::PrimaryTaskSet",
    service="ecs",
    create=_create_primary,
    update=_update_primary,
    delete=_leave_primary,
    fixed=frozenset({"Cluster", "Service"}),
    tagged=False,
)

KINDS = (CLUSTER, ASSOCIATIONS, TASK_DEFINITION, SERVICE, CAPACITY_PROVIDER, TASK_SET, PRIMARY_TASK_SET)
