"""Does a call cost more because there is much? Two emulators, one with little and one with much, take turns."""

from __future__ import annotations

import time
from typing import Any

import emulator.operations  # noqa: F401 - registers every operation
from benchmarks import servers, tasks
from benchmarks.results import Figure, Result, Verdict, ratio
from benchmarks.wire import Connection, ecs_request, load, timed
from emulator.operations.operation import HANDLERS

LITTLE, MUCH = 10, 10_000
TITLE = f"Each List and Describe with {LITTLE:,} and with {MUCH:,} task definitions and as many running tasks"
ROUNDS = 10
CALLS = 50
"""Of each kind to each emulator in a round."""
PAGE = 5
"""Entries that lists are asked for: fewer than there are little, so that both answers are as long, next token and all.
"""
OF_ONE_RUN = 10
"""Tasks that one RunTask may make."""
PATIENCE = 300.0


def measure(rounds: int) -> Result:
    """Measure."""
    result = Result("flat", TITLE)
    with servers.emulator("simulated") as first, servers.emulator("simulated") as second:
        connections = [Connection(server.port) for server in (first, second)]
        for server, connection, much in zip((first, second), connections, (LITTLE, MUCH), strict=True):
            server.first_answer()
            _fill(connection, much)
            server.settle()
        requests = [_requests(connection) for connection in connections]
        with servers.on_one_core(first, second):
            for name in requests[0]:
                pairs = [(connection, of[name]) for connection, of in zip(connections, requests, strict=True)]
                _compare(result, name, pairs, rounds)
        for connection in connections:
            connection.close()
    named = {name.partition(" ")[0] for name in requests[0]}
    left_out = [name for name in HANDLERS if name.startswith(("List", "Describe")) and name not in named]
    if left_out:
        result.notes.append(f"Not measured: {', '.join(left_out)}.")
    return result


def _fill(connection: Connection, much: int) -> None:
    """Make as many task definitions, each of its own family, and tasks of the first; wait until all of them run."""
    load(
        connection.port,
        (ecs_request("RegisterTaskDefinition", **tasks.two_containers(_family(number))) for number in range(much)),
    )
    connection.ask("CreateCluster")
    run = ecs_request("RunTask", **tasks.run_request(_family(0), OF_ONE_RUN))
    load(connection.port, (run for _ in range(much // OF_ONE_RUN)))
    until = time.monotonic() + PATIENCE
    while connection.ask("DescribeClusters")["clusters"][0]["runningTasksCount"] != much:
        if time.monotonic() > until:
            raise tasks.TaskFailedError(f"{much} tasks do not run after {PATIENCE:g} s")
        time.sleep(0.1)


def _family(number: int) -> str:
    return f"family-{number:05}"


def _requests(connection: Connection) -> dict[str, bytes]:
    """A request for each operation that looks, of those that are written; some in several forms."""
    task = connection.ask("ListTasks", maxResults=1)["taskArns"][0]
    definition = connection.ask("DescribeTaskDefinition", taskDefinition=_family(LITTLE // 2))["taskDefinition"]
    cluster = connection.ask("DescribeClusters")["clusters"][0]["clusterArn"]
    forms: dict[str, dict[str, Any]] = {
        "DescribeTasks": {"tasks": [task]},
        "DescribeTaskDefinition": {"taskDefinition": _family(LITTLE // 2)},
        "DescribeClusters": {"clusters": [cluster], "include": ["STATISTICS", "TAGS"]},
        "DescribeCapacityProviders": {"capacityProviders": ["FARGATE"]},
        "ListTasks": {"maxResults": PAGE},
        "ListTasks of a family": {"family": _family(0), "maxResults": PAGE},
        "ListTasks that are to stop": {"desiredStatus": "STOPPED", "maxResults": PAGE},
        "ListTaskDefinitions": {"maxResults": PAGE},
        "ListTaskDefinitions, latest first": {"sort": "DESC", "maxResults": PAGE},
        "ListTaskDefinitions of a family": {"familyPrefix": _family(LITTLE // 2), "maxResults": PAGE},
        "ListTaskDefinitions that are inactive": {"status": "INACTIVE", "maxResults": PAGE},
        "ListTaskDefinitionFamilies": {"maxResults": PAGE},
        "ListClusters": {"maxResults": PAGE},
        "ListAccountSettings": {"effectiveSettings": True, "maxResults": PAGE},
        "ListTagsForResource": {"resourceArn": definition["taskDefinitionArn"]},
    }
    return {
        name: ecs_request(name.partition(" ")[0].rstrip(","), **members)
        for name, members in forms.items()
        if name.partition(" ")[0].rstrip(",") in HANDLERS
    }


def _compare(result: Result, name: str, pairs: list[tuple[Connection, bytes]], rounds: int) -> None:
    for connection, request in pairs * 10:
        connection.call(request)
    samples: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds * CALLS):
        for side in (0, 1) if number % 2 else (1, 0):
            samples[side].append(timed(*pairs[side]))
    little, much = (
        Figure(f"{name}, {there:,}", "ms", found) for there, found in zip((LITTLE, MUCH), samples, strict=True)
    )
    result.figures += [little, much]
    result.verdicts.append(ratio(f"{name}: {MUCH:,} to {LITTLE:,}", much, little, 1.3))
    result.verdicts.append(Verdict(f"{name}: p99 to p50 with {MUCH:,}", much.p99 / much.p50, 5))
