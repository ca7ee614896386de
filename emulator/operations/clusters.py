"""Clusters."""

from __future__ import annotations

from dataclasses import replace

import api_models as ecs
from emulator.errors import ApiError
from emulator.operations.account_settings import effective
from emulator.operations.answers import tag_list, tag_map
from emulator.operations.identifiers import arn_of
from emulator.operations.operation import Caller, Read, Write, reads, writes
from emulator.operations.paging import page_size
from emulator.rules import capacity_providers as provider_rules
from emulator.rules import clusters as rules
from emulator.rules.parameters import at_most, cluster_name, known_includes
from emulator.rules.rule import enforce
from emulator.state.capacity_providers import with_defaults
from emulator.state.clusters import Cluster, active_clusters
from emulator.state.record import parsed
from emulator.state.store import Tables, Transaction
from emulator.state.tasks import tasks_of_provider, tasks_with_status

PENDING = ("PROVISIONING", "PENDING")
UNFINISHED = (*PENDING, "RUNNING", "STOPPING", "DEPROVISIONING")


@writes("CreateCluster")
def create_cluster(call: Write[ecs.CreateClusterRequest]) -> ecs.CreateClusterResponse:
    """A cluster that exists is answered as it is; a deleted one is made anew (as moto does; not documented)."""
    request, caller = call.request, call.caller
    enforce("CreateCluster", request)
    _check_strategy("CreateCluster", request)
    name = request.cluster_name or "default"
    found = call.state.clusters.get((caller.account, caller.region, name))
    if found is not None and found.status == "ACTIVE":
        enforce("CreateCluster:again", rules.MadeAgain(request, parsed(ecs.Cluster, found.view)))
        return ecs.CreateClusterResponse(cluster=shown(found, call.state, ALL_INCLUDES))
    there = call.state.clusters.count(active_clusters(caller.account, caller.region))
    enforce("CreateCluster:new", rules.Region(clusters=there))
    made = call.state.clusters.put(_new_cluster(call, name))
    return ecs.CreateClusterResponse(cluster=_being_made(shown(made, call.state, ALL_INCLUDES)))


def _check_strategy(operation: str, request: ecs.CreateClusterRequest | ecs.PutClusterCapacityProvidersRequest) -> None:
    strategy = request.default_capacity_provider_strategy or ()
    enforce(f"{operation}:strategy", provider_rules.Strategy(strategy, request.capacity_providers or ()))


def _new_cluster(call: Write[ecs.CreateClusterRequest], name: str) -> Cluster:
    """Without settings it has the caller's account settings (documented: account settings)."""
    request, caller = call.request, call.caller
    arn = caller.ecs_arn(f"cluster/{name}")
    insights = effective(call.state, caller, "containerInsights")
    default = ecs.ClusterSetting(name="containerInsights", value=insights)
    content = ecs.Cluster(
        cluster_arn=arn,
        cluster_name=name,
        status="ACTIVE",
        configuration=request.configuration,
        settings=request.settings or (default,),
        capacity_providers=(),
        default_capacity_provider_strategy=(),
    )
    if request.capacity_providers:
        content = _with_providers(content, request)
    if request.service_connect_defaults:
        content = _with_namespace(content, request.service_connect_defaults, call)
    return Cluster(
        account=caller.account,
        region=caller.region,
        name=name,
        arn=arn,
        status="ACTIVE",
        tags=tag_map(request.tags),
        view=content.to_json(),
    )


def _with_providers(
    cluster: ecs.Cluster, request: ecs.CreateClusterRequest | ecs.PutClusterCapacityProvidersRequest
) -> ecs.Cluster:
    """A cluster with these capacity providers only. Those of Fargate are no attachments (observed)."""
    return cluster.replace(
        capacity_providers=tuple(dict.fromkeys(request.capacity_providers or ())),
        default_capacity_provider_strategy=with_defaults(request.default_capacity_provider_strategy or ()),
        attachments_status="UPDATE_COMPLETE",
    )


def _with_namespace(
    cluster: ecs.Cluster,
    asked: ecs.ClusterServiceConnectDefaultsRequest,
    call: Write[ecs.CreateClusterRequest] | Write[ecs.UpdateClusterRequest],
) -> ecs.Cluster:
    """A cluster with another default namespace, which is an attachment (observed); the empty one takes it away
    (documented: ClusterServiceConnectDefaultsRequest).
    """
    if not asked.namespace:
        return cluster.replace(service_connect_defaults=None, attachments=None)
    namespace = ecs.ClusterServiceConnectDefaults(namespace=_namespace_arn(asked.namespace, call.caller))
    attachment = ecs.Attachment(id=call.ids.uuid(), type="sc", status="ATTACHED", details=())
    return cluster.replace(
        service_connect_defaults=namespace, attachments=(attachment,), attachments_status="UPDATE_COMPLETE"
    )


