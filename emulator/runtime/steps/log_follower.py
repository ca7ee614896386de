"""Brings one container's output into its log stream while the container runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from emulator.neighbours.ports import LogEvent, Logs, Place, ServiceRefusedError, ServiceUnreachableError
from emulator.planner.log_options import Beginning
from emulator.runtime.driver import Line, Output
from emulator.runtime.steps.log_events import OLDEST_GROUP, Batches, Grouping, Stored

log = logging.getLogger(__name__)

LATEST = 1000
"""Events by which it is told what a stream has already."""
NOT_FOUND = "ResourceNotFoundException"
NEVER_TAKEN = frozenset({"InvalidParameterException", "DataAlreadyAcceptedException"})
"""Refusals of a batch that would be refused again."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A log stream, and the service that has it. Raises what the service's port raises."""

    logs: Logs
    place: Place
    group: str
    name: str

    def __str__(self) -> str:
        return f"{self.group}/{self.name}"

    def create(self) -> None:
        """Make it, in a group that is there."""
        self.logs.create_stream(self.place, self.group, self.name)

    def create_with_group(self) -> None:
        """Make its group and it."""
        self.logs.create_group(self.place, self.group)
        self.create()

    def put(self, events: Sequence[LogEvent]) -> bool:
        """Append events. Whether all were kept."""
        return self.logs.put(self.place, self.group, self.name, events)

    def latest(self) -> list[LogEvent]:
        """The last LATEST events, oldest first."""
        return self.logs.latest(self.place, self.group, self.name, LATEST)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a follower waits, in seconds: between two batches, unless one is full; without another line until those
    that belong together are taken to be all; until a service is asked again that refused or did not answer.

    `quiet` is longer than the age from which on a line begins another event, so that whoever reads the output again
    finds the same events.
    """

    between: float = 0.5
    quiet: float = OLDEST_GROUP / 1000 + 1
    retry: float = 1.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long somebody waits for an end while nothing goes on, in seconds; less where the service takes nothing."""

    quiet: float
    refused: float


