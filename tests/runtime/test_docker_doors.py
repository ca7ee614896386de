"""Sockets of this process inside of tasks' network namespaces."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future
from ipaddress import IPv4Address
from threading import Thread
from typing import Any

import docker
import pytest

from emulator.clock import SystemClock
from emulator.planner.specs import TaskSpec
from emulator.runtime.docker import DockerDriver, netns
from emulator.runtime.driver import Doors, Namespace, NoDoorsError
from tests.runtime.docker_world import API_PORT, PATIENCE, SUBNET, MakeDriver, Recorder, in_threads, make_task, shell
from tests.runtime.test_docker_pool import fill, instance_of

pytest_plugins = ["tests.runtime.docker_fixtures"]
daemon = pytest.mark.docker

KNOCK = f"nc 127.0.0.1 {API_PORT} | grep -q api && nc 169.254.170.2 80 | grep -q endpoint"
"""Ends with 0 for code that is answered at both doors."""


@pytest.fixture(params=[0, 1], ids=["cold", "warm"])
def watched(request: pytest.FixtureRequest, make_driver: MakeDriver, image: str, recorder: Recorder) -> DockerDriver:
    """A driver that is connected, and has a namespace ready or not."""
    driver = make_driver(pool=request.param)
    fill(driver, request.param)
    driver.watch(recorder.as_watcher())
    recorder.found()
    return driver


def opened(driver: DockerDriver, task: TaskSpec) -> tuple[Namespace, Doors]:
    namespace = driver.prepare(task, SUBNET)
    doors = driver.doors(namespace)
    assert doors is not None
    return namespace, doors


def greet(doors: Doors) -> None:
    """Say at each door to the next who comes which one it is, and close them."""
    for listener, words in ((doors.api, b"api\n"), (doors.endpoint, b"endpoint\n")):
        listener.settimeout(PATIENCE)
        connection, _ = listener.accept()
        with connection:
            connection.sendall(words)
        listener.close()


@daemon
def test_code_in_a_task_comes_to_both(watched: DockerDriver, recorder: Recorder) -> None:
    """Though nobody asked for them before it started."""
    task = make_task()
    namespace = watched.prepare(task, SUBNET)
    watched.start(shell(task, KNOCK), namespace)
    greet(watched.doors(namespace))
    assert recorder.exit_of(task).code == 0


@daemon
def test_a_container_may_listen_at_the_endpoints_port(watched: DockerDriver, recorder: Recorder) -> None:
    task = make_task()
    namespace, doors = opened(watched, task)
    own = "echo own > /tmp/index.html; httpd -p 80 -h /tmp; printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc 127.0.0.1 80"
    watched.start(shell(task, f"{own} | grep -q own && {KNOCK}"), namespace)
    greet(doors)
    assert recorder.exit_of(task).code == 0


@daemon
def test_asked_again_they_are_the_same(watched: DockerDriver) -> None:
    namespace, doors = opened(watched, make_task())
    assert in_threads(*[lambda: watched.doors(namespace)] * 3) == [doors] * 3
    doors.close()


@daemon
def test_each_task_has_its_own(watched: DockerDriver, recorder: Recorder) -> None:
    tasks = [make_task() for _ in range(3)]
    all_doors = {}
    for task in tasks:
        namespace, all_doors[task.arn] = opened(watched, task)
        watched.start(shell(task, KNOCK), namespace)
    for task in tasks:
        greet(all_doors[task.arn])
    assert [recorder.next("exited")[2].code for _ in tasks] == [0, 0, 0]


@daemon
def test_the_next_process_opens_them_where_they_were(
    driver: DockerDriver, make_driver: MakeDriver, recorder: Recorder
) -> None:
    task = make_task()
    namespace, doors = opened(driver, task)
    driver.start(shell(task, f"until {KNOCK}; do sleep 0.1; done"), namespace)
    doors.close()
    after = make_driver(instance_of(driver), port=API_PORT + 1)
    after.watch(recorder.as_watcher())
    recorder.found()
    assert after.api_port(namespace) == API_PORT
    again = after.doors(namespace)
    assert again.port == API_PORT
    greet(again)
    assert recorder.exit_of(task).code == 0


@daemon
def test_neighbours_do_not_come_in(watched: DockerDriver, recorder: Recorder) -> None:
    """Not even who sends packets for the task's own addresses into its network."""
    task, other = make_task(), make_task()
    namespace, doors = opened(watched, task)
    watched.start(shell(task, "nc -l -p 9000 -e echo spoken; nc -l -p 9000 -e echo spoken; sleep 1000"), namespace)
    elsewhere, others = opened(watched, other)
    others.close()
    route = f"ip addr del 169.254.170.2/32 dev lo && ip route add 169.254.170.2/32 via {namespace.address}"
    spoken = "until nc -w 5 {} 9000 </dev/null | grep spoken; do sleep 0.1; done"
    ways_are_there = f"{route} && {spoken.format(namespace.address)} && {spoken.format('169.254.170.2')}"
    are_closed = "; ".join(
        f"nc -w 5 {address} {port} </dev/null && exit 3"
        for address, port in ((namespace.address, API_PORT), (namespace.address, 51679), ("169.254.170.2", 51679))
    )
    script = f"{ways_are_there} || exit 4; {are_closed}; exit 0"
    watched.start(shell(other, script, capabilities_add=("NET_ADMIN",)), elsewhere)
    assert recorder.exit_of(other).code == 0
    doors.close()


