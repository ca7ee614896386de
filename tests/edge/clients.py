"""A running edge over operations that answer at once, and clients as bare as they can be."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import api_models as ecs
from api_models.operations import OPERATIONS
from emulator.edge.parts import Control, Parts
from emulator.edge.server import Edge, running
from emulator.errors import ApiError
from emulator.operations.operation import Answer, Caller, Handler

TARGET = "AmazonEC2ContainerServiceV20141113"


class FakeApi:
    """A few operations of ECS by their real names, as the edge sees them."""

    def __init__(self) -> None:
        self.waiting = threading.Semaphore(0)
        """Counts the calls of DeleteCluster that wait for `go_on`."""
        self.go_on = threading.Event()

    def find(self, name: str) -> Handler:
        if name not in OPERATIONS:
            raise ApiError("UnknownOperationException", "")
        function = getattr(self, name, None)
        if function is None:
            raise ApiError("NotImplementedException", f"{name} is not implemented.", status=501)
        writes = not name.startswith(("List", "Describe"))
        return Handler(name, function, writes=writes, behaviour="behaves")

    def look(self, handler: Handler, request: ecs.Shape, caller: Caller) -> Any:
        return handler.looks and handler.looks(request)

    def perform(self, handler: Handler, request: ecs.Shape, caller: Caller, found: Any) -> Answer:
        function: Callable[[ecs.Shape, Caller], Answer] = getattr(self, handler.name)
        return function(request, caller)

    def ListClusters(self, request: Any, caller: Caller) -> bytes:  # noqa: N802
        return json.dumps({"clusterArns": [caller.ecs_arn("cluster/default")]}, separators=(",", ":")).encode()

    def CreateCluster(self, request: Any, caller: Caller) -> ecs.Shape:  # noqa: N802
        return ecs.CreateClusterResponse(cluster=ecs.Cluster(cluster_name=request.cluster_name, status="ACTIVE"))

    def DeleteCluster(self, request: Any, caller: Caller) -> bytes:  # noqa: N802
        self.waiting.release()
        self.go_on.wait(30)
        return b"{}"

    def DescribeClusters(self, request: Any, caller: Caller) -> bytes:  # noqa: N802
        raise ApiError("ConflictException", "Es geht nicht: ☹", members={"resourceIds": ["a"]})

    def ListTasks(self, request: Any, caller: Caller) -> bytes:  # noqa: N802
        raise KeyError("inner-workings")

    def RegisterTaskDefinition(self, request: Any, caller: Caller) -> bytes:  # noqa: N802
        return b"{}"


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def parts(api: FakeApi | None = None, **more: Any) -> Parts:
    """Parts that need nobody."""
    control = Control(health=lambda: {"status": "ok"}, reset=lambda: None, story=lambda _task: None)
    given: dict[str, Any] = {"api": api or FakeApi(), "control": control}
    return Parts(**(given | more))


@contextmanager
def serving(**more: Any) -> Iterator[str]:
    """An edge of its own, with parts of its own; gives the URL."""
    with running(Edge(parts(**more))) as url:
        yield url


@contextmanager
def connected(url: str) -> Iterator[http.client.HTTPConnection]:
    """A connection that is kept for several calls."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        yield connection
    finally:
        connection.close()


def ask(
    connection: http.client.HTTPConnection,
    operation: str | None = "ListClusters",
    body: bytes | Iterable[bytes] = b"{}",
    method: str = "POST",
    path: str = "/",
    **headers: str,
) -> Reply:
    """One request; header names have underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if operation is not None:
        named["X-Amz-Target"] = f"{TARGET}.{operation}"
    connection.request(method, path, body, named)
    answer = connection.getresponse()
    return Reply(answer.status, answer.headers, answer.read())


def call(url: str, *args: Any, **more: Any) -> Reply:
    """One request on a connection of its own."""
    with connected(url) as connection:
        return ask(connection, *args, **more)


def scope(region: str = "eu-west-1", service: str = "ecs", key: str = "AKIDEXAMPLE") -> str:
    """An Authorization header with this credential scope."""
    return (
        f"AWS4-HMAC-SHA256 Credential={key}/20260101/{region}/{service}/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=0123456789abcdef"
    )


class Wire:
    """A bare socket, for what no client library would send."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._file = connection.makefile("rb")

    def send(self, *lines: str, body: bytes = b"") -> None:
        """Send a request's head, line by line, and a body."""
        self.send_bytes("".join(f"{line}\r\n" for line in (*lines, "")).encode("latin-1") + body)

    def send_bytes(self, data: bytes) -> None:
        self._socket.sendall(data)

    def status(self) -> int:
        """Read an answer's status line and headers, not its body."""
        line = self._file.readline()
        while self._file.readline().strip():
            pass
        return int(line.split()[1])

    def answer(self) -> Reply:
        """Read a whole answer that states its length."""
        status = int(self._file.readline().split()[1])
        headers = http.client.parse_headers(self._file)
        return Reply(status, headers, self._file.read(int(headers["content-length"])))

    def ended(self) -> bool:
        """Whether the server closed the connection; waits until it does."""
        return self._file.read() == b""

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@contextmanager
def wired(url: str) -> Iterator[Wire]:
    where = urlsplit(url)
    wire = Wire(socket.create_connection((where.hostname, where.port), timeout=30))
    try:
        yield wire
    finally:
        wire.close()
