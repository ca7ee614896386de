"""Keeping connected: what the engine has is told at each connection, and from then on what ends."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from emulator.runtime.docker.cgroups import TaskLimits
from emulator.runtime.docker.engine import CONNECT_TIMEOUT, RefusedError
from emulator.runtime.docker.observe import exit_of, found_in, moment
from emulator.runtime.docker.reports import EVENTS, Reports
from emulator.runtime.docker.setting import Setting
from emulator.runtime.driver import DriverUnreachableError, Watcher

if TYPE_CHECKING:
    from requests import Response

logger = logging.getLogger(__name__)

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 3.0
"""Seconds between two attempts to connect; each pause is twice as long as the one before."""
HEARTBEAT = 10.0
"""Seconds between two pings, and how long an answer may take: a daemon that hangs ends no stream of events."""
JOIN_WITHIN = 5.0

Container = dict[str, Any]


class Watch:
    """A thread that follows the engine's events, and one that notices when the engine hangs."""

    def __init__(
        self,
        setting: Setting,
        limits: TaskLimits,
        *,
        on_connect: Callable[[dict[str, Any]], None],
        on_found: Callable[[list[Container]], None],
        heartbeat: float = HEARTBEAT,
    ) -> None:
        """`on_connect` gets what the daemon says of itself; `on_found` all of our containers, inspected."""
        self._setting = setting
        self._limits = limits
        self._engine = setting.engine
        self._on_connect = on_connect
        self._on_found = on_found
        self._heartbeat = heartbeat
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._stream: Response | None = None
        self._why = ""
        self._threads: list[threading.Thread] = []

    def begin(self, watcher: Watcher) -> None:
        """Connect in the background, and keep connected until `stop`."""
        for name, work in (("docker-events", self._keep_connected), ("docker-heartbeat", self._keep_asking)):
            thread = threading.Thread(target=work, args=(watcher,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End both threads. After it the watcher is told nothing more, but for a call that is on its way."""
        self._closed.set()
        self._cut("closed")
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(JOIN_WITHIN)

    def _keep_connected(self, watcher: Watcher) -> None:
        pause, is_told = FIRST_PAUSE, False

        def connected() -> None:
            nonlocal pause, is_told
            pause, is_told = FIRST_PAUSE, False

        while not self._closed.is_set():
            reason = self._session(watcher, connected)
            if self._closed.is_set():
                return
            if not is_told:
                is_told = True
                logger.warning("not connected to the container engine: %s", reason)
                watcher.disconnected(reason)
            self._closed.wait(pause)
            pause = min(LONGEST_PAUSE, 2 * pause)

    def _session(self, watcher: Watcher, connected: Callable[[], None]) -> str:
        """One connection, from its making to its end. Returns why it ended."""
        self._why = ""
        try:
            info = self._engine.info()
            self._on_connect(info)
            with self._subscribed(info) as events:
                if self._closed.is_set():  # `stop` came before there was a stream to end
                    return "closed"
                containers = self._containers()
                self._setting.known.still_there(each["Id"] for each in containers)
                self._on_found(containers)
                watcher.connected(found_in(containers))
                connected()
                ended = {str(each["Id"]) for each in containers if exit_of(each) is not None}
                reports = Reports(self._setting, watcher, ended, self._limits)
                for event in events:
                    reports.tell(event)
        except (DriverUnreachableError, RefusedError) as error:
            return self._why or str(error)
        except Exception as error:
            # A mistake of ours must not leave the emulator deaf: beginning anew tells everything again.
            logger.exception("watching the container engine failed")
            return f"{type(error).__name__}: {error}"
        return self._why or "the engine ended its stream of events"

    @contextmanager
    def _subscribed(self, info: dict[str, Any]) -> Iterator[Iterator[dict[str, Any]]]:
        """Our containers' events from now on, with those of the moment in which the daemon sets the stream up.

        (dockerd answers before it subscribes us, so that without `since` an end in between would be lost.)
        """
        now = moment(info["SystemTime"]) if info.get("SystemTime") else None
        wanted = {"type": ["container"], "event": list(EVENTS), "label": [self._setting.owner.filter]}
        with self._engine.asking() as api:
            # Not api.events: what it returns cannot be closed without leaving its socket to the garbage collector.
            answer = api.get(
                f"{api.base_url}/v{api.api_version}/events",
                params={"since": None if now is None else int(now), "filters": json.dumps(wanted)},
                stream=True,
                timeout=(CONNECT_TIMEOUT, None),
            )
            with answer:
                answer.raise_for_status()
                with self._lock:
                    self._stream = answer
                try:
                    yield (json.loads(line) for line in answer.iter_lines() if line)
                finally:
                    with self._lock:
                        self._stream = None

    def _containers(self) -> list[Container]:
        """All of our containers, inspected; without those that vanish meanwhile."""
        found = []
        for summary in self._engine.containers(self._setting.owner.filter):
            with suppress(RefusedError):
                found.append(self._engine.inspect(str(summary["Id"])))
        return found

    def _keep_asking(self, _watcher: Watcher) -> None:
        while not self._closed.wait(self._heartbeat):
            if self._stream is None:
                continue
            try:
                self._engine.ping(self._heartbeat)
            except (DriverUnreachableError, RefusedError) as error:
                self._cut(str(error))

    def _cut(self, why: str) -> None:
        """End the stream of events, if there is one. Its reader sees its end."""
        with self._lock:
            stream, self._stream = self._stream, None
            self._why = why
        if stream is not None:
            with suppress(OSError, ValueError):  # it ended by itself at the same moment
                stream.raw.shutdown()
