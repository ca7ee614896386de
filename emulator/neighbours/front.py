"""Takes a request to another service where it is answered: here, or at an endpoint that was named for the service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from emulator.neighbours.answers import refusal
from emulator.neighbours.embedded.moto import Moto
from emulator.neighbours.ports import Place, ServiceRefusedError

if TYPE_CHECKING:
    from a2wsgi import WSGIMiddleware

    from emulator.neighbours.proxy import Proxy

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

THREADS = 32
"""Requests that are answered at once. Who waits for a message of a queue keeps one for up to 20 seconds."""

FOR = "emulator.for"
"""Where a request's environment says which service, and whose, it is for."""


class Front:
    """Answers what is not ECS."""

    def __init__(self, moto: Moto | None, endpoints: Mapping[str, str]) -> None:
        """`moto`: None where nothing is answered here. `endpoints`: URLs by a service's name in signatures."""
        self._moto = moto
        self._endpoints = dict(endpoints)
        self._bridge: WSGIMiddleware | None = None
        self._proxies: dict[str, Proxy] = {}

    async def answer(self, service: str, place: Place, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; the arguments from `scope` on are those of an ASGI application."""
        if service in self._endpoints:
            await self._proxy(service)(scope, receive, send)
            return
        bridge: Any = self._wsgi()
        scope[FOR] = (service, place)
        await bridge(scope, receive, send)

    async def close(self) -> None:
        """Let go of the connections to endpoints, and of idle threads."""
        for proxy in self._proxies.values():
            await proxy.close()
        if self._bridge is not None:
            await asyncio.to_thread(self._bridge.executor.shutdown, wait=False, cancel_futures=True)

    def _proxy(self, service: str) -> Proxy:
        if service not in self._proxies:
            from emulator.neighbours.proxy import Proxy

            self._proxies[service] = Proxy(service, self._endpoints[service])
        return self._proxies[service]

    def _wsgi(self) -> WSGIMiddleware:
        if self._bridge is None:
            from a2wsgi import WSGIMiddleware

            self._bridge = WSGIMiddleware(self._application, workers=THREADS)
        return self._bridge

    def _application(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        scope = environ["asgi.scope"]
        service, place = scope[FOR]
        environ["RAW_URI"] = _raw_uri(scope)
        if self._moto is None:
            status, headers, body = refusal(environ, service, _nobody(service))
        else:
            status, headers, body = self._moto.answer(environ, service, place)
        start_response(status, headers)
        return [body]


def _raw_uri(scope: Scope) -> str:
    """Path and query as they came over the wire: keys of S3 may have an encoded slash in them."""
    query = scope["query_string"].decode("latin-1")
    path: str = scope["raw_path"].decode("latin-1")
    return f"{path}?{query}" if query else path


def _nobody(service: str) -> ServiceRefusedError:
    return ServiceRefusedError(
        "",
        "ServiceNotAvailable",
        f"This emulator serves no '{service[:64]}': it was started with --neighbours none. "
        f"Start it without, or name an endpoint with --neighbour {service[:64]}=URL.",
        501,
    )
