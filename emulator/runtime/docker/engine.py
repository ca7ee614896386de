"""The way to the daemon: one client for all threads, and one place that tells 'no' from 'no answer'."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from emulator.runtime.driver import DriverUnreachableError

if TYPE_CHECKING:
    from docker import APIClient
    from docker.errors import APIError

CALL_TIMEOUT = 60
"""Seconds that an ordinary call may take. Creating and starting are slow on a machine under load."""
CONNECT_TIMEOUT = 10
POOL_SIZE = 256
"""Connections that may be open at once before the client complains: each container whose output is read has one."""

GOING_WORDS = (
    "shutting down",
    "transport is closing",
    "client connection is closing",
    "containerd.sock: connect:",
    "context canceled",
)
"""What dockerd's 5xx answers say while it, or containerd below it, stops [seen in moby's and grpc-go's sources]."""


class RefusedError(Exception):
    """The engine answered, and said no: the HTTP status and its own words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words

    @property
    def no_such_image(self) -> bool:
        """Was it refused because an image is not on the daemon's machine?"""
        return self.status == 404 and "no such image" in self.words.lower()

    @property
    def name_taken(self) -> bool:
        """Was it refused because a container of that name exists?"""
        return self.status == 409 and "already in use" in self.words


class Engine:
    """A connection that is made when first needed, and made again by itself after the daemon was away."""

    def __init__(self, base_url: str | None) -> None:
        self._base_url = base_url
        self._client: APIClient | None = None
        self._lock = threading.Lock()

    @contextmanager
    def asking(self) -> Iterator[APIClient]:
        """The client, for calls of this block. Raises DriverUnreachableError, RefusedError."""
        from docker import errors
        from requests.exceptions import RequestException
        from urllib3.exceptions import HTTPError

        try:
            self._knock()
            yield self._connected()
        except errors.APIError as error:
            raise self._no(error) from error
        except (errors.DockerException, RequestException, HTTPError, OSError) as error:
            raise self._no_answer(error) from error

    def create(self, name: str, body: dict[str, Any]) -> str:
        """Create a container and return its id. Raises DriverUnreachableError, RefusedError."""
        with self.asking() as api:
            created: dict[str, Any] = cast("Any", api).create_container_from_config(body, name)
            return str(created["Id"])

    def inspect(self, container: str) -> dict[str, Any]:
        """All about a container, by id or name. Raises DriverUnreachableError, RefusedError."""
        with self.asking() as api:
            return dict(api.inspect_container(container))

    def inspect_image(self, image: str) -> dict[str, Any]:
        """All about an image, by id or name. Raises DriverUnreachableError, RefusedError."""
        with self.asking() as api:
            return dict(cast("Any", api).inspect_image(image))

    def containers(self, *labels: str) -> list[dict[str, Any]]:
        """The containers, running or not, that carry all of these labels (`name` or `name=value`), in short.

        Raises DriverUnreachableError.
        """
        try:
            with self.asking() as api:
                return list(api.containers(all=True, filters={"label": list(labels)}))
        except RefusedError as refusal:
            raise DriverUnreachableError(f"{self._place()} does not list containers: {refusal.words}") from refusal

    def ping(self, timeout: float) -> None:
        """Does the daemon answer within so many seconds? Raises DriverUnreachableError."""
        with self.asking() as api:
            answer = api.get(f"{api.base_url}/_ping", timeout=timeout)
            if not answer.ok:
                raise DriverUnreachableError(f"{self._place()} answers a ping with status {answer.status_code}")

    def info(self) -> dict[str, Any]:
        """What the daemon says of itself. Raises DriverUnreachableError."""
        try:
            with self.asking() as api:
                info: dict[str, Any] = api.info()
                return info
        except RefusedError as refusal:
            raise DriverUnreachableError(f"{self._place()} does not describe itself: {refusal.words}") from refusal

    @property
    def is_local(self) -> bool:
        """Is the daemon asked on a socket of this machine?"""
        return self._socket is not None

    def close(self) -> None:
        """Close the connections. Another call would open them again."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _knock(self) -> None:
        """See whether somebody listens on the daemon's socket, where it has one. Raises OSError.

        Costs a tenth of a millisecond. Without it docker's client would find out; it wraps the reason three times, and
        leaves the socket that did not connect to the garbage collector.
        """
        if self._socket is None:
            return
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.settimeout(CONNECT_TIMEOUT)
            knocking.connect(self._socket)

    @cached_property
    def _settings(self) -> dict[str, Any]:
        """What the client is made with: where the daemon is, and what TLS needs."""
        from docker.utils import kwargs_from_env

        return dict(kwargs_from_env()) if self._base_url is None else {"base_url": self._base_url}

    @cached_property
    def _socket(self) -> str | None:
        """The path of the daemon's socket; None for a daemon that is asked by TCP."""
        from docker.utils import parse_host

        scheme, _, path = str(parse_host(self._settings.get("base_url"))).partition("://")
        return path if scheme == "http+unix" else None

    def _connected(self) -> APIClient:
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> APIClient:
        from docker import APIClient
        from requests.adapters import HTTPAdapter

        # The constructor asks for the API's version, so that a daemon that hangs is noticed within CONNECT_TIMEOUT.
        client = APIClient(**self._settings, timeout=CONNECT_TIMEOUT, max_pool_size=POOL_SIZE)
        client.timeout = CALL_TIMEOUT
        if not self.is_local:  # docker's own pool size reaches its unix adapter only
            for scheme in ("http://", "https://"):
                client.mount(scheme, HTTPAdapter(pool_maxsize=POOL_SIZE))
        return client

    def _place(self) -> str:
        return f"the container engine at {self._settings.get('base_url', 'unix:///var/run/docker.sock')}"

    def _no(self, error: APIError) -> Exception:
        status = int(error.status_code or 0)
        words = str(error.explanation or error).strip()
        if status == 503 or (status >= 500 and any(sign in words for sign in GOING_WORDS)):
            return DriverUnreachableError(f"{self._place()} is going down: {words}")
        return RefusedError(status, words)

    def _no_answer(self, error: BaseException) -> DriverUnreachableError:
        return DriverUnreachableError(
            f"{self._place()} does not answer: {_root(error)}. Is it running, and may this user reach it? "
            "Start it, or name another with DOCKER_HOST."
        )


def _root(error: BaseException) -> str:
    """The operating system's words, dug out of what requests, urllib3 and docker wrapped around them."""
    seen: list[BaseException] = [error]
    for one in seen:
        if isinstance(one, OSError) and one.errno is not None and one.strerror:
            return one.strerror
        inner = (one.__cause__, one.__context__, *getattr(one, "args", ()))
        seen.extend(each for each in inner if isinstance(each, BaseException) and each not in seen)
    return str(seen[-1]) or type(seen[-1]).__name__
