"""Task definitions."""

from __future__ import annotations

from dataclasses import replace

import api_models as ecs
from emulator.errors import ApiError
from emulator.operations.answers import failures_json, list_json, tag_map, tags_json
from emulator.operations.definition_content import definition_content
from emulator.operations.identifiers import arn_of
from emulator.operations.operation import Answer, Caller, Read, Write, reads, writes
from emulator.operations.paging import page_size
from emulator.rules.parameters import NAME, known_includes, one_of
from emulator.rules.revisions import NO_IDENTIFIER, NO_REVISION, STILL_ACTIVE, FamilyHistory
from emulator.rules.rule import enforce
from emulator.rules.task_definitions import refuse_registration, registration
from emulator.state.arns import read_arn
from emulator.state.record import Key
from emulator.state.revisions import keep_revision
from emulator.state.store import Tables, Transaction
from emulator.state.task_definitions import (
    TaskDefinition,
    families,
    revision_number,
    revisions,
    task_definitions,
)

UNDESCRIBABLE = ApiError("ClientException", "Unable to describe task definition.")


@writes("RegisterTaskDefinition")
def register_task_definition(call: Write[ecs.RegisterTaskDefinitionRequest]) -> Answer:
    """A revision number is one more than the highest ever given in the family."""
    request, caller = call.request, call.caller
    facts = registration(request, len(request.to_json()))
    refuse_registration(facts)
    name = request.family or ""
    family = call.state.families.get((caller.account, caller.region, name))
    latest = family.latest_revision if family else 0
    enforce("RegisterTaskDefinition:family", FamilyHistory(latest))
    revision = latest + 1
    arn = caller.ecs_arn(f"task-definition/{name}:{revision}")
    content = definition_content(
        request, facts, arn=arn, revision=revision, registered_at=call.now, registered_by=caller.arn
    )
    record = keep_revision(
        call.state,
        TaskDefinition(
            account=caller.account,
            region=caller.region,
            family=name,
            revision=revision,
            arn=arn,
            status="ACTIVE",
            tags=tag_map(request.tags),
            view=content.to_json(),
        ),
    )
    return _answer(record, with_tags=bool(record.tags))


@reads("DescribeTaskDefinition")
def describe_task_definition(call: Read[ecs.DescribeTaskDefinitionRequest]) -> Answer:
    """A family's name stands for its latest active revision. Inactive revisions can be described by number."""
    known_includes("DescribeTaskDefinition", call.request.include)
    found = find_task_definition(call.state, call.caller, call.request.task_definition)
    if found is None:
        raise UNDESCRIBABLE
    return _answer(found, with_tags="TAGS" in (call.request.include or ()))


@reads("ListTaskDefinitions")
def list_task_definitions(call: Read[ecs.ListTaskDefinitionsRequest]) -> ecs.ListTaskDefinitionsResponse:
    """By family and revision. `familyPrefix` is a whole family's name (documented: ListTaskDefinitions)."""
    request, caller = call.request, call.caller
    status = one_of("status", request.status, ("ACTIVE", "INACTIVE", "DELETE_IN_PROGRESS")) or "ACTIVE"
    descending = one_of("sort", request.sort, ("ASC", "DESC")) == "DESC"
    size = page_size(request.max_results)
    question = ("ListTaskDefinitions", caller.account, caller.region, request.family_prefix, status, descending)
    after = call.tokens.read(question, request.next_token)
    group = task_definitions(caller.account, caller.region, status)
    if request.family_prefix:
        group = revisions(caller.account, caller.region, request.family_prefix, status)
    found = call.state.task_definitions.page(group, after=after, limit=size + 1, descending=descending)
    token = call.tokens.make(question, found[size - 1].key) if len(found) > size else None
    arns = tuple(each.arn for each in found[:size])
    return ecs.ListTaskDefinitionsResponse(task_definition_arns=arns, next_token=token)


@reads("ListTaskDefinitionFamilies")
def list_task_definition_families(
    call: Read[ecs.ListTaskDefinitionFamiliesRequest],
) -> ecs.ListTaskDefinitionFamiliesResponse:
    """By name. A family stays as long as it has a revision of any status (documented: DeleteTaskDefinitions)."""
    request, caller = call.request, call.caller
    status = one_of("status", request.status, ("ACTIVE", "INACTIVE", "ALL")) or "ALL"
    size = page_size(request.max_results)
    prefix = (caller.account, caller.region, request.family_prefix or "")
    question = ("ListTaskDefinitionFamilies", *prefix, status)
    after = call.tokens.read(question, request.next_token)
    group = families(caller.account, caller.region, status)
    found = call.state.families.page(group, prefix=prefix, after=after, limit=size + 1)
    token = call.tokens.make(question, found[size - 1].key) if len(found) > size else None
    return ecs.ListTaskDefinitionFamiliesResponse(families=tuple(each.name for each in found[:size]), next_token=token)


