"""The store: one writer at a time, all or nothing, and everybody is told afterwards.

Records are read from memory. A commit is written to the file first, then shown to readers, then told to those who
asked to hear of changes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from emulator.state.account_settings import AccountSetting
from emulator.state.clusters import Cluster
from emulator.state.networks import Subnet, Vpc
from emulator.state.record import Change, Record
from emulator.state.sqlite import Database, Row, StoryLine, key_text
from emulator.state.table import Draft, Table
from emulator.state.task_definitions import Family, TaskDefinition
from emulator.state.tasks import Task


class Tables:
    """The committed state."""

    def __init__(self) -> None:
        self.account_settings = Table(AccountSetting)
        self.clusters = Table(Cluster)
        self.families = Table(Family)
        self.task_definitions = Table(TaskDefinition)
        self.tasks = Table(Task)
        self.vpcs = Table(Vpc)
        self.subnets = Table(Subnet)

    def all(self) -> tuple[Table[Any], ...]:
        """Every table."""
        return tuple(vars(self).values())


class Transaction:
    """The state as one writer sees it. What it puts is seen by others after the commit."""

    def __init__(self, tables: Tables) -> None:
        self.account_settings = Draft(tables.account_settings)
        self.clusters = Draft(tables.clusters)
        self.families = Draft(tables.families)
        self.task_definitions = Draft(tables.task_definitions)
        self.tasks = Draft(tables.tasks)
        self.vpcs = Draft(tables.vpcs)
        self.subnets = Draft(tables.subnets)
        self.story: list[tuple[str, StoryLine]] = []

    def tell(self, task: Task, now: float, text: str) -> None:
        """Add a line to a task's story."""
        self.story.append((task.arn, StoryLine(now, text)))

    def drafts(self) -> list[Draft[Any]]:
        """Every table's draft."""
        return [found for found in vars(self).values() if isinstance(found, Draft)]


class Store:
    """All records, in memory and in a file."""

    def __init__(self, database: Database) -> None:
        """Read everything that the file has. Views are not parsed."""
        self.state = Tables()
        self._database = database
        self._writer = threading.Lock()
        self._listeners: list[Callable[[Change[Any]], None]] = []
        tables = {table.record_type.kind: table for table in self.state.all()}
        self._adapters = {kind: TypeAdapter[Any](table.record_type) for kind, table in tables.items()}
        for row in database.rows():
            record = replace(self._adapters[row.kind].validate_json(row.head), view=row.view)
            tables[row.kind].apply(Change(None, record))

    def listen(self, listener: Callable[[Change[Any]], None]) -> None:
        """Hear of every change after its commit, in the order of commits. A listener must be quick."""
        self._listeners.append(listener)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """Change the state: all of it at the end of the block, or nothing when the block raises.

        Inside nobody may wait for anything outside the process.
        """
        with self._writer:
            transaction = Transaction(self.state)
            yield transaction
            self._commit(transaction)

    def _commit(self, transaction: Transaction) -> None:
        changed = [(draft, draft.changes()) for draft in transaction.drafts()]
        changes = [change for _, some in changed for change in some]
        if not changes and not transaction.story:
            return
        gone = [change.record for change in changes if change.after is None]
        self._database.save(
            puts=(self._row(change.after) for change in changes if change.after is not None),
            deletes=[(record.kind, key_text(record.key)) for record in gone],
            story=transaction.story,
            forgotten=[record.arn for record in gone if isinstance(record, Task)],
        )
        for draft, some in changed:
            draft.apply(some)
        for change in changes:
            for listener in self._listeners:
                listener(change)

    def _row(self, record: Record) -> Row:
        head = self._adapters[record.kind].dump_json(record, exclude={"view"}, exclude_defaults=True)
        return Row(record.kind, key_text(record.key), head, record.view)

    def story(self, task_arn: str) -> list[StoryLine]:
        """What happened to a task, oldest first."""
        with self._writer:
            return self._database.story(task_arn)

    def setting(self, name: str, value: str) -> str:
        """A value that belongs to the whole state; the given one when there is none yet."""
        with self._writer:
            return self._database.keep_setting(name, value)

    def clear(self) -> None:
        """Forget all records and stories. Nobody is told."""
        with self._writer:
            self._database.clear()
            for table in self.state.all():
                table.clear()

    def close(self) -> None:
        """Let go of the file."""
        with self._writer:
            self._database.close()
