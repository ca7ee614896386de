"""What stands in moto's modules for clocks, random numbers and new keys, so that a call can be given all of them.

Moto reads the standard library's clocks and draws from its generators in a hundred places. The names by which its
modules know these are bound anew, in those modules alone: nobody else notices. What is given says `given.py`.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import sys
import time
import uuid
from collections.abc import Callable
from functools import lru_cache
from types import ModuleType
from typing import Any

from sortedcontainers import SortedSet

from emulator.neighbours.embedded.chance import drawn_from
from emulator.neighbours.embedded.given import from_outside, given_now

_looked_through = {"moto.core.base_backend"}
"""Modules of moto whose names were bound; they are the process's, as moto is. This one numbers books of backends, which
are made whenever somebody looks into them first: no call's numbers may go there."""


def stand_in_core() -> None:
    """Have moto's own generator draw from what is given, and every new backend from its own place alone.

    So what an account has from the beginning, such as its default VPC, has the same ids whoever asks for it first.
    """
    from moto.core.base_backend import AccountSpecificBackend
    from moto.moto_api import _internal
    from moto.moto_api._internal.moto_random import MotoRandom

    generator: Any = _internal.mock_random
    if isinstance(generator, _Drawn):
        return
    generator.__class__ = type("Drawn", (_Drawn, MotoRandom), {})
    of_moto = AccountSpecificBackend.__getitem__

    def backend(book: Any, region: str) -> Any:
        if dict.__contains__(book, region):
            return of_moto(book, region)
        with drawn_from("backend", book.service_name, book.account_id, region):
            return of_moto(book, region)

    AccountSpecificBackend.__getitem__ = backend  # type: ignore[method-assign]


def number_rules() -> None:
    """Have a rule of a load balancer drawn the end of its ARN, which moto makes of where the rule is in memory."""
    from moto.elbv2 import models
    from moto.moto_api._internal import mock_random

    vars(models)["id"] = lambda _rule: mock_random.get_random_hex(16)


def sort_names() -> None:
    """Have the names of a certificate in an order; moto puts them into a set, which has another in each process."""
    from moto.acm import models

    vars(models)["set"] = SortedSet


def stand_in() -> None:
    """Bind the names in those modules of moto that were imported since this was last called."""
    _bind_anew(len(sys.modules))


@lru_cache(maxsize=1)
def _bind_anew(_modules: int) -> None:
    """Look through the modules, which is not done again while their number is the same: it takes 0.2 ms."""
    new = {name for name in list(sys.modules) if name.startswith("moto.")} - _looked_through
    table = _stand_ins() if new else {}
    for name in new:
        names = vars(sys.modules[name])
        names.update({each: table[id(value)] for each, value in names.items() if id(value) in table})
    _looked_through.update(new)


def _stand_ins() -> dict[int, Any]:
    """What stands for what, by its identity."""
    numbers = {name: _drawing(name) for name in ("choice", "choices", "randint", "random", "randrange", "sample")}
    found: list[tuple[Any, Any]] = [
        (random, _StandIn(random, **numbers)),
        *((getattr(random, name), ours) for name, ours in numbers.items()),
        (uuid, _StandIn(uuid, uuid1=_uuid, uuid4=_uuid)),
        (uuid.uuid4, _uuid),
        (os, _StandIn(os, urandom=_bytes)),
        (time, _StandIn(time, time=_time)),
        (time.time, _time),
        (dt, _StandIn(dt, datetime=_Datetime)),
        (dt.datetime, _Datetime),
    ]
    if "cryptography.hazmat.primitives.asymmetric.rsa" in sys.modules:
        found += _keys()
    return {id(theirs): ours for theirs, ours in found}


def _keys() -> list[tuple[Any, Any]]:
    import cryptography
    from cryptography import hazmat, x509
    from cryptography.hazmat import primitives
    from cryptography.hazmat.primitives import asymmetric
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    our_rsa = _StandIn(rsa, generate_private_key=_kept_key(rsa.generate_private_key))
    our_ec = _StandIn(ec, generate_private_key=_kept_key(ec.generate_private_key))
    our_x509 = _StandIn(x509, random_serial_number=lambda: int.from_bytes(_bytes(20)) >> 1)
    our_asymmetric = _StandIn(asymmetric, rsa=our_rsa, ec=our_ec)
    our_hazmat = _StandIn(hazmat, primitives=_StandIn(primitives, asymmetric=our_asymmetric))
    ed25519_key = ed25519.Ed25519PrivateKey
    return [
        (rsa, our_rsa),
        (ec, our_ec),
        (x509, our_x509),
        (cryptography, _StandIn(cryptography, hazmat=our_hazmat, x509=our_x509)),
        (ed25519_key, type(ed25519_key.__name__, (), {"generate": _kept_key(ed25519_key.generate)})),
    ]


class _Drawn(random.Random):
    """A generator that draws from what the call is given, and by itself where nothing is."""

    def random(self) -> float:
        given = given_now()
        return super().random() if given is None else given.draws.random()

    def getrandbits(self, k: int, /) -> int:
        given = given_now()
        return super().getrandbits(k) if given is None else given.draws.getrandbits(k)


class _StandIn(ModuleType):
    """A module of which some members are ours."""

    def __init__(self, theirs: ModuleType, **ours: Any) -> None:
        super().__init__(theirs.__name__)
        self._theirs = theirs
        vars(self).update(ours)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._theirs, name)


class _DatetimeClass(type):
    """What moto takes for the class `datetime`: every datetime is one of it."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, dt.datetime)


class _Datetime(dt.datetime, metaclass=_DatetimeClass):
    """The class `datetime`, whose clock can be given. What it makes are ordinary datetimes."""

    def __new__(cls, *values: Any, **named: Any) -> Any:
        return dt.datetime(*values, **named)  # noqa: DTZ001 - as moto has it

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Any:
        return dt.datetime.fromtimestamp(_time(), tz)

    @classmethod
    def utcnow(cls) -> Any:
        return cls.now(dt.UTC).replace(tzinfo=None)

    @classmethod
    def today(cls) -> Any:
        return cls.now()


def _time() -> float:
    given = given_now()
    return time.time() if given is None or given.at is None else given.at


def _uuid() -> uuid.UUID:
    given = given_now()
    return uuid.uuid4() if given is None else uuid.UUID(int=given.draws.getrandbits(128), version=4)


def _bytes(amount: int) -> bytes:
    given = given_now()
    return os.urandom(amount) if given is None else given.draws.randbytes(amount)


def _drawing(name: str) -> Callable[..., Any]:
    """A function of `random` that draws from what is given."""
    theirs = getattr(random, name)

    def draw(*values: Any, **named: Any) -> Any:
        given = given_now()
        return (theirs if given is None else getattr(given.draws, name))(*values, **named)

    return draw


def _kept_key(make: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes a private key, which no seed brings back: it is written down as an answer from outside."""

    def key(*values: Any, **named: Any) -> Any:
        from cryptography.hazmat.primitives import serialization

        def text() -> str:
            form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            written: bytes = make(*values, **named).private_bytes(*form)
            return written.decode()

        if given_now() is None:
            return make(*values, **named)
        return serialization.load_pem_private_key(from_outside(text).encode(), password=None)

    return key
