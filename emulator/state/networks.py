"""The network that tasks live in: one VPC for each account and region, and the subnets that were named so far."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import ClassVar

from emulator.state.record import Group, Key, Record

SUBNETS_IN_A_VPC = 16
"""A VPC's /16 has this many ranges of /20."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc(Record):
    """An account's network in a region. Its range is chosen when the first task needs it, since only then is it known
    which ranges the machine has free.
    """

    kind: ClassVar[str] = "vpc"
    account: str
    region: str
    cidr: str

    @property
    def key(self) -> Key:
        """Account, region."""
        return (self.account, self.region)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet(Record):
    """A subnet id that somebody used. `index` counts those of its account and region from 0."""

    kind: ClassVar[str] = "subnet"
    account: str
    region: str
    id: str
    index: int

    @property
    def key(self) -> Key:
        """Account, region, id."""
        return (self.account, self.region, self.id)

    def groups(self) -> tuple[Group, ...]:
        """Those of the same VPC."""
        return (subnets_of(self.account, self.region),)

    @property
    def availability_zone(self) -> str:
        """Subnets go round the first three zones of their region."""
        return self.region + "abc"[self.index % 3]

    def cidr(self, vpc: IPv4Network) -> IPv4Network:
        """The subnet's range within its VPC. The seventeenth shares the first one's range, and so on."""
        return list(vpc.subnets(new_prefix=vpc.prefixlen + 4))[self.index % SUBNETS_IN_A_VPC]


def subnets_of(account: str, region: str) -> Group:
    """The subnets of one VPC."""
    return ("vpc", account, region)


def private_dns_name(address: str, region: str) -> str:
    """The name that EC2 gives an address inside its VPC (documented: EC2 user guide, "IP based naming")."""
    domain = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    return f"ip-{address.replace('.', '-')}.{domain}"
