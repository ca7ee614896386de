"""Tasks in networks that users made: by EC2's calls, on the emulator's own URL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import docker
import pytest

from tests.emulators import Served, client, served
from tests.operations.helpers import run
from tests.scenarios.tasks import address_of, container, define, ended, exit_codes, started

pytestmark = pytest.mark.docker

RANGES = [f"172.{20 + os.getpid() % 8}.0.0/16", f"192.168.{160 + os.getpid() % 64}.0/24"]
"""Of this test process, which is not the only one on the daemon."""


@pytest.fixture(scope="module")
def emulator(engine: docker.APIClient) -> Iterator[Served]:
    with served("--ephemeral", "--runtime", "docker") as running:
        yield running


@pytest.fixture(scope="module")
def ecs(emulator: Served) -> Any:
    return emulator.ecs


@pytest.fixture(scope="module")
def ec2(emulator: Served) -> Any:
    return client(emulator.url, "ec2")


def network(ec2: Any, cidr: str, *subnets: str) -> list[dict[str, Any]]:
    """A VPC of this range; for each of its subnets the network configuration of a task there."""
    vpc = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    made = [ec2.create_subnet(VpcId=vpc, CidrBlock=each)["Subnet"]["SubnetId"] for each in subnets]
    return [{"awsvpcConfiguration": {"subnets": [subnet]}} for subnet in made]


def vpc_networks(engine: docker.APIClient) -> dict[str, str]:
    """The networks of VPCs on the daemon: range and id."""
    found = [each for each in engine.networks() if "ecs-emulator.vpc" in (each["Labels"] or {})]
    return {each["Labels"]["ecs-emulator.vpc"]: each["Id"] for each in found}


def test_tasks_live_in_the_subnets_of_a_vpc_and_reach_each_other(ecs: Any, ec2: Any, engine: docker.APIClient) -> None:
    wide = IPv4Network(RANGES[0])
    first, second, *_ = map(str, wide.subnets(new_prefix=24))
    here, there = network(ec2, RANGES[0], first, second)
    assert RANGES[0] not in vpc_networks(engine)
    define(ecs, "listener", container("one", "nc -l -p 9000 -e echo spoken; exit 0"))
    listener = started(ecs, "listener", networkConfiguration=here)
    assert IPv4Address(address_of(listener)) in IPv4Network(first)
    script = f"until nc {address_of(listener)} 9000 </dev/null | grep spoken; do sleep 0.1; done; exit 5"
    define(ecs, "asker", container("two", script))
    asker = ended(ecs, run(ecs, taskDefinition="asker", networkConfiguration=there))
    assert IPv4Address(address_of(asker)) in IPv4Network(second)
    assert exit_codes(asker) == {"two": 5}
    assert RANGES[0] in vpc_networks(engine)
    assert exit_codes(ended(ecs, listener)) == {"one": 0}


def test_a_range_that_is_taken_on_this_machine_stops_the_task_and_says_so(
    ecs: Any, ec2: Any, engine: docker.APIClient
) -> None:
    half = str(next(IPv4Network(RANGES[1]).subnets()))
    foreign: Any = engine.create_network("ecs-emulator-test-taken", ipam={"Config": [{"Subnet": half}]})  # type: ignore[arg-type]
    try:
        (here,) = network(ec2, RANGES[1], half)
        define(ecs, "nowhere", container("one"))
        task = ended(ecs, run(ecs, taskDefinition="nowhere", networkConfiguration=here))
    finally:
        engine.remove_network(foreign["Id"])
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("ResourceInitializationError: failed to configure ENI: ")
    assert "ecs-emulator-test-taken" in task["stoppedReason"]


def test_a_public_range_stops_the_task_and_says_so(ecs: Any, ec2: Any) -> None:
    (here,) = network(ec2, "203.0.112.0/20", "203.0.113.0/24")
    define(ecs, "nowhere", container("one"))
    task = ended(ecs, run(ecs, taskDefinition="nowhere", networkConfiguration=here))
    assert "cannot make the network of VPC 203.0.112.0/20: only private ranges" in task["stoppedReason"]
