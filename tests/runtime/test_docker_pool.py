"""Namespaces that are ready before their tasks, on a real daemon."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import docker
import pytest

from emulator.planner.specs import TaskSpec
from emulator.runtime.docker import DockerDriver
from emulator.runtime.docker.labels import namespace_name
from emulator.runtime.docker.namespaces import Made, Place
from emulator.runtime.driver import Found, Namespace
from tests.runtime.docker_world import (
    PATIENCE,
    SUBNET,
    VPC,
    MakeDriver,
    Recorder,
    Signpost,
    cgroup_folders,
    in_threads,
    make_container,
    make_task,
    ours,
    shell,
    vpc_networks,
)
from tests.runtime.test_docker_sharing import TINY, connect

pytest_plugins = ["tests.runtime.docker_fixtures"]
pytestmark = pytest.mark.docker


@pytest.fixture
def filled(make_driver: MakeDriver, image: str) -> DockerDriver:
    """A driver with two spares, whose pool changes only when the test says so: it is not connected."""
    driver = make_driver(pool=2)
    fill(driver)
    return driver


def fill(driver: DockerDriver, count: int = 2) -> None:
    for _ in range(count):
        task = make_task()
        driver.prepare(task, SUBNET)
        driver.remove(task.arn)
    while driver._pool.tend():
        continue
    assert driver.spare() == count


def wait_until_filled(driver: DockerDriver, count: int = 2) -> None:
    """Wait for what the driver does by itself when it is connected."""
    with driver._pool._condition:
        assert driver._pool._condition.wait_for(lambda: driver.spare() == count, PATIENCE)


def spares(api: docker.APIClient, driver: DockerDriver) -> dict[str, Any]:
    """The containers of a driver that belong to no task, by id."""
    return {each["Id"]: each for each in ours(api, instance_of(driver)) if each["Names"][0].startswith("/ecs-spare-")}


def instance_of(driver: DockerDriver) -> str:
    return driver._removal._owner.instance


def held(driver: DockerDriver) -> set[int]:
    """The addresses that a driver counts as its own."""
    return driver._namespaces._addresses_of(VPC)._ours


def successor(driver: DockerDriver, make_driver: MakeDriver) -> tuple[DockerDriver, list[Found]]:
    """The driver of the process that comes after one that was killed, and what it finds."""
    after, recorder = make_driver(instance_of(driver), pool=2), Recorder()
    after.watch(recorder.as_watcher())
    return after, recorder.found()


def test_a_task_gets_one_that_is_ready(filled: DockerDriver, api: docker.APIClient) -> None:
    ready = spares(api, filled)
    task = make_task()
    namespace = filled.prepare(task, SUBNET)
    assert namespace.id in ready
    assert filled.spare() == 1
    pause = api.inspect_container(namespace.id)
    assert pause["Name"] == f"/{namespace_name(task.arn)}"
    assert pause["Config"]["Hostname"] == f"ip-{namespace.address.replace('.', '-')}.ec2.internal"
    assert pause["HostConfig"]["IpcMode"] == "shareable"
    (endpoint,) = pause["NetworkSettings"]["Networks"].values()
    assert (endpoint["IPAddress"], endpoint["MacAddress"]) == (namespace.address, namespace.mac_address)


def test_a_spare_one_says_whose_it_is(filled: DockerDriver, api: docker.APIClient) -> None:
    for spare in spares(api, filled).values():
        assert "com.amazonaws.ecs.task-arn" not in spare["Labels"]
        address = spare["Labels"]["ecs-emulator.address"].replace(".", "-")
        assert spare["Names"] == [f"/ecs-spare-{address}-{instance_of(filled)}"]


def test_containers_run_in_it_as_in_any_other(filled: DockerDriver, signpost: Signpost) -> None:
    task = make_task()
    namespace = filled.prepare(task, SUBNET)
    check = 'hostname | grep -q "^ip-10-.*ec2.internal$"'
    filled.start(shell(task, f"{check} && {signpost.knock}"), namespace)
    assert str(signpost.wait()) == namespace.address
    if filled.limits == "task cgroup":
        assert cgroup_folders(task)


def test_preparing_again_gives_the_same_and_costs_no_spare(filled: DockerDriver) -> None:
    task = make_task()
    namespace = filled.prepare(task, SUBNET)
    assert filled.prepare(task, SUBNET) == namespace
    assert filled.spare() == 1


def test_a_subnet_or_region_without_spares_gets_a_cold_one(filled: DockerDriver, api: docker.APIClient) -> None:
    filled.prepare(make_task(), TINY)
    abroad = filled.prepare(make_task(region="eu-west-1"), SUBNET)
    assert api.inspect_container(abroad.id)["Config"]["Hostname"].endswith(".eu-west-1.compute.internal")
    assert filled.spare() == 2


@pytest.mark.parametrize("gone", [False, True], ids=["dead", "removed"])
def test_a_spare_that_has_ended_is_replaced(filled: DockerDriver, api: docker.APIClient, gone: bool) -> None:
    ready = spares(api, filled)
    for each in ready:
        api.kill(each)
        api.wait(each)
        if gone:
            api.remove_container(each)
    task = make_task()
    namespace = filled.prepare(task, SUBNET)
    assert namespace.id not in ready
    assert api.inspect_container(namespace.id)["State"]["Running"]
    assert filled.spare() == 1
    assert len(held(filled)) == 2  # the task's, and that of the other dead one
    filled.start(make_container(task, "true"), namespace)


def test_removing_takes_it_away(filled: DockerDriver, api: docker.APIClient) -> None:
    task = make_task()
    namespace = filled.prepare(task, SUBNET)
    filled.start(make_container(task, "sleep", "1000"), namespace)
    filled.remove(task.arn)
    filled.remove(task.arn)
    assert [each["Id"] for each in ours(api, instance_of(filled))] == list(spares(api, filled))
    assert int(IPv4Address(namespace.address)) not in held(filled)
    assert cgroup_folders(task) == []


def test_its_loss_is_told(make_driver: MakeDriver, image: str, api: docker.APIClient, recorder: Recorder) -> None:
    driver = make_driver(pool=2)
    driver.watch(recorder.as_watcher())
    recorder.found()
    for _ in range(2):
        driver.prepare(make_task(), SUBNET)
    wait_until_filled(driver)
    lost, removed = make_task(), make_task()
    namespace = driver.prepare(lost, SUBNET)
    driver.prepare(removed, SUBNET)
    driver.remove(removed.arn)
    api.kill(namespace.id)
    assert recorder.next("namespace_lost") == lost.arn
    assert driver.prepare(lost, SUBNET).id != namespace.id


def test_it_is_filled_when_nothing_is_asked(make_driver: MakeDriver, image: str, recorder: Recorder) -> None:
    driver = make_driver(pool=2)
    driver.watch(recorder.as_watcher())
    recorder.found()
    for _ in range(2):
        driver.prepare(make_task(), SUBNET)
    wait_until_filled(driver)


def test_after_a_kill_the_tasks_stay_and_the_spares_go(
    filled: DockerDriver, make_driver: MakeDriver, api: docker.APIClient
) -> None:
    bare, full, cold = make_task(), make_task(), make_task()
    namespaces = {task.arn: filled.prepare(task, SUBNET) for task in (bare, full, cold)}
    started = filled.start(make_container(full, "sleep", "1000"), namespaces[full.arn])
    filled._pool.tend()
    assert filled.spare() == 1

    after, found = successor(filled, make_driver)
    assert {each.task_arn: each.namespace_alive for each in found} == dict.fromkeys(namespaces, True)
    assert [each.containers for each in found if each.containers] == [{"app": (started, None)}]
    after.remove_all_but(namespaces)
    assert spares(api, filled) == {}
    for task in (bare, full, cold):
        assert after.prepare(task, SUBNET) == namespaces[task.arn]
    assert held(after) == {int(IPv4Address(each.address)) for each in namespaces.values()}
    for task in (bare, full, cold):
        after.remove(task.arn)
    assert ours(api, instance_of(filled)) == []


def test_a_kill_right_after_the_taking_loses_nothing(
    filled: DockerDriver, make_driver: MakeDriver, api: docker.APIClient
) -> None:
    """The namespace has its task's name, and no store knows of it yet."""
    task = make_task()
    namespace = filled.prepare(task, SUBNET)
    after, _ = successor(filled, make_driver)
    assert after.prepare(task, SUBNET) == namespace
    after.remove_all_but([task.arn])
    assert [each["Id"] for each in ours(api, instance_of(filled))] == [namespace.id]


