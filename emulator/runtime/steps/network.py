"""A task's network interface: its subnet's range, then the namespace that holds its address."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import chain

from emulator.ids import Ids
from emulator.planner.observations import PlatformFailed, Prepared
from emulator.planner.plan import Prepare
from emulator.planner.specs import Subnet
from emulator.runtime.driver import Driver, NoFreeAddressError, PrepareFailedError
from emulator.state.arns import task_key
from emulator.state.networks import Vpc
from emulator.state.store import Store
from emulator.state.tasks import Interface

RANGES = tuple(IPv4Network(f"10.{second}.0.0/16") for second in chain(range(200, 256), range(100, 200)))
"""What a VPC may have, in the order in which they are tried. Docker gives its own networks 172.16.0.0/12 and
192.168.0.0/16, so none of these.
"""


def before_start(store: Store, driver: Driver, ids: Ids, action: Prepare) -> Prepared | PlatformFailed:
    """Attach the interface. Raises DriverUnreachableError."""
    try:
        subnet = _subnet(store, driver, action)
        namespace = driver.prepare(action.task, subnet)
    except NoFreeAddressError:
        # documented: Amazon ECS developer guide, "TaskFailedToStart errors"
        reason = (
            "Unexpected EC2 error while attempting to Create Network Interface in subnet "
            f"'{action.subnet}': InsufficientFreeAddressesInSubnet"
        )
        return PlatformFailed(reason)
    except PrepareFailedError as error:
        return PlatformFailed(f"ResourceInitializationError: failed to configure ENI: {error}")
    interface = Interface(f"eni-0{ids.hex(16)}", namespace.id, namespace.address, namespace.mac_address)
    return Prepared(interface)


def _subnet(store: Store, driver: Driver, action: Prepare) -> Subnet:
    account, region, *_ = task_key(action.task.arn)
    vpc = store.state.vpcs.get((account, region))
    cidr = IPv4Network(vpc.cidr) if vpc else _choose_range(store, driver, str(account), str(region))
    found = store.state.subnets.get((account, region, action.subnet))
    if found is None:
        raise PrepareFailedError(f"subnet {action.subnet} does not exist")
    return Subnet(id=found.id, cidr=found.cidr(cidr), vpc_cidr=cidr)


def _choose_range(store: Store, driver: Driver, account: str, region: str) -> IPv4Network:
    """Give a VPC its range. Another task may have done so meanwhile: then that one's choice holds."""
    taken = {vpc.cidr for vpc in store.state.vpcs}
    free = driver.free_range([cidr for cidr in RANGES if str(cidr) not in taken])
    with store.write() as transaction:
        vpc = transaction.vpcs.get((account, region))
        if vpc is None:
            vpc = transaction.vpcs.put(Vpc(account=account, region=region, cidr=str(free)))
    return IPv4Network(vpc.cidr)
