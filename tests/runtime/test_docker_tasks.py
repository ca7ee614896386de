"""A task's life on a real daemon, from its namespace to its removal."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address
from pathlib import Path

import docker
import pytest

from emulator.runtime.docker import DockerDriver
from emulator.runtime.docker.labels import namespace_name
from emulator.runtime.driver import Exit, Namespace, PrepareFailedError, StartFailedError
from tests.images import import_busybox
from tests.runtime.docker_world import (
    PATIENCE,
    SUBNET,
    VPC,
    MakeDriver,
    Recorder,
    Signpost,
    cgroup_folders,
    create,
    image_name,
    in_threads,
    make_container,
    make_task,
    ours,
    shell,
    vpc_networks,
)

pytest_plugins = ["tests.runtime.docker_fixtures"]
pytestmark = pytest.mark.docker

# Of several kills for want of memory at the same moment containerd loses some: one after the other.
OUT_OF_MEMORY = pytest.mark.xdist_group("out-of-memory")

FOREVER = "trap 'exit 7' TERM; trap 'exit 8' INT; {knock}; while :; do sleep 1000 & wait $!; done"


def test_a_namespace_has_the_address_that_others_see(
    api: docker.APIClient, driver: DockerDriver, signpost: Signpost
) -> None:
    task = make_task()
    namespace = driver.prepare(task, SUBNET)
    assert IPv4Address(namespace.address) in SUBNET.cidr
    assert IPv4Address(namespace.address) - int(SUBNET.cidr.network_address) >= IPv4Address(4)

    driver.start(shell(task, f"httpd -p 8080 -h /; {signpost.knock}; sleep 1000"), namespace)
    assert str(signpost.wait()) == namespace.address
    with socket.create_connection((namespace.address, 8080), PATIENCE) as connection:
        connection.sendall(b"GET /bin/busybox HTTP/1.0\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"

    pause = api.inspect_container(namespace.id)
    assert pause["Name"] == f"/{namespace_name(task.arn)}"
    assert pause["Config"]["Hostname"] == f"ip-{namespace.address.replace('.', '-')}.ec2.internal"
    assert pause["HostConfig"]["IpcMode"] == "shareable"
    (endpoint,) = pause["NetworkSettings"]["Networks"].values()
    assert (endpoint["IPAddress"], endpoint["MacAddress"]) == (namespace.address, namespace.mac_address)
    assert endpoint["Gateway"] == str(VPC[1])


def test_containers_of_a_task_meet_on_localhost(watched: DockerDriver, recorder: Recorder, signpost: Signpost) -> None:
    task = make_task()
    namespace = watched.prepare(task, SUBNET)
    watched.start(shell(task, f"httpd -p 8080 -h /; {signpost.knock}; sleep 1000", name="server"), namespace)
    signpost.wait()
    ask = r"printf 'GET /bin/busybox HTTP/1.0\r\n\r\n' | nc 127.0.0.1 8080 | head -n 1 | grep -q 'HTTP/1.1 200'"
    watched.start(shell(task, ask, name="client"), namespace)
    assert recorder.exit_of(task, "client").code == 0


@pytest.mark.parametrize("code", [0, 3, 255])
def test_an_exit_code_is_told_as_it_is(watched: DockerDriver, recorder: Recorder, code: int) -> None:
    task = make_task()
    started = watched.start(shell(task, f"exit {code}"), watched.prepare(task, SUBNET))
    end = recorder.exit_of(task)
    assert (end.code, end.out_of_memory) == (code, False)
    assert end.at >= started.at > 1_600_000_000


@OUT_OF_MEMORY
def test_a_task_bounds_its_containers_together(watched: DockerDriver, recorder: Recorder) -> None:
    if watched.limits != "task cgroup":
        pytest.skip(f"tasks are limited {watched.limits} here")
    task = make_task(cpu=512, memory=32)
    namespace = watched.prepare(task, SUBNET)
    folder = Path("/sys/fs/cgroup")
    assert (folder / "cpu/ecs" / task.id / "cpu.cfs_quota_us").read_text().strip() == "50000"
    assert (folder / "cpu/ecs" / task.id / "cpu.cfs_period_us").read_text().strip() == "100000"
    assert (folder / "memory/ecs" / task.id / "memory.limit_in_bytes").read_text().strip() == str(32 * 2**20)

    # No limit of its own: it is the task's that ends it.
    watched.start(make_container(task, "sleep", "1000"), namespace)
    hog = make_container(task, "tail", "-c", "50000000", "/dev/zero", name="hog")
    watched.start(hog, namespace)
    end = recorder.exit_of(task, "hog")
    assert (end.code, end.out_of_memory) == (137, True)


@OUT_OF_MEMORY
def test_a_containers_own_limit_ends_it_too(watched: DockerDriver, recorder: Recorder) -> None:
    task = make_task()
    namespace = watched.prepare(task, SUBNET)
    watched.start(make_container(task, "tail", "-c", "50000000", "/dev/zero", memory=8), namespace)
    end = recorder.exit_of(task)
    assert (end.code, end.out_of_memory) == (137, True)


def test_a_stop_signal_asks_and_a_kill_does_not(
    watched: DockerDriver, recorder: Recorder, signpost: Signpost, api: docker.APIClient
) -> None:
    task = make_task()
    namespace = watched.prepare(task, SUBNET)
    script = FOREVER.format(knock=signpost.knock)
    import_busybox(api, image_name("interrupted"), StopSignal="SIGINT")
    try:
        watched.start(shell(task, script, name="asked"), namespace)
        watched.start(shell(task, script, name="interrupted", image=image_name("interrupted")), namespace)
        watched.start(shell(task, script, name="killed"), namespace)
        for _ in range(3):
            signpost.wait()
        watched.signal(task.arn, "asked", kill=False)
        assert recorder.exit_of(task, "asked").code == 7
        watched.signal(task.arn, "interrupted", kill=False)
        assert recorder.exit_of(task, "interrupted").code == 8
        watched.signal(task.arn, "killed", kill=True)
        assert recorder.exit_of(task, "killed").code == 137
        watched.signal(task.arn, "killed", kill=True)  # it does not run any more
        watched.signal(task.arn, "killed", kill=False)
        watched.signal(task.arn, "nobody", kill=False)
        watched.remove(task.arn)
        watched.signal(task.arn, "asked", kill=True)
    finally:
        api.remove_image(image_name("interrupted"), force=True)


def test_what_cannot_start_says_why_and_has_not_run(watched: DockerDriver, recorder: Recorder) -> None:
    task = make_task()
    namespace = watched.prepare(task, SUBNET)
    broken = make_container(task, "no-such-command")
    for _ in range(2):
        with pytest.raises(StartFailedError) as failure:
            watched.start(broken, namespace)
        assert 'exec: "no-such-command": executable file not found in $PATH' in str(failure.value)
        assert "Client Error" not in str(failure.value)
    watched.start(shell(task, "exit 0", name="other"), namespace)
    assert recorder.next("exited")[1] == "other"  # nothing was told of the broken one


def test_a_missing_image_is_a_failed_start(driver: DockerDriver) -> None:
    task = make_task()
    namespace = driver.prepare(task, SUBNET)
    with pytest.raises(StartFailedError, match="No such image"):
        driver.start(make_container(task, image="ecs-emulator-test/none:1"), namespace)


def test_a_task_without_a_namespace_does_not_start(driver: DockerDriver) -> None:
    task = make_task()
    with pytest.raises(StartFailedError, match="No such container"):
        driver.start(make_container(task, "true"), Namespace("0" * 64, "10.0.0.9", "02:42:0a:00:00:09"))


def test_calls_may_be_repeated(watched: DockerDriver, recorder: Recorder, api: docker.APIClient) -> None:
    task = make_task()
    namespace = watched.prepare(task, SUBNET)
    assert watched.prepare(task, SUBNET) == namespace

    endless = make_container(task, "sleep", "1000")
    started = watched.start(endless, namespace)
    assert watched.start(endless, namespace) == started
    brief = make_container(task, "true", name="brief")
    brief_started = watched.start(brief, namespace)
    assert recorder.exit_of(task, "brief").code == 0
    assert watched.start(brief, namespace) == brief_started  # ended, and started all the same

    watched.remove(task.arn)
    watched.remove(task.arn)
    assert cgroup_folders(task) == []
    again = watched.prepare(task, SUBNET)
    assert again.id != namespace.id
    api.kill(again.id)
    assert recorder.next("namespace_lost") == task.arn
    third = watched.prepare(task, SUBNET)  # the dead one is replaced
    assert third.id not in {namespace.id, again.id}
    assert api.inspect_container(third.id)["State"]["Running"]


def test_a_task_whose_namespace_died_gives_its_address_back(driver: DockerDriver, api: docker.APIClient) -> None:
    task = make_task()
    first = driver.prepare(task, SUBNET)
    api.remove_container(first.id, force=True)
    second = driver.prepare(task, SUBNET)
    assert second.address != first.address
    held = driver._namespaces._addresses_of(VPC)._ours
    assert held == {int(IPv4Address(second.address))}
    driver.remove(task.arn)
    assert held == set()


def test_a_created_container_is_started_by_the_next_attempt(driver: DockerDriver, api: docker.APIClient) -> None:
    task = make_task()
    namespace = driver.prepare(task, SUBNET)
    endless = make_container(task, "sleep", "1000")
    first = driver.start(endless, namespace)
    created = api.inspect_container(first.runtime_id)
    api.remove_container(first.runtime_id, force=True)
    config = {name: created["Config"][name] for name in ("Image", "Cmd", "Labels")}
    remade = create(api, created["Name"], {**config, "HostConfig": {"NetworkMode": f"container:{namespace.id}"}})
    assert driver.start(endless, namespace).runtime_id == remade


def test_a_name_of_somebody_else_is_left_alone(driver: DockerDriver, api: docker.APIClient, image: str) -> None:
    task = make_task()
    foreign = create(api, namespace_name(task.arn), {"Image": image, "Cmd": ["true"]})
    try:
        with pytest.raises(PrepareFailedError, match="is not this emulator's"):
            driver.prepare(task, SUBNET)
        driver.remove(task.arn)
        driver.remove_all_but(())
        assert api.inspect_container(foreign)["State"]["Status"] == "created"
    finally:
        api.remove_container(foreign, force=True)


def test_a_lost_namespace_is_told_but_not_one_that_we_remove(
    watched: DockerDriver, recorder: Recorder, api: docker.APIClient
) -> None:
    removed, lost = make_task(), make_task()
    watched.prepare(removed, SUBNET)
    namespace = watched.prepare(lost, SUBNET)
    watched.remove(removed.arn)
    api.remove_container(namespace.id, force=True)
    assert recorder.next("namespace_lost") == lost.arn


def test_a_container_removed_from_outside_has_ended(
    watched: DockerDriver, recorder: Recorder, api: docker.APIClient
) -> None:
    task = make_task()
    started = watched.start(make_container(task, "sleep", "1000"), watched.prepare(task, SUBNET))
    api.remove_container(started.runtime_id, force=True)
    end = recorder.exit_of(task)
    assert isinstance(end, Exit)
    assert end.code in (137, None)


def test_all_but_some_tasks_are_removed(driver: DockerDriver, api: docker.APIClient) -> None:
    tasks = [make_task() for _ in range(4)]
    for task in tasks:
        driver.start(make_container(task, "sleep", "1000"), driver.prepare(task, SUBNET))
    kept = tasks[1]
    driver.remove_all_but([kept.arn])
    names = {name for task in tasks for name in [task.id] if cgroup_folders(task)}
    assert names <= {kept.id}
    running = api.containers(filters={"label": f"com.amazonaws.ecs.task-arn={kept.arn}"})
    assert len(running) == 2
    for task in tasks:
        if task is not kept:
            assert api.containers(all=True, filters={"label": f"com.amazonaws.ecs.task-arn={task.arn}"}) == []


def test_nothing_is_left(make_driver: MakeDriver, api: docker.APIClient, image: str) -> None:
    driver = make_driver("test-leftovers")
    recorder = Recorder()
    driver.watch(recorder.as_watcher())
    recorder.found()
    tasks = [make_task() for _ in range(3)]
    for task in tasks:
        namespace = driver.prepare(task, SUBNET)
        driver.start(make_container(task, "sleep", "1000"), namespace)
        driver.start(make_container(task, "true", name="brief"), namespace)
    assert len(ours(api, "test-leftovers")) == 9
    driver.remove(tasks[0].arn)
    driver.close(keep_tasks=False)
    assert ours(api, "test-leftovers") == []
    assert vpc_networks(api) == []
    assert [folder for task in tasks for folder in cgroup_folders(task)] == []


def test_tasks_are_kept_when_asked(make_driver: MakeDriver, api: docker.APIClient, image: str) -> None:
    driver = make_driver("test-kept")
    task = make_task()
    driver.start(make_container(task, "sleep", "1000"), driver.prepare(task, SUBNET))
    driver.close(keep_tasks=True)
    assert {each["State"] for each in ours(api, "test-kept")} == {"running"}
    assert len(vpc_networks(api)) == 1


def test_many_tasks_at_once_have_addresses_of_their_own(driver: DockerDriver) -> None:
    tasks = [make_task() for _ in range(8)]
    made = in_threads(*(lambda task=task: driver.prepare(task, SUBNET) for task in tasks))
    assert len({namespace.address for namespace in made if isinstance(namespace, Namespace)}) == len(tasks)
