"""The values of ECS's condition keys in a call.

Documented: the Service Authorization Reference for Amazon ECS (which keys an operation has: `ecs_needs.py`) and the
developer guide's page "How Amazon ECS works with IAM" (what they hold). Inferred is what a key holds of a parameter
that is not given: a call that makes something has the default, an update has no such key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from emulator.policies.ecs_call import Call
from emulator.policies.patterns import Value, arn_parts
from emulator.state.arns import read_arn

Read = Callable[[Call, str], Value | None]
"""The value of a key for one resource of a call, by its ARN; None where the key is not there."""


def ecs_context(call: Call, keys: Iterable[str], arn: str) -> dict[str, Value]:
    """What a call says of one of its resources under these keys and under those about tags."""
    found = {key: value for key in keys if (value := KEYS[key](call, arn)) is not None}
    return {**found, **request_tags(call), **resource_tags(call, arn)}


def request_tags(call: Call) -> dict[str, Value]:
    """The tags that a request brings, or the keys that it takes away."""
    tags = call.given("tags") or ()
    keys = (*(tag.key or "" for tag in tags), *(call.given("tag_keys") or ()))
    return {**{f"aws:RequestTag/{tag.key}": tag.value or "" for tag in tags}, **({"aws:TagKeys": keys} if keys else {})}


def resource_tags(call: Call, arn: str) -> dict[str, Value]:
    """The tags of a resource, under the global key and under its service's own."""
    prefixes = ("aws", arn_parts(arn)[2])
    return {f"{prefix}:ResourceTag/{key}": value for key, value in call.facts.tags(arn).items() for prefix in prefixes}


def _cluster(call: Call, arn: str) -> str | None:
    """The request's; of a request that names resources by their ARNs alone, the resource's."""
    if hasattr(call.request, "cluster") or hasattr(call.request, "cluster_arn"):
        return call.cluster
    found = read_arn(arn)
    return _beside(arn, f"cluster/{found.path[0]}") if found and len(found.path) > 1 else None


def _parent(kind: str, member: str) -> Read:
    """The service of a deployment, the daemon of a revision, the gateway of a route."""

    def read(call: Call, arn: str) -> str | None:
        found = read_arn(arn)
        if found and found.resource.startswith(f"{kind}-") and len(found.path) > 2:
            return _beside(arn, f"{kind}/{found.path[0]}/{found.path[1]}")
        given = call.given(member)
        if not given:
            return None
        return call.named(kind, given) if kind == "gateway" else call.in_cluster(kind, given)

    return read


def _beside(arn: str, resource: str) -> str:
    return ":".join([*arn_parts(arn)[:5], resource])


def _flag(read: Callable[[Call], Any]) -> Read:
    """True or false. What is not given is false, but an update leaves it as it is."""

    def value(call: Call, _: str) -> str | None:
        given = read(call)
        if given is None and call.operation.startswith("Update"):
            return None
        return "true" if given else "false"

    return value


def _given(*members: str) -> Read:
    return lambda call, _: call.given(*members) or None


def _listed(*members: str) -> Read:
    return lambda call, _: tuple(call.given(*members) or ()) or None


def _task_definition(call: Call, _: str) -> str | None:
    reference = call.given("task_definition") or call.given("task_definition_arn")
    return call.definition_arn(reference) if reference else None


def _daemon_task_definition(call: Call, _: str) -> str | None:
    reference = call.given("daemon_task_definition_arn")
    return call.definition_arn(reference, "daemon-task-definition") if reference else None


def _capacity_providers(call: Call, _: str) -> Value | None:
    strategy = call.given("capacity_provider_strategy") or call.given("default_capacity_provider_strategy") or ()
    names = [*(call.given("capacity_providers") or ()), *(item.capacity_provider for item in strategy)]
    names += call.given("capacity_provider_arns") or ()
    return tuple(dict.fromkeys(call.named("capacity-provider", name) for name in names if name)) or None


