"""How long RunTask's caller waits while the daemon is busy with starts: it should not wait for any of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from benchmarks import daemon, servers, tasks
from benchmarks.results import Figure, Result, Verdict
from benchmarks.wire import Connection, ecs_request, plain_request, timed

TITLE = "The answer to RunTask while the daemon starts tasks"
ROUNDS = 5
FAMILY = "answers"
TURNS = 10
"""How often each call is made in a round."""
AT_FIRST = 6
"""How many tasks each round begins with; every RunTask that is measured adds one more."""
BETWEEN = 0.05
"""Seconds between two calls, as clients that do something with the answer leave them."""


def measure(rounds: int) -> Result:
    """Measure. The calls take turns; after each round everything is forgotten and removed."""
    result = Result("run-task-answers", TITLE)
    if (why := daemon.problem()) is not None:
        result.skipped = why
        return result
    samples: dict[str, list[float]] = {}
    still_starting: list[int] = []
    with daemon.image() as image, servers.emulator("docker") as server:
        server.first_answer()
        connection = Connection(server.port)
        stock = server.client("ecs")
        for _ in range(rounds):
            _prepare(connection, image)
            tasks.wait_until(connection, tasks.run_one(connection, FAMILY), "RUNNING")
            still_starting.append(_round(connection, stock, samples))
            connection.call(plain_request("POST", "/_emulator/reset"))
        stock.close()
        connection.close()
    _report(result, samples, still_starting)
    return result


def _prepare(connection: Connection, image: str) -> None:
    connection.ask("CreateCluster")
    connection.ask("RegisterTaskDefinition", **tasks.one_line(FAMILY, image))


def _round(connection: Connection, stock: Any, samples: dict[str, list[float]]) -> int:
    """Make every call in turn; gives how many tasks were still to start at the end, so that the daemon was busy."""
    started = tasks.arns(connection.call(ecs_request("RunTask", **tasks.run_request(FAMILY, AT_FIRST))))
    run, look = tasks.run_request(FAMILY), {"tasks": started[:1]}
    raw_run, raw_look = ecs_request("RunTask", **run), ecs_request("DescribeTasks", **look)
    calls: dict[str, Callable[[], float]] = {
        "RunTask, bare HTTP": lambda: timed(connection, raw_run),
        "DescribeTasks, bare HTTP": lambda: timed(connection, raw_look),
        "RunTask, boto3": lambda: _timed(lambda: stock.run_task(**run)),
        "DescribeTasks, boto3": lambda: _timed(lambda: stock.describe_tasks(**look)),
    }
    for _ in range(TURNS):
        for what, call in calls.items():
            time.sleep(BETWEEN)
            samples.setdefault(what, []).append(call())
    cluster = connection.ask("DescribeClusters", clusters=["default"])["clusters"][0]
    return int(cluster["pendingTasksCount"])


def _timed(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return (time.perf_counter() - begin) * 1000


def _report(result: Result, samples: dict[str, list[float]], still_starting: list[int]) -> None:
    figures = {what: Figure(what, "ms", found) for what, found in samples.items()}
    result.figures += figures.values()
    for way in ("bare HTTP", "boto3"):
        result.verdicts.append(Verdict(f"RunTask p50, {way}", figures[f"RunTask, {way}"].p50, 10, unit="ms"))
    beside = figures["RunTask, bare HTTP"].p50 / figures["DescribeTasks, bare HTTP"].p50
    result.notes.append(f"RunTask takes {beside:.2g} times as long as DescribeTasks (bare HTTP).")
    waiting = ", ".join(str(count) for count in still_starting)
    result.notes.append(f"Tasks that were still to start at the end of each round: {waiting}.")
