"""Tasks: run, stop, look."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import api_models as ecs
from emulator.errors import ApiError
from emulator.operations.answers import failures_json, list_json, tag_map, task_json
from emulator.operations.clusters import find_cluster
from emulator.operations.identifiers import arn_of
from emulator.operations.networks import FoundNetwork, find_network
from emulator.operations.operation import Answer, Caller, Look, Read, Write, reads, writes
from emulator.operations.paging import page_size
from emulator.operations.roles import FoundRoles, find_roles
from emulator.operations.task_definitions import find_task_definition
from emulator.rules import capacity_providers as provider_rules
from emulator.rules import tasks as rules
from emulator.rules.parameters import at_most, known_includes, one_of, task_id
from emulator.rules.rule import enforce
from emulator.rules.tags import Tagging
from emulator.state.capacity_providers import Strategy, distributed, with_defaults
from emulator.state.clusters import Cluster
from emulator.state.record import Group, Key, parsed
from emulator.state.store import Transaction
from emulator.state.task_definitions import TaskDefinition
from emulator.state.tasks import ContainerState, Task, asked_to_stop, listed_tasks, tasks_of_token

PLATFORM_VERSION = "1.4.0"
"""What LATEST means for Linux (documented: Fargate platform versions)."""

MOST_OF_A_TOKEN = 100
"""No call makes more tasks than this for one client token."""


@dataclass(frozen=True, slots=True)
class _Launch:
    """What the tasks of one call have in common."""

    cluster: Cluster
    definition: TaskDefinition
    network: FoundNetwork
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What RunTask asks other services, before its transaction."""

    network: FoundNetwork
    roles: FoundRoles


def _look_around(look: Look[ecs.RunTaskRequest]) -> _Surroundings:
    return _Surroundings(find_network(look), find_roles(look))


@writes("RunTask", looks=_look_around)
def run_task(call: Write[ecs.RunTaskRequest]) -> Answer:
    """Checks the request, cluster, definition, network and size in this order. Containers are made after the answer."""
    request = call.request
    enforce("RunTask:request", request)
    cluster = find_cluster(call.state, call.caller, request.cluster)
    earlier = _made_before(call, cluster)
    if earlier:
        return _tasks_answer(earlier, (), with_tags=True)
    strategy = _strategy(request, cluster)
    launch_type = request.launch_type or ("FARGATE" if strategy else "EC2")
    definition = _runnable(call.state, call.caller, request.task_definition)
    names = tuple(item.capacity_provider or "" for item in strategy)
    around: _Surroundings = call.found
    network = around.network
    enforce("RunTask", rules.TaskRequest(request, definition.content, launch_type, names, network.facts))
    if network.refusal is not None:
        raise network.refusal
    around.roles.check()
    tags = _tags(request, cluster, definition)
    if launch_type != "FARGATE":
        raise ApiError("InvalidParameterException", "No Container Instances were found in your cluster.")
    if call.engine_problem:
        problem = f"No task can be started: the container engine does not answer ({call.engine_problem})."
        raise ApiError("ServerException", problem, status=500)
    network.keep(call.state, call.caller)
    count = 1 if request.count is None else request.count
    # The strategy is followed within a call; what earlier calls placed does not count (inferred: only services are
    # documented to keep a base).
    providers = distributed(strategy, count, {}) if strategy else [None] * count
    launch = _Launch(cluster, definition, network, tags)
    tasks = [_new_task(call, launch, provider) for provider in providers]
    for task in tasks:
        call.state.tasks.put(task)
        call.state.tell(task, call.now, f"RunTask accepted: {definition.family}:{definition.revision}")
    return _tasks_answer(tasks, (), with_tags=True)


