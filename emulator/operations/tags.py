"""Tags of any resource."""

from __future__ import annotations

from dataclasses import replace

import api_models as ecs
from emulator.errors import ApiError
from emulator.operations.answers import tag_list, tag_map
from emulator.operations.operation import Caller, Read, Write, reads, writes
from emulator.rules.rule import enforce
from emulator.rules.tags import is_reserved, refuse_tags
from emulator.state.arns import Arn, read_arn
from emulator.state.clusters import Cluster
from emulator.state.store import Tables, Transaction
from emulator.state.task_definitions import TaskDefinition, revision_number
from emulator.state.tasks import Task

Tagged = Cluster | TaskDefinition | Task


@writes("TagResource")
def tag_resource(call: Write[ecs.TagResourceRequest]) -> ecs.TagResourceResponse:
    """Add tags, and change those that are there."""
    found = find_tagged(call.state, call.caller, call.request.resource_arn)
    tags = {**found.tags, **tag_map(call.request.tags)}
    refuse_tags("TagResource", call.request.tags, in_all=sum(not is_reserved(key) for key in tags))
    _put(call.state, replace(found, tags=tags))
    return ecs.TagResourceResponse()


@writes("UntagResource")
def untag_resource(call: Write[ecs.UntagResourceRequest]) -> ecs.UntagResourceResponse:
    """Take tags away. One that is not there is fine."""
    enforce("UntagResource", call.request)
    found = find_tagged(call.state, call.caller, call.request.resource_arn)
    gone = set(call.request.tag_keys or ())
    _put(call.state, replace(found, tags={key: value for key, value in found.tags.items() if key not in gone}))
    return ecs.UntagResourceResponse()


@reads("ListTagsForResource")
def list_tags_for_resource(call: Read[ecs.ListTagsForResourceRequest]) -> ecs.ListTagsForResourceResponse:
    """All tags of a resource."""
    found = find_tagged(call.state, call.caller, call.request.resource_arn)
    return ecs.ListTagsForResourceResponse(tags=tag_list(found.tags))


def find_tagged(state: Tables | Transaction, caller: Caller, text: str | None) -> Tagged:
    """The resource of an ARN.

    Raises InvalidParameterException for what is no long ARN, ClusterNotFoundException, ResourceNotFoundException.
    The sentences are inferred but for the one about short ARNs, which is recalled.
    """
    arn = read_arn(text or "")
    if arn is None or (arn.account, arn.region) != (caller.account, caller.region):
        raise ApiError("InvalidParameterException", "The ARN provided is invalid.")
    if arn.resource == "task" and len(arn.path) == 1:
        raise ApiError("InvalidParameterException", "Long arn format must be used for tagging operations")
    found = look_up(state, arn)
    if found is not None:
        return found
    if arn.resource == "cluster":
        raise ApiError("ClusterNotFoundException", "Cluster not found.")
    raise ApiError("ResourceNotFoundException", "The specified resource could not be found.")


def look_up(state: Tables | Transaction, arn: Arn) -> Tagged | None:
    """The resource of an ARN; None if it is not there, or has no tags."""
    place = (arn.account, arn.region)
    if arn.resource == "cluster":
        cluster = state.clusters.get((*place, arn.name))
        return cluster if cluster is not None and cluster.status == "ACTIVE" else None
    if arn.resource == "task-definition":
        family, _, revision = arn.name.partition(":")
        number = revision_number(revision)
        return None if number is None else state.task_definitions.get((*place, family, number))
    if arn.resource == "task" and len(arn.path) == 2:
        return state.tasks.get((*place, *arn.path))
    return None


def _put(state: Transaction, record: Tagged) -> None:
    match record:
        case Cluster():
            state.clusters.put(record)
        case TaskDefinition():
            state.task_definitions.put(record)
        case Task():
            state.tasks.put(record)
