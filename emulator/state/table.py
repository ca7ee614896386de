"""Tables in memory: records by key, and ordered indexes over them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

from sortedcontainers import SortedList

from emulator.state.record import Change, Group, Key, Record

R = TypeVar("R", bound=Record)


def _beginning_with(prefix: Key) -> tuple[Key, Key]:
    """Between which keys those stand that begin so. No name has the last code point that there is."""
    return prefix, (*prefix[:-1], f"{prefix[-1]}\U0010ffff")


class Table(Generic[R]):
    """The committed records of one kind. Many may read while one applies a commit."""

    def __init__(self, record_type: type[R]) -> None:
        self.record_type = record_type
        self._records: dict[Key, R] = {}
        self._groups: dict[Group, SortedList] = {}
        self._lock = threading.Lock()

    def get(self, key: Key) -> R | None:
        """The record of this key."""
        return self._records.get(key)

    def page(
        self,
        group: Group,
        *,
        prefix: Key | None = None,
        after: Key | None = None,
        limit: int,
        descending: bool = False,
    ) -> list[R]:
        """Up to `limit` records of an index in the order of their keys, from behind `after` on.

        With `prefix` only those whose keys begin with it: its last part is the beginning of a text, the parts before
        it are whole. Its cost depends on the limit, not on how many there are.
        """
        low, high = _beginning_with(prefix) if prefix else (None, None)
        if after is not None:
            low, high = (low, after) if descending else (after, high)
        inclusive = (after is None or descending, after is None or not descending)
        with self._lock:
            keys = self._groups.get(group)
            if keys is None:
                return []
            found = keys.irange(low, high, inclusive=inclusive, reverse=descending)
            return [self._records[key] for key, _ in zip(found, range(limit), strict=False)]

    def count(self, group: Group) -> int:
        """How many records stand in an index."""
        with self._lock:
            return len(self._groups.get(group, ()))

    def __iter__(self) -> Iterator[R]:
        """All records, as they are now. For start and reset; no call of the API walks a table."""
        return iter(list(self._records.values()))

    def __len__(self) -> int:
        return len(self._records)

    def apply(self, change: Change[R]) -> None:
        """Make a committed change visible."""
        before, after = change.before, change.after
        key = change.record.key
        old = set(before.groups()) if before else set()
        new = set(after.groups()) if after else set()
        with self._lock:
            if after is None:
                del self._records[key]
            else:
                self._records[key] = after
            for group in old - new:
                members = self._groups[group]
                members.remove(key)
                if not members:
                    del self._groups[group]
            for group in new - old:
                self._groups.setdefault(group, SortedList()).add(key)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._records.clear()
            self._groups.clear()


class Draft(Generic[R]):
    """A table as one transaction sees it: its own puts by key, and the committed state in every index."""

    def __init__(self, table: Table[R]) -> None:
        self._table = table
        self._puts: dict[Key, R | None] = {}

    def get(self, key: Key) -> R | None:
        """The record of this key, as this transaction left it."""
        return self._puts[key] if key in self._puts else self._table.get(key)

    def page(
        self,
        group: Group,
        *,
        prefix: Key | None = None,
        after: Key | None = None,
        limit: int,
        descending: bool = False,
    ) -> list[R]:
        """Up to `limit` committed records of an index."""
        return self._table.page(group, prefix=prefix, after=after, limit=limit, descending=descending)

    def count(self, group: Group) -> int:
        """How many committed records stand in an index."""
        return self._table.count(group)

    def put(self, record: R) -> R:
        """Keep a record in place of the one of its key, from the commit on. Returns it."""
        self._puts[record.key] = record
        return record

    def delete(self, key: Key) -> None:
        """Forget a record, from the commit on. One that is not there is fine."""
        self._puts[key] = None

    def changes(self) -> list[Change[R]]:
        """What this transaction changes."""
        found = [Change(self._table.get(key), after) for key, after in self._puts.items()]
        return [change for change in found if change.before is not change.after]

    def apply(self, changes: list[Change[R]]) -> None:
        """Make committed changes visible to everybody."""
        for change in changes:
            self._table.apply(change)
