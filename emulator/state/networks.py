"""The networks that tasks live in: the one that every account has in a region, and those of users that tasks were run
in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network
from typing import ClassVar

from emulator.state.record import Key, Record

DEFAULT_PREFIX = 20
"""The size of a default subnet (documented: VPC user guide, "Default VPCs")."""

ZONES = {"ap-northeast-1": "acd", "ca-central-1": "abd"}
"""The letters of a region's first three zones where they are not a, b and c (inferred from public configurations)."""

PUBLIC = IPv4Network("198.18.0.0/15")
"""Where made-up public addresses are from: the range for tests of network devices (RFC 2544), which is nobody's on the
internet, so that whoever tries one reaches no stranger (inferred: AWS's are its own).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc(Record):
    """A VPC that tasks may be run in, with its ranges, the first one first.

    That of an account's default VPC is chosen when it is first needed, since only then is it known which ranges the
    machine has free.
    """

    kind: ClassVar[str] = "vpc"
    account: str
    region: str
    id: str
    cidrs: tuple[str, ...]

    @property
    def key(self) -> Key:
        """Account, region, id."""
        return (self.account, self.region, self.id)

    def around(self, subnet: IPv4Network) -> IPv4Network:
        """The range of the VPC that a subnet's is a part of. Raises ValueError if there is none."""
        for cidr in map(IPv4Network, self.cidrs):
            if subnet.subnet_of(cidr):
                return cidr
        raise ValueError(f"{subnet} is outside of {self.id}, which has {', '.join(self.cidrs)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet(Record):
    """A subnet that tasks may be run in, as EC2 knows it."""

    kind: ClassVar[str] = "subnet"
    account: str
    region: str
    id: str
    vpc: str
    cidr: str
    availability_zone: str

    @property
    def key(self) -> Key:
        """Account, region, id."""
        return (self.account, self.region, self.id)


@dataclass(frozen=True, slots=True)
class DefaultNetwork:
    """The network that every account has in a region from the start: the ids of its parts, which are always the same.

    Documented: VPC user guide, "Default VPCs". Of the subnets there are those of three zones, each with its zone.
    """

    account: str
    region: str
    vpc: str
    subnets: Mapping[str, str]
    security_group: str
    internet_gateway: str
    route_table: str
    network_acl: str

    def vpc_of(self, cidr: IPv4Network) -> Vpc:
        """The VPC, with this range."""
        return Vpc(account=self.account, region=self.region, id=self.vpc, cidrs=(str(cidr),))

    def subnets_of(self, cidr: IPv4Network) -> list[Subnet]:
        """The subnets of the VPC with this range: the first zone's has the first /20, and so on."""
        ranges = cidr.subnets(new_prefix=DEFAULT_PREFIX)
        return [
            Subnet(
                account=self.account,
                region=self.region,
                id=id_,
                vpc=self.vpc,
                cidr=str(its),
                availability_zone=zone,
            )
            for (id_, zone), its in zip(self.subnets.items(), ranges, strict=False)
        ]


@lru_cache(maxsize=1024)
def default_network(account: str, region: str) -> DefaultNetwork:
    """The network that an account has in a region from the start."""
    zones = [region + letter for letter in ZONES.get(region, "abc")]
    return DefaultNetwork(
        account=account,
        region=region,
        vpc=derived_id("vpc", account, region),
        subnets={derived_id("subnet", account, region, zone): zone for zone in zones},
        security_group=derived_id("sg", account, region),
        internet_gateway=derived_id("igw", account, region),
        route_table=derived_id("rtb", account, region),
        network_acl=derived_id("acl", account, region),
    )


def derived_id(prefix: str, *of: str) -> str:
    """An id as EC2 makes them, the same every time for the same thing."""
    return f"{prefix}-0{_digest(prefix, *of).hex()[:16]}"


def free_of(candidates: Iterable[IPv4Network], vpcs: Iterable[Vpc]) -> list[IPv4Network]:
    """The ranges that overlap with none of these VPCs."""
    taken = [IPv4Network(cidr) for vpc in vpcs for cidr in vpc.cidrs]
    return [cidr for cidr in candidates if not any(cidr.overlaps(other) for other in taken)]


def public_address(interface: str) -> str:
    """The public address of a network interface that has one, by the interface's id."""
    return str(PUBLIC[int.from_bytes(_digest("public", interface)[:4], "big") % PUBLIC.num_addresses])


def private_dns_name(address: str, region: str) -> str:
    """The name that EC2 gives an address inside its VPC (documented: EC2 user guide, "IP based naming")."""
    domain = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    return f"ip-{address.replace('.', '-')}.{domain}"


def public_dns_name(address: str, region: str) -> str:
    """The name that EC2 gives a public address (documented: EC2 user guide, "Public IPv4 DNS hostnames")."""
    domain = "compute-1.amazonaws.com" if region == "us-east-1" else f"{region}.compute.amazonaws.com"
    return f"ec2-{address.replace('.', '-')}.{domain}"


def _digest(*parts: str) -> bytes:
    return hashlib.sha256("/".join(parts).encode()).digest()
