"""SQS in this process: who waits for a message lets others in."""

from __future__ import annotations

from emulator.neighbours.embedded.locks import Locks


def wait_without_lock(locks: Locks) -> None:
    """Have who waits at a queue let go of the lock: only another request can bring what is waited for."""
    from moto.sqs.models import Queue

    waiting = getattr(Queue.wait_for_messages, "of_moto", Queue.wait_for_messages)

    def wait_for_messages(queue: Queue, timeout: int) -> None:
        with locks.let_go():
            waiting(queue, timeout)

    wait_for_messages.of_moto = waiting  # type: ignore[attr-defined]
    Queue.wait_for_messages = wait_for_messages  # type: ignore[method-assign,assignment]
