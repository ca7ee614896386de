"""What all parts of the driver share."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.clock import Clock
from emulator.runtime.docker.engine import Engine
from emulator.runtime.docker.known import Known
from emulator.runtime.docker.labels import Owner


@dataclass(frozen=True, slots=True)
class Setting:
    """The daemon, the emulator in whose name it is asked, what is known of it already, and the time."""

    engine: Engine
    owner: Owner
    known: Known
    clock: Clock
