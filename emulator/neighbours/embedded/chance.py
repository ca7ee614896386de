"""Chance that follows from something: ids that are the same every time."""

from __future__ import annotations

import hashlib
import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from emulator.ids import Ids
from emulator.neighbours.embedded.given import Draws, Given, given_now, giving


def draws_of(seed: int) -> Draws:
    """A generator whose numbers follow from one number."""
    return random.Random(seed)  # noqa: S311 - who knows the seed shall know the numbers


@contextmanager
def drawn_from(*what: str) -> Iterator[None]:
    """Let moto's random numbers follow from these words alone, and those after it be as if none had been drawn."""
    draws = draws_of(int(hashlib.sha256("/".join(what).encode()).hexdigest(), 16))
    outer = given_now()
    with giving(Given(draws) if outer is None else replace(outer, draws=draws)):
        yield


class IdsOfCall:
    """Ids that a call that is under way draws from what it is given. See emulator.ids.Ids."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids

    def hex(self, digits: int) -> str:
        """Lower-case hexadecimal digits."""
        given = given_now()
        return self._ids.hex(digits) if given is None else f"{given.draws.getrandbits(4 * digits):0{digits}x}"

    def uuid(self) -> str:
        """A UUID, version 4, with dashes."""
        given = given_now()
        return self._ids.uuid() if given is None else str(uuid.UUID(bytes=given.draws.randbytes(16), version=4))