def _made_before(call: Write[ecs.RunTaskRequest], cluster: Cluster) -> list[Task]:
    """The tasks that this client token made before.

    Raises ConflictException when it stood for another request. Its meaning is
    documented, its sentence inferred.
    """
    token = call.request.client_token
    if not token:
        return []
    found = call.state.tasks.page(tasks_of_token(cluster.key, token), limit=MOST_OF_A_TOKEN)
    if any(task.request_digest != _digest(call.request) for task in found):
        message = "The specified clientToken is already in use with different parameters."
        raise ApiError("ConflictException", message, members={"resourceIds": [task.arn for task in found]})
    return found


def _digest(request: ecs.RunTaskRequest) -> str:
    return hashlib.sha256(request.replace(client_token=None).to_json()).hexdigest()


def _strategy(request: ecs.RunTaskRequest, cluster: Cluster) -> Strategy:
    """The strategy given, else without a launch type the cluster's default one; empty where there is none.

    Raises InvalidParameterException for one that cannot be followed.
    """
    content = parsed(ecs.Cluster, cluster.view)
    providers = content.capacity_providers or ()
    if request.capacity_provider_strategy:
        enforce("RunTask:strategy", provider_rules.Strategy(request.capacity_provider_strategy, providers))
        return with_defaults(request.capacity_provider_strategy)
    if request.launch_type:
        return ()
    default = content.default_capacity_provider_strategy or ()
    enforce("RunTask:default-strategy", provider_rules.Strategy(default, providers))
    return default


def _tags(request: ecs.RunTaskRequest, cluster: Cluster, definition: TaskDefinition) -> dict[str, str]:
    """The definition's tags if they were asked for, over them the request's, and AWS's own.

    Raises InvalidParameterException for too many. (Names of managed tags documented: tagging Amazon ECS resources.)
    """
    propagated = definition.tags if request.propagate_tags == "TASK_DEFINITION" else {}
    tags = {**propagated, **tag_map(request.tags)}
    enforce("RunTask:tags", Tagging(request.tags, in_all=len(tags)))
    managed = {"aws:ecs:clusterName": cluster.name} if request.enable_ecs_managed_tags else {}
    return {**tags, **managed}


def _runnable(state: Transaction, caller: Caller, reference: str | None) -> TaskDefinition:
    """The definition to run.

    The first sentence was observed for CreateService (2019-08: Cloud-CV/EvalAI issue 2419), the second with its error
    here (2024-10: DefangLabs/defang pull 775). UpdateService has a ClientException for the second one.
    """
    found = find_task_definition(state, caller, reference)
    if found is None:
        raise ApiError("ClientException", "TaskDefinition not found.")
    if found.status != "ACTIVE":
        raise ApiError("InvalidParameterException", "TaskDefinition is inactive")
    return found


def _new_task(call: Write[ecs.RunTaskRequest], launch: _Launch, provider: str | None) -> Task:
    caller, request = call.caller, call.request
    cluster, definition = launch.cluster, launch.definition
    id_ = call.ids.hex(32)
    arn = caller.ecs_arn(f"task/{cluster.name}/{id_}")
    subnet = list(launch.network.zones)[int(id_, 16) % len(launch.network.zones)]
    content = _new_content(call, launch, arn, subnet).replace(capacity_provider_name=provider)
    return Task(
        account=caller.account,
        region=caller.region,
        cluster=cluster.name,
        id=id_,
        arn=arn,
        family=definition.family,
        revision=definition.revision,
        launch_type="FARGATE",
        last_status=str(content.last_status),
        desired_status=str(content.desired_status),
        subnet=subnet,
        security_groups=launch.network.security_groups,
        assign_public_ip=_awsvpc(request).assign_public_ip == "ENABLED",
        capacity_provider=provider,
        started_by=request.started_by,
        client_token=request.client_token,
        request_digest=_digest(request) if request.client_token else None,
        tags=launch.tags,
        containers={found.name or "": ContainerState() for found in content.containers or ()},
        view=content.to_json(),
    )


def _awsvpc(request: ecs.RunTaskRequest) -> ecs.AwsVpcConfiguration:
    network = request.network_configuration
    return (network.awsvpc_configuration if network else None) or ecs.AwsVpcConfiguration()


