"""Locks of services in this process."""

from __future__ import annotations

import threading

from emulator.neighbours.embedded.locks import Locks
from emulator.neighbours.ports import Place

HERE = Place("123456789012", "us-east-1")


def test_two_that_take_locks_in_opposite_orders_do_not_wait_for_each_other() -> None:
    locks = Locks()
    has_events, is_done = threading.Event(), threading.Event()

    def from_events_to_ec2() -> None:
        with locks.held("events", HERE):
            has_events.set()
            with locks.held("ec2", HERE):
                is_done.set()

    with locks.held("cloudformation", HERE):
        other = threading.Thread(target=from_events_to_ec2)
        other.start()
        assert has_events.wait(10)
        with locks.held_all({"ec2", "events", "iam"}, HERE):
            assert is_done.is_set()
        other.join(10)


def test_all_locks_are_free_again_and_may_be_held_already() -> None:
    locks = Locks()
    with locks.held("ec2", HERE), locks.held_all({"ec2", "iam"}, HERE):
        pass
    free: list[bool] = []

    def take() -> None:
        with locks.held_all({"ec2", "iam"}, HERE):
            free.append(True)

    other = threading.Thread(target=take)
    other.start()
    other.join(10)
    assert free == [True]
