"""What comes into moto from outside during a call that is kept: the time, chance, and what others answered.

A call that is done again with the same `Given` comes to the same end. A call without one has the machine's clock and
chance; so has what goes on in threads that a call leaves behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from emulator.neighbours.ports import ServiceRefusedError

Told = dict[str, Any]
"""What somebody outside answered: `{"answer": …}`, or the members of a refusal. It is JSON."""


class Draws(Protocol):
    """A generator of random numbers: a `random.Random`."""

    def random(self) -> float:
        """From 0.0 to 1.0, without it."""
        ...

    def getrandbits(self, k: int, /) -> int:
        """A number of so many bits."""
        ...

    def randbytes(self, n: int) -> bytes:
        """So many bytes."""
        ...


@dataclass(slots=True)
class Given:
    """What one call is given. `at` (seconds since the epoch) is its time from beginning to end; None lets it pass."""

    draws: Draws
    at: float | None = None
    told: list[Told] = field(default_factory=list)
    """Answers from outside, in their order: written down by a call, and used up when it is done again."""
    again: bool = False
    """Was this call done before?"""


_given: ContextVar[Given | None] = ContextVar("given", default=None)


def given_now() -> Given | None:
    """What the call that is under way here is given."""
    return _given.get()


def is_done_again() -> bool:
    """Is the call that is under way here one that was done before, and has had its effects outside of moto?"""
    given = _given.get()
    return given is not None and given.again


@contextmanager
def giving(given: Given) -> Iterator[None]:
    """Give this to the call in this block."""
    before = _given.set(given)
    try:
        yield
    finally:
        _given.reset(before)


def from_outside(ask: Callable[[], Any]) -> Any:
    """What somebody outside of moto answers, as JSON: asked now, or for a call that is done again the answer of then.

    Raises ServiceRefusedError as `ask` does, and LookupError where there is no answer of then.
    """
    given = _given.get()
    if given is None:
        return ask()
    if given.again:
        return _told_before(given)
    try:
        answer = ask()
    except ServiceRefusedError as no:
        given.told.append({"operation": no.operation, "code": no.code, "message": no.message, "status": no.status})
        raise
    given.told.append({"answer": answer})
    return answer


def _told_before(given: Given) -> Any:
    if not given.told:
        raise LookupError("the call asks others for more than it did before")
    told = given.told.pop(0)
    if "code" in told:
        raise ServiceRefusedError(**told)
    return told["answer"]
