"""The file behind the store: SQLite in WAL mode, one connection, one transaction for each commit.

`synchronous=NORMAL` loses nothing when the process is killed, since the page cache outlives it, and keeps the file
sound over a power cut.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from emulator.state.record import Key

_key_text = json.JSONEncoder(separators=(",", ":")).encode

LAYOUT = 3
"""Raised when files written before cannot be read any more."""


class StateFileError(Exception):
    """The state file cannot be used. Says why and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """A record as it is stored: `head` is the JSON of its fields, `view` the JSON that the API shows."""

    kind: str
    key: str
    head: bytes
    view: bytes


@dataclass(frozen=True, slots=True)
class StoryLine:
    """Something that happened to a task. `at` in seconds since the epoch."""

    at: float
    text: str


class Database:
    """A state file, or a place in memory that nobody else sees and that ends with the process."""

    def __init__(self, path: Path | None) -> None:
        """Open the file, made when it is missing; None keeps everything in memory. Raises StateFileError."""
        self._connection = sqlite3.connect(path or ":memory:", isolation_level=None, check_same_thread=False)
        try:
            self._connection.execute("pragma journal_mode=wal")
            self._connection.execute("pragma synchronous=normal")
            self._prepare()
        except sqlite3.DatabaseError as error:
            raise StateFileError(f"{path} is not a state file ({error}): remove it, or use another folder.") from error
        found = self.setting("layout")
        if found != str(LAYOUT):
            raise StateFileError(f"{path} was written by another version (layout {found}, not {LAYOUT}): remove it.")

    def _prepare(self) -> None:
        with self._connection as connection:
            connection.execute("begin immediate")
            # With a rowid: else each view would stand in the tree of keys, and a commit write more pages.
            connection.execute(
                "create table if not exists record (kind text, key text, head blob, view blob, primary key (kind, key))"
            )
            connection.execute("create table if not exists story (task text, at real, text text)")
            connection.execute("create index if not exists story_of_task on story (task)")
            connection.execute("create table if not exists setting (name text primary key, value text) without rowid")
            connection.execute("insert or ignore into setting values ('layout', ?)", (str(LAYOUT),))

    def setting(self, name: str) -> str | None:
        """A value that belongs to the whole state, such as the emulator's id."""
        row = self._connection.execute("select value from setting where name = ?", (name,)).fetchone()
        return str(row[0]) if row else None

    def keep_setting(self, name: str, value: str) -> str:
        """Set a value that is not there yet. Returns the one that is there afterwards."""
        self._connection.execute("insert or ignore into setting values (?, ?)", (name, value))
        return self.setting(name) or value

    def rows(self) -> Iterator[Row]:
        """Every record."""
        for found in self._connection.execute("select kind, key, head, view from record"):
            yield Row(*found)

    def save(
        self,
        puts: Iterable[Row],
        deletes: Sequence[tuple[str, str]],
        story: Sequence[tuple[str, StoryLine]],
        forgotten: Sequence[str],
    ) -> None:
        """Write one commit: records, keys (kind, key) to forget, lines of tasks' stories, tasks whose story ends."""
        execute, executemany = self._connection.execute, self._connection.executemany
        execute("begin immediate")
        try:
            executemany(
                "insert into record values (?, ?, ?, ?)"
                " on conflict (kind, key) do update set head = excluded.head, view = excluded.view",
                ((row.kind, row.key, row.head, row.view) for row in puts),
            )
            # Each statement lets other threads run and waits for its turn again, so none is made for nothing.
            if story:
                executemany("insert into story values (?, ?, ?)", [(task, line.at, line.text) for task, line in story])
            if deletes:
                executemany("delete from record where kind = ? and key = ?", deletes)
                executemany("delete from story where task = ?", [(task,) for task in forgotten])
            execute("commit")
        except BaseException:
            execute("rollback")
            raise

    def story(self, task: str) -> list[StoryLine]:
        """What happened to a task, oldest first."""
        found = self._connection.execute("select at, text from story where task = ? order by rowid", (task,))
        return [StoryLine(*row) for row in found]

    def clear(self) -> None:
        """Forget all records and stories."""
        with self._connection as connection:
            connection.execute("begin immediate")
            connection.execute("delete from record")
            connection.execute("delete from story")

    def close(self) -> None:
        """Write what SQLite still holds in its log, and let go of the file."""
        self._connection.close()


def key_text(key: Key) -> str:
    """A key as the file has it."""
    return _key_text(key)
