"""The calls that made what the other services hold, in a file beside the store's: they are done again after a restart.

The file grows with what there is, not with what is done: a call can make earlier ones needless (`Effect`).
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.neighbours.ports import Place
from emulator.state.sqlite import StateFileError

logger = logging.getLogger(__name__)

LAYOUT = "1"
"""Changed when files written before cannot be read any more."""

WORTH_PACKING = range(1 << 10, 1 << 20)
"""Bodies of so many bytes are compressed: shorter ones gain little, longer ones are mostly archives and pictures."""

MOST_LOG = 8 << 20
"""Bytes of SQLite's own log that stay after a long body went through it."""

SCHEMA = """
create table if not exists setting (name text primary key, value text) without rowid;
create table if not exists call (
  number integer primary key, backend text, account text, region text, operation text, at real, seed text,
  environ text, told text, packed integer, body blob, about text, makes integer, stays integer, until real);
create index if not exists call_about on call (about) where about is not null;
create index if not exists call_until on call (until) where until is not null;
"""

COLUMNS = "backend, account, region, operation, at, seed, environ, told, packed, body"
NEXT = f"select number, {COLUMNS} from call where number > ? and coalesce(until, ?) >= ? order by number limit 1"  # noqa: S608 - our own words
PUT = f"insert into call ({COLUMNS}, about, makes, stays, until) values ({', '.join('?' * 14)})"  # noqa: S608
COPY = f"insert into call values ({', '.join('?' * 15)})"  # noqa: S608
AMONG = "about >= ? and about < ?"

Range = tuple[str, str]
"""What calls are about: from here on, and before there."""


def exactly(subject: str) -> Range:
    """Calls about a subject itself."""
    return subject, subject + "\0"


