"""EC2, as ECS asks it."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.neighbours.clients import Clients
from emulator.neighbours.ports import Place, SecurityGroup, Subnet


class Ec2:
    """The network of an account. See emulator.neighbours.ports.Network for every method."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def subnets(self, place: Place, ids: Sequence[str]) -> list[Subnet]:
        """The subnets of these ids, each with the range of the VPC around it."""
        with self._clients.asking("ec2", place) as ec2:
            found = {each["SubnetId"]: each for each in ec2.describe_subnets(SubnetIds=list(ids))["Subnets"]}
            vpcs = ec2.describe_vpcs(VpcIds=list({each["VpcId"] for each in found.values()}))["Vpcs"]
        ranges = {each["VpcId"]: each["CidrBlock"] for each in vpcs}
        return [
            Subnet(
                id=each["SubnetId"],
                vpc=each["VpcId"],
                cidr=each["CidrBlock"],
                vpc_cidr=ranges[each["VpcId"]],
                availability_zone=each["AvailabilityZone"],
            )
            for each in (found[id_] for id_ in ids)
        ]

    def security_groups(self, place: Place, ids: Sequence[str]) -> list[SecurityGroup]:
        """The groups of these ids."""
        with self._clients.asking("ec2", place) as ec2:
            groups = ec2.describe_security_groups(GroupIds=list(ids))["SecurityGroups"]
        found = {each["GroupId"]: SecurityGroup(id=each["GroupId"], vpc=each["VpcId"]) for each in groups}
        return [found[id_] for id_ in ids]

    def default_security_group(self, place: Place, vpc: str) -> str:
        """The id of a VPC's default group."""
        filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
        with self._clients.asking("ec2", place) as ec2:
            return str(ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"])