def _container_instances(call: Call, _: str) -> Value | None:
    """One is a text, so that the guide's policies, which have no quantifier, are met."""
    names = call.given("container_instances") or ()
    arns = tuple(call.in_cluster("container-instance", name) for name in names)
    return arns[0] if len(arns) == 1 else arns or None


def _ebs_volumes(call: Call) -> bool | None:
    volumes = call.given("volume_configurations")
    return None if volumes is None else any(volume.managed_ebs_volume for volume in volumes)


def _public_ip(call: Call, _: str) -> str | None:
    vpc = call.given("network_configuration", "awsvpc_configuration")
    return None if vpc is None else str(vpc.assign_public_ip == "ENABLED").lower()


def _privileged(call: Call) -> bool:
    return any(container.privileged for container in call.given("container_definitions") or ())


def _size(member: str, unit: str) -> Read:
    """CPU units or MiB: the override's, the request's, or the task definition's (the last inferred)."""

    def read(call: Call, _: str) -> str | None:
        texts = (call.given("overrides", member), call.given(member), getattr(call.definition, member, None))
        return next((_units(text, unit) for text in texts if text), None)

    return read


def _units(text: str, unit: str) -> str | None:
    found = re.fullmatch(r"([0-9]{0,9}\.?[0-9]{1,9})\s*([a-z]*)", text.strip(), re.IGNORECASE | re.ASCII)
    if found is None or found[2].lower() not in ("", unit):
        return None
    return str(int(float(found[1]) * (1024 if found[2] else 1)))


def _subnets(call: Call, _: str) -> Value | None:
    return (
        tuple(
            call.given("network_configuration", "awsvpc_configuration", "subnets")
            or call.given("network_configuration", "subnets")
            or ()
        )
        or None
    )


def _propagated(call: Call, _: str) -> str | None:
    return call.given("propagate_tags") or call.given("managed_instances_provider", "propagate_tags") or None


_PROVIDER = ("managed_instances_provider", "instance_launch_template", "instance_metadata_tags_propagation")
_STORAGE_KEY = ("configuration", "managed_storage_configuration", "fargate_ephemeral_storage_kms_key_id")

KEYS: dict[str, Read] = {
    "ecs:account-setting": _given("name"),
    "ecs:auto-assign-public-ip": _public_ip,
    "ecs:capacity-provider": _capacity_providers,
    "ecs:cluster": _cluster,
    "ecs:compute-compatibility": _listed("requires_compatibilities"),
    "ecs:container-instances": _container_instances,
    "ecs:container-name": _given("container"),
    "ecs:daemon": _parent("daemon", "daemon_name"),
    "ecs:daemon-task-definition": _daemon_task_definition,
    "ecs:enable-ebs-volumes": _flag(_ebs_volumes),
    "ecs:enable-ecs-managed-tags": _flag(lambda call: call.given("enable_ecs_managed_tags")),
    "ecs:enable-execute-command": _flag(lambda call: call.given("enable_execute_command")),
    "ecs:enable-service-connect": _flag(lambda call: call.given("service_connect_configuration", "enabled")),
    "ecs:enable-vpc-lattice": _flag(lambda call: call.given("vpc_lattice_configurations")),
    "ecs:fargate-ephemeral-storage-kms-key": _given(*_STORAGE_KEY),
    "ecs:gateway": _parent("gateway", "gateway"),
    "ecs:instance-metadata-tags-propagation": _flag(lambda call: call.given(*_PROVIDER)),
    "ecs:namespace": lambda call, _: (
        call.given("namespace") or call.given("service_connect_configuration", "namespace") or None
    ),
    "ecs:privileged": _flag(_privileged),
    "ecs:propagate-tags": _propagated,
    "ecs:service": _parent("service", "service"),
    "ecs:subnet": _subnets,
    "ecs:task": lambda call, _: call.in_cluster("task", call.given("task") or "*"),
    "ecs:task-cpu": _size("cpu", "vcpu"),
    "ecs:task-definition": _task_definition,
    "ecs:task-memory": _size("memory", "gb"),
}
"""All keys of ECS but those about tags, which every operation has, and ecs:CreateAction."""
