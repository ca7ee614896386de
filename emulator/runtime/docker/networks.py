"""The network of a VPC: one Docker bridge for each range and daemon, shared by all emulators there."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path
from typing import Any, cast

from emulator.runtime.docker.engine import Engine, RefusedError
from emulator.runtime.docker.labels import VPC
from emulator.runtime.driver import PrepareFailedError

logger = logging.getLogger(__name__)

ROUTES = Path("/proc/net/route")
PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
"""What a network may have (RFC 1918, RFC 6598). With another range the machine would lose its way to those who have it,
or to itself. EC2 takes nearly every range.
"""
BRIDGE = re.compile(r"br-[0-9a-f]{12}")
"""The interface of a network of Docker's, which compares its networks with each other by itself."""
LOOKS = 100
BETWEEN_LOOKS = 0.05
"""Seconds between two looks for a network that another emulator is making."""


class Networks:
    """The VPC networks that this process uses, by range. A network is always named by its id: names may be doubled."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._ids: dict[IPv4Network, str] = {}
        self._closed = threading.Event()

    def id_of(self, cidr: IPv4Network) -> str:
        """The network of a VPC; made if it is not there. Raises DriverUnreachableError, PrepareFailedError."""
        with self._lock:
            if cidr not in self._ids:
                self._ids[cidr] = self._find(cidr) or self._make(cidr)
            return self._ids[cidr]

    def forget(self, cidr: IPv4Network) -> None:
        """The network is gone: the next who needs it looks for it again."""
        with self._lock:
            self._ids.pop(cidr, None)

    def addresses_in_use(self, cidr: IPv4Network) -> list[IPv4Address]:
        """The addresses that running containers of any emulator have. Raises as `id_of`."""
        network_id = self.id_of(cidr)
        try:
            with self._engine.asking() as api:
                members = api.inspect_network(network_id).get("Containers") or {}
        except RefusedError:  # gone: so nobody is in it
            self.forget(cidr)
            return []
        return [IPv4Interface(each["IPv4Address"]).ip for each in members.values() if each.get("IPv4Address")]

    def free_range(self, candidates: Sequence[IPv4Network]) -> IPv4Network:
        """As Driver.free_range."""
        found = first_free(candidates, self._list(), _read_routes())
        if found is None:
            tried = ", ".join(str(candidate) for candidate in candidates)
            raise PrepareFailedError(
                f"no range for a VPC is free: each of {tried} overlaps with a network of this machine or of the "
                "daemon. Remove networks that are not needed (docker network prune), or configure other ranges."
            )
        return found

    def remove_unused(self) -> None:
        """Remove the networks that this process used and nobody uses now. Raises DriverUnreachableError."""
        self._closed.set()
        with self._lock:
            for cidr in list(self._ids):
                network_id = self._ids.pop(cidr)
                try:
                    with self._engine.asking() as api:
                        api.remove_network(network_id)
                except RefusedError as refusal:
                    # Others' tasks are in it, or it is gone. Seldom a daemon says so of a network that is empty.
                    logger.info("network %s of VPC %s stays: %s", network_id[:12], cidr, refusal.words)

    def use(self, cidr: IPv4Network) -> None:
        """Note that a network which exists is ours to use, and to remove with the last who does."""
        with self._lock, suppress(PrepareFailedError):
            found = self._ids.get(cidr) or self._find(cidr)
            if found:
                self._ids[cidr] = found

    def _find(self, cidr: IPv4Network) -> str | None:
        return vpc_network(self._list(), cidr)

    def _make(self, cidr: IPv4Network) -> str:
        why = why_not(cidr, _read_routes())
        if why is not None:
            raise PrepareFailedError(f"cannot make the network of VPC {cidr}: {why}")
        for _ in range(LOOKS):
            try:
                return self._create(cidr)
            except RefusedError as refusal:
                existing = self._list()
                found = vpc_network(existing, cidr)
                if found is not None:  # another emulator was quicker
                    return found
                rivals = [str(each["Name"]) for each in existing if any(cidr.overlaps(its) for its in _ranges(each))]
                if rivals or "overlap" not in refusal.words.lower():
                    why = f"{refusal.words} (network {', '.join(rivals)})" if rivals else refusal.words
                    raise PrepareFailedError(f"cannot make the network of VPC {cidr}: {why}") from refusal
            # The range is taken and nobody has it: a network appears in the list only once its bridge is up [tried].
            self._closed.wait(BETWEEN_LOOKS)
        raise PrepareFailedError(f"cannot make the network of VPC {cidr}: its range is taken by a network not listed")

    def _list(self) -> list[dict[str, Any]]:
        with _or_fail("cannot list the daemon's networks"), self._engine.asking() as api:
            return list(api.networks())

    def _create(self, cidr: IPv4Network) -> str:
        with self._engine.asking() as api:
            made: dict[str, Any] = cast("Any", api).create_network(
                f"ecs-vpc-{str(cidr).replace('/', '-')}",
                driver="bridge",
                ipam={"Driver": "default", "Config": [{"Subnet": str(cidr), "Gateway": str(cidr[1])}]},
                labels={VPC: str(cidr)},
            )
        return str(made["Id"])


def vpc_network(networks: Sequence[Mapping[str, Any]], cidr: IPv4Network) -> str | None:
    """The id of the network of the VPC with this range, among networks as the engine lists them."""
    for network in networks:
        if (network.get("Labels") or {}).get(VPC) == str(cidr) and cidr in _ranges(network):
            return str(network["Id"])
    return None


def first_free(
    candidates: Iterable[IPv4Network], networks: Sequence[Mapping[str, Any]], routes: str
) -> IPv4Network | None:
    """The first candidate that overlaps with none of the daemon's networks and none of the host's routes.

    One that is an emulator's VPC already is free. `networks` as the engine lists them, `routes` as /proc/net/route.
    """
    vpcs = [network for network in networks if VPC in (network.get("Labels") or {})]
    shared = {cidr for network in vpcs for cidr in _ranges(network)}
    bridges = {f"br-{network['Id'][:12]}" for network in vpcs}
    taken = [cidr for network in networks for cidr in _ranges(network)]
    taken += [cidr for interface, cidr in routed(routes) if interface not in bridges]
    for candidate in candidates:
        if candidate in shared or not any(candidate.overlaps(other) for other in taken):
            return candidate
    return None


def why_not(cidr: IPv4Network, routes: str) -> str | None:
    """Why this machine cannot have a network of this range, whatever networks the engine has; None if it can."""
    if not any(cidr.subnet_of(private) for private in PRIVATE):
        return f"only private ranges are had by networks here, which are within {', '.join(map(str, PRIVATE))}"
    for interface, other in routed(routes):
        if cidr.overlaps(other) and not BRIDGE.fullmatch(interface):
            return f"it overlaps with {other}, which this machine reaches by {interface}; use a VPC of another range"
    return None


def routed(table: str) -> Iterator[tuple[str, IPv4Network]]:
    """The interface and range of each route in the kernel's table (proc(5)) but the default route, and its two halves,
    which a VPN may have set over it.

    The table has addresses as hexadecimal numbers in the machine's byte order, which is little-endian on all that
    containers run on here.
    """
    for line in table.splitlines()[1:]:
        fields = line.split()
        destination, mask = (int.from_bytes(bytes.fromhex(fields[place]), "little") for place in (1, 7))
        if mask.bit_count() > 1:
            yield fields[0], IPv4Network((destination & mask, mask.bit_count()))


def _read_routes() -> str:
    """The host's routing table; empty where there is no such file, as on macOS."""
    try:
        return ROUTES.read_text()
    except OSError:
        return ""


def _ranges(network: Mapping[str, Any]) -> list[IPv4Network]:
    """The IPv4 ranges of a network."""
    configs = (network.get("IPAM") or {}).get("Config") or []
    subnets = [config.get("Subnet") or "" for config in configs]
    return [IPv4Network(subnet, strict=False) for subnet in subnets if "." in subnet and ":" not in subnet]


@contextmanager
def _or_fail(what: str) -> Iterator[None]:
    try:
        yield
    except RefusedError as refusal:
        raise PrepareFailedError(f"{what}: {refusal.words}") from refusal
