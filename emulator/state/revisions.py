"""Task definitions and their families together: a family knows what statuses its revisions have.

Whoever makes, changes or forgets a revision does it here, so that both change in one transaction.
"""

from __future__ import annotations

from dataclasses import replace

from emulator.state.store import Transaction
from emulator.state.task_definitions import Family, TaskDefinition


def keep_revision(state: Transaction, definition: TaskDefinition) -> TaskDefinition:
    """Keep a task definition, new or changed. Returns it."""
    _count(state, definition, state.task_definitions.get(definition.key), definition)
    return state.task_definitions.put(definition)


def forget_revision(state: Transaction, definition: TaskDefinition) -> None:
    """Forget a task definition. Its family remembers that the number was given."""
    _count(state, definition, definition, None)
    state.task_definitions.delete(definition.key)


def _count(state: Transaction, of: TaskDefinition, before: TaskDefinition | None, after: TaskDefinition | None) -> None:
    known = state.families.get((of.account, of.region, of.family))
    family = known or Family(account=of.account, region=of.region, name=of.family, latest_revision=0)
    counted = replace(
        family,
        latest_revision=max(family.latest_revision, of.revision),
        active=family.active + _is(after, active=True) - _is(before, active=True),
        inactive=family.inactive + _is(after, active=False) - _is(before, active=False),
    )
    if counted != known:
        state.families.put(counted)


def _is(definition: TaskDefinition | None, *, active: bool) -> bool:
    return definition is not None and (definition.status == "ACTIVE") is active
