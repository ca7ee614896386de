"""Several emulators on one daemon: one network for a VPC, addresses of their own, and hands off what is others'."""

from __future__ import annotations

import fcntl
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import docker
import pytest

from emulator.planner.specs import Subnet
from emulator.runtime.docker import DockerDriver
from emulator.runtime.driver import Namespace, NoFreeAddressError, PrepareFailedError
from tests.runtime.docker_world import (
    SUBNET,
    VPC,
    MakeDriver,
    Recorder,
    cgroup_folders,
    create,
    in_threads,
    make_container,
    make_task,
    ours,
    vpc_networks,
)

pytest_plugins = ["tests.runtime.docker_fixtures"]
pytestmark = pytest.mark.docker

TINY = Subnet("subnet-tiny", IPv4Network((VPC.network_address + 256, 28)), VPC)
"""Eleven addresses for tasks."""


def test_two_emulators_share_a_network_and_a_subnet(make_driver: MakeDriver, image: str, api: docker.APIClient) -> None:
    drivers = [make_driver(), make_driver()]
    tasks = [make_task() for _ in range(8)]
    made = in_threads(
        *(lambda driver=drivers[place % 2], task=task: driver.prepare(task, TINY) for place, task in enumerate(tasks))
    )
    addresses = {IPv4Address(each.address) for each in made if isinstance(each, Namespace)}
    assert len(addresses) == 8
    assert addresses <= {TINY.cidr[place] for place in range(4, 15)}
    assert len(vpc_networks(api)) == 1

    drivers[0].close(keep_tasks=False)  # the network stays: the other's tasks are in it
    assert len(vpc_networks(api)) == 1
    drivers[1].close(keep_tasks=False)
    assert vpc_networks(api) == []


def test_a_full_subnet_says_so_and_has_room_after_a_removal(driver: DockerDriver, make_driver: MakeDriver) -> None:
    other = make_driver()
    tasks = [make_task() for _ in range(11)]
    for place, task in enumerate(tasks):
        (driver, other)[place % 2].prepare(task, TINY)
    with pytest.raises(NoFreeAddressError, match="11 of its 16 addresses can be given to tasks"):
        driver.prepare(make_task(), TINY)
    other.remove(tasks[1].arn)
    driver.prepare(make_task(), TINY)


def test_a_range_that_is_an_emulators_vpc_is_free(driver: DockerDriver, api: docker.APIClient) -> None:
    docker0, *_ = [config["Subnet"] for config in api.inspect_network("bridge")["IPAM"]["Config"]]
    candidates = [IPv4Network(docker0), VPC]
    assert driver.free_range(candidates) == VPC
    driver.prepare(make_task(), SUBNET)
    assert driver.free_range(candidates) == VPC
    wider = VPC.supernet(new_prefix=15)
    with pytest.raises(PrepareFailedError, match="no range for a VPC is free"):
        driver.free_range([wider, IPv4Network(docker0)])


def test_a_range_that_somebody_took_is_a_failure_with_words(driver: DockerDriver, api: docker.APIClient) -> None:
    cidr = IPv4Network((VPC.network_address + 128 * 256, 20))
    foreign = api.create_network("ecs-emulator-test-foreign", ipam={"Config": [{"Subnet": str(cidr)}]})  # type: ignore[arg-type]
    try:
        with pytest.raises(PrepareFailedError, match="Pool overlaps"):
            driver.prepare(make_task(), Subnet("subnet-2", cidr, cidr))
    finally:
        api.remove_network(foreign["Id"])


def test_a_network_that_vanished_is_made_again(make_driver: MakeDriver, image: str, api: docker.APIClient) -> None:
    driver, task = make_driver(), make_task()
    driver.prepare(task, SUBNET)
    driver.remove(task.arn)
    (network,) = vpc_networks(api)
    api.remove_network(network["Id"])
    driver.prepare(task, SUBNET)
    (again,) = vpc_networks(api)
    assert again["Id"] != network["Id"]


def test_what_a_killed_emulator_left_is_swept(
    make_driver: MakeDriver, image: str, api: docker.APIClient, tmp_path: Path
) -> None:
    lock, away = tmp_path / "lock", tmp_path / "away"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        dead, task = make_driver("test-dead", ephemeral_lock=lock), make_task()
        namespace = dead.prepare(task, SUBNET)
        dead.start(make_container(task, "sleep", "1000"), namespace)
        assert {each["Labels"]["ecs-emulator.lock"] for each in ours(api, "test-dead")} == {str(lock)}
        connect(make_driver())  # its owner lives
        assert len(ours(api, "test-dead")) == 2
        lock.rename(away)
    connect(make_driver())  # nobody can tell whether it lives
    assert len(ours(api, "test-dead")) == 2
    away.rename(lock)
    connect(make_driver())
    assert ours(api, "test-dead") == []
    assert cgroup_folders(task) == []


def test_a_successor_under_the_same_lock_sweeps(
    make_driver: MakeDriver, image: str, api: docker.APIClient, tmp_path: Path
) -> None:
    lock = tmp_path / "lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        make_driver("test-predecessor", ephemeral_lock=lock).prepare(make_task(), SUBNET)
        connect(make_driver(ephemeral_lock=lock))
    assert ours(api, "test-predecessor") == []


def test_what_is_not_ours_is_left_alone(make_driver: MakeDriver, image: str, api: docker.APIClient) -> None:
    body = {"Image": image, "Cmd": ["sleep", "1000"], "HostConfig": {"NetworkMode": "none"}}
    plain = create(api, "ecs-emulator-test-plain", body)
    labels = {"ecs-emulator.instance": "somebody-else"}
    other = create(api, "ecs-emulator-test-other", {**body, "Labels": labels})
    try:
        for each in (plain, other):
            api.start(each)
        driver, task = make_driver(), make_task()
        connect(driver)
        driver.start(make_container(task, "sleep", "1000"), driver.prepare(task, SUBNET))
        driver.remove(task.arn)
        driver.remove_all_but(())
        driver.close(keep_tasks=False)
        for each in (plain, other):
            assert api.inspect_container(each)["State"]["Running"]
    finally:
        for each in (plain, other):
            api.remove_container(each, force=True)


def connect(driver: DockerDriver) -> None:
    recorder = Recorder()
    driver.watch(recorder.as_watcher())
    recorder.found()
