"""One request and its answer: what the steps of request.py fill in, one after another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

import api_models as ecs
from emulator.operations.operation import Caller, Handler

Scope = MutableMapping[str, Any]
"""What an ASGI server says about a connection; `headers` are pairs of bytes, names in lower case."""
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

TEXT = b"text/plain; charset=utf-8"


@dataclass(slots=True)
class Exchange:
    """A request on its way. It starts with what came over the wire; each step adds what it found out."""

    scope: Scope
    """The connection as the ASGI server describes it; who takes a request over reads it there."""
    receive: Receive
    """Gives the body, piece by piece."""
    transmit: Send
    """The server's own `send`. Steps use `send` below, which adds what every answer carries."""

    headers: dict[bytes, bytes] = field(init=False)
    """Each header once; of a repeated one the last."""
    method: str = field(init=False)
    path: str = field(init=False)

    request_id: str = ""
    """Sent back as x-amzn-RequestId, and named in the log."""
    origin: bytes | None = None
    """The foreign web page that asks, if it may: its browser must be told so."""
    service: str = ""
    """The AWS service that is meant, by its name in a credential scope: `ecs`."""
    marked: bool = False
    """Something in the request says that an AWS service is meant; a browser's visit has no such mark."""
    caller: Caller = field(init=False)
    """The account and the region that are meant."""
    handler: Handler = field(init=False)
    """The operation that is meant."""
    body: bytes = b""
    body_asked: bool = False
    """A caller that waits before it sends its body (Expect: 100-continue) was told to go on."""
    body_read: bool = False
    """Nothing of the body is left to read."""
    request: ecs.Shape = field(init=False)
    """The body, parsed."""
    found: Any = None
    """What the operation found out from other services."""
    result: bytes = b""
    """What the operation answered, as JSON."""

    answered: bool = False
    """An answer has begun. No step follows."""
    closing: bool = False
    """The connection ends with this answer, as the rest of the body stays unread."""

    def __post_init__(self) -> None:
        self.headers = dict(self.scope["headers"])
        self.method = self.scope["method"]
        self.path = self.scope["path"]

    async def send(self, message: Message) -> None:
        """Pass on a piece of the answer, whoever made it, and let a foreign page's browser show it to the page."""
        if message["type"] == "http.response.start":
            self.answered = True
            if self.origin is not None:
                message["headers"] = [*message.get("headers", ()), *shared_with(self.origin)]
        await self.transmit(message)

    async def answer(self, status: int, content_type: bytes, body: bytes, *more: Header) -> None:
        """Send a whole answer."""
        headers = [
            (b"content-type", content_type),
            (b"x-amzn-requestid", self.request_id.encode()),
            (b"content-length", b"%d" % len(body)),
            *more,
        ]
        if self.closing:
            headers.append((b"connection", b"close"))
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.transmit({"type": "http.response.body", "body": body})


def shared_with(origin: bytes) -> list[Header]:
    """What a browser wants to see before the page of this origin may read an answer."""
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", b"x-amzn-RequestId"),
        (b"vary", b"Origin"),
    ]
