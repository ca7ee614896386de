"""Where time comes in. No other module reads a clock."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time that the emulator lives in."""

    def now(self) -> float:
        """Seconds since the epoch, in whole milliseconds, as the API shows them."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since the epoch, in whole milliseconds."""
        return round(time.time(), 3)


class ManualClock:
    """A clock that stands until somebody moves it."""

    def __init__(self, now: float) -> None:
        self._now = now

    def now(self) -> float:
        """Seconds since the epoch, as last set."""
        return self._now

    def set(self, now: float) -> None:
        """Move to a moment. Raises ValueError for one that has passed."""
        if now < self._now:
            raise ValueError(f"time does not run backwards: {now} is before {self._now}")
        self._now = round(now, 3)
