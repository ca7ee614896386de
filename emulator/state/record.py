"""What every kind of record shares.

A record keeps the API's answer as the JSON that was or will be sent (`view`), and beside it the few fields that lists,
rules and the planner look at again and again. So ten thousand of them are ten thousand strings, not a million objects,
and an answer is made by joining bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Generic, TypeVar, cast

import api_models as ecs

Key = tuple[str | int, ...]
"""Account, region, and what names the record within them. Records of a kind are listed in the order of their keys."""

Group = tuple[str | int, ...]
"""The name of an ordered index within a table: what its members have in common, such as `("family", account, …)`."""

S = TypeVar("S", bound=ecs.Shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Something that the emulator remembers. Immutable: a change is another record of the same key."""

    kind: ClassVar[str]
    view: bytes = b""

    @property
    def key(self) -> Key:
        """What names the record among those of its kind."""
        raise AttributeError(f"{type(self).__name__} has no key")

    def groups(self) -> tuple[Group, ...]:
        """The ordered indexes that the record stands in."""
        return ()


R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Change(Generic[R]):
    """A record before and after a commit. `before` is None for a new one, `after` for one that was deleted."""

    before: R | None
    after: R | None

    @property
    def record(self) -> R:
        """The record as it is now, or was last."""
        record = self.after or self.before
        if record is None:
            raise ValueError("a change has a record before it or after it")
        return record


def parsed(shape: type[S], view: bytes) -> S:
    """A record's view as the structure that it is the JSON of. The latest few are kept."""
    return cast("S", _parse(shape, view))


@lru_cache(maxsize=256)
def _parse(shape: Callable[..., ecs.Shape], view: bytes) -> ecs.Shape:
    return cast("type[ecs.Shape]", shape).parse(view)
