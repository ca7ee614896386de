"""Task definitions."""

from __future__ import annotations

from dataclasses import replace

import api_models as ecs
from emulator.errors import ApiError
from emulator.operations.answers import tag_map, tags_json
from emulator.operations.identifiers import arn_of
from emulator.operations.operation import Answer, Caller, Read, Write, reads, writes
from emulator.operations.paging import page_size
from emulator.rules.definition_content import definition_content
from emulator.rules.parameters import known_includes, one_of
from emulator.rules.task_definitions import refuse_registration, registration
from emulator.state.store import Tables, Transaction
from emulator.state.task_definitions import Family, TaskDefinition, revisions, task_definitions

UNDESCRIBABLE = ApiError("ClientException", "Unable to describe task definition.")


@writes("RegisterTaskDefinition")
def register_task_definition(call: Write[ecs.RegisterTaskDefinitionRequest]) -> Answer:
    """A revision number is one more than the highest ever given in the family."""
    request, caller = call.request, call.caller
    facts = registration(request, len(request.to_json()))
    refuse_registration(facts)
    name = request.family or ""
    family = call.state.families.get((caller.account, caller.region, name))
    revision = family.latest_revision + 1 if family else 1
    arn = caller.ecs_arn(f"task-definition/{name}:{revision}")
    content = definition_content(
        request, facts, arn=arn, revision=revision, registered_at=call.now, registered_by=caller.arn
    )
    call.state.families.put(Family(account=caller.account, region=caller.region, name=name, latest_revision=revision))
    record = call.state.task_definitions.put(
        TaskDefinition(
            account=caller.account,
            region=caller.region,
            family=name,
            revision=revision,
            arn=arn,
            status="ACTIVE",
            tags=tag_map(request.tags),
            view=content.to_json(),
        )
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


@writes("DeregisterTaskDefinition")
def deregister_task_definition(call: Write[ecs.DeregisterTaskDefinitionRequest]) -> Answer:
    """Tasks that run on it go on. One that is inactive already is answered as it is."""
    family, revision = read_reference(call.request.task_definition or "", call.caller)
    if revision is None:
        raise ApiError("ClientException", "Revision is missing.")
    if not revision.isdecimal():
        raise ApiError("InvalidParameterException", f"Invalid revision number. Number: {revision}")
    found = call.state.task_definitions.get((call.caller.account, call.caller.region, family, int(revision)))
    if found is None:
        raise UNDESCRIBABLE
    if found.status == "ACTIVE":
        view = found.content.replace(status="INACTIVE", deregistered_at=call.now).to_json()
        found = call.state.task_definitions.put(replace(found, status="INACTIVE", view=view))
    return _answer(found, with_tags=False)


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
    if not revision.isdecimal():
        return None
    return state.task_definitions.get((caller.account, caller.region, family, int(revision)))


def _answer(found: TaskDefinition, *, with_tags: bool) -> bytes:
    tags = b',"tags":' + tags_json(found.tags) if with_tags else b""
    return b'{"taskDefinition":' + found.view + tags + b"}"
