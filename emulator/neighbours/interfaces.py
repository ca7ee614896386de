"""The network interfaces of tasks, as EC2 has to show them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from emulator.neighbours.ports import NetworkInterface, Place
from emulator.state.networks import Subnet, public_address
from emulator.state.record import Change
from emulator.state.store import Store
from emulator.state.tasks import Interface, Task

MANAGED = "aws:"
"""How the tags are named that an interface shares with its task: those that AWS manages, where they are switched on
(observed, without a date: public configurations that look for interfaces by them), and none of the user's (2019-11:
aws/containers-roadmap issue 567).
"""


def interface_of(task: Task, interface: Interface, subnet: Subnet) -> NetworkInterface:
    """A task's interface in its subnet, as EC2 shows it."""
    content = task.content
    return NetworkInterface(
        id=interface.id,
        subnet=subnet.id,
        vpc=subnet.vpc,
        availability_zone=subnet.availability_zone,
        security_groups=task.security_groups,
        address=interface.address,
        mac_address=interface.mac_address,
        description=task.attachment_arn,
        attached_at=content.connectivity_at or content.created_at or 0.0,
        public_address=public_address(interface.id) if task.assign_public_ip else None,
        tags={name: value for name, value in task.tags.items() if name.startswith(MANAGED)},
    )


class TaskInterfaces:
    """What changes among the interfaces of tasks, for an EC2 that looks before it answers.

    A place where EC2 never looked costs nothing. Elsewhere an interface that EC2 has yet to hear of is remembered, and
    one that it has yet to forget.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._news: dict[Place, dict[str, Task | None]] = {}
        """By the interface's id: its task, or None when it is gone."""
        store.listen(self._changed)

    def news(self, place: Place, *, from_start: bool) -> Iterator[tuple[str, NetworkInterface | None]]:
        """What has changed since the last look: the id of each interface that is new, with all about it, and of each
        that is gone. `from_start`: whoever asks knows of none.
        """
        with self._lock:
            if from_start or place not in self._news:
                # Once for each place. A change that is being told meanwhile waits, and says the same or more.
                self._news[place] = {
                    task.interface.id: task
                    for task in self._store.state.tasks
                    if task.interface is not None and _shows(task) and Place(task.account, task.region) == place
                }
            news, self._news[place] = self._news[place], {}
        for id_, task in news.items():
            yield id_, self._shown(task) if task else None

    def _shown(self, task: Task) -> NetworkInterface | None:
        subnet = self._store.state.subnets.get((task.account, task.region, task.subnet))
        return interface_of(task, task.interface, subnet) if subnet and task.interface else None

    def _changed(self, change: Change[Any]) -> None:
        task = change.record
        if not isinstance(task, Task) or task.interface is None:
            return
        place = Place(task.account, task.region)
        if place not in self._news or _shows(change.before) == _shows(change.after):
            return
        with self._lock:
            news = self._news.get(place)
            if news is None:
                return
            if _shows(change.after):
                news[task.interface.id] = change.after
            elif news.get(task.interface.id) is not None:
                del news[task.interface.id]  # it came and went before anybody looked
            else:
                news[task.interface.id] = None


def _shows(task: Task | None) -> bool:
    """Does EC2 show an interface of this task?"""
    return task is not None and task.interface is not None and not task.released
