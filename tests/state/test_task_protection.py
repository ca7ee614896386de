"""What a task's record says of its protection."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.state.sqlite import Database
from emulator.state.store import Store
from tests.builders import NOW, task


def test_protection_is_there_after_a_new_start(tmp_path: Path) -> None:
    record = task(protected_until=NOW + 60)
    written = Store(Database(tmp_path / "state"))
    with written.write() as transaction:
        transaction.tasks.put(record)
    written.close()
    assert Store(Database(tmp_path / "state")).state.tasks.get(record.key) == record


@pytest.mark.parametrize(
    ("until", "desired_status", "protected"),
    [(None, "RUNNING", False), (NOW + 1, "RUNNING", True), (NOW, "RUNNING", False), (NOW + 1, "STOPPED", False)],
)
def test_protection_ends_with_time_and_with_the_task(until: float | None, desired_status: str, protected: bool) -> None:
    record = task(protected_until=until, desired_status=desired_status)
    assert record.protection(NOW) == (until if protected else None)
