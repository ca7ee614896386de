"""Who may call at all.

The API starts containers, so it is a way into the machine. A web page must not get in: neither under a name of its own
that it makes point here (the Host header shows that name), nor by calling from a visitor's browser (Origin, or
Sec-Fetch-Site, shows whose page it is).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from emulator.edge.exchange import Header, Scope
from emulator.errors import ApiError

SERVED = ("localhost", ".localhost", ".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
"""Names served always. One with a leading dot stands for every name below it."""

SCHEMES = {"http": b"http", "https": b"https", "ws": b"http", "wss": b"https"}
"""A WebSocket's Origin is that of the page, so http."""


LONGEST_HOST = 255 + len(":65535")


class Guards:
    """Lets in requests for a served host by a page that is served here too, or by no page at all."""

    def __init__(self, allow_hosts: Sequence[str], allow_origins: Sequence[str]) -> None:
        self._names = SERVED + tuple(name.lower().removeprefix("*") for name in allow_hosts if name)
        self._any_host = "*" in allow_hosts
        origins = frozenset(origin.lower().rstrip("/").encode() for origin in allow_origins)
        self._origins = origins - {b"null"}  # any page can make itself one of no origin
        self.serves = lru_cache(maxsize=512)(self._serves)

    def check_host(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        """Raise ApiError for a host that is not served, or none. A host named twice is not served."""
        host = headers.get(b"host", b"")
        if len(headers) != len(scope["headers"]) and repeated(scope["headers"], b"host"):
            raise _refusal("The request has more than one Host header.")
        if not self.serves(host):
            name = _name_of(host)
            raise _refusal(
                f"The host '{name}' is not served here. To serve it, start the emulator with --allow-host {name}."
                if name
                else "The request names no host. To serve it all the same, start the emulator with --allow-host '*'."
            )

    def check_origin(self, scope: Scope, headers: dict[bytes, bytes]) -> bytes | None:
        """The foreign page that calls and may; None when no foreign page does. Raise ApiError when it may not."""
        origin = headers.get(b"origin")
        if origin is None:
            if headers.get(b"sec-fetch-site") in (b"cross-site", b"same-site") and not _follows_link(scope, headers):
                raise _refusal("A web page of another site must not call this emulator.")
            return None
        if repeated(scope["headers"], b"origin"):
            raise _refusal("The request has more than one Origin header.")
        if origin.lower() == _own_origin(scope, headers):
            return None
        if origin.lower() in self._origins:
            return origin
        page = _shown(origin)
        way_out = "" if page == "null" else f" To let it, start the emulator with --allow-origin {page}."
        raise _refusal(f"A web page of '{page}' must not call this emulator.{way_out}")

    def _serves(self, host: bytes) -> bool:
        if self._any_host:
            return True
        if len(host) > LONGEST_HOST:
            return False
        name = _name_of(host)
        if any(name.endswith(known) if known.startswith(".") else name == known for known in self._names):
            return True
        try:
            ipaddress.ip_address(name[1:-1] if name.startswith("[") else name)
        except ValueError:
            return False
        return True


def repeated(headers: Sequence[Header], name: bytes) -> bool:
    """Whether a header stands more than once in a request."""
    return sum(known == name for known, _ in headers) > 1


def _name_of(host: bytes) -> str:
    """A Host header without its port, in lower case."""
    name, _, port = _shown(host).lower().rpartition(":")
    if not (name and port.isdigit()):
        name = _shown(host).lower()
    return name.removesuffix(".")


def _own_origin(scope: Scope, headers: dict[bytes, bytes]) -> bytes:
    """How a page served here names itself; a browser leaves out the port that the scheme implies."""
    scheme = SCHEMES[scope["scheme"]]
    host = headers.get(b"host", b"").lower().removesuffix(b":443" if scheme == b"https" else b":80")
    return b"%s://%s" % (scheme, host)


def _follows_link(scope: Scope, headers: dict[bytes, bytes]) -> bool:
    """Whether somebody followed a link here: harmless, unless the link is a signed call."""
    return (
        headers.get(b"sec-fetch-mode") == b"navigate"
        and scope.get("method") == "GET"
        and b"x-amz-" not in scope["query_string"].lower()
    )


def _shown(value: bytes) -> str:
    """A header's value, for a person to read."""
    return value[:255].decode("latin-1")


def _refusal(message: str) -> ApiError:
    return ApiError("AccessDeniedException", message, status=403)
