"""From the process's start to its first answered call."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from benchmarks import daemon, servers
from benchmarks.results import Figure, Result, Verdict
from benchmarks.servers import Server

TITLE = "Process start to the first answered call (ListClusters)"
ROUNDS = 10

Start = Callable[[], AbstractContextManager[Server]]


def measure(rounds: int) -> Result:
    """Measure. The servers take turns; a first turn of each, which warms the disk's cache, does not count."""
    result = Result("first-call", TITLE)
    starts: dict[str, Start] = {"ecs-emulator, simulated": lambda: servers.emulator("simulated")}
    if (why := daemon.problem()) is None:
        starts["ecs-emulator, docker"] = lambda: servers.emulator("docker")
    else:
        result.notes.append(f"The docker runtime was not measured: {why}.")
    starts["moto_server"] = servers.moto
    samples: dict[str, list[float]] = {what: [] for what in starts}
    for _ in range(rounds + 1):
        for what, start in starts.items():
            with start() as server:
                samples[what].append(server.first_answer())
    figures = {what: Figure(what, "ms", found[1:]) for what, found in samples.items()}
    result.figures += figures.values()
    for what, figure in figures.items():
        if what != "moto_server":
            result.verdicts.append(Verdict(f"{what}, p50", figure.p50, 400, unit="ms"))
            beside = figure.p50 / figures["moto_server"].p50
            result.notes.append(f"{what} takes {beside:.2f} x the time of moto_server.")
    return result
