"""What every driver does, whatever runs the containers."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

import pytest

from emulator.clock import SystemClock
from emulator.planner.specs import ContainerSpec, Subnet, TaskSpec
from emulator.runtime.driver import Driver, Namespace, NoFreeAddressError, PullFailedError, StartFailedError
from emulator.runtime.simulated import SimulatedDriver
from tests.runtime.docker_world import PATIENCE, SUBNET, Recorder, Signpost, make_container, make_task

pytest_plugins = ["tests.runtime.docker_fixtures"]

SCRIPTS = {
    "ends with 5": ("exit 5", {"emulator.exit-code": "5"}),
    "stays": ("while true; do sleep 0.1; done", {"emulator.ignore-stop": "true"}),
    "ends with 9 when told": (
        "trap 'exit 9' TERM; {knock}; while true; do sleep 0.1; done",
        {"emulator.stop-exit-code": "9"},
    ),
    "prints and ends": (r"printf 'one\ntwo\n\nlast'", {"emulator.logs": "one\ntwo\n\nlast", "emulator.exit-code": "0"}),
    "prints and stays": ("echo one; echo two; while true; do sleep 0.1; done", {"emulator.logs": "one\ntwo\n"}),
}
"""What a container does: a shell script for a real one, labels for a simulated one."""


@dataclass
class Bench:
    """A connected driver, and who listens to it."""

    driver: Driver
    recorder: Recorder
    image: str
    signpost: Signpost | None
    """Where real containers knock once they are ready."""

    def container(self, task: TaskSpec, does: str, name: str = "app") -> ContainerSpec:
        script, labels = SCRIPTS[does]
        knock = self.signpost.knock if self.signpost else ""
        script = script.format(knock=knock)
        return make_container(task, "sh", "-c", script, name=name, image=self.image, labels=labels)

    def wait_until_ready(self) -> None:
        if self.signpost:
            self.signpost.wait()

    def prepared(self, task: TaskSpec) -> Namespace:
        namespace = self.driver.prepare(task, SUBNET)
        self.driver.pull(self.image, "missing")
        return namespace


DOCKER = [pytest.param(kind, marks=pytest.mark.docker) for kind in ("docker", "docker with a pool")]


@pytest.fixture(params=["simulated", *DOCKER])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    recorder = Recorder()
    if request.param != "simulated":
        driver: Driver = request.getfixturevalue("make_driver")(pool=0 if request.param == "docker" else 2)
        image: str = request.getfixturevalue("image")
        signpost: Signpost | None = request.getfixturevalue("signpost")
    else:
        driver, image, signpost = SimulatedDriver(SystemClock()), "web:1", None
    driver.watch(recorder.as_watcher())
    assert recorder.found() == []
    done = threading.Event()
    ticking = threading.Thread(target=tick, args=(driver, done))
    ticking.start()
    yield Bench(driver, recorder, image, signpost)
    done.set()
    ticking.join()
    driver.remove_all_but(())
    driver.close(keep_tasks=False)


def tick(driver: Driver, done: threading.Event) -> None:
    """What the loop does for drivers that report when they are asked to."""
    while not done.wait(0.01):
        driver.tick(SystemClock().now())


def test_a_namespace_has_an_address_of_its_subnet_that_aws_does_not_keep(bench: Bench) -> None:
    namespace = bench.driver.prepare(make_task(), SUBNET)
    address = IPv4Address(namespace.address)
    assert address in SUBNET.cidr
    assert address not in (*list(SUBNET.cidr)[:4], SUBNET.cidr.broadcast_address)
    assert len(namespace.mac_address.split(":")) == 6


def test_preparing_again_gives_the_same_namespace(bench: Bench) -> None:
    task = make_task()
    assert bench.driver.prepare(task, SUBNET) == bench.driver.prepare(task, SUBNET)


def test_two_tasks_have_two_addresses(bench: Bench) -> None:
    assert bench.driver.prepare(make_task(), SUBNET).address != bench.driver.prepare(make_task(), SUBNET).address


def test_where_code_runs_it_has_doors_at_the_port_that_was_told(bench: Bench) -> None:
    namespace = bench.driver.prepare(make_task(), SUBNET)
    port, doors = bench.driver.api_port(namespace), bench.driver.doors(namespace)
    assert (doors.port if doors else None) == port
    assert bench.driver.doors(namespace) is doors
    if doors is not None:
        doors.close()


def test_a_subnet_without_addresses_says_so(bench: Bench) -> None:
    tiny = Subnet("subnet-tiny", next(SUBNET.cidr.subnets(new_prefix=29)), SUBNET.vpc_cidr)
    held = [make_task() for _ in range(3)]
    addresses = {bench.driver.prepare(task, tiny).address for task in held}
    assert len(addresses) == 3
    with pytest.raises(NoFreeAddressError):
        bench.driver.prepare(make_task(), tiny)
    bench.driver.remove(held[0].arn)
    assert bench.driver.prepare(make_task(), tiny).address in addresses


def test_a_container_that_ends_is_reported_with_its_code(bench: Bench) -> None:
    task = make_task()
    started = bench.driver.start(bench.container(task, "ends with 5"), bench.prepared(task))
    end = bench.recorder.exit_of(task)
    assert (end.code, end.out_of_memory) == (5, False)
    assert started.at <= end.at
    int(started.runtime_id, 16)


def test_starting_again_finds_the_same_container(bench: Bench) -> None:
    task = make_task()
    namespace = bench.prepared(task)
    container = bench.container(task, "stays")
    assert bench.driver.start(container, namespace) == bench.driver.start(container, namespace)


def test_starting_again_after_the_end_does_not_run_it_again(bench: Bench) -> None:
    task = make_task()
    namespace = bench.prepared(task)
    container = bench.container(task, "ends with 5")
    started = bench.driver.start(container, namespace)
    bench.recorder.exit_of(task)
    assert bench.driver.start(container, namespace) == started


def test_the_stop_signal_is_heeded_by_who_heeds_it(bench: Bench) -> None:
    task = make_task()
    bench.driver.start(bench.container(task, "ends with 9 when told"), bench.prepared(task))
    bench.wait_until_ready()
    bench.driver.signal(task.arn, "app", kill=False)
    assert bench.recorder.exit_of(task).code == 9


def test_a_kill_ends_who_does_not_heed(bench: Bench) -> None:
    task = make_task()
    bench.driver.start(bench.container(task, "stays"), bench.prepared(task))
    bench.driver.signal(task.arn, "app", kill=False)
    bench.driver.signal(task.arn, "app", kill=True)
    assert bench.recorder.exit_of(task).code == 137


def test_signalling_what_is_not_there_is_fine(bench: Bench) -> None:
    bench.driver.signal(make_task().arn, "app", kill=True)


def test_the_output_of_a_container_that_has_ended_is_all_there(bench: Bench) -> None:
    task = make_task()
    started = bench.driver.start(bench.container(task, "prints and ends"), bench.prepared(task))
    bench.recorder.exit_of(task)
    lines = list(bench.driver.logs(task.arn, "app", 0))
    assert [(line.source, line.text) for line in lines] == [("stdout", text) for text in (b"one", b"two", b"", b"last")]
    times = [line.at for line in lines]
    assert times == sorted(set(times))
    assert abs(times[0] / 1e9 - started.at) < 60


def test_output_may_be_read_from_the_moment_of_any_of_its_lines(bench: Bench) -> None:
    task = make_task()
    bench.driver.start(bench.container(task, "prints and ends"), bench.prepared(task))
    lines = list(bench.driver.logs(task.arn, "app", 0))
    for place, line in enumerate(lines):
        assert list(bench.driver.logs(task.arn, "app", line.at)) == lines[place:]
        assert list(bench.driver.logs(task.arn, "app", line.at + 1)) == lines[place + 1 :]


def test_output_comes_while_the_container_runs_until_it_ends(bench: Bench) -> None:
    task = make_task()
    bench.driver.start(bench.container(task, "prints and stays"), bench.prepared(task))
    lines = iter(bench.driver.logs(task.arn, "app", 0))
    assert [next(lines).text, next(lines).text] == [b"one", b"two"]
    bench.driver.signal(task.arn, "app", kill=True)
    assert list(lines) == []


def test_output_ends_when_its_task_is_removed(bench: Bench) -> None:
    task = make_task()
    bench.driver.start(bench.container(task, "prints and stays"), bench.prepared(task))
    lines = iter(bench.driver.logs(task.arn, "app", 0))
    next(lines)
    bench.driver.remove(task.arn)
    assert [line.text for line in lines] in ([], [b"two"])


def test_reading_output_can_be_ended_from_another_thread(bench: Bench) -> None:
    task = make_task()
    bench.driver.start(bench.container(task, "prints and stays"), bench.prepared(task))
    output = bench.driver.logs(task.arn, "app", 0)
    read: queue.Queue[bytes] = queue.Queue()

    def keep_reading() -> None:
        for line in output:
            read.put(line.text)

    reader = threading.Thread(target=keep_reading)
    reader.start()
    assert [read.get(timeout=PATIENCE), read.get(timeout=PATIENCE)] == [b"one", b"two"]
    output.close()
    output.close()
    reader.join(PATIENCE)
    assert not reader.is_alive()


def test_output_that_is_closed_before_it_is_read_ends_at_once(bench: Bench) -> None:
    task = make_task()
    bench.driver.start(bench.container(task, "prints and stays"), bench.prepared(task))
    output = bench.driver.logs(task.arn, "app", 0)
    output.close()
    assert list(output) == []


def test_there_is_no_output_of_what_is_not_there(bench: Bench) -> None:
    assert list(bench.driver.logs(make_task().arn, "app", 0)) == []


def test_removing_takes_everything_and_may_be_repeated(bench: Bench) -> None:
    task = make_task()
    namespace = bench.prepared(task)
    bench.driver.start(bench.container(task, "stays"), namespace)
    bench.driver.remove(task.arn)
    bench.driver.remove(task.arn)
    with pytest.raises(StartFailedError):
        bench.driver.start(bench.container(task, "stays"), namespace)


def test_an_image_that_nobody_has_cannot_be_pulled(bench: Bench) -> None:
    with pytest.raises(PullFailedError):
        bench.driver.pull("local/no-such-image:not-found", "never")


def test_a_new_connection_tells_what_there_is(bench: Bench) -> None:
    running, ended = make_task(), make_task()
    for task, does in ((running, "stays"), (ended, "ends with 5")):
        bench.driver.start(bench.container(task, does), bench.prepared(task))
    bench.recorder.exit_of(ended)
    second = Recorder()
    bench.driver.watch(second.as_watcher())
    found = {each.task_arn: each for each in second.found()}
    assert set(found) == {running.arn, ended.arn}
    assert all(each.namespace_alive for each in found.values())
    _, end = found[running.arn].containers["app"]
    assert end is None
    _, end = found[ended.arn].containers["app"]
    assert end is not None
    assert end.code == 5


def test_what_belongs_to_other_tasks_goes_and_what_belongs_to_these_stays(bench: Bench) -> None:
    kept, gone = make_task(), make_task()
    namespaces = {task.arn: bench.prepared(task) for task in (kept, gone)}
    bench.driver.remove_all_but([kept.arn])
    assert bench.driver.prepare(kept, SUBNET) == namespaces[kept.arn]
    anew: Any = bench.driver.prepare(gone, SUBNET)
    assert anew.address != namespaces[kept.arn].address