def test_one_that_died_while_nobody_looked_is_replaced(
    filled: DockerDriver, make_driver: MakeDriver, api: docker.APIClient
) -> None:
    task = make_task()
    namespace = filled.prepare(task, SUBNET)
    api.kill(namespace.id)
    api.wait(namespace.id)
    after, found = successor(filled, make_driver)
    assert found == [Found(task.arn, namespace_alive=False, containers={})]
    after.remove_all_but([task.arn])
    fill(after)
    again = after.prepare(task, SUBNET)
    assert again.id != namespace.id
    assert api.inspect_container(again.id)["State"]["Running"]


def test_a_network_of_spares_alone_goes_with_the_next_process(
    filled: DockerDriver, make_driver: MakeDriver, api: docker.APIClient
) -> None:
    after, found = successor(filled, make_driver)
    assert found == []
    after.remove_all_but(())
    after.close(keep_tasks=True)
    assert ours(api, instance_of(filled)) == []
    assert vpc_networks(api) == []


def test_a_stop_that_keeps_tasks_removes_the_spares(
    filled: DockerDriver, make_driver: MakeDriver, api: docker.APIClient
) -> None:
    task = make_task()
    namespace = filled.prepare(task, SUBNET)
    filled.close(keep_tasks=True)
    assert [each["Id"] for each in ours(api, instance_of(filled))] == [namespace.id]
    _, found = successor(filled, make_driver)
    assert found == [Found(task.arn, namespace_alive=True, containers={})]


