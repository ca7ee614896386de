"""Has services of moto live in the emulator's time."""

from __future__ import annotations

from datetime import UTC, datetime

from emulator.clock import Clock
from emulator.neighbours.embedded.moto import Moto


def tell_time(moto: Moto, clock: Clock) -> None:
    """Have CloudWatch Logs go by this clock: it drops events that are 14 days older or two hours younger than now."""

    def now() -> datetime:
        return datetime.fromtimestamp(clock.now(), UTC).replace(tzinfo=None)

    def hook() -> None:
        from moto.logs import models

        models.utcnow = now  # type: ignore[attr-defined]

    moto.on_load("logs", hook)