class Follower:
    """Two threads: one reads the output, the other puts it; a batch or so waits in between.

    While the service takes nothing, nothing more is read: it stays in the engine's log.
    """

    def __init__(
        self,
        name: str,
        stream: Stream,
        begins: str | None,
        output: Callable[[int], Output],
        pace: Pace = Pace(),
    ) -> None:
        """`name`: of the container, for people. `begins`: as in emulator.planner.specs.LogSpec.

        `output`: the container's, from a moment on, in nanoseconds since the epoch.
        """
        self._name = name
        self._stream = stream
        self._begins = begins
        self._output_since = output
        self._pace = pace
        self._condition = threading.Condition()
        """Held by whoever looks at or changes what follows; told of what others wait for."""
        self._changes = 0
        """How often anything happened: each line counts."""
        self._grouping = Grouping(None)
        self._stored = Stored((), LATEST, grouped=False)
        self._batches = Batches()
        self._output: Output | None = None
        self._all_read = False
        self._all_put = False
        self._cancelled = False
        self._failing = False
        self._threads = [
            threading.Thread(target=self._keep_reading, name=f"log of {name}", daemon=True),
            threading.Thread(target=self._keep_putting, name=f"log events of {name}", daemon=True),
        ]

    def begin(self) -> None:
        """Read and put, in the background, until the output ends."""
        for thread in self._threads:
            thread.start()

    @property
    def is_finished(self) -> bool:
        """Was everything put, or given up?"""
        return self._all_put

    def wait(self, patience: Patience) -> bool:
        """Wait until the output has ended and everything was put. False when nothing went on for too long."""
        with self._condition:
            while not self._all_put:
                seconds = patience.refused if self._failing else patience.quiet
                if not self._condition.wait_for(partial(self._is_past, self._changes), seconds):
                    return False
        return True

    def cancel(self) -> None:
        """Give up what was not put. Both threads end soon."""
        with self._changing():
            self._cancelled = True
            output = self._output
        if output is not None:
            output.close()

    def join(self, patience: float) -> None:
        """Wait until both threads have ended, for so many seconds each at most."""
        for thread in self._threads:
            thread.join(patience)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._condition:
            yield
            self._changes += 1
            self._condition.notify_all()

    def _is_past(self, changes: int) -> bool:
        return self._changes != changes

    def _pause(self, seconds: float, until: Callable[[], bool] = lambda: False) -> None:
        """Wait, less long when cancelled."""
        with self._condition:
            self._condition.wait_for(lambda: self._cancelled or until(), seconds)

    # Reading

    def _keep_reading(self) -> None:
        try:
            if self._begins is not None:
                self._grouping = Grouping(Beginning(self._begins))
            if self._resume():
                self._read()
        except Exception:
            log.exception("The output of %s is no longer read", self._name)
        finally:
            with self._changing():
                self._all_read = True

    def _resume(self) -> bool:
        """Learn what the stream has already: an earlier process may have begun. False when cancelled."""
        while not self._cancelled:
            try:
                self._stored = Stored(self._latest(), LATEST, grouped=self._begins is not None)
            except (ServiceRefusedError, ServiceUnreachableError) as error:
                self._complain(error)
                self._pause(self._pace.retry)
            else:
                return True
        return False

    def _latest(self) -> list[LogEvent]:
        try:
            return self._stream.latest()
        except ServiceRefusedError as refusal:
            if refusal.code != NOT_FOUND:
                raise
        # It was there before the container started. A service in our own process forgets everything when that ends.
        self._stream.create_with_group()
        return []

    def _read(self) -> None:
        output = self._output_since(self._stored.since)
        with self._condition:
            self._output = output
            if self._cancelled:
                return
        for line in output:
            if not self._take(line):
                return

    def _take(self, line: Line) -> bool:
        """Take a line, and wait until there is room for another. False when cancelled."""
        with self._condition:
            self._changes += 1
            before = self._waiting()
            self._add(self._grouping.add(line))
            if self._waiting() != before:  # waking others for each line would cost more than all the rest
                self._condition.notify_all()
            while self._batches.full and not self._cancelled:
                self._condition.wait()
            return not self._cancelled

    def _waiting(self) -> tuple[bool, bool, bool]:
        """What whoever puts wants to know: is there anything, is there much, may there be more without another line?"""
        return len(self._batches) > 0, self._batches.full, self._grouping.is_open

    def _add(self, events: list[LogEvent]) -> None:
        self._batches.add(event for event in events if self._stored.lacks(event))

    # Putting

    def _keep_putting(self) -> None:
        try:
            while batch := self._next():
                self._put(batch)
                with self._changing():
                    self._failing = False
                self._pause(self._pace.between, until=lambda: self._all_read or self._batches.full)
        except Exception:
            log.exception("The output of %s is no longer put", self._name)
            self.cancel()
        finally:
            with self._changing():
                self._all_put = True

    def _next(self) -> list[LogEvent]:
        """Wait for the next batch. Empty when there is no other."""
        with self._condition:
            while not (self._batches or self._all_read or self._cancelled):
                before = self._changes
                self._condition.wait(self._pace.quiet if self._grouping.is_open else None)
                if self._changes == before:
                    self._add(self._grouping.end())
            if self._cancelled:
                return []
            if self._all_read:
                self._add(self._grouping.end())
            batch = self._batches.take()
            self._condition.notify_all()
            return batch

    def _put(self, batch: list[LogEvent]) -> None:
        while not self._cancelled:
            try:
                if not self._stream.put(batch):
                    log.warning("CloudWatch Logs dropped output of %s for its time stamps", self._name)
            except (ServiceRefusedError, ServiceUnreachableError) as error:
                self._complain(error)
                if isinstance(error, ServiceRefusedError) and error.code in NEVER_TAKEN:
                    return
                self._pause(self._pace.retry)
                self._restore_stream(error)
            else:
                return

    def _restore_stream(self, error: Exception) -> None:
        """Make the stream again, if somebody has removed it and its group is there."""
        if isinstance(error, ServiceRefusedError) and error.code == NOT_FOUND:
            with suppress(ServiceRefusedError, ServiceUnreachableError):
                self._stream.create()

    def _complain(self, error: Exception) -> None:
        """Say that the service does not take the output, once until it does."""
        if self._failing:
            return
        log.warning("The output of %s does not reach %s and waits: %s", self._name, self._stream, error)
        with self._changing():
            self._failing = True
