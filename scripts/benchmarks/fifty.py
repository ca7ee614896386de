"""Fifty tasks at once until all run, beside what the daemon alone needs for as many containers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks import daemon, servers, tasks
from benchmarks.daemon import Daemon
from benchmarks.results import Figure, Result, ratio
from benchmarks.servers import Server
from benchmarks.wire import Connection, ecs_request

TITLE = "fifty tasks at once until all are RUNNING, beside as many containers by the SDK alone"
ROUNDS = 3
FAMILY = "fifty"
NUMBER = 50
AT_ONCE = 10
QUIET = 1.0
"""Seconds between two measurements, in which the daemon ends what it began."""


@dataclass(slots=True)
class Samples:
    """Milliseconds of each round."""

    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    pairs: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)


def measure(rounds: int) -> Result:
    """Measure. The sides take turns, and every other round begins at the other end."""
    result = Result("fifty", TITLE)
    if (why := daemon.problem()) is not None:
        result.skipped = why
        return result
    samples = Samples()
    with (
        daemon.image() as image,
        servers.emulator("docker", "--pool", "0") as cold,
        servers.emulator("docker", "--pool", str(NUMBER)) as warm,
        daemon.daemon(image) as alone,
    ):
        for server in (cold, warm):
            server.first_answer()
            connection = Connection(server.port)
            connection.ask("CreateCluster")
            connection.ask("RegisterTaskDefinition", **tasks.one_line(FAMILY, image))
            connection.close()
        _by_emulator(warm)  # the demand by which the pool is filled
        for number in range(rounds):
            turns: list[Callable[[], None]] = [
                lambda: samples.cold.append(_by_emulator(cold)),
                lambda: samples.warm.append(_by_emulator(warm, spares=NUMBER)),
                lambda: samples.pairs.append(_alone(alone, with_pause=True)),
                lambda: samples.plain.append(_alone(alone, with_pause=False)),
            ]
            for turn in turns if number % 2 else reversed(turns):
                # Nothing may be made ahead beside the other sides.
                warm.wait_for_spares(NUMBER)
                turn()
                time.sleep(QUIET)
    _report(result, samples)
    return result


def _by_emulator(server: Server, *, spares: int = 0) -> float:
    server.wait_for_spares(spares)
    connection = Connection(server.port)
    connection.ask("ListClusters")
    request = ecs_request("RunTask", **tasks.run_request(FAMILY, AT_ONCE, tasks.ONE_SUBNET))
    begin = time.perf_counter()
    arns = [arn for _ in range(NUMBER // AT_ONCE) for arn in tasks.arns(connection.call(request))]
    tasks.all_running(connection, arns)
    took = (time.perf_counter() - begin) * 1000
    for arn in arns:
        connection.ask("StopTask", task=arn)
    for arn in arns:
        tasks.wait_until(connection, arn, "STOPPED")
    connection.close()
    return took


def _alone(alone: Daemon, *, with_pause: bool) -> float:
    took = alone.many(NUMBER, with_pause=with_pause)
    alone.clear()
    return took


def _report(result: Result, samples: Samples) -> None:
    cold = Figure("50 tasks, cold namespaces", "ms", samples.cold)
    warm = Figure("50 tasks, 50 namespaces ready", "ms", samples.warm)
    pairs = Figure("SDK alone: 50 pause and application pairs", "ms", samples.pairs)
    plain = Figure("SDK alone: 50 containers in Docker's own network", "ms", samples.plain)
    result.figures += [cold, warm, pairs, plain]
    result.verdicts.append(ratio("cold namespaces, to pairs by the SDK", cold, pairs, 1.15))
    result.verdicts.append(ratio("namespaces ready, to plain containers by the SDK", warm, plain, 0.6))
