"""A stopped task is shown for an hour, and then nothing of it is left in the process or its file.

`python -m tests.scenarios.test_forgotten 1000` shows what so many tasks cost meanwhile; with `python -X tracemalloc …`
also the memory that Python itself knows of.
"""

from __future__ import annotations

import gc
import sqlite3
import sys
import tempfile
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from emulator.state.folder import state_file
from tests.emulators import InProcess
from tests.operations.helpers import NETWORK, scripted

AT_ONCE = 10
RUN_FOR = 30
HOUR = 3600


@dataclass(frozen=True)
class Rest:
    """What there is at a moment."""

    rows: dict[str, int]
    """Of each table in the file."""
    objects: Counter[str]
    """The emulator's own, by type."""
    blocks: int
    """Everything that Python has allocated, in pieces."""


def rest(folder: Path) -> Rest:
    gc.collect()
    with closing(sqlite3.connect(state_file(folder))) as file:
        tables = [name for (name,) in file.execute("select name from sqlite_master where type = 'table'")]
        rows = {name: file.execute(f"select count(*) from {name}").fetchone()[0] for name in tables}
    types = (f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects())
    own = Counter(name for name in types if name.startswith("emulator."))
    return Rest(rows, own, sys.getallocatedblocks())


@contextmanager
def emulator(folder: Path, tasks: int) -> Iterator[InProcess]:
    """An emulator that has run so many tasks before, so that what it keeps for good is there."""
    with InProcess.started(state_dir=folder) as running:
        running.ecs.create_cluster()
        running.ecs.register_task_definition(**scripted(run_for=str(RUN_FOR)))
        run_many(running, tasks)
        running.advance(HOUR)
        yield running


def run_many(emulator: InProcess, count: int) -> None:
    """Run so many tasks to their end, ten at once. Half end by themselves, half are stopped."""
    ecs = emulator.ecs
    for number in range(count // AT_ONCE):
        request = {"taskDefinition": "web", "launchType": "FARGATE", "networkConfiguration": NETWORK, "count": AT_ONCE}
        token = f"{emulator.clock.now()}-{number}"
        tags = [{"key": "number", "value": str(number)}]
        arns = [task["taskArn"] for task in ecs.run_task(**request, clientToken=token, tags=tags)["tasks"]]
        emulator.advance(1)
        for arn in arns[::2]:
            ecs.stop_task(task=arn)
        emulator.advance(RUN_FOR)
        assert {task["lastStatus"] for task in ecs.describe_tasks(tasks=arns)["tasks"]} == {"STOPPED"}


def test_nothing_is_left_of_tasks_an_hour_after_their_end(tmp_path: Path) -> None:
    count = 300
    with emulator(tmp_path, count) as running:
        before = rest(tmp_path)
        run_many(running, count)
        shown = rest(tmp_path)
        assert shown.rows["record"] == before.rows["record"] + count
        assert shown.rows["story"] > before.rows["story"]
        running.advance(HOUR)
        after = rest(tmp_path)
    assert after.rows == before.rows
    assert after.objects == before.objects
    # The client and SQLite's module hold a few hundred more or fewer at any moment.
    assert after.blocks < before.blocks + 2 * count, "two small things or more are left of each task"


def memory(folder: Path) -> str:
    """What there is, for people."""
    found = rest(folder)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    resident, traced = int(status["VmRSS"].split()[0]) / 1024, tracemalloc.get_traced_memory()[0] / 1024**2
    return (
        f"resident {resident:.1f} MiB, traced {traced:.1f} MiB, {found.blocks:,} blocks, "
        f"{found.objects.total():,} objects of our own, rows: {found.rows}"
    )


def main() -> None:
    count = int(sys.argv[1])
    with tempfile.TemporaryDirectory() as name, emulator(Path(name), 100) as running:
        sys.stdout.write(f"before: {memory(Path(name))}\n")
        for _ in range(3):
            run_many(running, count)
            sys.stdout.write(f"{count:,} tasks: {memory(Path(name))}\n")
            running.advance(HOUR)
            sys.stdout.write(f"after an hour: {memory(Path(name))}\n")


if __name__ == "__main__":
    main()
