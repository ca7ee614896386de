"""Resident memory: idle, and with many task definitions."""

from __future__ import annotations

import time

from benchmarks import daemon, servers, tasks
from benchmarks.results import Figure, Result, Verdict
from benchmarks.servers import Server
from benchmarks.wire import ecs_request, load

MANY = 10_000
TITLE = f"Resident memory after the first call, and with {MANY:,} task definitions"
ROUNDS = 3
FIRST_SECONDS = 2.0
"""Until everything is there that is imported after the ready line, such as the Docker client."""


def measure(rounds: int) -> Result:
    """Measure, each round with new processes."""
    result = Result("memory", TITLE)
    runtime: servers.Runtime = "docker"
    if (why := daemon.problem()) is not None:
        runtime = "simulated"
        result.notes.append(f"Measured with the simulated runtime, as there is no other: {why}.")
    idle, full, peer = [], [], []
    for _ in range(rounds):
        with servers.keeping_emulator(runtime) as server:
            idle.append(_idle(server))
            load(
                server.port,
                (ecs_request("RegisterTaskDefinition", **tasks.two_containers(f"f{number}")) for number in range(MANY)),
            )
            full.append(server.memory())
        with servers.moto() as server:
            peer.append(_idle(server))
    figures = [
        Figure(f"ecs-emulator, {runtime}, idle", "MiB", idle),
        Figure(f"ecs-emulator, {runtime}, {MANY:,} task definitions", "MiB", full),
        Figure("moto_server, idle", "MiB", peer),
    ]
    result.figures += figures
    result.verdicts += [
        Verdict(figure.what, figure.p50, target, unit="MiB")
        for figure, target in zip(figures[:2], (70, 130), strict=True)
    ]
    return result


def _idle(server: Server) -> float:
    server.first_answer()
    time.sleep(FIRST_SECONDS)
    return server.memory()
