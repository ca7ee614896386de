"""From the RunTask call to the container's first line, beside what the daemon alone needs for the same containers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from benchmarks import daemon, servers, tasks
from benchmarks.daemon import Daemon
from benchmarks.results import Figure, Result, ratio
from benchmarks.servers import Server
from benchmarks.wire import Connection, ecs_request

TITLE = "RunTask sent until the container's first line, beside the same and a plain container by the SDK alone"
ROUNDS = 15
FAMILY = "first-line"
QUIET = 0.3
"""Seconds between two measurements, in which the daemon ends what it began."""


@dataclass(slots=True)
class Samples:
    """Milliseconds of each round."""

    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    pair: list[float] = field(default_factory=list)
    pause: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    seen_later: list[float] = field(default_factory=list)


def measure(rounds: int) -> Result:
    """Measure. The sides take turns, and every other round begins with the other one."""
    result = Result("first-line", TITLE)
    if (why := daemon.problem()) is not None:
        result.skipped = why
        return result
    samples = Samples()
    with (
        daemon.image() as image,
        servers.emulator("docker", "--pool", "0") as cold,
        servers.emulator("docker", "--pool", "1") as warm,
        daemon.daemon(image) as alone,
    ):
        for server in (cold, warm):
            _define(server, image)
        # The first round warms up, and is the demand by which the pool is filled.
        for into in (Samples(), *[samples] * rounds):
            turns = [
                lambda into=into: _by_emulator(cold, alone, into.cold),
                lambda into=into: _by_emulator(warm, alone, into.warm, spares=int(into is samples)),
                lambda into=into: _alone(alone, into),
            ]
            for turn in turns if len(samples.cold) % 2 else reversed(turns):
                turn()
                time.sleep(QUIET)
    _report(result, samples)
    return result


def _define(server: Server, image: str) -> None:
    server.first_answer()
    connection = Connection(server.port)
    connection.ask("CreateCluster")
    connection.ask("RegisterTaskDefinition", **tasks.one_line(FAMILY, image))
    connection.close()


def _by_emulator(server: Server, alone: Daemon, into: list[float], *, spares: int = 0) -> None:
    server.wait_for_spares(spares)
    connection = Connection(server.port)
    connection.ask("ListClusters")  # the connection is there when the time begins
    request = ecs_request("RunTask", **tasks.run_request(FAMILY, network=tasks.ONE_SUBNET))
    begin = time.time_ns()
    task_arn = tasks.arns(connection.call(request))[0]
    container = alone.container_of(task_arn, since=begin / 1e9)
    into.append((alone.first_line(container) - begin) / 1e6)
    tasks.stop(connection, task_arn)
    connection.close()


def _alone(alone: Daemon, into: Samples) -> None:
    begin = time.time_ns()
    container, pause = alone.pair()
    into.pair.append((alone.first_line(container) - begin) / 1e6)
    into.pause.append(pause)
    alone.clear()
    time.sleep(QUIET)
    begin = time.time_ns()
    container, seen = alone.plain_attached()
    line = alone.first_line(container)
    into.plain.append((line - begin) / 1e6)
    into.seen_later.append((seen - line) / 1e6)
    alone.clear()


def _report(result: Result, samples: Samples) -> None:
    cold = Figure("RunTask to first line, cold namespace", "ms", samples.cold)
    warm = Figure("RunTask to first line, namespace ready", "ms", samples.warm)
    pair = Figure("SDK alone: pause, then container, to first line", "ms", samples.pair)
    pause = Figure("- of it until the pause container runs", "ms", samples.pause)
    plain = Figure("SDK alone: one container in Docker's own network, to first line", "ms", samples.plain)
    later = Figure("an attached client sees the line later than its time in the log by", "ms", samples.seen_later)
    result.figures += [cold, warm, pair, pause, plain, later]
    result.verdicts.append(ratio("cold namespace, to pause + container by the SDK", cold, pair, 1.3))
    result.verdicts.append(ratio("namespace ready, to one plain container by the SDK", warm, plain, 0.6))
