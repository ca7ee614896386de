"""Sockets that are served beside the one that the server began with, each by an application of its own."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable
from functools import partial

from emulator.edge.exchange import Receive, Scope, Send

logger = logging.getLogger(__name__)

Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Serve = Callable[[socket.socket, Application | None], Awaitable[asyncio.Server]]
"""Answers on a socket, by an application; without one by the edge's own."""


class Sockets:
    """Sockets by whose they are. Before the server runs they wait for it; after its end they are closed.

    `open` and `close` may be called from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Callable[[], None]] = []
        """What was asked for before the server ran."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = False
        self._serve: Serve
        self._served: dict[str, list[asyncio.Task[asyncio.Server | None]]] = {}
        """Known to the loop only."""

    def open(self, owner: str, listener: socket.socket, application: Application | None = None) -> None:
        """Answer on a socket that listens, until its owner's are closed; without an application as the edge does."""
        if not self._tell(partial(self._open, owner, listener, application)):
            listener.close()

    def close(self, owner: str) -> None:
        """Close the sockets of an owner. None is fine."""
        self._tell(partial(self._close, owner))

    def begin(self, serve: Serve) -> None:
        """The server runs. Called on its loop."""
        self._serve = serve
        with self._lock:
            self._loop = asyncio.get_running_loop()
            waiting, self._waiting = self._waiting, []
        for what in waiting:
            what()

    def end(self) -> None:
        """The server is about to end. Called on its loop."""
        with self._lock:
            self._ended = True
        for owner in list(self._served):
            self._close(owner)

    def _tell(self, what: Callable[[], None]) -> bool:
        """Have this done on the loop. False when the server has ended."""
        with self._lock:
            if self._ended:
                return False
            if self._loop is None:
                self._waiting.append(what)
            else:
                self._loop.call_soon_threadsafe(what)
        return True

    def _open(self, owner: str, listener: socket.socket, application: Application | None) -> None:
        if self._ended:  # between the moment when this was asked for and now
            listener.close()
            return
        serving = asyncio.ensure_future(self._begin(listener, application))
        self._served.setdefault(owner, []).append(serving)

    async def _begin(self, listener: socket.socket, application: Application | None) -> asyncio.Server | None:
        try:
            return await self._serve(listener, application)
        except OSError as error:
            logger.warning("%s cannot be served: %s", listener, error)
            listener.close()
            return None

    def _close(self, owner: str) -> None:
        for serving in self._served.pop(owner, ()):
            serving.add_done_callback(_end)


def _end(serving: asyncio.Task[asyncio.Server | None]) -> None:
    server = None if serving.cancelled() else serving.result()
    if server is not None:
        server.close()
