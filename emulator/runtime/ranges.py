"""Chooses the range of an account's default VPC, once: then it stays what it is."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import chain

from emulator.runtime.driver import Driver
from emulator.state.networks import Vpc, default_network, free_of
from emulator.state.store import Store

RANGES = tuple(IPv4Network(f"10.{second}.0.0/16") for second in chain(range(200, 256), range(100, 200)))
"""What a default VPC may have, in the order in which they are tried. Docker gives its own networks 172.16.0.0/12 and
192.168.0.0/16, so none of these.
"""


def default_vpc(store: Store, driver: Driver, account: str, region: str) -> Vpc:
    """The default VPC of an account in a region, with its range; it and its subnets are kept from then on.

    Raises DriverUnreachableError, PrepareFailedError where no range can be chosen.
    """
    network = default_network(account, region)
    known = store.state.vpcs.get((account, region, network.vpc))
    if known is not None and all(store.state.subnets.get((account, region, id_)) for id_ in network.subnets):
        return known
    cidr = IPv4Network(known.cidrs[0]) if known else driver.free_range(free_of(RANGES, store.state.vpcs))
    with store.write() as transaction:
        # Somebody else may have chosen meanwhile: then that one's choice holds.
        vpc = transaction.vpcs.get((account, region, network.vpc)) or transaction.vpcs.put(network.vpc_of(cidr))
        for subnet in network.subnets_of(IPv4Network(vpc.cidrs[0])):
            if transaction.subnets.get(subnet.key) is None:
                transaction.subnets.put(subnet)
    return vpc
