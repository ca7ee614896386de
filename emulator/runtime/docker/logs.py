"""Reading what a container prints, from the log that the daemon writes down for it.

The log file (driver json-file) is what counts: it is there after our own end, and for containers that ended before
anybody looked. Docker 20.10 has two habits that make it read more than once [tried]: it ends a stream that follows
before the last line is written, so that after the end the log is read again; and when it begins a new file it may send
the lines of the current one a second time. So each line is known by its time stamp, which rises within each of the two
streams: a line is skipped if one as late was read. (While a clock that was set back catches up, lines are taken for
known ones.)
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from emulator.runtime.docker.engine import CONNECT_TIMEOUT, RefusedError
from emulator.runtime.docker.observe import is_running
from emulator.runtime.docker.setting import Setting
from emulator.runtime.driver import DriverUnreachableError, Line, Source

if TYPE_CHECKING:
    from requests import Response

logger = logging.getLogger(__name__)

PAUSE = 0.5
"""Seconds until the engine is asked again that did not answer."""
SOON = 0.02
"""Seconds between the end of a stream that follows and the next look at its container, which as a rule has ended."""
TAIL = 1000
"""Pieces that are looked at when a container has ended, if they are enough."""
REREAD = 1_000_000_000
"""Nanoseconds before the last line from which on the log is read again. The time of a line is noted before it is
written, so that one of the other stream may be older and stand after it.
"""
LONGEST_LINE = 1 << 20
"""Bytes after which a line without an end is given as it is. The daemon writes lines in pieces of 16 KiB."""
HEADER = 8
"""Bytes before each piece of a stream that has both: 1 or 2 for which of them, three of nothing, four of length."""
SOURCES: dict[int, Source] = {1: "stdout", 2: "stderr"}

_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)")


class Piece(NamedTuple):
    """What the daemon wrote down at once: a line with its newline, or a part of one; all parts have the same time."""

    source: Source
    at: int
    text: bytes


class ContainerOutput:
    """As emulator.runtime.driver.Output."""

    def __init__(self, setting: Setting, task_arn: str, container: str, since: int) -> None:
        self._setting = setting
        self._engine = setting.engine
        self._task_arn = task_arn
        self._container = container
        self._joined = Joined(since)
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._stream: Response | None = None

    def __iter__(self) -> Iterator[Line]:
        while not self._closed.is_set():
            pause = PAUSE
            try:
                container_id = self._setting.container_id(self._task_arn, self._container)
                if container_id is None:
                    return
                found = self._engine.inspect(container_id)
                if not is_running(found):
                    yield from self._read_to_the_end(found)
                    return
                yield from self._read(found, follow=True)
                pause = SOON
            except DriverUnreachableError as error:
                logger.debug("the output of container %s of %s waits: %s", self._container, self._task_arn, error)
            except RefusedError as refusal:
                self._explain(refusal)
                return
            self._closed.wait(pause)

    def close(self) -> None:
        """End the iteration."""
        self._closed.set()
        with self._lock:
            if self._stream is not None:
                with suppress(OSError, ValueError):  # it ended by itself at the same moment
                    self._stream.raw.shutdown()

    def _read_to_the_end(self, container: dict[str, Any]) -> Iterator[Line]:
        """What is new in the log of a container that has ended. Raises DriverUnreachableError, RefusedError."""
        # As a rule everything but the last line was read, and the daemon need not look through a large file.
        if not (yield from self._read(container, tail=TAIL)):
            yield from self._read(container)
        if not self._closed.is_set():
            yield from self._joined.rest()

    def _read(
        self, container: dict[str, Any], *, follow: bool = False, tail: int | None = None
    ) -> Generator[Line, None, bool]:
        """What is new in the container's log. Raises DriverUnreachableError, RefusedError.

        With `tail` only so many of its last pieces are looked at, and not even those, and the answer is False, unless
        the first of them was read before: only then is what stands before it no news.
        """
        read = pieces_of_terminal if container["Config"]["Tty"] else pieces_of_streams
        self._joined.begin_anew()
        with self._opened(str(container["Id"]), follow=follow, tail=tail) as chunks:
            for place, piece in enumerate(read(chunks)):
                if tail is not None and place == 0 and not self._joined.is_past(piece):
                    return False
                line = self._joined.add(piece)
                if line is not None:
                    yield line
        return True

    @contextmanager
    def _opened(self, container_id: str, *, follow: bool, tail: int | None) -> Iterator[Iterator[bytes]]:
        from docker.errors import create_api_error_from_http_exception
        from requests.exceptions import HTTPError

        since = self._joined.since
        wanted: dict[str, int | str] = {
            "stdout": 1,
            "stderr": 1,
            "timestamps": 1,
            "follow": int(follow),
            "tail": "all" if tail is None else tail,
            "since": seconds(since),
        }
        with self._engine.asking() as api:
            # Not api.logs: it does not tell the two streams apart, and cannot be closed from another thread.
            answer = api.get(
                f"{api.base_url}/v{api.api_version}/containers/{container_id}/logs",
                params=wanted,
                stream=True,
                timeout=(CONNECT_TIMEOUT, None),
                headers={"Connection": "close"},  # else the pool keeps as many as there ever were at once
            )
            with answer:
                try:
                    answer.raise_for_status()
                except HTTPError as error:
                    create_api_error_from_http_exception(error)
                with self._lock:
                    self._stream = answer
                try:
                    # `close` may have come before there was a stream to end.
                    yield iter(()) if self._closed.is_set() else answer.raw.stream(1 << 16)
                finally:
                    with self._lock:
                        self._stream = None

    def _explain(self, refusal: RefusedError) -> None:
        if refusal.status not in (404, 409):  # gone, or going
            logger.warning(
                "the output of container %s of %s cannot be read: %s", self._container, self._task_arn, refusal.words
            )


class Joined:
    """Joins lines that came in pieces, and knows how far each stream was read."""

    def __init__(self, since: int) -> None:
        self._since = since
        self._read: dict[Source, tuple[int, int]] = {}
        """The last piece of each stream that was given away: its time, and the how many-th of that time it was."""
        self._place: dict[Source, tuple[int, int]] = {}
        """The same of the last piece that was seen since the log is read anew."""
        self._parts: dict[Source, list[bytes]] = {}

    @property
    def since(self) -> int:
        """The moment from which on the log has to be read, in nanoseconds since the epoch."""
        return max((at - REREAD for at, _ in self._read.values()), default=self._since)

    def begin_anew(self) -> None:
        """The log is about to be read from `since` on."""
        self._place.clear()
        self._parts.clear()

    def is_past(self, piece: Piece) -> bool:
        """Has the piece's stream been read beyond it?"""
        return piece.at < self._read.get(piece.source, (0, 0))[0]

    def add(self, piece: Piece) -> Line | None:
        """Take the next piece. Gives the line that is complete with it."""
        at, place = self._place.get(piece.source, (0, 0))
        place = place + 1 if at == piece.at else 1
        self._place[piece.source] = (piece.at, place)
        parts = self._parts.setdefault(piece.source, [])
        if piece.at < self._since or (piece.at, place) <= self._read.get(piece.source, (0, 0)):
            parts.clear()
            return None
        parts.append(piece.text)
        if piece.text.endswith(b"\n") or sum(map(len, parts)) >= LONGEST_LINE:
            return self._complete(piece.source)
        return None

    def rest(self) -> Iterator[Line]:
        """The last lines, which have no newline: nothing follows them any more."""
        for source in sorted(self._parts, key=lambda source: self._place[source]):
            if self._parts[source]:
                yield self._complete(source)

    def _complete(self, source: Source) -> Line:
        text = b"".join(self._parts[source]).removesuffix(b"\n")
        self._parts[source].clear()
        self._read[source] = self._place[source]
        return Line(source, self._place[source][0], text)


