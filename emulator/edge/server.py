"""The one door of the process: an ASGI application, and how it is served on a socket."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from emulator.edge.exchange import Exchange, Receive, Scope, Send
from emulator.edge.guards import Guards
from emulator.edge.parts import Control, Parts
from emulator.edge.request import RequestPath
from emulator.edge.sockets import Application
from emulator.edge.writer import Writer
from emulator.errors import ApiError

if TYPE_CHECKING:
    from a2wsgi import WSGIMiddleware

MOST_HEAD = 64 << 10
"""How much more of a request's head is read after the piece it began in (a piece has at most 256 KiB)."""
KEEP_ALIVE = 75
"""Seconds that an idle connection is kept. A client that finds its connection closed tries again, or fails."""
REFUSED = 1008
"""The WebSocket code for a breach of policy."""

Ready = Callable[[str, int], None]


class PortInUseError(OSError):
    """Something else listens on the port."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            errno.EADDRINUSE,
            f"Port {port} on {host} is taken: stop what listens there, or choose another with --port.",
        )

    def __str__(self) -> str:
        return str(self.strerror)


class Edge:
    """The ASGI application: HTTP goes down the path of request.py."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.sockets = parts.sockets
        self._guards = Guards(parts.allow_hosts, parts.allow_origins)
        self._writer = Writer()
        self._path = RequestPath(parts, self._guards, self._writer, self._hand_to_control)
        self._control: asyncio.Future[WSGIMiddleware] | None = None
        self.failure: Exception | None = None
        """What startup or shutdown raised."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, a WebSocket, or the server's own start and end."""
        if scope["type"] == "http":
            await self._path.take(Exchange(scope, receive, send))
        elif scope["type"] == "websocket":
            await self._answer_websocket(scope, receive, send)
        else:
            await self._live(receive, send)

    async def _answer_websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            headers = dict(scope["headers"])
            self._guards.check_host(scope, headers)
            self._guards.check_origin(scope, headers)
        except ApiError as refusal:
            await send({"type": "websocket.close", "code": REFUSED, "reason": refusal.message[:100]})
            return
        if self._parts.websockets is None:
            await send({"type": "websocket.close", "code": REFUSED, "reason": "No WebSocket is served here."})
        else:
            await self._parts.websockets(scope, receive, send)

    async def _hand_to_control(self, exchange: Exchange) -> None:
        if self._control is None:
            # Imports Flask, which takes a tenth of a second: not here, where everybody would wait for it. Nor in the
            # loop's own threads, which may all be asking other services.
            thread = ThreadPoolExecutor(1, thread_name_prefix="control")
            self._control = asyncio.get_running_loop().run_in_executor(thread, _control_app, self._parts.control)
            thread.shutdown(wait=False)
        application: Any = await asyncio.shield(self._control)
        await application(exchange.scope, exchange.receive, exchange.send)

    async def _live(self, receive: Receive, send: Send) -> None:
        phase = "startup"
        try:
            await receive()
            self._parts.startup()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            phase = "shutdown"
            await self._writer.close()
            waiting = self._parts.shutdown()
            if waiting is not None:
                await waiting
            await send({"type": "lifespan.shutdown.complete"})
        except Exception as error:  # noqa: BLE001 - serve() raises it
            self.failure = error
            await send({"type": f"lifespan.{phase}.failed", "message": ""})


def listen(host: str, port: int) -> socket.socket:
    """Take a port, 0 for any free one. Raises PortInUseError, or OSError for a host that is not this machine's."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
    )[0]
    # asyncio sends small pieces at once (TCP_NODELAY) only on sockets that were made with their protocol's number.
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(host, port) from None
        raise
    return listener


def serve(
    edge: Edge, sockets: Sequence[socket.socket], *, ready: Ready = lambda _host, _port: None, stop_timeout: int = 5
) -> None:
    """Answer on these sockets until SIGTERM or SIGINT, then return. Must be called in the main thread.

    `ready` is told the first socket's address once requests are answered. Calls still running when the signal comes
    have `stop_timeout` seconds to end. Raises what the edge's startup or shutdown raised.
    """
    server = _Server(edge, ready, stop_timeout)
    with _stopped_by_signals(server):
        server.serve_on(sockets)


@contextmanager
def running(edge: Edge, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve in a thread of this process, on a free port; gives the URL. For tests.

    Raises what the edge's startup or shutdown raised.
    """
    listening: Future[str] = Future()
    server = _Server(edge, lambda address, found: listening.set_result(_url(address, found)), 1)
    with ThreadPoolExecutor(1, thread_name_prefix="edge") as thread:
        served = thread.submit(server.serve_on, [listen(host, 0)])
        either: list[Future[Any]] = [listening, served]
        wait(either, return_when=FIRST_COMPLETED)
        if not listening.done():
            served.result()  # raises why not
        try:
            yield listening.result()
        finally:
            server.should_exit = True
            served.result()


class _Server(uvicorn.Server):
    """uvicorn, set up for us."""

    def __init__(self, edge: Edge, ready: Ready, stop_timeout: int) -> None:
        super().__init__(
            _config(edge, ws=_websocket, lifespan="on", timeout_graceful_shutdown=stop_timeout),
        )
        self._edge = edge
        self._ready = ready

    def serve_on(self, sockets: Sequence[socket.socket]) -> None:
        """Answer until `should_exit`. Raises what the edge's startup or shutdown raised."""
        try:
            self.run(sockets=list(sockets))
        except SystemExit:  # how uvicorn says that startup failed
            if self._edge.failure is None:
                raise
        finally:
            for listener in sockets:
                listener.close()
        if self._edge.failure is not None:
            raise self._edge.failure

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started and sockets:
            self._edge.sockets.begin(self._serve_too)
            host, port = sockets[0].getsockname()[:2]
            self._ready(host, port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what was asked for, and end."""
        self._edge.sockets.end()
        await super().shutdown(sockets)

    async def _serve_too(self, listener: socket.socket, application: Application | None) -> asyncio.Server:
        config = self.config
        if application is not None:
            config = _config(application)
            config.load()
        protocol = partial(_Http, config=config, server_state=self.server_state, app_state={})
        return await asyncio.get_running_loop().create_server(protocol, sock=listener)


class _Http(HttpToolsProtocol):
    """HTTP/1.1 with a limit on the head of a request, which the parser would keep in memory at any length."""

    _in_head = False
    _head_length = 0

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_length = 0

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_length += len(data)
            if self._head_length > MOST_HEAD:
                self.send_400_response("The head of the request is too long.")
                return
        super().data_received(data)


def _config(application: Application, **more: Any) -> uvicorn.Config:
    return uvicorn.Config(
        cast("Any", application),
        **{"ws": "none", "lifespan": "off", **more},
        http=_Http,
        loop="asyncio",
        interface="asgi3",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
    )


def _websocket(**arguments: Any) -> asyncio.Protocol:
    """Speaks WebSocket; the library is imported when the first one comes."""
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

    return WebSocketsSansIOProtocol(**arguments)


def _control_app(control: Control) -> WSGIMiddleware:
    from a2wsgi import WSGIMiddleware

    from emulator.edge.control import create_app

    return WSGIMiddleware(cast("Any", create_app(control)))


@contextmanager
def _stopped_by_signals(server: _Server) -> Iterator[None]:
    """SIGTERM and SIGINT end the server, and no more than that.

    While it runs uvicorn has handlers of its own; after its end it raises the signal once more, which comes here.
    """

    def stop(_number: int, _frame: object) -> None:
        server.should_exit = True

    former = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