def _new_content(call: Write[ecs.RunTaskRequest], launch: _Launch, arn: str, subnet: str) -> ecs.Task:
    """The task as RunTask answers it (observed in published answers)."""
    request, cluster, definition = call.request, launch.cluster, launch.definition
    content = definition.content
    overrides = request.overrides or ecs.TaskOverride()
    cpu, memory = rules.task_size(content, overrides)
    storage = overrides.ephemeral_storage or content.ephemeral_storage or ecs.EphemeralStorage(size_in_gib=20)
    platform = content.runtime_platform or ecs.RuntimePlatform()
    architecture = "arm64" if platform.cpu_architecture == "ARM64" else "x86_64"
    version = request.platform_version
    return ecs.Task(
        attachments=(_eni_attachment(call.ids.uuid(), subnet),),
        attributes=(ecs.Attribute(name="ecs.cpu-architecture", value=architecture),),
        availability_zone=launch.network.zones[subnet],
        cluster_arn=cluster.arn,
        containers=tuple(_new_containers(call, cluster, content, arn)),
        cpu=cpu,
        created_at=call.now,
        desired_status="RUNNING",
        enable_execute_command=bool(request.enable_execute_command),
        group=request.group or f"family:{definition.family}",
        last_status="PROVISIONING",
        launch_type="FARGATE",
        memory=memory,
        overrides=_shown_overrides(overrides, content),
        platform_version=PLATFORM_VERSION if version in (None, "", "LATEST") else version,
        platform_family="Linux",
        started_by=request.started_by,
        task_arn=arn,
        task_definition_arn=definition.arn,
        version=1,
        ephemeral_storage=storage,
        fargate_ephemeral_storage=ecs.TaskEphemeralStorage(size_in_gib=storage.size_in_gib),
    )


def _eni_attachment(id_: str, subnet: str) -> ecs.Attachment:
    return ecs.Attachment(
        id=id_,
        type="ElasticNetworkInterface",
        status="PRECREATED",
        details=(ecs.KeyValuePair(name="subnetId", value=subnet),),
    )


def _new_containers(
    call: Write[ecs.RunTaskRequest], cluster: Cluster, definition: ecs.TaskDefinition, arn: str
) -> Iterator[ecs.Container]:
    id_ = arn.rsplit("/", 1)[1]
    for container in definition.container_definitions or ():
        yield ecs.Container(
            container_arn=call.caller.ecs_arn(f"container/{cluster.name}/{id_}/{call.ids.uuid()}"),
            task_arn=arn,
            name=container.name,
            image=container.image,
            last_status="PENDING",
            network_interfaces=(),
            cpu=str(container.cpu or 0),
            memory=str(container.memory) if container.memory else None,
            memory_reservation=str(container.memory_reservation) if container.memory_reservation else None,
        )


def _shown_overrides(given: ecs.TaskOverride, definition: ecs.TaskDefinition) -> ecs.TaskOverride:
    """Every container is listed, overridden or not (observed)."""
    by_name = {override.name: override for override in given.container_overrides or ()}
    return given.replace(
        container_overrides=tuple(
            by_name.get(container.name, ecs.ContainerOverride(name=container.name))
            for container in definition.container_definitions or ()
        ),
        inference_accelerator_overrides=given.inference_accelerator_overrides or (),
    )


@writes("StopTask")
def stop_task(call: Write[ecs.StopTaskRequest]) -> Answer:
    """Answers at once; the version that counts the change is seen from the next look on (observed)."""
    cluster = find_cluster(call.state, call.caller, call.request.cluster)
    task = call.state.tasks.get(task_key(call.request.task or "", cluster, call.caller))
    if task is None:
        raise ApiError("InvalidParameterException", "The referenced task was not found.")
    if task.desired_status == "STOPPED":
        return b'{"task":' + task_json(task, with_tags=True) + b"}"
    before = task.content.version
    content = asked_to_stop(task.content, "UserInitiated", call.request.reason or "Task stopped by user", call.now)
    stopped = call.state.tasks.put(task.shown(content))
    call.state.tell(stopped, call.now, f"StopTask: {content.stopped_reason}")
    answered = replace(stopped, view=content.replace(version=before).to_json())
    return b'{"task":' + task_json(answered, with_tags=True) + b"}"


