"""HTTP as thin as it gets: requests made beforehand, connections kept, so that the server is measured and not we."""

from __future__ import annotations

import json
import selectors
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

TIMEOUT = 60.0
"""Seconds after which a server that does not answer is a failure."""
CONNECTIONS = 8
END_OF_HEAD = b"\r\n\r\n"


class BadAnswerError(Exception):
    """A server answered with something other than success. A figure of failures would mean nothing."""


def ecs_request(operation: str, **members: Any) -> bytes:
    """The bytes of a call, as an SDK would send them. Nobody checks the signature; its scope names the service."""
    body = json.dumps(members).encode()
    head = (
        "POST / HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\n"
        f"X-Amz-Target: AmazonEC2ContainerServiceV20141113.{operation}\r\n"
        "Content-Type: application/x-amz-json-1.1\r\n"
        "Authorization: AWS4-HMAC-SHA256 Credential=test/20250101/us-east-1/ecs/aws4_request, "
        "SignedHeaders=host, Signature=0\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def plain_request(method: str, path: str) -> bytes:
    """The bytes of a request without a body."""
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n".encode()


@dataclass(slots=True)
class Connection:
    """A kept connection to a server on this machine, with one request at a time on it."""

    port: int
    _socket: socket.socket | None = None
    _received: bytearray = field(default_factory=bytearray)
    _whole: int | None = None
    """How long the answer is, once its head is here."""
    _last: bool = False
    """Does the server close the connection after this answer?"""

    def send(self, request: bytes) -> None:
        """Send a request, on a new connection if there is none."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received.clear()
        self._whole = None
        self._socket.sendall(request)

    def receive(self) -> bool:
        """Take what has come; is the answer whole? Raises BadAnswerError."""
        piece = self.open_socket.recv(1 << 18)
        if not piece:
            raise BadAnswerError(f"the connection ended within an answer: {bytes(self._received[:200])!r}")
        self._received += piece
        if self._whole is None:
            self._read_head()
        done = self._whole is not None and len(self._received) >= self._whole
        if done and self._last:
            self.close()
        return done

    @property
    def open_socket(self) -> socket.socket:
        """The socket, once something was sent."""
        if self._socket is None:
            raise BadAnswerError("nothing was sent on this connection")
        return self._socket

    @property
    def is_open(self) -> bool:
        """Can the next request go out on the same socket?"""
        return self._socket is not None

    def _read_head(self) -> None:
        end = self._received.find(END_OF_HEAD)
        if end < 0:
            return
        head = bytes(self._received[:end]).lower()
        if not head.startswith((b"http/1.1 200", b"http/1.0 200")):
            raise BadAnswerError(bytes(self._received[:1000]).decode(errors="replace"))
        at = head.find(b"\r\ncontent-length:")
        if at < 0:
            raise BadAnswerError(f"an answer of unknown length: {head!r}")
        self._whole = end + len(END_OF_HEAD) + int(head[at + 17 :].split(b"\r\n", 1)[0])
        self._last = b"\r\nconnection: close" in head

    def call(self, request: bytes) -> bytes:
        """Send a request and wait for its answer; gives the body. Raises BadAnswerError, OSError."""
        self.send(request)
        while not self.receive():
            pass
        return bytes(self._received.partition(END_OF_HEAD)[2])

    def ask(self, operation: str, **members: Any) -> dict[str, Any]:
        """Make a call of ECS. Raises BadAnswerError, OSError."""
        answer: dict[str, Any] = json.loads(self.call(ecs_request(operation, **members)))
        return answer

    def close(self) -> None:
        """Let go of it."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.close()
            self._socket = None


def timed(connection: Connection, request: bytes) -> float:
    """Milliseconds from sending a request until its answer is whole."""
    begin = time.perf_counter()
    connection.call(request)
    return (time.perf_counter() - begin) * 1000


def load(port: int, requests: Iterable[bytes], *, seconds: float | None = None) -> float:
    """Send these requests on eight connections, each its next one as soon as it has its answer; gives calls a second.

    Ends with the requests, or after so many seconds. Raises BadAnswerError, OSError.
    """
    waiting = iter(requests)
    connections = [Connection(port) for _ in range(CONNECTIONS)]
    try:
        with selectors.DefaultSelector() as selector:
            begin = time.perf_counter()
            until = None if seconds is None else begin + seconds
            for connection in connections:
                _next(selector, connection, waiting)
            answered = 0
            while selector.get_map() and (until is None or time.perf_counter() < until):
                answered += _take_answers(selector, waiting)
            return answered / (time.perf_counter() - begin)
    finally:
        for connection in connections:
            connection.close()


def _take_answers(selector: selectors.BaseSelector, waiting: Iterator[bytes]) -> int:
    """Take what has come, and send the next request on each connection whose answer is whole."""
    answered = 0
    ready = selector.select(TIMEOUT)
    if not ready:
        raise BadAnswerError(f"no answer within {TIMEOUT:g} s")
    for key, _ in ready:
        connection: Connection = key.data
        if connection.receive():
            answered += 1
            _next(selector, connection, waiting, key.fileobj)
    return answered


def _next(
    selector: selectors.BaseSelector, connection: Connection, waiting: Iterator[bytes], former: Any = None
) -> None:
    """Send the next request on a connection, and listen to the socket that it went out on."""
    if former is not None and not connection.is_open:
        selector.unregister(former)
        former = None
    request = next(waiting, None)
    if request is None:
        if former is not None:
            selector.unregister(former)
        return
    connection.send(request)
    if former is None:
        selector.register(connection.open_socket, selectors.EVENT_READ, connection)
