"""When namespaces are made ahead and how many, without a daemon."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network
from typing import cast

import pytest

from emulator.clock import ManualClock
from emulator.planner.specs import Subnet, TaskSpec
from emulator.runtime.docker import pool as pool_module
from emulator.runtime.docker.namespaces import ColdNamespaces, Made, Place
from emulator.runtime.docker.pool import Pool
from emulator.runtime.driver import DriverUnreachableError, Namespace, NoFreeAddressError
from tests.builders import NOW
from tests.runtime.docker_world import PATIENCE, SUBNET, in_threads, make_task

OTHER = Subnet("subnet-2", IPv4Network((SUBNET.vpc_cidr.network_address, 20)), SUBNET.vpc_cidr)


@dataclass
class Cold:
    """Makes namespaces on paper. What is done to them is kept for a test to look at."""

    on_make: Callable[[], None] = lambda: None
    dead: set[str] = field(default_factory=set)
    full: bool = False
    taken: list[str] = field(default_factory=list)
    """Tasks that got one which was made when they wanted it."""
    tasks: dict[str, str] = field(default_factory=dict)
    let_go_of: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def has(self, task_arn: str) -> bool:
        return task_arn in self.tasks

    def take(self, task: TaskSpec, subnet: Subnet) -> Namespace:
        if self.full:
            raise NoFreeAddressError("full")
        self.taken.append(task.arn)
        return self._given(task, self.tasks.get(task.arn) or f"cold-{next(self.numbers)}")

    def make(self, place: Place) -> Made:
        self.on_make()
        return Made(f"spare-{next(self.numbers)}", place, place.cidr[4])

    def give(self, made: Made, task: TaskSpec) -> Namespace | None:
        return None if made.container_id in self.dead else self._given(task, made.container_id)

    def discard(self, made: Made) -> None:
        self.let_go(made)

    def let_go(self, made: Made) -> None:
        self.let_go_of.append(made.container_id)

    def _given(self, task: TaskSpec, namespace_id: str) -> Namespace:
        self.tasks[task.arn] = namespace_id
        return Namespace(namespace_id, "10.0.0.4", "02:42:0a:00:00:04")


@dataclass
class Bench:
    cold: Cold
    clock: ManualClock
    pool: Pool

    def take(self, subnet: Subnet = SUBNET, **given: str) -> Namespace:
        return self.pool.take(make_task(**given), subnet)

    def tidy(self) -> int:
        """Do all that there is to do, and return how many are ready then."""
        while self.pool.tend():
            continue
        return self.pool.ready()

    def wait_until_ready(self, count: int) -> None:
        with self.pool._condition:
            assert self.pool._condition.wait_for(lambda: self.pool.ready() == count, PATIENCE)


def bench_of(most: int) -> Bench:
    cold, clock = Cold(), ManualClock(NOW)
    return Bench(cold, clock, Pool(cast("ColdNamespaces", cold), clock, most))


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = bench_of(3)
    yield bench
    bench.pool.close()


def test_nothing_is_made_before_the_first_task(bench: Bench) -> None:
    assert bench.tidy() == 0


@pytest.mark.parametrize(("takes", "ready"), [(1, 1), (2, 2), (3, 3), (7, 3)])
def test_as_many_are_ready_as_were_taken_of_late_up_to_the_most(bench: Bench, takes: int, ready: int) -> None:
    for _ in range(takes):
        bench.take()
    assert bench.tidy() == ready


def test_what_is_ready_is_given_before_one_is_made(bench: Bench) -> None:
    assert bench.take().id == "cold-0"
    bench.tidy()
    assert [bench.take().id, bench.take().id] == ["spare-1", "cold-2"]


def test_the_oldest_is_given_first(bench: Bench) -> None:
    for _ in range(3):
        bench.take()
    bench.tidy()
    assert [bench.take().id for _ in range(3)] == ["spare-3", "spare-4", "spare-5"]


def test_a_task_that_asks_again_gets_the_one_it_has(bench: Bench) -> None:
    task = make_task()
    first = bench.pool.take(task, SUBNET)
    assert bench.tidy() == 1
    assert bench.pool.take(task, SUBNET) == first
    assert bench.tidy() == 1


def test_each_subnet_and_region_has_its_own(bench: Bench) -> None:
    bench.take()
    bench.tidy()
    assert bench.take(OTHER).id.startswith("cold")
    assert bench.take(region="eu-west-1").id.startswith("cold")
    assert bench.tidy() == 3


def test_two_subnet_ids_of_one_range_share(bench: Bench) -> None:
    bench.take()
    bench.tidy()
    assert bench.take(replace(SUBNET, id="subnet-9")).id.startswith("spare")


def test_the_place_with_the_fewest_is_served_first(bench: Bench) -> None:
    bench.take()
    bench.take()
    bench.pool.tend()
    bench.take(OTHER)
    bench.pool.tend()
    assert bench.take(OTHER).id.startswith("spare")


def test_those_of_a_subnet_that_nobody_uses_are_removed(bench: Bench) -> None:
    bench.take()
    bench.take()
    bench.tidy()
    bench.clock.set(NOW + pool_module.RECENT - 1)
    bench.take(OTHER)
    assert bench.tidy() == 3
    bench.clock.set(NOW + pool_module.RECENT)
    assert bench.tidy() == 1
    assert sorted(bench.cold.let_go_of) == ["spare-2", "spare-3"]
    bench.clock.set(NOW + 2 * pool_module.RECENT)
    assert bench.tidy() == 0
    assert bench.pool._shelves == {}


def test_a_dead_one_is_replaced_by_a_cold_one(bench: Bench) -> None:
    bench.take()
    bench.tidy()
    bench.cold.dead.add("spare-1")
    assert bench.take().id == "cold-2"


def test_with_none_wanted_none_is_made() -> None:
    bench = bench_of(0)
    bench.pool.begin()
    assert bench.pool._thread is None
    assert [bench.take().id for _ in range(2)] == ["cold-0", "cold-1"]
    assert bench.tidy() == 0
    bench.pool.close()


def test_nothing_is_made_while_a_start_is_under_way(bench: Bench) -> None:
    bench.take()
    with bench.pool.busy():
        assert not bench.pool.tend()
        with bench.pool.busy():
            assert not bench.pool.tend()
        assert not bench.pool.tend()
    assert bench.pool.tend()


def test_a_start_that_fails_is_over_too(bench: Bench) -> None:
    bench.take()
    with pytest.raises(RuntimeError), bench.pool.busy():
        raise RuntimeError
    assert bench.pool.tend()


def test_one_that_cannot_be_made_is_tried_again(bench: Bench) -> None:
    bench.take()

    def fail() -> None:
        raise DriverUnreachableError("no daemon")

    bench.cold.on_make = fail
    with pytest.raises(DriverUnreachableError):
        bench.pool.tend()
    bench.cold.on_make = lambda: None
    assert bench.tidy() == 1


def test_draining_forgets_all_and_gives_their_addresses_back(bench: Bench) -> None:
    bench.take()
    bench.take()
    bench.tidy()
    bench.pool.drain()
    assert bench.pool.ready() == 0
    assert bench.cold.let_go_of == ["spare-2", "spare-3"]


def test_draining_waits_for_the_one_that_is_being_made(bench: Bench) -> None:
    bench.take()
    making, go_on = threading.Event(), threading.Event()

    def make_slowly() -> None:
        making.set()
        assert go_on.wait(PATIENCE)

    def drain() -> None:
        assert making.wait(PATIENCE)
        threading.Timer(0.05, go_on.set).start()
        bench.pool.drain()

    bench.cold.on_make = make_slowly
    in_threads(bench.pool.tend, drain)
    assert bench.pool.ready() == 0
    assert bench.cold.let_go_of == ["spare-1"]


def test_the_last_address_of_a_subnet_is_not_lost_to_a_spare(bench: Bench) -> None:
    bench.take()
    making, go_on = threading.Event(), threading.Event()

    def take_the_last_address() -> None:
        bench.cold.full = True
        making.set()
        assert go_on.wait(PATIENCE)

    def take() -> Namespace:
        assert making.wait(PATIENCE)
        threading.Timer(0.05, go_on.set).start()
        return bench.take()

    bench.cold.on_make = take_the_last_address
    _, namespace = in_threads(bench.pool.tend, take)
    assert isinstance(namespace, Namespace)
    assert namespace.id == "spare-1"
    with pytest.raises(NoFreeAddressError):
        bench.take()


class TestThread:
    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pool_module, "QUIET", 0.01)
        monkeypatch.setattr(pool_module, "RETRY", 0.01)
        monkeypatch.setattr(pool_module, "LOOK_AGAIN", 0.01)

    def test_it_fills_when_nothing_is_under_way(self, bench: Bench) -> None:
        bench.pool.begin()
        with bench.pool.busy():
            bench.take()
            bench.take()
        bench.wait_until_ready(2)

    def test_it_fills_again(self, bench: Bench) -> None:
        bench.pool.begin()
        bench.take()
        bench.wait_until_ready(1)
        assert bench.take().id.startswith("spare")
        bench.wait_until_ready(2)

    def test_it_begins_nothing_beside_a_start(self, bench: Bench) -> None:
        beside: list[int] = []
        bench.cold.on_make = lambda: beside.append(bench.pool._under_way)
        tend = bench.pool.tend

        def tend_and_see() -> bool:
            with bench.pool._condition:  # so that no start begins between the decision and the look
                return tend()

        bench.pool.tend = tend_and_see  # type: ignore[method-assign]
        bench.pool.begin()
        for _ in range(50):
            with bench.pool.busy():
                bench.take()
        bench.wait_until_ready(3)
        assert set(beside) == {0}

    def test_it_removes_what_nobody_wants_any_more(self, bench: Bench) -> None:
        bench.pool.begin()
        bench.take()
        bench.wait_until_ready(1)
        bench.clock.set(NOW + pool_module.RECENT)
        bench.wait_until_ready(0)

    def test_it_goes_on_after_a_failure(self, bench: Bench) -> None:
        failures = iter([DriverUnreachableError("no daemon"), RuntimeError("a mistake")])

        def fail_twice() -> None:
            for failure in failures:
                raise failure

        bench.cold.on_make = fail_twice
        bench.take()
        bench.pool.begin()
        bench.wait_until_ready(1)

    def test_closing_ends_it(self, bench: Bench) -> None:
        bench.pool.begin()
        bench.pool.begin()
        thread = bench.pool._thread
        bench.pool.close()
        assert thread is not None
        assert not thread.is_alive()
        bench.take()
        assert bench.pool.ready() == 0
