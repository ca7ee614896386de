"""What RegisterTaskDefinition refuses about network modes and ports."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import api_models as ecs
from emulator.rules.parameters import first_duplicate
from emulator.rules.registration import Registration
from emulator.rules.rule import broken, rule

REGISTRATION = "RegisterTaskDefinition:networking"

PORTS = range(1, 65535 + 1)
MOST_RANGES = 100

Found = Mapping[str, object] | None

_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,63}")
_RANGE = re.compile(r"([0-9]{1,5})-([0-9]{1,5})")


def port_range(text: str) -> range | None:
    """The ports of `8000-8010`; None for what is no such range."""
    found = _RANGE.fullmatch(text)
    first, last = (int(found[1]), int(found[2])) if found else (0, 0)
    return range(first, last + 1) if first in PORTS and last in PORTS and first < last else None


def _mappings(asked: Registration) -> Iterator[tuple[ecs.ContainerDefinition, ecs.PortMapping]]:
    for container in asked.containers:
        for mapping in container.port_mappings or ():
            yield container, mapping


def _protocol(mapping: ecs.PortMapping) -> str:
    """AWS takes every word but udp for tcp."""
    return "UDP" if (mapping.protocol or "").lower() == "udp" else "TCP"


def _in_awsvpc(asked: Registration, *given: object) -> Found:
    return broken() if asked.network_mode == "awsvpc" and any(given) else None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Invalid port mapping for container '{name}', cannot specify both single port and port range.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-port-range-with-host-port",
)
def a_mapping_has_a_port_or_a_range(asked: Registration) -> Found:
    """A port mapping is about one port, or about a range."""
    for container, mapping in _mappings(asked):
        if mapping.container_port_range is not None and (mapping.container_port or mapping.host_port):
            return broken(name=container.name)
    return None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Invalid 'containerPortRange' setting for container '{name}'.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-port-range-reversed",
)
def a_port_range_ascends(asked: Registration) -> Found:
    """A range is two ports, the lower one first."""
    for container, mapping in _mappings(asked):
        if mapping.container_port_range is not None and port_range(mapping.container_port_range) is None:
            return broken(name=container.name)
    return None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Invalid 'containerPort' setting for container '{name}'.",
    evidence="observed 2022-09: aws/aws-cli issue 7288",
)
def a_container_port_is_a_port(asked: Registration) -> Found:
    """A container's port is given, and is one from 1 to 65535."""
    for container, mapping in _mappings(asked):
        if mapping.container_port_range is None and mapping.container_port not in PORTS:
            return broken(name=container.name)
    return None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Invalid 'hostPort' setting for container '{name}'.",
    evidence="inferred: the form of the sentence about containerPort",
)
def a_host_port_is_a_port(asked: Registration) -> Found:
    """A host's port is one from 1 to 65535, or 0 for any."""
    for container, mapping in _mappings(asked):
        if mapping.host_port and mapping.host_port not in PORTS:
            return broken(name=container.name)
    return None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="When networkMode={mode}, the host ports and container ports in port mappings must match.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-host-network-host-port-mismatch",
)
def ports_match_without_a_bridge(asked: Registration) -> Found:
    """Where nothing is mapped, the host's port is the container's."""
    if asked.network_mode not in {"awsvpc", "host"}:
        return None
    for _, mapping in _mappings(asked):
        if mapping.host_port and mapping.host_port != mapping.container_port:
            return broken(mode=asked.network_mode)
    return None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Port mappings are not supported when networkMode=none.",
    evidence="inferred: documented without its sentence",
)
def no_ports_without_a_network(asked: Registration) -> Found:
    """A task without a network has no ports."""
    return broken() if asked.network_mode == "none" and any(_mappings(asked)) else None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Container port ranges are not supported when networkMode={mode}.",
    evidence="inferred: documented without its sentence",
)
def no_port_ranges_in_the_hosts_network(asked: Registration) -> Found:
    """Ranges are for a bridge and for awsvpc."""
    ranges = any(mapping.container_port_range is not None for _, mapping in _mappings(asked))
    return broken(mode=asked.network_mode) if asked.network_mode == "host" and ranges else None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="container port ranges can have at most 100 items.",
    evidence="inferred: the bound is documented",
)
def port_ranges_are_a_hundred_at_most(asked: Registration) -> Found:
    """A container has at most a hundred port ranges."""
    for container in asked.containers:
        ranges = [mapping for mapping in container.port_mappings or () if mapping.container_port_range is not None]
        if len(ranges) > MOST_RANGES:
            return broken()
    return None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="{protocol} container port '{port}' is used multiple times in task when networkMode={mode}.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-port-range-overlap",
)
def containers_do_not_share_a_port(asked: Registration) -> Found:
    """Containers in one network namespace have ports of their own."""
    if asked.network_mode not in {"awsvpc", "host"}:
        return None
    used: dict[tuple[str, int], bool] = {}
    for _, mapping in _mappings(asked):
        for port in _ports(mapping):
            if used.setdefault((_protocol(mapping), port), False):
                return broken(protocol=_protocol(mapping), port=port, mode=asked.network_mode)
            used[_protocol(mapping), port] = True
    return None