def _namespace_arn(namespace: str, caller: Caller) -> str:
    """A plain name is shown as the ARN of a Cloud Map namespace. (Its id is the name: inferred.)"""
    if namespace.startswith("arn:"):
        return namespace
    return f"arn:{caller.partition}:servicediscovery:{caller.region}:{caller.account}:namespace/{namespace}"


def _being_made(cluster: ecs.Cluster) -> ecs.Cluster:
    """A new cluster as its own answer shows it: what is attached to it is under way, and done at the next look.

    (Observed 2023 in published answers, for `FARGATE` and for namespaces.)
    """
    if cluster.attachments_status is None:
        return cluster
    attachments = cluster.attachments and tuple(found.replace(status="ATTACHING") for found in cluster.attachments)
    return _being_changed(cluster.replace(status="PROVISIONING", attachments=attachments))


def _being_changed(cluster: ecs.Cluster) -> ecs.Cluster:
    """A cluster as the answer to a change of its capacity providers shows it (documented: the AWS CLI's example)."""
    return cluster.replace(attachments_status="UPDATE_IN_PROGRESS")


@writes("UpdateCluster")
def update_cluster(call: Write[ecs.UpdateClusterRequest]) -> ecs.UpdateClusterResponse:
    """Change what is given, and leave the rest."""
    request = call.request
    enforce("UpdateCluster", request)
    cluster = find_cluster(call.state, call.caller, request.cluster)
    content = _with_settings(parsed(ecs.Cluster, cluster.view), request.settings)
    if request.configuration is not None:
        content = content.replace(configuration=request.configuration)
    if request.service_connect_defaults is not None:
        content = _with_namespace(content, request.service_connect_defaults, call)
    return ecs.UpdateClusterResponse(cluster=_put(cluster, content, call.state))


@writes("UpdateClusterSettings")
def update_cluster_settings(call: Write[ecs.UpdateClusterSettingsRequest]) -> ecs.UpdateClusterSettingsResponse:
    """Change the settings that are given."""
    enforce("UpdateClusterSettings", call.request)
    cluster = find_cluster(call.state, call.caller, call.request.cluster)
    content = _with_settings(parsed(ecs.Cluster, cluster.view), call.request.settings)
    return ecs.UpdateClusterSettingsResponse(cluster=_put(cluster, content, call.state))


def _with_settings(cluster: ecs.Cluster, given: tuple[ecs.ClusterSetting, ...] | None) -> ecs.Cluster:
    by_name = {setting.name: setting for setting in (*(cluster.settings or ()), *(given or ()))}
    return cluster.replace(settings=tuple(by_name.values()))


@writes("PutClusterCapacityProviders")
def put_cluster_capacity_providers(
    call: Write[ecs.PutClusterCapacityProvidersRequest],
) -> ecs.PutClusterCapacityProvidersResponse:
    """From now on the cluster has these capacity providers only, and this default strategy."""
    request = call.request
    enforce("PutClusterCapacityProviders", request)
    _check_strategy("PutClusterCapacityProviders", request)
    cluster = find_cluster(call.state, call.caller, request.cluster)
    before = parsed(ecs.Cluster, cluster.view)
    left_out = [name for name in before.capacity_providers or () if name not in (request.capacity_providers or ())]
    used = tuple(name for name in left_out if call.state.tasks.count(tasks_of_provider(cluster.key, name)))
    enforce("PutClusterCapacityProviders:removal", provider_rules.Removal(used))
    after = _put(cluster, _with_providers(before, request), call.state)
    return ecs.PutClusterCapacityProvidersResponse(cluster=_being_changed(after))


def _put(cluster: Cluster, content: ecs.Cluster, state: Transaction) -> ecs.Cluster:
    """Keep what a cluster is now. Returns it as an answer shows it."""
    return shown(state.clusters.put(replace(cluster, view=content.to_json())), state, ALL_INCLUDES)


