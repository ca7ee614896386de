"""From the RunTask call to the container's first line, beside what the daemon alone needs for the same containers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from benchmarks import daemon, servers, tasks
from benchmarks.daemon import Daemon
from benchmarks.results import Figure, Result, ratio
from benchmarks.wire import Connection, ecs_request

TITLE = "RunTask sent until the container's first line, beside pause + container by the SDK alone"
ROUNDS = 15
FAMILY = "first-line"
QUIET = 0.3
"""Seconds between two measurements, in which the daemon ends what it began."""


@dataclass(slots=True)
class Samples:
    """Milliseconds of each round."""

    emulator: list[float] = field(default_factory=list)
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
    with daemon.image() as image, servers.emulator("docker") as server, daemon.daemon(image) as alone:
        server.first_answer()
        connection = Connection(server.port)
        connection.ask("CreateCluster")
        connection.ask("RegisterTaskDefinition", **tasks.one_line(FAMILY, image))
        for warm_up in (True, *[False] * rounds):
            into = Samples() if warm_up else samples
            turns = [lambda into=into: _by_emulator(connection, alone, into), lambda into=into: _alone(alone, into)]
            for turn in turns if len(samples.emulator) % 2 else reversed(turns):
                turn()
                time.sleep(QUIET)
        connection.close()
    _report(result, samples)
    return result


def _by_emulator(connection: Connection, alone: Daemon, into: Samples) -> None:
    request = ecs_request("RunTask", **tasks.run_request(FAMILY))
    begin = time.time_ns()
    task_arn = tasks.arns(connection.call(request))[0]
    container = alone.container_of(task_arn, since=begin / 1e9)
    into.emulator.append((alone.first_line(container) - begin) / 1e6)
    tasks.stop(connection, task_arn)


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
    emulator = Figure("RunTask to first line", "ms", samples.emulator)
    pair = Figure("SDK alone: pause, then container, to first line", "ms", samples.pair)
    pause = Figure("- of it until the pause container runs", "ms", samples.pause)
    plain = Figure("SDK alone: one container in Docker's own network, to first line", "ms", samples.plain)
    later = Figure("an attached client sees the line later than its time in the log by", "ms", samples.seen_later)
    result.figures += [emulator, pair, pause, plain, later]
    result.verdicts.append(ratio("RunTask to first line, to pause + container", emulator, pair, 1.3))