def _ports(mapping: ecs.PortMapping) -> range:
    if mapping.container_port_range is not None:
        return port_range(mapping.container_port_range) or range(0)
    return range(mapping.container_port or 0, (mapping.container_port or 0) + 1)


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="{protocol} host port '{port}' is mapped multiple times in task.",
    evidence="observed 2018-01: aws/amazon-ecs-agent issue 1220",
)
def containers_do_not_share_a_port_of_the_host(asked: Registration) -> Found:
    """A port of the host leads to one container."""
    used = ((_protocol(mapping), mapping.host_port) for _, mapping in _mappings(asked) if mapping.host_port)
    shared = first_duplicate(used) if asked.network_mode == "bridge" else None
    return broken(protocol=shared[0], port=shared[1]) if shared else None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="When networkMode={mode}, port mapping name is already used",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-port-mapping-duplicate-name",
)
def port_names_are_unique(asked: Registration) -> Found:
    """No two ports of a task have the same name."""
    names = (mapping.name for _, mapping in _mappings(asked) if mapping.name)
    return broken(mode=asked.network_mode) if first_duplicate(names) else None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Invalid port mapping name '{port_name}' for container '{name}'.",
    evidence="inferred: the characters are documented",
)
def port_names_have_valid_characters(asked: Registration) -> Found:
    """A port's name has at most 64 small letters, digits, underscores and hyphens, and no hyphen first."""
    for container, mapping in _mappings(asked):
        if mapping.name and not _NAME.fullmatch(mapping.name):
            return broken(port_name=mapping.name, name=container.name)
    return None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Links are not supported when networkMode={mode}.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-fargate-links",
)
def links_need_a_bridge(asked: Registration) -> Found:
    """Containers are linked on a bridge only."""
    linked = any(container.links for container in asked.containers)
    return broken(mode=asked.network_mode) if linked and asked.network_mode != "bridge" else None


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="DNS servers are not supported on container when networkMode=awsvpc.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-fargate-dns-servers",
)
def awsvpc_has_its_dns_servers(asked: Registration) -> Found:
    """A container in awsvpc cannot choose DNS servers."""
    return _in_awsvpc(asked, *(container.dns_servers for container in asked.containers))


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="DNS search domains are not supported on container when networkMode=awsvpc.",
    evidence="inferred: the form of the sentence about DNS servers",
)
def awsvpc_has_its_search_domains(asked: Registration) -> Found:
    """A container in awsvpc cannot choose search domains."""
    return _in_awsvpc(asked, *(container.dns_search_domains for container in asked.containers))


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Extra hosts are not supported on container when networkMode=awsvpc.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-awsvpc-extra-hosts",
)
def awsvpc_has_no_extra_hosts(asked: Registration) -> Found:
    """A container in awsvpc has no hosts of its own."""
    return _in_awsvpc(asked, *(container.extra_hosts for container in asked.containers))


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="hostname is not supported on container when networkMode=awsvpc.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-awsvpc-hostname",
)
def awsvpc_gives_the_hostname(asked: Registration) -> Found:
    """A container in awsvpc has the hostname of the task's interface."""
    return _in_awsvpc(asked, *(container.hostname for container in asked.containers))


@rule(
    REGISTRATION,
    refuse="ClientException",
    says="Disable Networking is not supported on container when networkMode=awsvpc.",
    evidence="observed 2026-09: badmintoncryer/cdk-preflight pf-ecs-fargate-disable-networking",
)
def awsvpc_means_networking(asked: Registration) -> Found:
    """A container in awsvpc has a network."""
    return _in_awsvpc(asked, *(container.disable_networking for container in asked.containers))
