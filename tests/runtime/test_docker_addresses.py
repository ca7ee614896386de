"""The allocator of addresses."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from emulator.runtime.docker.addresses import Addresses
from emulator.runtime.driver import NoFreeAddressError

SUBNET = IPv4Network("10.0.0.0/28")
FREE = [SUBNET[place] for place in range(4, 15)]


def take_all(addresses: Addresses, subnet: IPv4Network = SUBNET) -> list[IPv4Address]:
    taken: list[IPv4Address] = []
    while True:
        try:
            taken.append(addresses.take(subnet))
        except NoFreeAddressError:
            return taken


def test_all_but_what_aws_keeps_is_given_once() -> None:
    assert take_all(Addresses()) == FREE


def test_each_emulator_begins_elsewhere() -> None:
    assert take_all(Addresses(first=25)) == FREE[3:] + FREE[:3]


def test_what_was_given_back_comes_last() -> None:
    addresses = Addresses()
    first = addresses.take(SUBNET)
    second = addresses.take(SUBNET)
    addresses.release(second)
    addresses.release(first)
    addresses.release(first)
    assert take_all(addresses) == [*FREE[2:], second, first]


def test_what_others_have_is_left_out_until_they_let_go() -> None:
    addresses = Addresses()
    addresses.renew(FREE[:3])
    assert take_all(addresses) == FREE[3:]
    addresses.renew([FREE[1], *FREE[3:]])
    assert take_all(addresses) == [FREE[0], FREE[2]]


def test_an_address_lost_to_others_is_not_given_again() -> None:
    addresses = Addresses()
    lost = addresses.take(SUBNET)
    addresses.lose(lost)
    addresses.release(lost)
    assert take_all(addresses) == FREE[1:]
    addresses.renew([])
    assert take_all(addresses) == [lost]


def test_an_adopted_address_is_held_and_given_back() -> None:
    addresses = Addresses()
    addresses.hold(FREE[0])
    assert take_all(addresses) == FREE[1:]
    addresses.release(FREE[0])
    assert take_all(addresses) == [FREE[0]]


def test_a_range_too_small_has_none() -> None:
    assert take_all(Addresses(first=3), IPv4Network("10.0.0.0/30")) == []


def test_subnets_of_two_vpcs_may_overlap() -> None:
    addresses = Addresses()
    wide, narrow = IPv4Network("10.0.0.0/27"), IPv4Network("10.0.0.16/28")
    of_narrow = take_all(addresses, narrow)
    of_wide = take_all(addresses, wide)
    assert len(set(of_narrow) | set(of_wide)) == len(of_narrow) + len(of_wide)
    addresses.release(of_narrow[0])
    assert take_all(addresses, wide) == [of_narrow[0]]


@given(st.lists(st.one_of(st.just(None), st.integers(0, 10), st.lists(st.integers(0, 15)))), st.integers(0, 100))
def test_no_address_is_held_twice(steps: list[int | list[int] | None], first: int) -> None:
    """Take (None), give back (a number), or learn what others have (a list), in any order."""
    addresses, held = Addresses(first=first), list[IPv4Address]()
    others: set[IPv4Address] = set()
    for step in steps:
        if step is None:
            try:
                address = addresses.take(SUBNET)
            except NoFreeAddressError:
                continue
            assert address in FREE
            assert address not in held
            assert address not in others
            held.append(address)
        elif isinstance(step, int):
            if step < len(held):
                addresses.release(held.pop(step))
        else:
            others = {SUBNET[place] for place in step} - set(held)
            addresses.renew(others)
    addresses.renew([])
    assert sorted(take_all(addresses)) == sorted(set(FREE) - set(held))