@reads("DescribeTasks")
def describe_tasks(call: Read[ecs.DescribeTasksRequest]) -> Answer:
    """What is not found is a failure, not an error."""
    request = call.request
    known_includes("DescribeTasks", request.include)
    tasks = request.tasks or ()
    if not tasks:
        raise ApiError("InvalidParameterException", "Tasks cannot be empty.")
    at_most(100, "taskIds", tasks)
    cluster = find_cluster(call.state, call.caller, request.cluster)
    found, failures = [], []
    for name in tasks:
        key = task_key(name, cluster, call.caller)
        task = call.state.tasks.get(key)
        if task is None:
            arn = call.caller.ecs_arn(f"task/{cluster.name}/{key[-1]}")
            failures.append(ecs.Failure(arn=arn, reason="MISSING"))
        else:
            found.append(task)
    return _tasks_answer(found, failures, with_tags="TAGS" in (request.include or ()))


@reads("ListTasks")
def list_tasks(call: Read[ecs.ListTasksRequest]) -> ecs.ListTasksResponse:
    """The ARNs of a cluster's tasks, RUNNING ones unless told otherwise (documented: ListTasks)."""
    request = call.request
    enforce("ListTasks", request)
    size = page_size(request.max_results)
    cluster = find_cluster(call.state, call.caller, request.cluster)
    group = _listed(request, cluster)
    question = ("ListTasks", *cluster.key, request.launch_type, *(group or ()))
    after = call.tokens.read(question, request.next_token)
    found = call.state.tasks.page(group, after=after, limit=size + 1) if group else []
    token = call.tokens.make(question, found[size - 1].key) if len(found) > size else None
    return ecs.ListTasksResponse(task_arns=tuple(task.arn for task in found[:size]), next_token=token)


def _listed(request: ecs.ListTasksRequest, cluster: Cluster) -> Group | None:
    """The index that holds what was asked for; None when nothing can match."""
    desired = one_of("desiredStatus", request.desired_status, ("RUNNING", "PENDING", "STOPPED")) or "RUNNING"
    launch_type = one_of("launchType", request.launch_type, ("EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"))
    if request.service_name:
        raise ApiError("ServiceNotFoundException", "Service not found.")
    if request.container_instance:
        raise ApiError("InvalidParameterException", "The referenced container instance was not found.")
    if request.daemon_name or launch_type in ("EC2", "EXTERNAL", "MANAGED_INSTANCES"):
        return None
    return listed_tasks(cluster.key, desired, family=request.family or "", started_by=request.started_by or "")


def task_key(identifier: str, cluster: Cluster, caller: Caller) -> Key:
    """The key of the task that a parameter names, by its id or an ARN, in a cluster."""
    arn = arn_of(identifier, "task", caller)
    id_ = task_id(arn.name if arn else identifier)
    if arn is not None and len(arn.path) == 2 and arn.path[0] != cluster.name:
        # observed in public issues
        message = f"Invalid identifier: Identifier is for cluster {arn.path[0]}. Your cluster is {cluster.name}"
        raise ApiError("InvalidParameterException", message)
    return (*cluster.key, id_)


def _tasks_answer(tasks: Iterable[Task], failures: Iterable[ecs.Failure], *, with_tags: bool) -> bytes:
    shown = list_json(task_json(task, with_tags=with_tags) for task in tasks)
    return b'{"tasks":' + shown + b',"failures":' + failures_json(failures) + b"}"
