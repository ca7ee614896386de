"""What keeps a family from a further revision, and what DeleteTaskDefinitions refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import api_models as ecs
from emulator.rules.rule import broken, rule

MOST_REVISIONS = 1_000_000
MOST_DELETED = 10

NO_IDENTIFIER = "The specified task definition identifier is invalid. Specify a valid name or ARN and try again."
NO_REVISION = "The specified task definition does not exist. Specify a valid account, family, revision and try again."
STILL_ACTIVE = "The specified task definition is still in ACTIVE status. Please deregister the target and try again."
"""Why DeleteTaskDefinitions leaves something alone (as implemented by moto, whose sentences are mostly AWS's)."""

Found = Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class FamilyHistory:
    """The facts for a further revision of a family: the highest number given so far, 0 for none."""

    latest_revision: int


@rule(
    "RegisterTaskDefinition:family",
    refuse="ClientException",
    says="The maximum number of revisions for this task definition family has been reached.",
    evidence="inferred: the bound is documented (Amazon ECS service quotas), its sentence was not seen",
)
def a_family_has_a_million_revisions_at_most(history: FamilyHistory) -> Found:
    """Numbers end at 1,000,000. Those of deleted revisions count."""
    return broken() if history.latest_revision >= MOST_REVISIONS else None


@rule(
    "DeleteTaskDefinitions",
    refuse="InvalidParameterException",
    says="size of TaskDefinition references list must be greater than 0",
    evidence="inferred: as implemented by moto, whose sentences are mostly copied from AWS",
)
def something_is_deleted(request: ecs.DeleteTaskDefinitionsRequest) -> Found:
    """The list of revisions has some."""
    return None if request.task_definitions else broken()


@rule(
    "DeleteTaskDefinitions",
    refuse="InvalidParameterException",
    says="Size of TaskDefinition references list cannot exceed 10",
    evidence="inferred: the bound is documented; the sentence as implemented by moto",
)
def ten_are_deleted_at_most(request: ecs.DeleteTaskDefinitionsRequest) -> Found:
    """The list of revisions has ten at most."""
    return broken() if len(request.task_definitions or ()) > MOST_DELETED else None
