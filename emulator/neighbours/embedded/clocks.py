"""Has services of moto live in the emulator's time, and a call that is done again in its own."""

from __future__ import annotations

from datetime import UTC, datetime

from emulator.clock import Clock
from emulator.neighbours.embedded.given import given_now
from emulator.neighbours.embedded.moto import Moto


class TimeOfCall:
    """A clock by which a call that is under way has its own time. See emulator.clock.Clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        """Seconds since the epoch."""
        given = given_now()
        return self._clock.now() if given is None or given.at is None else given.at


def tell_time(moto: Moto, clock: Clock) -> None:
    """Have CloudWatch Logs go by this clock: it drops events that are 14 days older or two hours younger than now."""
    time = TimeOfCall(clock)

    def now() -> datetime:
        return datetime.fromtimestamp(time.now(), UTC).replace(tzinfo=None)

    def hook() -> None:
        from moto.logs import models

        models.utcnow = now  # type: ignore[attr-defined]

    moto.on_load("logs", hook)
