"""How an emulator is set up. The only module that reads the environment, beside the options of the command line."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emulator.planner.specs import PullPolicy

RuntimeChoice = Literal["auto", "docker", "simulated"]
NeighboursChoice = Literal["embedded", "none"]
"""Who answers for other AWS services: moto in this process, or nobody."""

MOTO = {
    "MOTO_DISABLE_GLOBAL_CORS": "1",  # the edge decides which web pages may read an answer
    "MOTO_ALLOW_NONEXISTENT_REGION": "true",  # every region that can be one is a region here
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",  # they cost a quarter of a second in each region
}
"""How moto is set up. It reads its environment when it is imported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One emulator's settings.

    `state_dir` is None for an emulator that keeps nothing. `runtime` "auto" takes Docker when a daemon answers. `pool`:
    how many network namespaces are kept ready in each subnet that is used; four tasks at a time are started.
    """

    host: str = "127.0.0.1"
    port: int = 4566
    state_dir: Path | None = None
    runtime: RuntimeChoice = "auto"
    pull: PullPolicy = "missing"
    pool: int = 4
    region: str = "us-east-1"
    allow_hosts: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()
    docker_host: str | None = None
    neighbours: NeighboursChoice = "embedded"
    endpoints: tuple[tuple[str, str], ...] = ()
    """Services, by their name in signatures, that are answered elsewhere, and at which URL."""
    enforce_iam: bool = False
    """Whether ECS's operations obey the policies of their callers."""


def default_state_dir(port: int) -> Path:
    """Where an emulator on this port keeps its state unless it is told."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "ecs-emulator" / str(port)


def set_up_moto() -> None:
    """Say in the environment how moto shall be; what the user says there counts more."""
    for name, value in MOTO.items():
        os.environ.setdefault(name, value)


def docker_host() -> str | None:
    """The daemon that the environment names, if it names one."""
    return os.environ.get("DOCKER_HOST") or None
