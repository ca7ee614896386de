"""One lock for each service, account and region: moto's own structures are not safe between threads."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from emulator.neighbours.ports import Place

GLOBAL_SERVICES = frozenset({"iam", "sts", "s3", "route53", "cloudfront", "organizations"})
"""Their state is one for all regions of an account. Bucket names are one for all accounts, but the names alone."""


class Locks:
    """The locks. A thread may take one that it holds already."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._locks: defaultdict[tuple[str, str, str], threading.RLock] = defaultdict(threading.RLock)
        self._held = threading.local()

    @contextmanager
    def held(self, service: str, place: Place) -> Iterator[None]:
        """Be the only one in this service of the place. `service` by moto's name."""
        lock = self._lock(service, place)
        before = getattr(self._held, "lock", None)
        with lock:
            self._held.lock = lock
            try:
                yield
            finally:
                self._held.lock = before

    @contextmanager
    def held_all(self, services: Iterable[str], place: Place) -> Iterator[None]:
        """Be the only one in all of these services.

        No lock of these is held while another of them is waited for, so nobody who takes them in another order can be
        waiting for this thread in turn.
        """
        taken = _taken([self._lock(service, place) for service in sorted(set(services))])
        try:
            yield
        finally:
            for lock in taken:
                lock.release()

    def _lock(self, service: str, place: Place) -> threading.RLock:
        region = "" if service in GLOBAL_SERVICES else place.region
        with self._guard:
            return self._locks[service, place.account, region]

    @contextmanager
    def let_go(self) -> Iterator[None]:
        """Let others in while this thread waits for something that only they can bring."""
        lock: threading.RLock | None = getattr(self._held, "lock", None)
        if lock is None:
            yield
            return
        lock.release()
        try:
            yield
        finally:
            lock.acquire()


def _taken(locks: Sequence[threading.RLock]) -> list[threading.RLock]:
    """All of the locks, once all were free at the same time."""
    awaited = locks[0] if locks else None
    while awaited is not None:
        awaited.acquire()
        taken, refused = [awaited], None
        for lock in locks:
            if lock is awaited:
                continue
            if not lock.acquire(blocking=False):
                refused = lock
                break
            taken.append(lock)
        if refused is None:
            return taken
        for lock in taken:
            lock.release()
        awaited = refused
    return []