@writes("DeregisterTaskDefinition")
def deregister_task_definition(call: Write[ecs.DeregisterTaskDefinitionRequest]) -> Answer:
    """Tasks that run on it go on. One that is inactive already is answered as it is."""
    family, revision = read_reference(call.request.task_definition or "", call.caller)
    if revision is None:
        raise ApiError("ClientException", "Revision is missing.")
    number = revision_number(revision)
    if number is None:
        raise ApiError("InvalidParameterException", f"Invalid revision number. Number: {revision}")
    found = call.state.task_definitions.get((call.caller.account, call.caller.region, family, number))
    if found is None:
        raise UNDESCRIBABLE
    if found.status == "ACTIVE":
        view = found.content.replace(status="INACTIVE", deregistered_at=call.now).to_json()
        found = keep_revision(call.state, replace(found, status="INACTIVE", view=view))
    return _answer(found, with_tags=False)


@writes("DeleteTaskDefinitions")
def delete_task_definitions(call: Write[ecs.DeleteTaskDefinitionsRequest]) -> Answer:
    """Each by itself; what cannot be deleted is a failure. What is deleted can be described for a while."""
    enforce("DeleteTaskDefinitions", call.request)
    deleted, failures = [], []
    for reference in call.request.task_definitions or ():
        found = _delete(call, reference)
        if isinstance(found, TaskDefinition):
            deleted.append(found.view)
        else:
            failures.append(ecs.Failure(arn=reference, reason=found))
    return b'{"taskDefinitions":' + list_json(deleted) + b',"failures":' + failures_json(failures) + b"}"


def _delete(call: Write[ecs.DeleteTaskDefinitionsRequest], reference: str) -> TaskDefinition | str:
    """The definition as it is from now on, or the reason of a failure.

    That tasks still use it is no reason (documented: DeleteTaskDefinitions). One that is being deleted already is
    answered as it is (inferred).
    """
    key = _revision_key(reference, call.caller)
    if key is None:
        return NO_IDENTIFIER
    at_home = key[:2] == (call.caller.account, call.caller.region)
    found = call.state.task_definitions.get(key) if at_home else None
    if found is None:
        return NO_REVISION
    if found.status == "ACTIVE":
        return STILL_ACTIVE
    if found.status == "DELETE_IN_PROGRESS":
        return found
    view = found.content.replace(status="DELETE_IN_PROGRESS", delete_requested_at=call.now).to_json()
    changed = replace(found, status="DELETE_IN_PROGRESS", delete_requested_at=call.now, view=view)
    return keep_revision(call.state, changed)


def _revision_key(reference: str, caller: Caller) -> Key | None:
    """The key of the revision that `family:revision` or an ARN names; None for anything else."""
    arn = read_arn(reference)
    if arn is not None and (arn.resource != "task-definition" or len(arn.path) != 1):
        return None
    place = (arn.account, arn.region) if arn else (caller.account, caller.region)
    family, _, revision = (arn.name if arn else reference).partition(":")
    number = revision_number(revision)
    return (*place, family, number) if number is not None and NAME.fullmatch(family) else None


def read_reference(reference: str, caller: Caller) -> tuple[str, str | None]:
    """Family and revision, as they stand in `family`, `family:revision` or an ARN."""
    arn = arn_of(reference, "task-definition", caller)
    family, colon, revision = (arn.name if arn else reference).partition(":")
    return family, revision if colon else None


def find_task_definition(state: Tables | Transaction, caller: Caller, reference: str | None) -> TaskDefinition | None:
    """The revision that a parameter names, of any status; the latest active one for a family's name."""
    family, revision = read_reference(reference or "", caller)
    if revision is None:
        group = revisions(caller.account, caller.region, family, "ACTIVE")
        latest = state.task_definitions.page(group, limit=1, descending=True)
        return latest[0] if latest else None
    number = revision_number(revision)
    return None if number is None else state.task_definitions.get((caller.account, caller.region, family, number))


def _answer(found: TaskDefinition, *, with_tags: bool) -> bytes:
    tags = b',"tags":' + tags_json(found.tags) if with_tags else b""
    return b'{"taskDefinition":' + found.view + tags + b"}"
