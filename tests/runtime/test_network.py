"""A task's network interface: where its range comes from, and what EC2 is told of it."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from emulator.clock import ManualClock
from emulator.neighbours.network import NoEc2
from emulator.neighbours.ports import NetworkInterface, Place, ServiceRefusedError, ServiceUnreachableError
from emulator.runtime.ranges import RANGES, default_vpc
from emulator.runtime.simulated import SimulatedDriver
from emulator.runtime.steps.network import Interfaces
from emulator.runtime.steps.steps import Steps
from emulator.state.networks import Subnet, Vpc, default_network
from emulator.state.sqlite import Database
from emulator.state.store import Store
from tests.builders import ACCOUNT, NOW, REGION, SUBNET
from tests.machine import Machine
from tests.runtime.test_loop import scripted


class Recording(NoEc2):
    """An EC2 elsewhere, which gives an interface an id of its own."""

    def __init__(self) -> None:
        self.made: dict[str, NetworkInterface] = {}

    def create_interface(self, place: Place, interface: NetworkInterface) -> str:
        self.made[interface.description] = interface
        return "eni-00000000"

    def delete_interface(self, place: Place, description: str) -> None:
        del self.made[description]


class Refusing(NoEc2):
    def create_interface(self, place: Place, interface: NetworkInterface) -> str:
        raise ServiceRefusedError("CreateNetworkInterface", "NetworkInterfaceLimitExceeded", "There are too many.")

    def delete_interface(self, place: Place, description: str) -> None:
        raise ServiceRefusedError("DescribeNetworkInterfaces", "InternalError", "It is broken.")


class Gone(NoEc2):
    def create_interface(self, place: Place, interface: NetworkInterface) -> str:
        raise ServiceUnreachableError("ec2 does not answer: connection refused")


REFUSED = f"Unexpected EC2 error while attempting to Create Network Interface in subnet '{SUBNET}': "


def telling(ec2: NoEc2) -> Machine:
    def steps(store: Store) -> Steps:
        interfaces = Interfaces(store, ec2)
        return Steps(at_attach=(interfaces.create,), at_after_release=(interfaces.delete,))

    return Machine(steps=steps).connect()


def test_an_interface_has_the_id_that_ec2_gives_it_and_goes_with_the_task() -> None:
    ec2 = Recording()
    machine = telling(ec2)
    task = machine.run(scripted())
    (made,) = ec2.made.values()
    found = machine.now(task).interface
    assert found is not None
    assert (found.id, found.address) == ("eni-00000000", made.address)
    assert (made.subnet, made.vpc) == (SUBNET, default_network(ACCOUNT, REGION).vpc)
    machine.stop(task)
    assert machine.shown(task).last_status == "STOPPED"
    assert ec2.made == {}


@pytest.mark.parametrize(
    ("ec2", "reason"),
    [
        (Refusing(), f"{REFUSED}NetworkInterfaceLimitExceeded"),
        (
            Gone(),
            "ResourceInitializationError: failed to configure ENI: ec2 does not answer: connection refused",
        ),
    ],
)
def test_an_interface_that_ec2_does_not_make_stops_the_task_and_leaves_nothing(ec2: NoEc2, reason: str) -> None:
    machine = telling(ec2)
    shown = machine.shown(machine.run(scripted()))
    assert (shown.last_status, shown.stop_code, shown.stopped_reason) == ("STOPPED", "TaskFailedToStart", reason)
    assert isinstance(machine.driver, SimulatedDriver)
    assert machine.driver._tasks == {}


class Choosy(SimulatedDriver):
    """A machine that has the first two ranges already."""

    def free_range(self, candidates: object) -> IPv4Network:
        assert isinstance(candidates, list)
        return super().free_range([each for each in candidates if each not in RANGES[:2]])


def test_a_default_vpc_keeps_the_range_that_was_free_when_it_was_first_needed() -> None:
    store = Store(Database(None))
    chosen = default_vpc(store, Choosy(ManualClock(NOW)), ACCOUNT, REGION)
    assert chosen.cidrs == (str(RANGES[2]),)
    assert default_vpc(store, SimulatedDriver(ManualClock(NOW)), ACCOUNT, REGION) == chosen
    subnets = {subnet.id: subnet.cidr for subnet in store.state.subnets}
    first, second, third, *_ = map(str, RANGES[2].subnets(new_prefix=20))
    assert list(default_network(ACCOUNT, REGION).subnets) == list(subnets)
    assert list(subnets.values()) == [first, second, third]


def test_a_default_vpc_has_no_range_of_any_vpc_that_is_known() -> None:
    store = Store(Database(None))
    with store.write() as transaction:
        transaction.vpcs.put(Vpc(account=ACCOUNT, region=REGION, id="vpc-1", cidrs=("10.0.0.0/16", "10.200.7.0/24")))
    driver = SimulatedDriver(ManualClock(NOW))
    found = [default_vpc(store, driver, ACCOUNT, region).cidrs for region in ("eu-west-1", "eu-west-2")]
    assert found == [("10.201.0.0/16",), ("10.202.0.0/16",)]


def test_a_default_subnet_that_was_learnt_elsewhere_has_the_others_beside_it() -> None:
    store, network = Store(Database(None)), default_network(ACCOUNT, REGION)
    learnt = network.subnets_of(IPv4Network("172.31.0.0/16"))[1]
    with store.write() as transaction:
        transaction.vpcs.put(network.vpc_of(IPv4Network("172.31.0.0/16")))
        transaction.subnets.put(learnt)
    default_vpc(store, SimulatedDriver(ManualClock(NOW)), ACCOUNT, REGION)
    assert {subnet.cidr for subnet in store.state.subnets} == {"172.31.0.0/20", "172.31.16.0/20", "172.31.32.0/20"}


@pytest.mark.parametrize(
    ("cidr", "why"), [("", "has no IPv4 range"), ("10.9.0.0/24", "is outside of vpc-1, which has 10.0.0.0/16")]
)
def test_a_subnet_that_is_no_part_of_its_vpc_stops_the_task(cidr: str, why: str) -> None:
    machine = Machine()
    with machine.store.write() as transaction:
        transaction.vpcs.put(Vpc(account=ACCOUNT, region=REGION, id="vpc-1", cidrs=("10.0.0.0/16",)))
        place = {"account": ACCOUNT, "region": REGION}
        subnet = Subnet(**place, id=SUBNET, vpc="vpc-1", cidr=cidr, availability_zone="us-east-1a")  # type: ignore[arg-type]
        transaction.subnets.put(subnet)
    shown = machine.connect().shown(machine.run(scripted()))
    assert str(shown.stopped_reason).startswith("ResourceInitializationError: failed to configure ENI: ")
    assert why in str(shown.stopped_reason)
