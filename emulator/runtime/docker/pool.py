"""Namespaces that are made ahead of the tasks that will want them, while no start waits.

Making a namespace takes longer than starting a container in it [tried: 1.2 and 0.4 times a plain container's start], so
a task that finds one ready starts in less than half the time. Making one beside a start slows that start [tried: 1.3
times], so nothing is made until the engine has been left alone for a moment.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from emulator.clock import Clock
from emulator.planner.specs import Subnet, TaskSpec
from emulator.runtime.docker.namespaces import ColdNamespaces, Made, Place
from emulator.runtime.driver import Namespace, NoFreeAddressError

logger = logging.getLogger(__name__)

RECENT = 600.0
"""Seconds for which a task is a sign that another will come."""
QUIET = 0.25
"""Seconds without a new start after which none is taken to wait: between two steps of a start the engine idles too."""
LOOK_AGAIN = 30.0
"""Seconds after which it is looked, if nothing happens meanwhile, whether there are more than recent takes call for."""
RETRY = 10.0
"""Seconds until another attempt when one could not be made."""
JOIN_WITHIN = 5.0


@dataclass(slots=True)
class _Shelf:
    """What is ready in one place, and when namespaces were taken there, as many times as there may be spares."""

    takes: deque[float]
    spares: list[Made] = field(default_factory=list)

    def lacks(self, now: float) -> int:
        """How many are missing: as many are wanted as were taken of late. Below zero there are more."""
        return sum(now - RECENT < at for at in self.takes) - len(self.spares)


class Pool:
    """Spare namespaces, by place: as many as were taken there in the last ten minutes, and at most `most`.

    They are made one after the other by one thread. All calls may come from any thread.
    """

    def __init__(self, cold: ColdNamespaces, clock: Clock, most: int) -> None:
        """`most`: how many may be ready in one place; with 0 none ever is."""
        self._cold = cold
        self._clock = clock
        self._most = most
        self._condition = threading.Condition()
        self._shelves: dict[Place, _Shelf] = {}
        self._under_way = 0
        """How many starts there are that nothing may be made beside."""
        self._begun = 0
        """How many there have been ever."""
        self._in_hand = 0
        """How many spares are being made, given or removed at this moment: neither on a shelf nor a task's."""
        self._closed = False
        self._thread: threading.Thread | None = None

    def take(self, task: TaskSpec, subnet: Subnet) -> Namespace:
        """As ColdNamespaces.take; one that is ready, if there is one."""
        if not self._most or self._cold.has(task.arn):
            return self._cold.take(task, subnet)
        place = Place.of(task, subnet)
        self._note(place)
        try:
            return self._give_one(place, task) or self._cold.take(task, subnet)
        except NoFreeAddressError:
            with self._condition:  # the last address may be that of a spare which was being made just then
                self._condition.wait_for(lambda: self._in_hand == 0)
            namespace = self._give_one(place, task)
            if namespace is None:
                raise
            return namespace

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Have nothing made meanwhile. What is being made already is not waited for."""
        with self._condition:
            self._under_way += 1
            self._begun += 1
        try:
            yield
        finally:
            with self._condition:
                self._under_way -= 1
                self._condition.notify_all()

    def ready(self) -> int:
        """How many there are."""
        with self._condition:
            return sum(len(shelf.spares) for shelf in self._shelves.values())

    def drain(self) -> None:
        """Forget all that are ready, for someone who removes what belongs to no task."""
        with self._condition:
            self._condition.wait_for(lambda: self._in_hand == 0)
            spares = [spare for shelf in self._shelves.values() for spare in shelf.spares]
            for shelf in self._shelves.values():
                shelf.spares.clear()
        for spare in spares:
            self._cold.let_go(spare)

    def tend(self) -> bool:
        """Make one that is missing, or remove one too many. False if there was nothing to do, or a start is under way.

        Raises DriverUnreachableError, PrepareFailedError, RefusedError.
        """
        with self._condition:
            place = self._untidy()
            if place is None or self._under_way or self._closed:
                return False
            shelf = self._shelves[place]
            surplus = shelf.spares.pop() if shelf.lacks(self._clock.now()) < 0 else None
            self._in_hand += 1
        try:
            if surplus is not None:
                self._cold.discard(surplus)
            else:
                made = self._cold.make(place)
                with self._condition:
                    shelf.spares.append(made)
        finally:
            self._put_down()
        return True

    def begin(self) -> None:
        """Tend it in a thread, until `close`."""
        with self._condition:
            if self._thread is None and self._most and not self._closed:
                self._thread = threading.Thread(target=self._keep_tending, name="namespace-pool", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the thread. What is ready stays, to be drained."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        if self._thread is not None:
            self._thread.join(JOIN_WITHIN)

    def _note(self, place: Place) -> None:
        """Remember that one was wanted here."""
        with self._condition:
            shelf = self._shelves.setdefault(place, _Shelf(deque(maxlen=self._most)))
            shelf.takes.append(self._clock.now())

    def _give_one(self, place: Place, task: TaskSpec) -> Namespace | None:
        """Give the task what was made first here. None if nothing is ready, or what was ready has died."""
        with self._condition:
            shelf = self._shelves.get(place)
            if shelf is None or not shelf.spares:
                return None
            spare = shelf.spares.pop(0)
            self._in_hand += 1
        try:
            return self._cold.give(spare, task)
        finally:
            self._put_down()

    def _put_down(self) -> None:
        with self._condition:
            self._in_hand -= 1
            self._condition.notify_all()

    def _untidy(self) -> Place | None:
        """A place that has one too many, else the one of those that lack some where the fewest are ready."""
        now = self._clock.now()
        lacks = {place: shelf.lacks(now) for place, shelf in self._shelves.items()}
        for place, lack in lacks.items():
            if lack < 0:
                return place
            if not (lack or self._shelves[place].spares):
                del self._shelves[place]  # nothing is there, and nobody came for long
        wanting = [place for place, lack in lacks.items() if lack > 0]
        return min(wanting, key=lambda place: len(self._shelves[place].spares), default=None)

    def _keep_tending(self) -> None:
        while self._rest():
            try:
                self.tend()
            except Exception as error:  # noqa: BLE001 - whatever it is, tasks start without a spare too
                logger.info("no namespace could be made ahead: %s", error)
                with self._condition:
                    self._condition.wait_for(lambda: self._closed, RETRY)

    def _rest(self) -> bool:
        """Wait until there is something to do and no start has begun for a moment. False when closed."""
        with self._condition:
            while not self._closed:
                begun = self._begun
                if self._under_way or self._untidy() is None:
                    self._condition.wait(LOOK_AGAIN)
                elif not self._condition.wait_for(partial(self._is_disturbed, begun), QUIET):
                    return True
            return False

    def _is_disturbed(self, begun: int) -> bool:
        return self._closed or self._begun != begun