def test_a_stop_that_keeps_nothing_leaves_nothing(filled: DockerDriver, api: docker.APIClient) -> None:
    task = make_task()
    filled.start(make_container(task, "sleep", "1000"), filled.prepare(task, SUBNET))
    filled.close(keep_tasks=False)
    assert ours(api, instance_of(filled)) == []
    assert vpc_networks(api) == []
    assert cgroup_folders(task) == []


def test_a_stop_while_it_is_filled_leaves_nothing(
    make_driver: MakeDriver, image: str, api: docker.APIClient, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = make_driver(pool=3)
    make, making = driver._namespaces.make, threading.Event()

    def make_and_tell(place: Place, task_arn: str | None = None) -> Made:
        if task_arn is None:
            making.set()
        return make(place, task_arn)

    monkeypatch.setattr(driver._namespaces, "make", make_and_tell)
    driver.watch(recorder.as_watcher())
    recorder.found()
    for _ in range(3):
        driver.prepare(make_task(), SUBNET)
    assert making.wait(PATIENCE)
    driver.close(keep_tasks=False)
    assert ours(api, instance_of(driver)) == []
    assert vpc_networks(api) == []


def test_without_a_pool_nothing_is_ready(make_driver: MakeDriver, image: str, api: docker.APIClient) -> None:
    driver = make_driver(pool=0)
    driver.prepare(make_task(), SUBNET)
    assert not driver._pool.tend()
    assert driver.spare() == 0
    assert spares(api, driver) == {}


def test_two_emulators_have_their_own(filled: DockerDriver, make_driver: MakeDriver, api: docker.APIClient) -> None:
    other = make_driver(pool=2)
    fill(other)
    mine = filled.prepare(make_task(), SUBNET)
    theirs = other.prepare(make_task(), SUBNET)
    addresses = {each["Labels"]["ecs-emulator.address"] for driver in (filled, other) for each in all_of(api, driver)}
    assert len(addresses) == 4
    assert mine.address != theirs.address
    other.remove_all_but(())
    other.close(keep_tasks=False)
    assert len(spares(api, filled)) == filled.spare() == 1
    assert filled.prepare(make_task(), SUBNET).id not in {mine.id, theirs.id}


def all_of(api: docker.APIClient, driver: DockerDriver) -> list[dict[str, Any]]:
    return ours(api, instance_of(driver))


def test_no_address_is_lost_however_often_they_are_taken_and_released(
    make_driver: MakeDriver, image: str, api: docker.APIClient
) -> None:
    driver = make_driver(pool=2)
    for _ in range(8):  # of eleven addresses, four or more are used each time
        tasks = [make_task() for _ in range(3)]
        made = in_threads(*(lambda task=task: driver.prepare(task, TINY) for task in tasks))
        assert len({each.address for each in made if isinstance(each, Namespace)}) == 3
        driver._pool.tend()
        for task in tasks:
            driver.remove(task.arn)
    assert len(held(driver)) == driver.spare() == len(spares(api, driver))
    driver.remove_all_but(())
    assert held(driver) == set()


def test_a_full_subnet_gives_its_spares_before_it_refuses(make_driver: MakeDriver, image: str) -> None:
    driver = make_driver(pool=4)
    tasks = [make_task() for _ in range(11)]
    for task in tasks[:7]:
        driver.prepare(task, TINY)
    while driver.spare() < 4:
        driver._pool.tend()
    addresses = {driver.prepare(task, TINY).address for task in tasks}
    assert len(addresses) == 11


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield path


def test_what_a_killed_emulator_had_ready_is_swept(
    lock: Path, make_driver: MakeDriver, image: str, api: docker.APIClient
) -> None:
    dead, task = make_driver("test-dead-pool", ephemeral_lock=lock, pool=2), make_task()
    fill(dead)
    take_and_start(dead, task)
    connect(make_driver())  # its owner lives
    assert len(ours(api, "test-dead-pool")) == 3
    connect(make_driver(ephemeral_lock=lock))  # its successor
    assert ours(api, "test-dead-pool") == []
    assert cgroup_folders(task) == []


def take_and_start(driver: DockerDriver, task: TaskSpec) -> None:
    driver.start(make_container(task, "sleep", "1000"), driver.prepare(task, SUBNET))
    assert driver.spare() == 1
