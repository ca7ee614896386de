"""From a printed line to its event: how long until GetLogEvents shows what a container has printed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from benchmarks import daemon, servers, tasks
from benchmarks.results import Figure, Result
from benchmarks.wire import Connection

TITLE = "a line that a container prints until GetLogEvents shows it"
ROUNDS = 40
FAMILY = GROUP = "log-lines"
SCRIPT = "trap 'exit 0' TERM; while true; do echo a line; sleep {pause}; done"
PAUSES = {"a line a second": "1", "fifty lines a second": "0.02"}
PATIENCE = 60.0
BETWEEN_LOOKS = 0.005


class NoLinesError(Exception):
    """A container's lines did not come."""


def measure(rounds: int) -> Result:
    """Measure, by the time that the daemon wrote beside each line, in milliseconds."""
    result = Result("log-lines", TITLE)
    if (why := daemon.problem()) is not None:
        result.skipped = why
        return result
    with daemon.image() as image, servers.emulator("docker") as server:
        server.first_answer()
        logs = server.client("logs")
        logs.create_log_group(logGroupName=GROUP)
        connection = Connection(server.port)
        connection.ask("CreateCluster")
        for what, pause in PAUSES.items():
            connection.ask("RegisterTaskDefinition", **_definition(image, pause))
            task = tasks.run_one(connection, FAMILY)
            tasks.wait_until(connection, task, "RUNNING")
            delays = _delays(logs, f"bench/app/{task.rsplit('/', 1)[1]}")
            next(delays)  # what was printed while nobody looked
            result.figures.append(Figure(what, "ms", [next(delays) for _ in range(rounds)]))
            tasks.stop(connection, task)
        connection.close()
    return result


def _definition(image: str, pause: str) -> dict[str, Any]:
    content = tasks.one_line(FAMILY, image)
    (container,) = content["containerDefinitions"]
    container["command"] = ["sh", "-c", SCRIPT.format(pause=pause)]
    options = {"awslogs-group": GROUP, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "bench"}
    container["logConfiguration"] = {"logDriver": "awslogs", "options": options}
    return {**content, "executionRoleArn": "arn:aws:iam::000000000000:role/ecsTaskExecutionRole"}


def _delays(logs: Any, stream: str) -> Iterator[float]:
    """How late each line is seen. Raises NoLinesError when none comes any more."""
    token: dict[str, Any] = {}
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        answer = logs.get_log_events(logGroupName=GROUP, logStreamName=stream, startFromHead=True, **token)
        seen = time.time() * 1000
        token = {"nextToken": answer["nextForwardToken"]}
        for event in answer["events"]:
            until = time.monotonic() + PATIENCE
            yield seen - event["timestamp"]
        time.sleep(BETWEEN_LOOKS)
    raise NoLinesError(f"no line came within {PATIENCE:g} s")
