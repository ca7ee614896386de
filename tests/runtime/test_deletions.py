"""Task definitions that were deleted are forgotten when nothing uses them any more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator.planner.task_definitions import CHECKED_AFTER
from emulator.planner.tasks import KEPT_STOPPED
from emulator.state.revisions import keep_revision
from emulator.state.store import Store, Transaction
from emulator.state.task_definitions import TaskDefinition
from tests.builders import NOW, container, definition, definition_record
from tests.machine import Machine


def being_deleted(store: Store, revision: int = 1) -> TaskDefinition:
    record = replace(definition_record(definition().replace(revision=revision)), status="DELETE_IN_PROGRESS")
    with store.write() as transaction:
        return keep_revision(transaction, replace(record, delete_requested_at=NOW))


def known(machine: Machine) -> list[int]:
    return [found.revision for found in machine.store.state.task_definitions]


def test_a_new_process_goes_on_with_deletions() -> None:
    store = Machine().store
    being_deleted(store)
    machine = Machine(store=store).connect()
    machine.advance(CHECKED_AFTER - 1)
    assert known(machine) == [1]
    machine.advance(1)
    assert known(machine) == []


def test_what_became_due_while_no_process_ran_goes_at_once() -> None:
    store = Machine().store
    being_deleted(store)
    machine = Machine(store=store)
    machine.clock.set(NOW + 10 * CHECKED_AFTER)
    machine.connect()
    assert known(machine) == []


def test_the_last_of_several_tasks_takes_its_definition_along() -> None:
    machine = Machine().connect()
    first, second = (machine.run(definition(container())) for _ in range(2))
    being_deleted(machine.store)
    machine.stop(first)
    machine.advance(KEPT_STOPPED)
    assert known(machine) == [1]
    machine.stop(second)
    machine.advance(KEPT_STOPPED)
    assert known(machine) == []


def test_revisions_that_are_due_together_go_together_and_their_family_is_counted_right() -> None:
    machine = Machine().connect()
    for revision in (1, 2, 3):
        being_deleted(machine.store, revision)
    machine.advance(CHECKED_AFTER)
    (family,) = machine.store.state.families
    assert (known(machine), family.active, family.inactive, family.latest_revision) == ([], 0, 0, 3)


def test_a_reset_forgets_deletions_too() -> None:
    machine = Machine().connect()
    being_deleted(machine.store)
    machine.runtime.reset()
    with machine.store.write() as transaction:
        keep_revision(transaction, definition_record(definition()))
    machine.advance(CHECKED_AFTER)
    assert known(machine) == [1]


def test_a_deletion_that_fails_keeps_no_task_from_running(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(state: Transaction, definition: TaskDefinition) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("emulator.runtime.deletions.forget_revision", fail)
    machine = Machine().connect()
    being_deleted(machine.store, 2)
    machine.advance(CHECKED_AFTER)
    assert machine.shown(machine.run(definition(container()))).last_status == "RUNNING"
    assert known(machine) == [2, 1]
