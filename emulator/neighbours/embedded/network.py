"""EC2 in this process, as ECS asks it: without a request, in microseconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from emulator.neighbours.embedded.moto import Moto
from emulator.neighbours.network import normal, ranges_of
from emulator.neighbours.ports import NetworkInterface, Place, SecurityGroup, Subnet
from emulator.state.networks import DefaultNetwork, default_network


class EmbeddedEc2:
    """The network of an account. See emulator.neighbours.ports.Network for every method."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto

    def default(self, place: Place) -> DefaultNetwork:
        """What nobody has deleted. Where EC2 was never asked, that is all of it."""
        network = default_network(*place)
        backend = self._moto.made("ec2", place)
        if backend is None:
            return network
        left = {id_: zone for id_, zone in network.subnets.items() if id_ in backend.subnets.get(zone, ())}
        return replace(network, subnets=left)

    def subnets(self, place: Place, ids: Sequence[str]) -> list[Subnet]:
        """Those of these subnets that there are, each with the ranges of the VPC around it."""
        with self._held(place) as backend:
            return [
                Subnet(
                    id=each.id,
                    vpc=each.vpc_id,
                    cidr=normal(each.cidr_block),
                    vpc_cidrs=_ranges(backend.vpcs.get(each.vpc_id)),
                    availability_zone=each.availability_zone,
                )
                for each in backend.describe_subnets()
                if each.id in ids
            ]

    def security_groups(self, place: Place, ids: Sequence[str]) -> list[SecurityGroup]:
        """Those of these groups that there are."""
        with self._held(place) as backend:
            found = (backend.get_security_group_from_id(id_) for id_ in ids)
            return [SecurityGroup(id=each.id, vpc=each.vpc_id) for each in found if each is not None]

    def default_security_group(self, place: Place, vpc: str) -> str | None:
        """The id of a VPC's default group."""
        with self._held(place) as backend:
            group = backend.get_security_group_from_name("default", vpc_id=vpc)
            return group.id if group else None

    def create_interface(self, place: Place, interface: NetworkInterface) -> str:  # noqa: ARG002
        """Nothing is to be done: EC2 looks before each of its answers which interfaces tasks have."""
        return interface.id

    def delete_interface(self, place: Place, description: str) -> None:
        """Nothing is to be done."""

    @contextmanager
    def _held(self, place: Place) -> Iterator[Any]:
        accounts = self._moto.backend("ec2")
        with self._moto.locks.held("ec2", place):
            yield accounts[place.account][place.region]


def _ranges(vpc: Any) -> tuple[str, ...]:
    if vpc is None:
        return ()
    associated = vpc.get_cidr_block_association_set(ipv6=False)
    in_use = (each["cidr_block"] for each in associated if each["cidr_block_state"]["state"] == "associated")
    return ranges_of(vpc.cidr_block, in_use)