@reads("DescribeClusters")
def describe_clusters(call: Read[ecs.DescribeClustersRequest]) -> ecs.DescribeClustersResponse:
    """Without names it is about the default cluster."""
    known_includes("DescribeClusters", call.request.include)
    names = call.request.clusters or ("default",)
    at_most(100, "clusters", names)
    found, failures = [], []
    for name in names:
        cluster = call.state.clusters.get(cluster_key(name, call.caller))
        if cluster is None:
            arn = name if name.startswith("arn:") else call.caller.ecs_arn(f"cluster/{name}")
            failures.append(ecs.Failure(arn=arn, reason="MISSING"))
        else:
            found.append(shown(cluster, call.state, frozenset(call.request.include or ())))
    return ecs.DescribeClustersResponse(clusters=tuple(found), failures=tuple(failures))


@reads("ListClusters")
def list_clusters(call: Read[ecs.ListClustersRequest]) -> ecs.ListClustersResponse:
    """The ARNs of the clusters that were not deleted, by name."""
    request, caller = call.request, call.caller
    size = page_size(request.max_results)
    question = ("ListClusters", caller.account, caller.region)
    after = call.tokens.read(question, request.next_token)
    found = call.state.clusters.page(active_clusters(caller.account, caller.region), after=after, limit=size + 1)
    token = call.tokens.make(question, found[size - 1].key) if len(found) > size else None
    return ecs.ListClustersResponse(cluster_arns=tuple(each.arn for each in found[:size]), next_token=token)


@writes("DeleteCluster")
def delete_cluster(call: Write[ecs.DeleteClusterRequest]) -> ecs.DeleteClusterResponse:
    """It stays to be described, INACTIVE. One that is INACTIVE already cannot be found (inferred)."""
    cluster = find_cluster(call.state, call.caller, call.request.cluster)
    tasks = sum(call.state.tasks.count(tasks_with_status(cluster.key, status)) for status in UNFINISHED)
    enforce("DeleteCluster", rules.ClusterContents(container_instances=0, services=0, tasks=tasks))
    view = parsed(ecs.Cluster, cluster.view).replace(status="INACTIVE").to_json()
    deleted = call.state.clusters.put(replace(cluster, status="INACTIVE", view=view, tags={}))
    return ecs.DeleteClusterResponse(cluster=shown(deleted, call.state, ALL_INCLUDES))


def cluster_key(identifier: str | None, caller: Caller) -> tuple[str, str, str]:
    """The key of the cluster that a parameter names; the default cluster's for none."""
    arn = arn_of(identifier or "", "cluster", caller)
    return (caller.account, caller.region, arn.name if arn else cluster_name(identifier or "default"))


def find_cluster(state: Tables | Transaction, caller: Caller, identifier: str | None) -> Cluster:
    """The active cluster that a parameter names. Raises ClusterNotFoundException."""
    cluster = state.clusters.get(cluster_key(identifier, caller))
    if cluster is None:
        raise ApiError("ClusterNotFoundException", "Cluster not found.")
    if cluster.status != "ACTIVE":
        raise ApiError("ClusterNotFoundException", "The referenced cluster was inactive.")
    return cluster


ALL_INCLUDES = frozenset({"ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "TAGS"})
"""What an answer to a change shows."""


def shown(cluster: Cluster, state: Tables | Transaction, include: frozenset[str]) -> ecs.Cluster:
    """A cluster with its counts, and of the rest what was asked for (documented: DescribeClusters)."""
    content = parsed(ecs.Cluster, cluster.view)
    running = state.tasks.count(tasks_with_status(cluster.key, "RUNNING"))
    pending = sum(state.tasks.count(tasks_with_status(cluster.key, status)) for status in PENDING)
    return content.replace(
        registered_container_instances_count=0,
        running_tasks_count=running,
        pending_tasks_count=pending,
        active_services_count=0,
        statistics=_statistics(running, pending) if "STATISTICS" in include else (),
        tags=tag_list(cluster.tags) if "TAGS" in include else (),
        settings=content.settings if "SETTINGS" in include else (),
        configuration=content.configuration if "CONFIGURATIONS" in include else None,
        attachments=content.attachments if "ATTACHMENTS" in include else None,
        attachments_status=content.attachments_status if "ATTACHMENTS" in include else None,
    )


def _statistics(running: int, pending: int) -> tuple[ecs.KeyValuePair, ...]:
    """Counts by launch type. Every task is a Fargate task so far."""
    counts = {"runningFargateTasksCount": running, "pendingFargateTasksCount": pending}
    kinds = ("EC2", "Fargate", "External")
    names = [f"{state}{kind}TasksCount" for state in ("running", "pending") for kind in kinds]
    names += [f"{state}{kind}ServiceCount" for state in ("active", "draining") for kind in kinds]
    return tuple(ecs.KeyValuePair(name=name, value=str(counts.get(name, 0))) for name in names)
