"""From lines of output to what PutLogEvents takes. Reads no clock and asks nobody.

Limits are those of PutLogEvents (documented: CloudWatch Logs API reference). What becomes of long lines, empty lines
and lines that belong together is what Docker's own awslogs driver does, which Fargate uses (seen in moby's sources).
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence

from emulator.neighbours.ports import LogEvent
from emulator.planner.log_options import Beginning
from emulator.runtime.driver import Line

log = logging.getLogger(__name__)

MOST_EVENTS = 10_000
"""Events of one batch."""
MOST_BYTES = 1 << 20
"""Bytes of one batch, each event with its overhead."""
OVERHEAD = 26
"""Bytes that each event counts beside its message."""
LARGEST_MESSAGE = (256 << 10) - OVERHEAD
"""Bytes of one message."""
LONGEST_SPAN = 24 * 3600 * 1000
"""Milliseconds between the first and the last event of one batch."""

OLDEST_GROUP = 5000
"""Milliseconds after its first line from which on a line begins another event, pattern or not."""

REREAD = 1000
"""Milliseconds before the last event that is stored from which on output is read again. An engine notes the time of a
line before it writes it, so that one of the other stream may be older and stand after it.
"""


def events_of(at: int, text: str) -> list[LogEvent]:
    """The events of one text, longer ones in pieces; none of an empty one. `at` in milliseconds."""
    if 4 * len(text) <= LARGEST_MESSAGE:
        return [LogEvent(at, text)] if text else []
    return [LogEvent(at, piece) for piece in _pieces(text)]


def _pieces(text: str) -> Iterator[str]:
    content = text.encode()
    begin = 0
    while begin < len(content):
        end = min(begin + LARGEST_MESSAGE, len(content))
        while end < len(content) and content[end] & 0xC0 == 0x80:  # inside a character
            end -= 1
        yield content[begin:end].decode()
        begin = end


class Grouping:
    """Makes events of lines: of each one its own, or of all from one beginning to the next."""

    def __init__(self, beginning: Beginning | None) -> None:
        self._beginning = beginning
        self._at = 0
        self._lines: list[str] = []
        self._size = 0

    @property
    def is_open(self) -> bool:
        """Are there lines whose event may go on?"""
        return bool(self._lines)

    def add(self, line: Line) -> list[LogEvent]:
        """Take a line, and give the events that are complete with it."""
        at, text = line.at // 1_000_000, line.text.decode(errors="replace")
        if self._beginning is None:
            return self.end() + events_of(at, text) if self._lines else events_of(at, text)
        size = len(text.encode()) + 1
        begins = at - self._at >= OLDEST_GROUP or self._size + size > LARGEST_MESSAGE or self._begins(text)
        complete = self.end() if begins else []
        if not self._lines:
            self._at = at
        self._lines.append(text + "\n" if size <= LARGEST_MESSAGE else text)
        self._size += size
        return complete

    def end(self) -> list[LogEvent]:
        """The event that is open, as it is."""
        text, self._lines, self._size = "".join(self._lines), [], 0
        return events_of(self._at, text)

    def _begins(self, text: str) -> bool:
        if self._beginning is None:
            return True
        try:
            return self._beginning.is_at(text)
        except TimeoutError:
            log.warning("The pattern of lines that belong together takes too long, and is no longer looked for.")
            self._beginning = None
            return True


class Stored:
    """What a stream had already when its container's output began to be read."""

    def __init__(self, latest: Sequence[LogEvent], most: int, *, grouped: bool) -> None:
        """`latest`: the last events of the stream, oldest first, `most` at most. `grouped`: of several lines each."""
        begin = 0
        if latest:
            newest = max(event.at for event in latest)
            # Read again from the middle of a group of lines, its rest would look like another group.
            begin = newest if grouped else newest - REREAD
            if len(latest) >= most:
                begin = max(begin, min(newest, latest[0].at + 1))
        self.since = begin * 1_000_000
        """The moment from which on output has to be read, in nanoseconds since the epoch."""
        self._left = Counter((event.at, event.message) for event in latest if event.at >= begin)

    def lacks(self, event: LogEvent) -> bool:
        """Is an event of the output that is read not in the stream? Each one that is there is told once."""
        key = (event.at, event.message)
        if not self._left or not self._left[key]:
            return True
        self._left[key] -= 1
        return False


class Batches:
    """Events that wait to be put, and the next batch of them."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[LogEvent, int]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Is there as much as a batch can hold?"""
        return len(self._waiting) >= MOST_EVENTS or self._bytes >= MOST_BYTES

    def add(self, events: Iterable[LogEvent]) -> None:
        """Take events, in the order in which they were printed."""
        for event in events:
            size = OVERHEAD + (len(event.message) if event.message.isascii() else len(event.message.encode()))
            self._waiting.append((event, size))
            self._bytes += size

    def take(self) -> list[LogEvent]:
        """The next batch, oldest event first; those of one millisecond stay in their order. Empty if nothing waits."""
        batch: list[LogEvent] = []
        total = 0
        oldest = newest = self._waiting[0][0].at if self._waiting else 0
        while self._waiting and len(batch) < MOST_EVENTS:
            event, size = self._waiting[0]
            oldest, newest = min(oldest, event.at), max(newest, event.at)
            if total + size > MOST_BYTES or newest - oldest > LONGEST_SPAN:
                break
            self._waiting.popleft()
            self._bytes -= size
            total += size
            batch.append(event)
        batch.sort(key=lambda event: event.at)
        return batch
