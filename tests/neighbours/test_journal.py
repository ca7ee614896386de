"""What other services hold is there again when the emulator was killed and started anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.emulators import Served, client, served
from tests.neighbours.held import KINDS

Seen = dict[str, Any]


def kept(folder: Path, *options: str) -> Any:
    return served("--runtime", "simulated", "--state-dir", str(folder), *options)


def seen(emulator: Served) -> Seen:
    """What every kind of thing looks like, whatever the emulator's port."""
    return {
        name: _bare(kind.see(lambda service: client(emulator.url, service)), emulator.url)
        for name, kind in KINDS.items()
    }


def _bare(answer: Any, url: str) -> Any:
    if isinstance(answer, dict):
        return {name: _bare(value, url) for name, value in answer.items() if name != "ResponseMetadata"}
    if isinstance(answer, list | tuple):
        return [_bare(each, url) for each in answer]
    return answer.replace(url, "") if isinstance(answer, str) else answer


@pytest.fixture(scope="module")
def before_and_after(tmp_path_factory: pytest.TempPathFactory) -> tuple[Seen, Seen]:
    """What was seen before the emulator was killed, and in the process after it."""
    folder = tmp_path_factory.mktemp("state")
    with kept(folder) as first:
        for kind in KINDS.values():
            kind.make(lambda service: client(first.url, service))
        before = seen(first)
        first.kill()
    with kept(folder) as second:
        return before, seen(second)


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_kill_everything_is_as_it_was(kind: str, before_and_after: tuple[Seen, Seen]) -> None:
    before, after = before_and_after
    assert after[kind] == before[kind]
