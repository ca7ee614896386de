"""A stack on its way: what waits for what, and what is undone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.neighbours.cloudformation.scripted import World

REF_A = {"X": {"Ref": "A"}}


def test_a_resource_is_begun_when_those_that_it_needs_are_ready() -> None:
    world = World()
    world.create({"A": {"Waits": True}, "B": REF_A, "C": {}})
    assert world.stack.status == "CREATE_IN_PROGRESS"
    assert sorted(world.type.there) == ["A-1", "C-2"]  # C did not wait for A
    world.go_on()
    assert world.stack.status == "CREATE_IN_PROGRESS"
    world.type.ready.add("A")
    world.go_on()
    assert world.stack.status == "CREATE_COMPLETE"
    assert world.type.there["B-3"] == {"X": "A-1"}


def test_a_resource_that_is_never_ready_fails_the_stack() -> None:
    world = World()
    world.create({"A": {"Waits": True}})
    world.go_on(after=601)
    assert world.stack.status == "ROLLBACK_COMPLETE"
    assert "Exceeded attempts to wait" in str(world.stack.events)


def test_a_stack_may_have_less_time() -> None:
    world = World(timeout_in_minutes=1)
    world.create({"A": {"Waits": True}})
    world.go_on(after=59)
    assert world.stack.status == "CREATE_IN_PROGRESS"
    world.go_on(after=2)
    assert world.told[2:] == [
        "A CREATE_IN_PROGRESS",
        "A CREATE_FAILED",
        "s ROLLBACK_IN_PROGRESS",
        "A DELETE_IN_PROGRESS",
        "A DELETE_COMPLETE",
        "s ROLLBACK_COMPLETE",
    ]
    reasons = [event.resource_status_reason for event in world.stack.events]
    assert reasons[3:5] == [
        "Resource creation cancelled",
        "Stack creation time exceeded the specified timeout. Rollback requested by user.",
    ]


def test_what_is_under_way_is_cancelled_when_another_fails() -> None:
    world = World()
    world.create({"A": {"Waits": True}, "B": {"Fails": "create"}})
    assert "A CREATE_FAILED" in world.told
    assert world.type.there == {}


def test_a_resource_that_fails_after_it_was_made_is_removed_too() -> None:
    world = World()
    world.create({"A": {"Fails": "complete"}})
    assert (world.stack.status, world.type.there) == ("ROLLBACK_COMPLETE", {})


def test_what_cannot_be_removed_fails_the_rollback() -> None:
    world = World()
    world.type.stuck.add("A-1")
    world.create({"A": {}, "B": {"Fails": "create"}})
    assert world.stack.status == "ROLLBACK_FAILED"
    assert world.stack.status_reason == "The following resource(s) failed to delete: [A]. "
    world.type.stuck.clear()
    world.delete()
    assert (world.stack.status, world.type.there) == ("DELETE_COMPLETE", {})


@pytest.mark.parametrize(
    ("policy", "at_creation", "kept"),
    [
        ("Delete", True, False),
        ("Retain", True, True),
        ("RetainExceptOnCreate", True, False),
        ("RetainExceptOnCreate", False, True),
    ],
)
def test_policies_keep_a_resource(policy: str, at_creation: bool, kept: bool) -> None:
    world = World()
    resources: dict[str, Any] = {"A": {"DeletionPolicy": policy}}
    world.create({**resources, "B": {"Fails": "create"}} if at_creation else resources)
    if not at_creation:
        world.delete()
    assert bool(world.type.there) == kept


def test_a_name_that_another_stack_exports_undoes_all() -> None:
    world = World()
    world.create({"A": {}}, O={"Value": "1", "Export": {"Name": "taken"}})
    assert world.stack.status == "ROLLBACK_COMPLETE"
    assert world.stack.outputs == []


def test_an_update_waits_too_and_removes_the_former_last() -> None:
    world = World()
    world.create({"A": {"Fixed": 1}, "B": REF_A})
    world.update({"A": {"Fixed": 2, "Waits": True}, "B": REF_A})
    assert (world.stack.status, sorted(world.type.there)) == ("UPDATE_IN_PROGRESS", ["A-1", "A-3", "B-2"])
    assert world.type.there["B-2"] == {"X": "A-1"}
    world.type.ready.add("A")
    world.go_on()
    assert world.stack.status == "UPDATE_COMPLETE"
    assert world.type.there == {"A-3": {"Fixed": 2, "Waits": True}, "B-2": {"X": "A-3"}}
    assert world.told[-7:] == [
        "A UPDATE_COMPLETE",
        "B UPDATE_IN_PROGRESS",
        "B UPDATE_COMPLETE",
        "s UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "A DELETE_IN_PROGRESS",
        "A DELETE_COMPLETE",
        "s UPDATE_COMPLETE",
    ]


def test_a_failed_update_restores_what_was_changed_replaced_and_added() -> None:
    world = World()
    before: dict[str, Any] = {
        "A": {"Fixed": 1},
        "B": {"Size": 1},
        "C": {"X": {"Ref": "A"}},
        "D": {"DependsOn": ["A", "B", "C"]},
    }
    world.create(before)
    there, ids = dict(world.type.there), {name: each.physical_id for name, each in world.stack.resources.items()}
    world.update(
        {
            "A": {"Fixed": 2},
            "B": {"Size": 2},
            "C": {"X": {"Ref": "A"}},
            "New": {},
            "D": {"Fails": "update", "DependsOn": ["A", "B", "C", "New"]},
        }
    )
    assert world.stack.status == "UPDATE_ROLLBACK_COMPLETE"
    assert world.type.there == there
    assert {name: each.physical_id for name, each in world.stack.resources.items()} == ids
    assert world.told[world.told.index("s UPDATE_ROLLBACK_IN_PROGRESS") :] == [
        "s UPDATE_ROLLBACK_IN_PROGRESS",
        "A UPDATE_IN_PROGRESS",
        "A UPDATE_COMPLETE",
        "B UPDATE_IN_PROGRESS",
        "B UPDATE_COMPLETE",
        "C UPDATE_IN_PROGRESS",
        "C UPDATE_COMPLETE",
        "D UPDATE_IN_PROGRESS",
        "D UPDATE_COMPLETE",
        "s UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "New DELETE_IN_PROGRESS",
        "New DELETE_COMPLETE",
        "A DELETE_IN_PROGRESS",
        "A DELETE_COMPLETE",
        "s UPDATE_ROLLBACK_COMPLETE",
    ]


def test_a_replacement_that_fails_half_way_is_removed() -> None:
    world = World()
    world.create({"A": {"Fixed": 1}})
    world.update({"A": {"Fixed": 2, "Fails": "complete"}})
    assert (world.stack.status, world.type.there) == ("UPDATE_ROLLBACK_COMPLETE", {"A-1": {"Fixed": 1}})


def test_an_update_that_is_left_as_it_is_goes_on_from_there() -> None:
    world = World()
    world.create({"A": {"Size": 1}})
    world.left_as("DO_NOTHING")
    world.update({"A": {"Size": 2}, "B": {"Fails": "create"}})
    assert (world.stack.status, world.type.there) == ("UPDATE_FAILED", {"A-1": {"Size": 2}})
    world.update({"A": {"Size": 2}, "B": {}})
    assert (world.stack.status, sorted(world.type.there)) == ("UPDATE_COMPLETE", ["A-1", "B-2"])


def test_what_cannot_be_removed_does_not_fail_an_update() -> None:
    world = World()
    world.create({"A": {}, "B": {}})
    world.type.stuck.add("B-2")
    world.update({"A": {}})
    assert world.stack.status == "UPDATE_COMPLETE"
    assert world.stack.status_reason == "Update successful. One or more resources could not be deleted."
    assert list(world.stack.resources) == ["A"]


def test_those_that_need_others_are_removed_first_and_awaited() -> None:
    world = World()
    world.create({"A": {}, "B": {**REF_A, "Lingers": True}, "C": {"X": {"Ref": "B"}}})
    world.delete()
    assert (world.stack.status, sorted(world.type.there)) == ("DELETE_IN_PROGRESS", ["A-1", "B-2"])
    world.type.ready.add("B")
    world.go_on()
    assert (world.stack.status, world.type.there) == ("DELETE_COMPLETE", {})
    assert world.told.count("B DELETE_IN_PROGRESS") == 1


def test_one_that_refuses_keeps_only_those_that_it_needs() -> None:
    world = World()
    world.create({"A": {}, "B": REF_A, "C": {}})
    world.type.stuck.add("B-3")
    world.delete()
    assert (world.stack.status, sorted(world.type.there)) == ("DELETE_FAILED", ["A-1", "B-3"])
    assert world.stack.status_reason == "The following resource(s) failed to delete: [B]. "


def test_a_stack_that_is_being_made_can_be_removed() -> None:
    world = World()
    world.create({"A": {"Waits": True}})
    world.delete()
    assert (world.stack.status, world.type.there) == ("DELETE_COMPLETE", {})