def pieces_of_streams(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """The pieces in a stream that has both of a container's, each with a header."""
    waiting = b""
    for chunk in chunks:
        waiting += chunk
        begin = 0
        while len(waiting) >= (text := begin + HEADER):
            end = text + int.from_bytes(waiting[text - 4 : text])
            if len(waiting) < end:
                break
            yield _piece(SOURCES.get(waiting[begin], "stdout"), waiting[text:end])
            begin = end
        waiting = waiting[begin:]


def pieces_of_terminal(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """The pieces in what a container with a terminal printed, where nothing but the newline ends one.

    Parts of a long line follow each other with the same time before each: all but the first of these times are removed.
    """
    waiting = b""
    for chunk in chunks:
        *lines, waiting = (waiting + chunk).split(b"\n")
        for line in lines:
            yield _terminal_piece(line + b"\n")
        if len(waiting) > LONGEST_LINE:
            time = _time_before(waiting)
            yield _terminal_piece(waiting[: -len(time)])  # the end may be half of a time
            waiting = time + waiting[-len(time) :]
    if b" " in waiting:
        yield _terminal_piece(waiting)


def _terminal_piece(content: bytes) -> Piece:
    time = _time_before(content)
    return _piece("stdout", time + content[len(time) :].replace(time, b""))


def _time_before(content: bytes) -> bytes:
    """The time at the beginning, with the space after it."""
    return content[: content.index(b" ") + 1]


def _piece(source: Source, content: bytes) -> Piece:
    time, _, text = content.partition(b" ")
    return Piece(source, nanoseconds(time.decode()), text)


def nanoseconds(time: str) -> int:
    """Nanoseconds since the epoch of a time as Docker writes it: RFC 3339 with up to nine digits after the point."""
    found = _TIME.fullmatch(time)
    if found is None:
        raise ValueError(f"the engine's log has '{time}' where a time should be")
    return _seconds(found[1] + found[3]) * 1_000_000_000 + int((found[2] or "0").ljust(9, "0"))


@lru_cache(maxsize=64)
def _seconds(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp())


def seconds(at: int) -> str:
    """Nanoseconds since the epoch as the engine's `since` wants them."""
    return f"{at // 1_000_000_000}.{at % 1_000_000_000:09d}"
