"""What EC2 is told of the interfaces of tasks: what changed since it looked last, and nothing twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emulator.neighbours.interfaces import TaskInterfaces
from emulator.neighbours.ports import Place
from emulator.state.networks import Subnet
from emulator.state.sqlite import Database
from emulator.state.store import Store
from emulator.state.tasks import Interface, Task
from tests.builders import ACCOUNT, REGION, SUBNET, task

HERE = Place(ACCOUNT, REGION)


class Tasks:
    """Tasks that come and go, each with an interface of its number, and what EC2 is told of them."""

    def __init__(self) -> None:
        self.store = Store(Database(None))
        self.interfaces = TaskInterfaces(self.store)
        with self.store.write() as transaction:
            for region in (REGION, "eu-west-1"):
                subnet: Any = {"id": SUBNET, "vpc": "vpc-1", "cidr": "10.0.0.0/24", "availability_zone": f"{region}a"}
                transaction.subnets.put(Subnet(account=ACCOUNT, region=region, **subnet))

    def put(self, number: int, **fields: Any) -> Task:
        interface = Interface(f"eni-{number}", "namespace", f"10.0.0.{number}", "0a:00:00:00:00:01")
        record = task(**{"id": str(number), "interface": interface, **fields})
        with self.store.write() as transaction:
            transaction.tasks.put(record)
        return record

    def change(self, record: Task, **fields: Any) -> Task:
        changed = replace(record, **fields)
        with self.store.write() as transaction:
            transaction.tasks.put(changed)
        return changed

    def news(self, place: Place = HERE, *, from_start: bool = False) -> dict[str, str | None]:
        """By id: the address, or None for one that is gone."""
        news = self.interfaces.news(place, from_start=from_start)
        return {id_: interface.address if interface else None for id_, interface in news}


def test_the_first_look_sees_all_there_are() -> None:
    tasks = Tasks()
    tasks.put(1)
    tasks.put(2, interface=None)
    tasks.put(3, released=True)
    tasks.put(4, region="eu-west-1")
    assert tasks.news() == {"eni-1": "10.0.0.1"}
    assert tasks.news(Place(ACCOUNT, "eu-west-1")) == {"eni-4": "10.0.0.4"}
    assert tasks.news(Place("111122223333", REGION)) == {}


def test_a_look_sees_what_changed_since_the_last_one() -> None:
    tasks = Tasks()
    first = tasks.put(1)
    second = tasks.put(2, interface=None)
    tasks.news()
    assert tasks.news() == {}
    tasks.change(first, last_status="PENDING")
    assert tasks.news() == {}
    tasks.change(second, interface=Interface("eni-2", "namespace", "10.0.0.2", "0a:00:00:00:00:02"))
    tasks.change(first, released=True)
    assert tasks.news() == {"eni-1": None, "eni-2": "10.0.0.2"}
    assert tasks.news() == {}


def test_what_came_and_went_is_not_told() -> None:
    tasks = Tasks()
    tasks.news()
    for number in range(100):
        tasks.change(tasks.put(number), released=True)
    assert tasks.interfaces._news == {HERE: {}}
    assert tasks.news() == {}


def test_a_task_that_is_forgotten_has_no_interface() -> None:
    tasks = Tasks()
    record = tasks.put(1)
    tasks.news()
    with tasks.store.write() as transaction:
        transaction.tasks.delete(record.key)
    assert tasks.news() == {"eni-1": None}


def test_nothing_is_kept_for_a_place_that_nobody_looks_at() -> None:
    tasks = Tasks()
    tasks.put(1)
    tasks.put(2)
    assert tasks.interfaces._news == {}


def test_who_knows_of_none_is_told_of_all_again() -> None:
    tasks = Tasks()
    record = tasks.put(1)
    tasks.put(2)
    tasks.news()
    tasks.change(record, released=True)
    assert tasks.news(from_start=True) == {"eni-2": "10.0.0.2"}
    assert tasks.news() == {}


@pytest.mark.parametrize(("wanted", "shown"), [(True, True), (False, False)])
def test_a_public_address_is_shown_if_it_was_asked_for(wanted: bool, shown: bool) -> None:
    tasks = Tasks()
    tasks.put(1, assign_public_ip=wanted)
    ((_, interface),) = tasks.interfaces.news(HERE, from_start=False)
    assert interface is not None
    assert (interface.public_address is not None) is shown


def test_tags_of_aws_are_shown_and_no_others() -> None:
    tasks = Tasks()
    tasks.put(1, tags={"aws:ecs:clusterName": "default", "team": "a"})
    ((_, interface),) = tasks.interfaces.news(HERE, from_start=False)
    assert interface is not None
    assert interface.tags == {"aws:ecs:clusterName": "default"}
