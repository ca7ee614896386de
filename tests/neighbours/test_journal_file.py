"""The journal's file: what calls mean for each other, and files that cannot be read."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from emulator.neighbours.journal import Effect, Journal, KeptCall, below, exactly
from emulator.neighbours.ports import Place

HERE = Place("000000000000", "us-east-1")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "neighbours.sqlite3"


@pytest.fixture
def journal(file: Path) -> Iterator[Journal]:
    with closing(Journal(file)) as journal:
        yield journal


def call(operation: str, body: bytes = b"{}", at: float = 1.0) -> KeptCall:
    return KeptCall(
        backend="s",
        place=HERE,
        operation=operation,
        at=at,
        seed=1 << 100,
        environ={"A": "b"},
        body=body,
        told=[{"answer": 1}],
    )


def operations(journal: Journal, now: float = 0.0) -> list[str]:
    return [each.operation for each in journal.calls(now)]


def add(journal: Journal, operation: str, **effect: object) -> None:
    journal.add([(call(operation), Effect(**effect))])  # type: ignore[arg-type]


@pytest.mark.parametrize("body", [b"", b"\0\xff", b"{}" * 1000, b"\0" * (1 << 20)], ids=len)
def test_a_call_is_read_as_it_was_written(journal: Journal, body: bytes) -> None:
    journal.add([(call("Create", body), Effect())])
    assert list(journal.calls(0)) == [call("Create", body)]


def test_a_call_outdates_those_about_the_same_and_no_other(journal: Journal) -> None:
    add(journal, "Put a", about="b/a")
    add(journal, "Put ab", about="b/ab")
    add(journal, "Put a again", about="b/a", outdates=(exactly("b/a"),))
    assert operations(journal) == ["Put ab", "Put a again"]


def test_what_is_below_a_path_is_not_what_begins_like_it(journal: Journal) -> None:
    for about in ("b/", "b/a", "b/a/c", "b-other/", "b", "c/"):
        add(journal, about, about=about)
    add(journal, "end", about="end", outdates=(below("b/"),))
    assert operations(journal) == ["b-other/", "b", "c/", "end"]


def test_a_call_that_something_was_made_of_stays(journal: Journal) -> None:
    add(journal, "Put 1", about="a")
    add(journal, "Copy", needs=(exactly("a"),))
    add(journal, "Put 2", about="a", outdates=(exactly("a"),))
    add(journal, "Put 3", about="a", outdates=(exactly("a"),))
    assert operations(journal) == ["Put 1", "Copy", "Put 3"]


def test_an_end_takes_what_it_ends_with_it(journal: Journal) -> None:
    add(journal, "Create", about="b/", makes=True)
    add(journal, "Put", about="b/a")
    add(journal, "Delete", about="b/", ends=True, outdates=(below("b/"),))
    assert operations(journal) == []


def test_an_end_of_what_came_otherwise_stays_and_takes_nothing(journal: Journal) -> None:
    add(journal, "Put", about="b/a")
    add(journal, "Delete", about="b/", ends=True, outdates=(below("b/"),))
    add(journal, "Create", about="b/", makes=True)
    add(journal, "Delete again", about="b/", ends=True, outdates=(below("b/"),))
    assert operations(journal) == ["Put", "Delete", "Create", "Delete again"]


def test_an_end_leaves_all_where_a_part_must_stay(journal: Journal) -> None:
    add(journal, "Create", about="b/", makes=True)
    add(journal, "Put", about="b/a")
    add(journal, "Copy", needs=(exactly("b/a"),))
    add(journal, "Delete", about="b/", ends=True, outdates=(below("b/"),))
    assert operations(journal) == ["Create", "Put", "Copy", "Delete"]


def test_calls_are_gathered_under_what_they_led_to(journal: Journal) -> None:
    add(journal, "Begin", about="upload", makes=True)
    add(journal, "Complete", about="a", makes=True, gathers=(exactly("upload"),))
    add(journal, "Put", about="a", outdates=(exactly("a"),))
    assert operations(journal) == ["Put"]


def test_what_is_over_is_not_read_and_goes_with_the_next_of_its_kind(journal: Journal, file: Path) -> None:
    journal.add([(call("Assume 1"), Effect(until=10.0))])
    assert operations(journal, now=10.0) == ["Assume 1"]
    assert operations(journal, now=10.5) == []
    journal.add([(call("Assume 2", at=11.0), Effect(until=20.0))])
    with closing(sqlite3.connect(file)) as written:
        assert written.execute("select operation from call").fetchall() == [("Assume 2",)]


def test_services_and_places_of_calls_are_known(journal: Journal) -> None:
    add(journal, "Create")
    assert journal.services() == {("s", HERE)}


def test_a_file_that_is_none_is_set_aside(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    file.write_bytes(b"this is not a database, and long enough to be looked at as one" * 100)
    with closing(Journal(file)) as journal:
        add(journal, "Create")
    with closing(Journal(file)) as journal:
        assert operations(journal) == ["Create"]
    assert file.with_name("neighbours.sqlite3.unreadable").read_bytes().startswith(b"this is not")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "is not a database" in caplog.text


def test_a_file_of_another_layout_is_set_aside(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(Journal(file)) as journal:
        add(journal, "Create")
    with closing(sqlite3.connect(file)) as written:
        written.execute("update setting set value = '0' where name = 'layout'")
        written.commit()
    with closing(Journal(file)) as journal:
        assert operations(journal) == []
    assert "another version wrote it" in caplog.text


def test_of_a_broken_file_what_is_before_the_break_is_saved(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    with closing(Journal(file)) as journal:
        for number in range(200):
            add(journal, f"Create {number}")
    content = bytearray(file.read_bytes())
    middle = content.index(b"Create 150") // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    file.write_bytes(content)
    with closing(Journal(file)) as journal:
        found = operations(journal)
        add(journal, "Create more")
    with closing(Journal(file)) as journal:
        assert operations(journal) == [*found, "Create more"]
    assert found == [f"Create {number}" for number in range(len(found))]
    assert 100 < len(found) <= 150
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_cleared_journal_takes_no_room(journal: Journal, file: Path) -> None:
    journal.add([(call("Put", b"\0" * (4 << 20)), Effect())])
    journal.clear()
    assert operations(journal) == []
    journal.close()
    assert file.stat().st_size < 1 << 16
