"""From lines to events, and from events to batches that PutLogEvents takes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.neighbours.ports import LogEvent
from emulator.planner.log_options import Beginning
from emulator.runtime.driver import Line
from emulator.runtime.steps.log_events import (
    LARGEST_MESSAGE,
    LONGEST_SPAN,
    MOST_BYTES,
    MOST_EVENTS,
    OLDEST_GROUP,
    OVERHEAD,
    Batches,
    Grouping,
    Stored,
    events_of,
)

MILLISECOND = 1_000_000


def line(text: str | bytes, at: int = 0) -> Line:
    """A line of stdout; `at` in milliseconds."""
    return Line("stdout", at * MILLISECOND, text.encode() if isinstance(text, str) else text)


def grouped(grouping: Grouping, *lines: Line) -> list[LogEvent]:
    """All events of these lines, the last one too."""
    return [event for each in lines for event in grouping.add(each)] + grouping.end()


def batches_of(*events: LogEvent) -> list[list[LogEvent]]:
    batches = Batches()
    batches.add(events)
    found = []
    while batch := batches.take():
        found.append(batch)
    assert len(batches) == 0
    return found


# Events


def test_a_line_is_an_event_with_its_time_in_milliseconds() -> None:
    found = Grouping(None).add(Line("stderr", 1_700_000_000_123_999_999, b"hello"))
    assert found == [LogEvent(1_700_000_000_123, "hello")]


def test_an_empty_line_is_no_event() -> None:
    assert Grouping(None).add(line("")) == []


def test_bytes_that_are_no_text_are_marked_as_such() -> None:
    assert Grouping(None).add(line(b"a\xffb")) == [LogEvent(0, "a\ufffdb")]


def test_a_line_of_the_largest_size_is_one_event_and_a_longer_one_is_two() -> None:
    assert len(Grouping(None).add(line("x" * LARGEST_MESSAGE))) == 1
    first, second = Grouping(None).add(line("x" * LARGEST_MESSAGE + "y", at=7))
    assert (len(first.message), second.message, first.at, second.at) == (LARGEST_MESSAGE, "y", 7, 7)


@given(st.text(st.sampled_from("aé€😀"), min_size=1, max_size=6), st.integers(1, 3 * LARGEST_MESSAGE))
@settings(max_examples=30)
def test_pieces_of_a_long_text_are_whole_characters_and_lose_nothing(pattern: str, size: int) -> None:
    text = pattern * (size // len(pattern.encode()) + 1)
    found = [event.message for event in events_of(1, text)]
    assert "".join(found) == text
    assert all(0 < len(piece.encode()) <= LARGEST_MESSAGE for piece in found)
    assert all(len(piece.encode()) > LARGEST_MESSAGE - 4 for piece in found[:-1])


# Lines that belong together


def at_capitals() -> Grouping:
    return Grouping(Beginning("^[A-Z]"))


def test_an_event_is_all_lines_from_one_beginning_to_the_next() -> None:
    found = grouped(at_capitals(), line("Error", 1), line(" at a", 2), line(" at b", 3), line("Next", 4))
    assert found == [LogEvent(1, "Error\n at a\n at b\n"), LogEvent(4, "Next\n")]


def test_an_event_is_given_when_the_next_one_begins() -> None:
    grouping = at_capitals()
    assert (grouping.add(line("One")), grouping.is_open) == ([], True)
    assert grouping.add(line("Two")) == [LogEvent(0, "One\n")]
    assert (grouping.end(), grouping.is_open) == ([LogEvent(0, "Two\n")], False)


def test_lines_before_the_first_beginning_are_an_event_too() -> None:
    assert grouped(at_capitals(), line("a", 1), line("b", 2), line("C", 3)) == [
        LogEvent(1, "a\nb\n"),
        LogEvent(3, "C\n"),
    ]


def test_a_line_that_comes_late_begins_another_event() -> None:
    found = grouped(at_capitals(), line("A", 1000), line("b", 999 + OLDEST_GROUP), line("c", 1000 + OLDEST_GROUP))
    assert [event.message for event in found] == ["A\nb\n", "c\n"]


def test_lines_that_belong_together_fill_one_message_at_most() -> None:
    found = grouped(at_capitals(), *[line("x" * 1023) for _ in range(300)])
    assert [len(event.message) for event in found] == [255 * 1024, 45 * 1024]


def test_a_pattern_that_takes_too_long_makes_each_line_an_event() -> None:
    slow = "a" * 60 + "!"
    found = grouped(Grouping(Beginning("(a|aa)+$")), line("b"), line(slow), line("c"))
    assert [event.message for event in found] == ["b\n", slow + "\n", "c"]


@given(st.lists(st.tuples(st.sampled_from(["A", "b", "", "C d"]), st.integers(0, 9000))))
def test_grouping_loses_no_line_and_changes_no_order(given_lines: list[tuple[str, int]]) -> None:
    found = grouped(at_capitals(), *(line(text, at) for text, at in given_lines))
    assert "".join(event.message for event in found) == "".join(f"{text}\n" for text, _ in given_lines)


# Batches


EVENTS = st.lists(st.builds(LogEvent, st.integers(0, 3 * LONGEST_SPAN), st.text(min_size=1, max_size=5)), max_size=60)


@given(EVENTS)
def test_batches_lose_nothing_and_keep_what_came_first_first(events: list[LogEvent]) -> None:
    batches = batches_of(*events)
    begin = 0
    for batch in batches:
        # A batch is the next events, sorted by time alone.
        assert batch == sorted(events[begin : begin + len(batch)], key=lambda event: event.at)
        begin += len(batch)
    assert begin == len(events)


@given(EVENTS)
def test_a_batch_spans_a_day_at_most(events: list[LogEvent]) -> None:
    assert all(batch[-1].at - batch[0].at <= LONGEST_SPAN for batch in batches_of(*events))


@given(st.lists(st.integers(1, LARGEST_MESSAGE), min_size=1, max_size=30), st.sampled_from("x€"))
@settings(max_examples=30)
def test_a_batch_has_a_mebibyte_at_most_and_is_as_full_as_it_can_be(sizes: list[int], letter: str) -> None:
    events = [LogEvent(0, letter * max(1, size // len(letter.encode()))) for size in sizes]
    weights = [[len(event.message.encode()) + OVERHEAD for event in batch] for batch in batches_of(*events)]
    assert all(sum(batch) <= MOST_BYTES for batch in weights)
    assert all(sum(batch) + after[0] > MOST_BYTES for batch, after in pairwise(weights))


def test_a_batch_has_ten_thousand_events_at_most() -> None:
    events = [LogEvent(place, str(place)) for place in range(2 * MOST_EVENTS + 1)]
    assert [len(batch) for batch in batches_of(*events)] == [MOST_EVENTS, MOST_EVENTS, 1]


def test_who_adds_is_told_when_there_is_a_batch() -> None:
    batches, told = Batches(), []
    for events in ([LogEvent(0, "x")] * (MOST_EVENTS - 1), [LogEvent(0, "x")]):
        batches.add(events)
        told.append(batches.full)
    batches.take()
    told.append(batches.full)
    batches.add([LogEvent(0, "x" * LARGEST_MESSAGE)] * 4)
    assert [*told, batches.full] == [False, True, False, True]


# What is there already


def test_of_an_empty_stream_all_is_read() -> None:
    stored = Stored([], 10, grouped=False)
    assert stored.since == 0
    assert stored.lacks(LogEvent(5, "a"))


def test_what_is_stored_is_told_as_often_as_it_is_there() -> None:
    stored = Stored([LogEvent(5000, "a"), LogEvent(5000, "b"), LogEvent(5000, "b")], 10, grouped=False)
    read = [LogEvent(5000, text) for text in ("a", "b", "b", "b", "c")]
    assert [event.message for event in read if stored.lacks(event)] == ["b", "c"]


def test_output_is_read_again_from_a_second_before_the_last_event() -> None:
    assert Stored([LogEvent(5000, "a"), LogEvent(9000, "b")], 10, grouped=False).since == 8000 * MILLISECOND


def test_of_lines_that_belong_together_the_last_event_is_read_again() -> None:
    assert Stored([LogEvent(5000, "a"), LogEvent(9000, "b")], 10, grouped=True).since == 9000 * MILLISECOND


def test_what_may_be_stored_and_was_not_shown_is_not_read_again() -> None:
    latest = [LogEvent(8500, "a"), LogEvent(8700, "b"), LogEvent(9000, "c")]
    assert Stored(latest, 3, grouped=False).since == 8501 * MILLISECOND


@given(
    st.lists(st.tuples(st.integers(0, 4000), st.sampled_from("abc")), max_size=40).map(sorted),
    st.integers(0, 40),
    st.integers(1, 50),
)
def test_whoever_goes_on_after_any_number_of_events_stores_each_once(
    printed: list[tuple[int, str]], count: int, most: int
) -> None:
    events = [LogEvent(1_000_000 + at, text) for at, text in printed]
    latest = events[:count][-most:]
    if len({event.at for event in latest}) == 1 and len(latest) == most < count:
        return  # more in one millisecond than the service shows at once
    stored = Stored(latest, most, grouped=False)
    more = [event for event in events if event.at * MILLISECOND >= stored.since and stored.lacks(event)]
    assert sorted(events[:count] + more, key=lambda event: event.at) == events


TEXTS = st.sampled_from(["A", "B b", "c", "d"])


@given(st.lists(st.tuples(st.integers(1, 4000), TEXTS), max_size=30), st.integers(0, 30))
def test_whoever_goes_on_between_two_groups_of_lines_finds_the_same_groups(
    printed: list[tuple[int, str]], count: int
) -> None:
    at, lines = 1_000_000, []
    for pause, text in printed:
        at += pause
        lines.append(line(text, at))
    events = grouped(at_capitals(), *lines)
    stored = Stored(events[:count], 100, grouped=True)
    again = grouped(at_capitals(), *(each for each in lines if each.at >= stored.since))
    assert events[:count] + [event for event in again if stored.lacks(event)] == events
