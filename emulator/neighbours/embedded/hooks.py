"""All that we change in moto which needs nothing of the emulator. Imported when the first service is asked."""

from __future__ import annotations

from functools import partial

from emulator.neighbours.embedded.iam import make_accounts_ready
from emulator.neighbours.embedded.keeping.quiet import ENTRANCES, be_quiet
from emulator.neighbours.embedded.keeping.stand_ins import number_rules, sort_names, stand_in_core
from emulator.neighbours.embedded.models import keep_no_track, read_routes_of_nobody
from emulator.neighbours.embedded.moto import Moto
from emulator.neighbours.embedded.sqs import wait_without_lock


def register(moto: Moto) -> None:
    """Have moto changed as its modules are imported."""
    moto.on_load("core", keep_no_track)
    moto.on_load("core", read_routes_of_nobody)
    moto.on_load("core", stand_in_core)
    moto.on_load("acm", sort_names)
    moto.on_load("elbv2", number_rules)
    for service in ENTRANCES:
        moto.on_load(service, partial(be_quiet, service))
    moto.on_load("iam", make_accounts_ready)
    moto.on_load("sqs", partial(wait_without_lock, moto.locks))
