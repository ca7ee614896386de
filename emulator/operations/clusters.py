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
from emulator.rules import clusters as rules
from emulator.rules.parameters import at_most, cluster_name, known_includes
from emulator.rules.rule import enforce
from emulator.state.clusters import Cluster, active_clusters
from emulator.state.record import parsed
from emulator.state.store import Tables, Transaction
from emulator.state.tasks import tasks_with_status

PENDING = ("PROVISIONING", "PENDING")
UNFINISHED = (*PENDING, "RUNNING", "STOPPING", "DEPROVISIONING")


@writes("CreateCluster")
def create_cluster(call: Write[ecs.CreateClusterRequest]) -> ecs.CreateClusterResponse:
    """A cluster that exists is answered as it is; a deleted one is made anew (as moto does; not documented)."""
    request, caller = call.request, call.caller
    enforce("CreateCluster", request)
    name = request.cluster_name or "default"
    found = call.state.clusters.get((caller.account, caller.region, name))
    if found is None or found.status != "ACTIVE":
        found = call.state.clusters.put(_new_cluster(call, name))
    return ecs.CreateClusterResponse(cluster=shown(found, call.state, ALL_INCLUDES))


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
        capacity_providers=request.capacity_providers or (),
        default_capacity_provider_strategy=request.default_capacity_provider_strategy or (),
        service_connect_defaults=_service_connect(request, caller),
    )
    return Cluster(
        account=caller.account,
        region=caller.region,
        name=name,
        arn=arn,
        status="ACTIVE",
        tags=tag_map(request.tags),
        view=content.to_json(),
    )


def _service_connect(request: ecs.CreateClusterRequest, caller: Caller) -> ecs.ClusterServiceConnectDefaults | None:
    """A plain name is shown as the ARN of a Cloud Map namespace. (Its id is the name: inferred.)"""
    asked = request.service_connect_defaults
    if asked is None or not asked.namespace:
        return None
    arn = asked.namespace
    if not arn.startswith("arn:"):
        arn = f"arn:{caller.partition}:servicediscovery:{caller.region}:{caller.account}:namespace/{asked.namespace}"
    return ecs.ClusterServiceConnectDefaults(namespace=arn)


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
    )


def _statistics(running: int, pending: int) -> tuple[ecs.KeyValuePair, ...]:
    """Counts by launch type. Every task is a Fargate task so far."""
    counts = {"runningFargateTasksCount": running, "pendingFargateTasksCount": pending}
    kinds = ("EC2", "Fargate", "External")
    names = [f"{state}{kind}TasksCount" for state in ("running", "pending") for kind in kinds]
    names += [f"{state}{kind}ServiceCount" for state in ("active", "draining") for kind in kinds]
    return tuple(ecs.KeyValuePair(name=name, value=str(counts.get(name, 0))) for name in names)
