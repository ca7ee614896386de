"""The store: all or nothing, nothing lost, everybody told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emulator.state.clusters import Cluster, active_clusters
from emulator.state.folder import FolderInUseError, Lock, ephemeral_lock, folder_lock, state_file
from emulator.state.record import Change
from emulator.state.sqlite import Database, StateFileError
from emulator.state.store import Store
from emulator.state.tasks import listed_tasks, tasks_with_status
from tests.builders import ACCOUNT, CLUSTER, NOW, REGION, definition, definition_record, task

ROOT = Path(__file__).parent.parent.parent
GROUP = active_clusters(ACCOUNT, REGION)


def cluster(name: str, **fields: Any) -> Cluster:
    given = {"account": ACCOUNT, "region": REGION, "name": name, "arn": f"arn:{name}", "status": "ACTIVE"}
    return Cluster(**{**given, "view": b'{"clusterName":"x"}', **fields})


@pytest.fixture
def store() -> Store:
    return Store(Database(None))


def test_a_commit_is_seen_when_the_block_ends_and_not_before(store: Store) -> None:
    with store.write() as transaction:
        transaction.clusters.put(cluster("a"))
        assert transaction.clusters.get((ACCOUNT, REGION, "a")) == cluster("a")
        assert store.state.clusters.get((ACCOUNT, REGION, "a")) is None
    assert store.state.clusters.get((ACCOUNT, REGION, "a")) == cluster("a")


def test_a_block_that_raises_changes_nothing(store: Store) -> None:
    def fail() -> None:
        with store.write() as transaction:
            transaction.clusters.put(cluster("a"))
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        fail()
    assert len(store.state.clusters) == 0


def test_listeners_hear_what_was_and_what_is(store: Store) -> None:
    heard: list[Change[Any]] = []
    store.listen(heard.append)
    for record in (cluster("a"), cluster("a", status="INACTIVE")):
        with store.write() as transaction:
            transaction.clusters.put(record)
    with store.write() as transaction:
        transaction.clusters.delete((ACCOUNT, REGION, "a"))
    assert [(change.before and change.before.status, change.after and change.after.status) for change in heard] == [
        (None, "ACTIVE"),
        ("ACTIVE", "INACTIVE"),
        ("INACTIVE", None),
    ]


def test_an_index_holds_what_belongs_to_it_in_order_of_keys(store: Store) -> None:
    for name in ("c", "a", "b", "d"):
        with store.write() as transaction:
            transaction.clusters.put(cluster(name))
    with store.write() as transaction:
        transaction.clusters.put(cluster("b", status="INACTIVE"))
        transaction.clusters.delete((ACCOUNT, REGION, "d"))
    clusters = store.state.clusters
    assert [found.name for found in clusters.page(GROUP, limit=9)] == ["a", "c"]
    assert [found.name for found in clusters.page(GROUP, limit=9, descending=True)] == ["c", "a"]
    assert [found.name for found in clusters.page(GROUP, after=(ACCOUNT, REGION, "a"), limit=9)] == ["c"]
    assert [found.name for found in clusters.page(GROUP, limit=1)] == ["a"]
    assert clusters.count(GROUP) == 2
    assert clusters.count(active_clusters(ACCOUNT, "eu-west-1")) == 0


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["web", "web-1", "web-2"]),
        ({"descending": True}, ["web-2", "web-1", "web"]),
        ({"after": (ACCOUNT, REGION, "web")}, ["web-1", "web-2"]),
        ({"after": (ACCOUNT, REGION, "web-2"), "descending": True}, ["web-1", "web"]),
        ({"limit": 1}, ["web"]),
    ],
)
def test_a_page_can_be_of_those_whose_names_begin_alike(store: Store, asked: dict[str, Any], found: list[str]) -> None:
    with store.write() as transaction:
        for name in ("a", "we", "web-2", "web", "web-1", "wec"):
            transaction.clusters.put(cluster(name))
    page = store.state.clusters.page(GROUP, prefix=(ACCOUNT, REGION, "web"), **{"limit": 9, **asked})
    assert [each.name for each in page] == found


def test_a_walk_by_pages_neither_repeats_nor_misses_what_stays(store: Store) -> None:
    with store.write() as transaction:
        for number in range(0, 40, 2):
            transaction.clusters.put(cluster(f"{number:02d}"))
    seen: list[str] = []
    after = None
    while page := store.state.clusters.page(GROUP, after=after, limit=3):
        seen += [found.name for found in page]
        after = page[-1].key
        with store.write() as transaction:
            transaction.clusters.put(cluster(f"{len(seen) * 2 % 40 + 1:02d}"))
            transaction.clusters.delete(page[0].key)
    assert seen == sorted(set(seen))
    assert set(seen) >= {f"{number:02d}" for number in range(0, 40, 2)}


def test_everything_is_there_after_a_new_start(tmp_path: Path) -> None:
    path = state_file(tmp_path)
    written = Store(Database(path))
    record = replace(task(), started_by="me", tags={"a": "b"})
    with written.write() as transaction:
        transaction.tasks.put(record)
        transaction.task_definitions.put(definition_record(definition()))
        transaction.tell(record, NOW, "it was made")
    secret = written.setting("secret", "one")
    written.close()
    read = Store(Database(path))
    assert read.state.tasks.get(record.key) == record
    assert read.state.tasks.count(tasks_with_status((ACCOUNT, REGION, CLUSTER), "PROVISIONING")) == 1
    assert read.state.tasks.count(listed_tasks((ACCOUNT, REGION, CLUSTER), "RUNNING", started_by="me")) == 1
    assert [line.text for line in read.story(record.arn)] == ["it was made"]
    assert read.setting("secret", "two") == secret == "one"


def test_a_forgotten_task_takes_its_story_with_it(store: Store) -> None:
    record = task()
    with store.write() as transaction:
        transaction.tasks.put(record)
        transaction.tell(record, NOW, "it was made")
    with store.write() as transaction:
        transaction.tasks.delete(record.key)
    assert store.story(record.arn) == []


def test_a_cleared_store_is_empty_but_keeps_its_settings(store: Store) -> None:
    store.setting("secret", "one")
    with store.write() as transaction:
        transaction.clusters.put(cluster("a"))
    store.clear()
    assert len(store.state.clusters) == store.state.clusters.count(GROUP) == 0
    assert store.setting("secret", "two") == "one"


def test_one_writer_at_a_time(store: Store) -> None:
    def count_up() -> None:
        for _ in range(50):
            with store.write() as transaction:
                found = transaction.clusters.get((ACCOUNT, REGION, "a"))
                number = int(found.arn) if found else 0
                transaction.clusters.put(cluster("a", arn=str(number + 1)))

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = store.state.clusters.get((ACCOUNT, REGION, "a"))
    assert found is not None
    assert found.arn == "200"


WRITER = """
import sys
from pathlib import Path
from emulator.state.sqlite import Database
from emulator.state.store import Store
from tests.state.test_store import cluster
store = Store(Database(Path(sys.argv[1])))
for number in range(100_000):
    with store.write() as transaction:
        transaction.clusters.put(cluster(f"c{number}"))
    print(number, flush=True)
