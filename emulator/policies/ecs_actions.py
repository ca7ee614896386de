"""What a call of ECS needs: its own action on its resources, tagging, and handing on roles.

Documented: the Service Authorization Reference for Amazon ECS, as of 2026-10, if nothing else is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emulator.policies.decision import AccessRequest
from emulator.policies.ecs_call import Call, Facts, Place
from emulator.policies.ecs_keys import ecs_context, resource_tags
from emulator.policies.ecs_needs import CREATING, NEEDS
from emulator.policies.patterns import Value
from emulator.policies.trust import ECS, ECS_TASKS


def needs_of(operation: str, request: Any, place: Place, facts: Facts) -> Iterator[AccessRequest]:
    """What a caller must be allowed for a call: the operation on its resources first, then what else it implies.

    The operation is one of ECS's, the request its parsed structure. Nothing in it need have been checked.
    """
    call = Call(operation, request, place, facts)
    need = NEEDS[operation]
    for arn in need.resources(call):
        yield AccessRequest(f"ecs:{operation}", arn, ecs_context(call, need.keys, arn))
    yield from _other_actions(call)
    yield from _tagging(call)
    for role, service in _passed_roles(call):
        context: dict[str, Value] = {"iam:PassedToService": service, **resource_tags(call, role)}
        yield AccessRequest("iam:PassRole", role, context)


def _other_actions(call: Call) -> Iterator[AccessRequest]:
    """Capacity providers of a cluster are changed together with it; express services bring what they stand on.

    That this is asked for only where the request names a cluster, or lacks a cluster or a task definition, is inferred.
    """
    if call.operation in ("CreateCapacityProvider", "UpdateCapacityProvider", "DeleteCapacityProvider"):
        if call.given("cluster"):
            yield AccessRequest("ecs:PutClusterCapacityProviders", call.cluster, resource_tags(call, call.cluster))
    elif call.operation in ("CreateExpressGatewayService", "UpdateExpressGatewayService"):
        if call.operation.startswith("Create") and not call.given("cluster"):
            yield AccessRequest("ecs:CreateCluster", call.cluster)
        if not call.given("task_definition_arn"):
            yield AccessRequest("ecs:RegisterTaskDefinition", call.arn("task-definition/*"))


def _tagging(call: Call) -> Iterator[AccessRequest]:
    """To make something with tags is to tag it (documented: "Grant permission to tag resources on creation").

    Which resource it is was observed, without a date, in the comments of public policies: task-definition/<family>:*
    and task/<cluster>/*. Those say too that tags which ECS sets, or takes from the definition, count when tasks are
    run; and that the key ecs:cluster is there for a task.
    """
    if call.operation not in CREATING or not (call.given("tags") or _other_tags(call)):
        return
    need = NEEDS[call.operation]
    keys = ("ecs:cluster",) if "ecs:cluster" in need.keys else ()
    for arn in CREATING[call.operation](call):
        context: dict[str, Value] = {"ecs:CreateAction": call.operation, **ecs_context(call, keys, arn)}
        yield AccessRequest("ecs:TagResource", arn, context)


def _other_tags(call: Call) -> bool:
    if call.operation not in ("RunTask", "StartTask"):
        return False
    if call.given("enable_ecs_managed_tags"):
        return True
    propagated = NEEDS[call.operation].resources(call) if call.given("propagate_tags") == "TASK_DEFINITION" else ()
    return any(map(call.facts.tags, propagated))


def _passed_roles(call: Call) -> Iterator[tuple[str, str]]:
    """The roles that a call hands on, each with the service that gets it; the execution role before the task role.

    Observed: for the definition's roles by RunTask 2021-11 (aws/serverless-application-model issue 2247) and 2024-11
    (LBHackney-IT/Data-Platform pulls 1990 and 1992, in this order); by UpdateService 2026-01 (keidarcy/e1s issue 429)
    when it names a task definition, and not when it does not. An overridden role is not passed (inferred).
    """
    if call.operation not in PASSING:
        return
    roles = []
    for member in ("execution_role_arn", "task_role_arn"):
        givers = (call.given("overrides", member), call.given(member), getattr(call.definition, member, None))
        roles.append((next(filter(None, givers), None), ECS_TASKS))
    roles += [(role, ECS) for role in _infrastructure_roles(call)]
    for role, service in dict.fromkeys(roles):
        if role:
            yield _role_arn(call, role), service


def _infrastructure_roles(call: Call) -> Iterator[str | None]:
    """Roles under which ECS itself makes volumes, targets and machines, or calls hooks."""
    yield call.given("role")
    yield call.given("infrastructure_role_arn")
    yield call.given("managed_instances_provider", "infrastructure_role_arn")
    for volume in call.given("volume_configurations") or ():
        yield getattr(volume.managed_ebs_volume, "role_arn", None)
    for target in call.given("vpc_lattice_configurations") or ():
        yield target.role_arn
    for balancer in call.given("load_balancers") or ():
        yield getattr(balancer.advanced_configuration, "role_arn", None)
    for hook in call.given("deployment_configuration", "lifecycle_hooks") or ():
        yield hook.role_arn


def _role_arn(call: Call, role: str) -> str:
    """A role is given by its ARN, or by its name with its path."""
    if role.startswith("arn:"):
        return role
    return f"arn:{call.place.partition}:iam::{call.place.account}:role/{role.removeprefix('/')}"


PASSING = {
    "CreateCapacityProvider",
    "CreateDaemon",
    "CreateExpressGatewayService",
    "CreateGateway",
    "CreateService",
    "CreateTaskSet",
    "RegisterDaemonTaskDefinition",
    "RegisterTaskDefinition",
    "RunTask",
    "StartTask",
    "UpdateCapacityProvider",
    "UpdateDaemon",
    "UpdateExpressGatewayService",
    "UpdateGateway",
    "UpdateService",
}
"""Operations that hand roles to ECS. For gateways it is inferred."""
