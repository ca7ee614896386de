"""Is there a Docker daemon? Asked before anything that is slow to import."""

from __future__ import annotations

import http.client
import socket
from urllib.parse import urlsplit

DEFAULT_HOST = "unix:///var/run/docker.sock"
PATIENCE = 0.3
"""Seconds."""


def docker_problem(docker_host: str | None) -> str | None:
    """Why no daemon can be used at this address (Docker's own default for None); None when one answers."""
    address = docker_host or DEFAULT_HOST
    try:
        connection = _connection(address)
    except ValueError as error:
        return str(error)
    try:
        connection.request("GET", "/_ping")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"no Docker daemon answers at {address} ({error})"
    finally:
        connection.close()
    return None if status == 200 else f"the Docker daemon at {address} answered {status} to a ping"


def _connection(address: str) -> http.client.HTTPConnection:
    parts = urlsplit(address)
    if parts.scheme == "unix":
        return _UnixConnection(parts.path)
    if parts.scheme in ("tcp", "http") and parts.hostname:
        return http.client.HTTPConnection(parts.hostname, parts.port or 2375, timeout=PATIENCE)
    raise ValueError(f"DOCKER_HOST is {address}: only unix:// and tcp:// addresses can be used")


class _UnixConnection(http.client.HTTPConnection):
    """HTTP on a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of to a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self._path)
