"""A task's network interface: its subnet's range, the namespace that holds its address, and EC2, which shows it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from ipaddress import IPv4Network

from emulator.ids import Ids
from emulator.neighbours.interfaces import interface_of
from emulator.neighbours.ports import Network, Place, ServiceRefusedError, ServiceUnreachableError
from emulator.planner.observations import PlatformFailed, Prepared
from emulator.planner.plan import Prepare
from emulator.planner.specs import Subnet
from emulator.runtime.driver import Driver, NoFreeAddressError, PrepareFailedError
from emulator.runtime.ranges import default_vpc
from emulator.runtime.steps.steps import StepFailedError
from emulator.state.arns import task_key
from emulator.state.networks import default_network
from emulator.state.store import Store
from emulator.state.tasks import Interface, Task

log = logging.getLogger(__name__)


def before_start(store: Store, driver: Driver, ids: Ids, action: Prepare) -> Prepared | PlatformFailed:
    """Attach the interface. Raises DriverUnreachableError."""
    try:
        subnet = _subnet(store, driver, action)
        namespace = driver.prepare(action.task, subnet)
    except NoFreeAddressError:
        # documented: Amazon ECS developer guide, "TaskFailedToStart errors"
        return PlatformFailed(refused_by_ec2(action.subnet, "InsufficientFreeAddressesInSubnet"))
    except PrepareFailedError as error:
        return PlatformFailed(f"ResourceInitializationError: failed to configure ENI: {error}")
    interface = Interface(f"eni-0{ids.hex(16)}", namespace.id, namespace.address, namespace.mac_address)
    return Prepared(interface)


def refused_by_ec2(subnet: str, why: str) -> str:
    """What a task says whose interface EC2 does not create (documented: see `before_start`)."""
    return f"Unexpected EC2 error while attempting to Create Network Interface in subnet '{subnet}': {why}"


def _subnet(store: Store, driver: Driver, action: Prepare) -> Subnet:
    """The subnet, as the task's start or EC2 left it. Raises DriverUnreachableError, PrepareFailedError."""
    account, region = (str(part) for part in task_key(action.task.arn)[:2])
    key = (account, region, action.subnet)
    if store.state.subnets.get(key) is None and action.subnet in default_network(account, region).subnets:
        default_vpc(store, driver, account, region)
    found = store.state.subnets.get(key)
    vpc = store.state.vpcs.get((account, region, found.vpc)) if found else None
    if found is None or vpc is None:
        raise PrepareFailedError(f"subnet {action.subnet} does not exist")
    try:
        cidr = IPv4Network(found.cidr)
        return Subnet(id=found.id, cidr=cidr, vpc_cidr=vpc.around(cidr))
    except ValueError as error:
        raise PrepareFailedError(f"subnet {found.id} has no IPv4 range of {vpc.id}: {error}") from error


@dataclass(frozen=True, slots=True)
class Interfaces:
    """Tells EC2 of the interfaces that tasks have, where it does not look by itself."""

    store: Store
    ec2: Network

    def create(self, task: Task, interface: Interface) -> Interface:
        """The interface, with the id that EC2 gives it. Raises StepFailedError."""
        place = Place(task.account, task.region)
        subnet = self.store.state.subnets.get((*place, task.subnet))
        if subnet is None:
            raise StepFailedError(f"InternalError: nobody knows the subnet {task.subnet} any more")
        try:
            id_ = self.ec2.create_interface(place, interface_of(task, interface, subnet))
        except ServiceRefusedError as refusal:
            raise StepFailedError(refused_by_ec2(task.subnet, refusal.code)) from refusal
        except ServiceUnreachableError as problem:
            raise StepFailedError(f"ResourceInitializationError: failed to configure ENI: {problem}") from problem
        return replace(interface, id=id_)

    def delete(self, task: Task) -> None:
        """Have EC2 forget the interface. If it cannot, the task goes all the same."""
        try:
            self.ec2.delete_interface(Place(task.account, task.region), task.attachment_arn)
        except (ServiceRefusedError, ServiceUnreachableError) as error:
            log.warning("%s: EC2 still shows its network interface: %s", task.arn, error)
