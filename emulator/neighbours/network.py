"""EC2 at an endpoint, as ECS asks it; and nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Network
from typing import Any

from emulator.neighbours.clients import Clients
from emulator.neighbours.ports import NetworkInterface, Place, SecurityGroup, ServiceRefusedError, Subnet
from emulator.state.networks import DefaultNetwork, default_network


class EndpointEc2:
    """The network of an account that is not ours. See emulator.neighbours.ports.Network for every method."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def default(self, place: Place) -> None:
        """Not known: it is the endpoint's."""

    def subnets(self, place: Place, ids: Sequence[str]) -> list[Subnet]:
        """Those of these subnets that there are."""
        with self._clients.asking("ec2", place) as ec2:
            # By a filter: asked for by their ids, EC2 refuses all of them when one is missing.
            found = ec2.describe_subnets(Filters=_filters(subnet_id=ids))["Subnets"]
            vpcs = (
                ec2.describe_vpcs(Filters=_filters(vpc_id={each["VpcId"] for each in found}))["Vpcs"] if found else ()
            )
        ranges = {each["VpcId"]: ranges_of(each["CidrBlock"], _associated(each)) for each in vpcs}
        return [
            Subnet(
                id=each["SubnetId"],
                vpc=each["VpcId"],
                cidr=normal(each.get("CidrBlock")),
                vpc_cidrs=ranges.get(each["VpcId"], ()),
                availability_zone=each["AvailabilityZone"],
            )
            for each in found
        ]

    def security_groups(self, place: Place, ids: Sequence[str]) -> list[SecurityGroup]:
        """Those of these groups that there are."""
        with self._clients.asking("ec2", place) as ec2:
            groups = ec2.describe_security_groups(Filters=_filters(group_id=ids))["SecurityGroups"]
        return [SecurityGroup(id=each["GroupId"], vpc=each["VpcId"]) for each in groups]

    def default_security_group(self, place: Place, vpc: str) -> str | None:
        """The id of a VPC's default group."""
        with self._clients.asking("ec2", place) as ec2:
            filters = _filters(vpc_id=[vpc], group_name=["default"])
            groups = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        return next((str(each["GroupId"]) for each in groups), None)

    def create_interface(self, place: Place, interface: NetworkInterface) -> str:
        """Make a task's interface, with the address that it has. It is attached to nothing there."""
        with self._clients.asking("ec2", place) as ec2:
            for made_before in _described(ec2, interface.description):
                return made_before
            request: dict[str, Any] = {
                "SubnetId": interface.subnet,
                "PrivateIpAddress": interface.address,
                "Description": interface.description,
                "Groups": list(interface.security_groups),
            }
            if interface.tags:
                tags = [{"Key": name, "Value": value} for name, value in interface.tags.items()]
                request["TagSpecifications"] = [{"ResourceType": "network-interface", "Tags": tags}]
            return str(ec2.create_network_interface(**request)["NetworkInterface"]["NetworkInterfaceId"])

    def delete_interface(self, place: Place, description: str) -> None:
        """Delete the interface of this description."""
        with self._clients.asking("ec2", place) as ec2:
            made = list(_described(ec2, description))
        for id_ in made:
            self._delete(place, id_)

    def _delete(self, place: Place, id_: str) -> None:
        try:
            with self._clients.asking("ec2", place) as ec2:
                ec2.delete_network_interface(NetworkInterfaceId=id_)
        except ServiceRefusedError as refusal:
            if refusal.code != "InvalidNetworkInterfaceID.NotFound":
                raise


class NoEc2:
    """EC2 that nobody answers: an account has the network that it had from the start, and nothing else.

    See emulator.neighbours.ports.Network for every method.
    """

    def default(self, place: Place) -> DefaultNetwork:
        """All of it."""
        return default_network(*place)

    def subnets(self, place: Place, ids: Sequence[str]) -> list[Subnet]:  # noqa: ARG002
        """There are no others."""
        return []

    def security_groups(self, place: Place, ids: Sequence[str]) -> list[SecurityGroup]:  # noqa: ARG002
        """There are no others."""
        return []

    def default_security_group(self, place: Place, vpc: str) -> str | None:  # noqa: ARG002
        """There is no other VPC."""
        return None

    def create_interface(self, place: Place, interface: NetworkInterface) -> str:  # noqa: ARG002
        """Nobody looks at it."""
        return interface.id

    def delete_interface(self, place: Place, description: str) -> None:
        """Nobody looked at it."""


def ranges_of(first: str, associated: Iterable[str]) -> tuple[str, ...]:
    """The IPv4 ranges of a VPC, each once and the first one first."""
    return tuple(dict.fromkeys(normal(cidr) for cidr in (first, *associated) if ":" not in cidr))


def normal(cidr: str | None) -> str:
    """A range as it is written when its address is its first one; empty for none, as a subnet of IPv6 only has it."""
    return str(IPv4Network(cidr, strict=False)) if cidr else ""


def _associated(vpc: Any) -> Iterator[str]:
    for each in vpc.get("CidrBlockAssociationSet", ()):
        if each.get("CidrBlockState", {}).get("State") == "associated":
            yield each["CidrBlock"]


def _filters(**values: Iterable[str]) -> list[dict[str, Any]]:
    return [{"Name": name.replace("_", "-"), "Values": list(some)} for name, some in values.items()]


def _described(ec2: Any, description: str) -> Iterator[str]:
    """The ids of the interfaces of this description."""
    found = ec2.describe_network_interfaces(Filters=_filters(description=[description]))
    yield from (str(each["NetworkInterfaceId"]) for each in found["NetworkInterfaces"])
