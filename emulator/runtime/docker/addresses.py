"""Which addresses of a VPC are taken, and which one is next."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network

from emulator.runtime.driver import NoFreeAddressError

RESERVED_AT_START = 4
RESERVED_AT_END = 1
"""AWS keeps the first four addresses and the last one of every subnet [documented: VPC user guide, "Subnet sizing"]."""


class Addresses:
    """The addresses of one VPC, for all of its subnets. Calls may come from any thread.

    An address that is given back is the last in its subnet to be given out again: whoever still knows it as the old
    task's does not reach the new one. What a call costs does not grow with the number of addresses that are taken.
    """

    def __init__(self, *, first: int = 0) -> None:
        """`first`: where in each subnet to begin. Emulators that share a VPC begin at different places."""
        self._first = first
        self._lock = threading.Lock()
        self._ours: set[int] = set()
        self._of_others: set[int] = set()
        self._rings: dict[IPv4Network, _Ring] = {}

    def take(self, subnet: IPv4Network) -> IPv4Address:
        """The next free address of a subnet. Raises NoFreeAddressError."""
        with self._lock:
            ring = self._rings.setdefault(subnet, _Ring(subnet, self._first))
            while (address := ring.next()) is not None:
                if address not in self._ours and address not in self._of_others:
                    self._ours.add(address)
                    return IPv4Address(address)
            raise NoFreeAddressError(
                f"subnet {subnet} has no free address left: {len(ring)} of its {subnet.num_addresses} addresses can be "
                "given to tasks, and all are taken. Stop tasks, or use a larger subnet."
            )

    def hold(self, address: IPv4Address) -> None:
        """Note an address that one of our tasks has already."""
        with self._lock:
            self._ours.add(int(address))

    def release(self, address: IPv4Address) -> None:
        """Give back an address. One that was not held is left as it is."""
        with self._lock:
            if int(address) in self._ours:
                self._ours.discard(int(address))
                for ring in self._rings.values():
                    ring.give_back(int(address))

    def lose(self, address: IPv4Address) -> None:
        """Note that an address which we took turned out to be somebody else's."""
        with self._lock:
            self._ours.discard(int(address))
            self._of_others.add(int(address))

    def renew(self, in_use: Iterable[IPv4Address]) -> None:
        """Learn what the engine says is in use. What others have let go since is free from here on."""
        with self._lock:
            self._of_others = {int(address) for address in in_use} - self._ours
            for ring in self._rings.values():
                ring.begin_anew()


class _Ring:
    """The order in which a subnet's addresses are tried: once around, then as they are given back."""

    def __init__(self, subnet: IPv4Network, first: int) -> None:
        self._base = int(subnet.network_address) + RESERVED_AT_START
        self._size = max(0, subnet.num_addresses - RESERVED_AT_START - RESERVED_AT_END)
        self._start = first % self._size if self._size else 0
        self._tried = 0
        self._given_back: deque[int] = deque()

    def __len__(self) -> int:
        return self._size

    def next(self) -> int | None:
        """The next address to try; it may be taken. None when all were."""
        if self._tried < self._size:
            address = self._base + (self._start + self._tried) % self._size
            self._tried += 1
            return address
        return self._given_back.popleft() if self._given_back else None

    def give_back(self, address: int) -> None:
        """Try this address again, after all others. One that has yet to be tried stays in its place."""
        place = (address - self._base - self._start) % self._size if self._size else 0
        if self._base <= address < self._base + self._size and place < self._tried:
            self._given_back.append(address)

    def begin_anew(self) -> None:
        """Go around once more, from where we are."""
        if self._size:
            self._start = (self._start + self._tried) % self._size
        self._tried = 0
        self._given_back.clear()
