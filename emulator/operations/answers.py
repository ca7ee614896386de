"""Answers made of JSON that is already there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import api_models as ecs
from emulator.state.tasks import Task


def tags_json(tags: Mapping[str, str]) -> bytes:
    """Tags as the API lists them."""
    return json.dumps([{"key": key, "value": value} for key, value in tags.items()], ensure_ascii=False).encode()


def task_json(task: Task, *, with_tags: bool) -> bytes:
    """A task as the API shows it: an empty list stands for tags that nobody asked for."""
    return task.view[:-1] + b',"tags":' + (tags_json(task.tags) if with_tags else b"[]") + b"}"


def list_json(items: Iterable[bytes]) -> bytes:
    """A list of documents."""
    return b"[" + b",".join(items) + b"]"


def failures_json(failures: Iterable[ecs.Failure]) -> bytes:
    """The failures of a call that looked for several things."""
    return list_json(failure.to_json() for failure in failures)


def tag_map(tags: Iterable[ecs.Tag] | None) -> dict[str, str]:
    """Tags by key; one without a value has the empty one."""
    return {tag.key or "": tag.value or "" for tag in tags or ()}


def tag_list(tags: Mapping[str, str]) -> tuple[ecs.Tag, ...]:
    """Tags as the API lists them."""
    return tuple(ecs.Tag(key=key, value=value) for key, value in tags.items())