"""


def test_no_acknowledged_commit_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    path = state_file(tmp_path)
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert writer.stdout is not None
    acknowledged = 0
    for line in writer.stdout:
        acknowledged = int(line)
        if acknowledged >= 500:
            os.kill(writer.pid, signal.SIGKILL)
            break
    acknowledged = max([acknowledged, *map(int, writer.stdout.read().splitlines()[:-1])])
    writer.wait()
    writer.stdout.close()
    assert len(Store(Database(path)).state.clusters) >= acknowledged + 1


def test_a_file_that_is_no_database_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("this is no database, and it is long enough to be looked at as one" * 20)
    with pytest.raises(StateFileError, match="remove it, or use another folder"):
        Database(tmp_path / "x")


def test_a_file_of_another_layout_is_refused(tmp_path: Path) -> None:
    database = Database(tmp_path / "x")
    database._connection.execute("update setting set value = '0' where name = 'layout'")
    database.close()
    with pytest.raises(StateFileError, match="another version"):
        Database(tmp_path / "x")


def test_a_second_emulator_on_a_folder_is_told_who_holds_it(tmp_path: Path) -> None:
    held = folder_lock(tmp_path)
    with pytest.raises(FolderInUseError, match=f"in use by process {os.getpid()}.*--state-dir"):
        folder_lock(tmp_path)
    held.release()
    folder_lock(tmp_path).release()


def test_the_lock_of_an_ephemeral_emulator_leaves_no_file() -> None:
    lock: Lock = ephemeral_lock("a-test-of-the-lock")
    assert lock.path.exists()
    lock.release(remove=True)
    assert not lock.path.exists()
