"""Capacity providers. So far there are those of Fargate, which every account has."""

from __future__ import annotations

from collections.abc import Sequence

import api_models as ecs
from emulator.operations.clusters import find_cluster
from emulator.operations.identifiers import arn_of
from emulator.operations.operation import Caller, Read, reads
from emulator.operations.paging import page_size
from emulator.rules.parameters import at_most, known_includes
from emulator.state.capacity_providers import FARGATE_PROVIDERS
from emulator.state.record import parsed

PAGE = 10
"""Both the usual and the largest page (documented: DescribeCapacityProviders)."""


@reads("DescribeCapacityProviders")
def describe_capacity_providers(
    call: Read[ecs.DescribeCapacityProvidersRequest],
) -> ecs.DescribeCapacityProvidersResponse:
    """All that there are, those of a cluster, or those that are named. What is not found is a failure."""
    request, caller = call.request, call.caller
    known_includes("DescribeCapacityProviders", request.include)
    at_most(100, "capacityProviders", request.capacity_providers)
    size = page_size(request.max_results, default=PAGE, most=PAGE)
    asked = [_name(text, caller) for text in request.capacity_providers or ()]
    question = ("DescribeCapacityProviders", caller.account, caller.region, request.cluster, *asked)
    after = call.tokens.read(question, request.next_token)
    there = _there(call)
    found = [name for name in there if (not asked or name in asked) and (after is None or (name,) > after)]
    token = call.tokens.make(question, (found[size - 1],)) if len(found) > size else None
    failures = [name for name in dict.fromkeys(asked) if name not in there] if after is None else []
    return ecs.DescribeCapacityProvidersResponse(
        capacity_providers=tuple(_shown(name, caller) for name in found[:size]),
        failures=tuple(ecs.Failure(arn=_arn(name, caller), reason="MISSING") for name in failures),
        next_token=token,
    )


def _there(call: Read[ecs.DescribeCapacityProvidersRequest]) -> Sequence[str]:
    """The names to choose from, in order."""
    if not call.request.cluster:
        return FARGATE_PROVIDERS
    cluster = find_cluster(call.state, call.caller, call.request.cluster)
    return sorted(parsed(ecs.Cluster, cluster.view).capacity_providers or ())


def _name(text: str, caller: Caller) -> str:
    arn = arn_of(text, "capacity-provider", caller)
    return arn.name if arn else text


def _arn(name: str, caller: Caller) -> str:
    return caller.ecs_arn(f"capacity-provider/{name}")


def _shown(name: str, caller: Caller) -> ecs.CapacityProvider:
    """A provider of Fargate (documented: the AWS CLI's example; its type: the service model). It has no tags."""
    return ecs.CapacityProvider(
        capacity_provider_arn=_arn(name, caller), name=name, status="ACTIVE", type=name, tags=()
    )