def below(path: str) -> Range:
    """Calls about a path that ends with a slash, and about what is below it."""
    return path, path[:-1] + chr(ord(path[-1]) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCall:
    """A call that changed something. `backend` is moto's name of the service; `at` in seconds since the epoch.

    `environ` is the head of the request, as a WSGI application gets it. `told` is what others answered during the call.
    `labels`, what its path names (such as Bucket and Key), are not in the file.
    """

    backend: str
    place: Place
    operation: str
    at: float
    seed: int
    environ: Mapping[str, Any]
    body: bytes
    told: Sequence[Mapping[str, Any]] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a call means for the calls before it, by what they are about. It is told in this order."""

    needs: tuple[Range, ...] = ()
    """These calls, and this one if it is among them, stay for good: something else was made of what they made."""
    outdates: tuple[Range, ...] = ()
    """These are needless from now on, but for those that stay."""
    gathers: tuple[Range, ...] = ()
    """These are about what this call is about from now on."""
    about: str | None = None
    """What the call is about; None for one that no call outdates."""
    makes: bool = False
    """Does what it is about come from this call, whatever was before it?"""
    ends: bool = False
    """Does what it is about end with this call? It outdates all or nothing: all, and itself, where what made it and all
    that was made of it can be left out."""
    until: float | None = None
    """When what the call made is over by itself, in seconds since the epoch."""


Entry = tuple[KeptCall | None, Effect]
"""A call and what it means; or only what a call means that need not be done again itself."""


class Journal:
    """The file. Several threads may use it."""

    def __init__(self, path: Path) -> None:
        """Open the file, made when it is missing, for its owner's eyes only: there are secrets in it.

        One that cannot be read is set aside, and a new one begun. Raises OSError, StateFileError.
        """
        self._path = path
        self._lock = threading.Lock()
        try:
            self._connection = _opened(path)
        except sqlite3.OperationalError as error:
            raise StateFileError(f"{path} cannot be used ({error}).") from error
        except sqlite3.DatabaseError as error:
            self._set_aside(error)

    def add(self, entries: Sequence[Entry]) -> None:
        """Write calls with what they mean, or only what they mean. They are safe from then on. Raises OSError."""
        with self._writing() as connection:
            for call, effect in entries:
                _put(connection, call, effect)

    def calls(self, now: float) -> Iterator[KeptCall]:
        """Every call, in order, but for those whose effect is over by now. Raises OSError.

        Where the file is broken the calls end, which the log says; they go on in a new file.
        """
        number = 0
        while row := self._after(number, now):
            number = row[0]
            yield _call(row[1:])

    def _after(self, number: int, now: float) -> Any:
        with self._lock:
            try:
                return self._connection.execute(NEXT, (number, now, now)).fetchone()
            except sqlite3.OperationalError as error:
                raise OSError(f"{self._path} cannot be read: {error}") from error
            except sqlite3.DatabaseError as error:
                self._save_what_can_be_read(error)
                return None

    def _save_what_can_be_read(self, error: Exception) -> None:
        """Begin a new file with the calls of this one, up to the first that cannot be read."""
        broken = self._connection
        self._set_aside(error)
        self._connection.execute("begin")
        self._connection.executemany(COPY, _rows(broken))
        self._connection.execute("commit")
        broken.close()

    def services(self) -> set[tuple[str, Place]]:
        """The services, by moto's names, and places that there are calls to."""
        with self._lock:
            found = self._connection.execute("select distinct backend, account, region from call").fetchall()
        return {(backend, Place(account, region)) for backend, account, region in found}

    def clear(self) -> None:
        """Forget everything. Raises OSError."""
        with self._writing() as connection:
            connection.execute("delete from call")
        with self._lock:
            self._connection.execute("vacuum")

    def made_by(self, version: str) -> str | None:
        """Which version of moto made what is kept, when it is another than this one. Raises OSError."""
        with self._writing() as connection:
            found = connection.execute("select value from setting where name = 'moto'").fetchone()
            connection.execute("insert or replace into setting values ('moto', ?)", (version,))
        return str(found[0]) if found is not None and found[0] != version else None

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._connection.execute("begin immediate")
                try:
                    yield self._connection
                    self._connection.execute("commit")
                except BaseException:
                    self._connection.execute("rollback")
                    raise
            except sqlite3.Error as error:
                raise OSError(f"{self._path} cannot be written: {error}") from error

    def _set_aside(self, error: Exception) -> None:
        """Begin a new file, and leave the old one to whoever can read it."""
        aside = self._path.with_name(f"{self._path.name}.unreadable")
        self._path.replace(aside)
        for end in ("-wal", "-shm"):  # would be taken for the new file's
            self._path.with_name(self._path.name + end).unlink(missing_ok=True)
        self._connection = _opened(self._path)
        logger.error(
            "%s cannot be read (%s): what other AWS services held is lost, at least in part. The file is now %s.",
            self._path,
            error,
            aside.name,
        )


def _opened(path: Path) -> sqlite3.Connection:
    """A connection to a file that has all tables. Raises sqlite3.Error."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("pragma journal_mode=wal")
        connection.execute("pragma synchronous=normal")
        connection.execute(f"pragma journal_size_limit={MOST_LOG}")
        connection.executescript(SCHEMA)
        _check_layout(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_layout(connection: sqlite3.Connection) -> None:
    connection.execute("insert or ignore into setting values ('layout', ?)", (LAYOUT,))
    (layout,) = connection.execute("select value from setting where name = 'layout'").fetchone()
    if layout != LAYOUT:
        raise sqlite3.DatabaseError(f"another version wrote it: layout {layout}, not {LAYOUT}")


def _rows(connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    """Whole rows, up to the first that cannot be read. One at a time, as a cursor looks ahead."""
    number = 0
    with suppress(sqlite3.DatabaseError):
        while row := connection.execute(
            "select * from call where number > ? order by number limit 1", (number,)
        ).fetchone():
            yield row
            number = row[0]


def _put(connection: sqlite3.Connection, call: KeptCall | None, effect: Effect) -> None:
    for span in effect.needs:
        connection.execute(f"update call set stays = 1 where {AMONG}", span)  # noqa: S608
    undone = effect.ends and _is_undone(connection, effect)
    for span in effect.outdates if undone or not effect.ends else ():
        connection.execute(f"delete from call where {AMONG} and not stays", span)  # noqa: S608
    for span in effect.gathers:
        connection.execute(f"update call set about = ? where {AMONG}", (effect.about, *span))  # noqa: S608
    if call is None or undone:
        return
    if effect.until is not None:
        connection.execute("delete from call where until < ?", (call.at,))
    # An end that is not left out stays, so that nobody takes what was before it for needless.
    stays = effect.ends or any(first <= (effect.about or "") < last for first, last in effect.needs)
    connection.execute(PUT, (*_row(call), effect.about, effect.makes, stays, effect.until))


def _is_undone(connection: sqlite3.Connection, effect: Effect) -> bool:
    """Is all of what an end ends in the journal, and can be left out?"""
    made = connection.execute("select 1 from call where about = ? and makes limit 1", (effect.about,)).fetchone()
    left = (
        connection.execute(f"select 1 from call where {AMONG} and stays limit 1", span).fetchone()  # noqa: S608
        for span in effect.outdates
    )
    return made is not None and not any(left)


def _row(call: KeptCall) -> tuple[Any, ...]:
    packed = len(call.body) in WORTH_PACKING
    return (
        call.backend,
        *call.place,
        call.operation,
        call.at,
        f"{call.seed:x}",
        json.dumps(call.environ, separators=(",", ":")),
        json.dumps(call.told, separators=(",", ":")) if call.told else None,
        packed,
        zlib.compress(call.body, 1) if packed else call.body,
    )


def _call(row: Sequence[Any]) -> KeptCall:
    backend, account, region, operation, at, seed, environ, told, packed, body = row
    return KeptCall(
        backend=backend,
        place=Place(account, region),
        operation=operation,
        at=at,
        seed=int(seed, 16),
        environ=json.loads(environ),
        told=json.loads(told) if told else (),
        body=zlib.decompress(body) if packed else body,
    )