@daemon
def test_the_port_is_told_without_waiting_once_doors_were_opened(driver: DockerDriver) -> None:
    _, doors = opened(driver, make_task())
    doors.close()
    another = driver.prepare(make_task(), SUBNET)
    assert driver.api_port(another) == API_PORT
    assert not driver._doors._openings[another.id].begun


@daemon
def test_those_that_nobody_took_are_closed_with_the_namespace(watched: DockerDriver) -> None:
    task = make_task()
    namespace = watched.prepare(task, SUBNET)
    watched._doors.begin(namespace.id)
    doors = watched._doors._openings[namespace.id].future.result(PATIENCE)
    watched.remove(task.arn)
    assert (doors.api.fileno(), doors.endpoint.fileno()) == (-1, -1)
    assert watched._doors._openings == {}


@daemon
def test_those_of_a_spare_one_are_closed_with_it(make_driver: MakeDriver, image: str) -> None:
    driver = make_driver(pool=1)
    fill(driver, 1)
    (opening,) = driver._doors._openings.values()
    doors = opening.future.result(PATIENCE)
    driver.remove_all_but(())
    assert doors.api.fileno() == -1


@daemon
def test_a_namespace_that_is_gone_has_none(driver: DockerDriver, api: docker.APIClient) -> None:
    task = make_task()
    namespace, doors = opened(driver, task)
    doors.close()
    driver.remove(task.arn)
    with pytest.raises(NoDoorsError, match="its network namespace is gone"):
        driver.doors(namespace)


def test_a_daemon_elsewhere_has_tasks_that_cannot_be_entered() -> None:
    given: dict[str, Any] = {"ephemeral_lock": None, "clock": SystemClock(), "port": API_PORT}
    driver = DockerDriver(instance="test-remote", base_url="tcp://127.0.0.1:1", **given)
    with pytest.raises(NoDoorsError, match="the container engine is not on this machine"):
        driver.doors(Namespace("0" * 64, "10.0.0.5", "02:42:0a:00:00:05"))


AS_NOBODY = f"""
import os
from emulator.runtime.docker.doors import DoorOpener
from emulator.runtime.docker.engine import Engine
engine = Engine("unix:///nowhere/docker.sock")
assert engine.is_local
if os.geteuid() == 0:
    os.setuid(65534)
try:
    DoorOpener(engine, {API_PORT}).take("a namespace")
except Exception as error:
    print(type(error).__name__, error)
"""


def test_without_root_tasks_cannot_be_entered_and_the_daemon_is_not_asked() -> None:
    done = subprocess.run([sys.executable, "-c", AS_NOBODY], capture_output=True, text=True, check=True)
    why = "only root may enter its network namespace: start the emulator as root"
    assert (done.stdout, done.stderr) == (f"NoDoorsError {why}\n", "")


def in_thread(call: Callable[[], object]) -> Future[object]:
    """What comes of a call in a thread of its own, which may end up in another network namespace."""
    future: Future[object] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            future.set_exception(error)

    thread = Thread(target=run)
    thread.start()
    thread.join()
    return future


@pytest.mark.parametrize("pid", [os.getpid(), 2**22 + 1], ids=["our own", "none"])
def test_a_process_that_is_not_the_tasks_is_not_entered(pid: int) -> None:
    error = in_thread(lambda: netns.enter(pid, IPv4Address("127.0.0.1"))).exception()
    assert isinstance(error, netns.OtherNamespaceError)


@daemon
def test_a_namespace_without_the_tasks_address_is_left_alone(driver: DockerDriver, api: docker.APIClient) -> None:
    namespace = driver.prepare(make_task(), SUBNET)
    pid = api.inspect_container(namespace.id)["State"]["Pid"]
    assert in_thread(lambda: netns.enter(pid, IPv4Address(namespace.address))).exception() is None
    error = in_thread(lambda: netns.enter(pid, IPv4Address("10.0.0.5"))).exception()
    assert isinstance(error, netns.OtherNamespaceError)


@daemon
def test_only_one_process_listens_at_a_time(driver: DockerDriver, make_driver: MakeDriver) -> None:
    namespace, doors = opened(driver, make_task())
    with pytest.raises(NoDoorsError, match=r"169\.254\.170\.2:51679: Address already in use"):
        make_driver(instance_of(driver)).doors(namespace)
    doors.close()
    again = make_driver(instance_of(driver)).doors(namespace)
    again.close()
