"""Passes requests on to a service that lives elsewhere. Imported when the first one is: httpx is slow to import."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import httpx

from emulator.neighbours.answers import refusal
from emulator.neighbours.ports import ServiceRefusedError

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)
"""Headers that are for one connection only (RFC 9110, 7.6.1)."""
CONNECT_TIMEOUT = 5.0
"""Seconds. What a service takes to answer is its own affair: a queue may be waited at."""


class Proxy:
    """The way to one service's endpoint. Requests keep their Host and their signature."""

    def __init__(self, service: str, url: str) -> None:
        self._service = service
        self._url = httpx.URL(url)
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT), trust_env=False, follow_redirects=False
        )

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer as the endpoint does; what it does not answer is a 502 that says so."""
        request = self._request(scope, receive)
        try:
            response = await self._client.send(request, stream=True)
        except httpx.HTTPError as error:
            await self._say_gone(scope, send, error)
            return
        try:
            headers = [(name.lower(), value) for name, value in response.headers.raw if name.lower() not in HOP_BY_HOP]
            await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
            async for piece in response.aiter_raw():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _request(self, scope: MutableMapping[str, Any], receive: Receive) -> httpx.Request:
        query = b"?" + scope["query_string"] if scope["query_string"] else b""
        url = self._url.copy_with(raw_path=self._url.raw_path.rstrip(b"/") + scope["raw_path"] + query)
        headers = [(name, value) for name, value in scope["headers"] if name not in HOP_BY_HOP]
        has_body = any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])
        return self._client.build_request(
            scope["method"], url, headers=headers, content=_pieces(receive) if has_body else None
        )

    async def _say_gone(self, scope: MutableMapping[str, Any], send: Send, error: Exception) -> None:
        types = [value.decode("latin-1") for name, value in scope["headers"] if name == b"content-type"]
        no = ServiceRefusedError(
            "",
            "ServiceUnavailable",
            f"The endpoint of '{self._service}', {self._url}, does not answer: {str(error) or type(error).__name__}. "
            "Start it, or change --neighbour.",
            502,
        )
        _, headers, body = refusal({"CONTENT_TYPE": "".join(types[:1])}, self._service, no)
        raw = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers]
        await send({"type": "http.response.start", "status": 502, "headers": raw})
        await send({"type": "http.response.body", "body": body})


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        more = message.get("more_body", False)
        yield message.get("body", b"")
