"""What the Docker driver makes of the bytes of a container's log. No daemon is asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.runtime.docker.logs import (
    LONGEST_LINE,
    REREAD,
    Joined,
    Piece,
    nanoseconds,
    pieces_of_streams,
    pieces_of_terminal,
    seconds,
)
from emulator.runtime.driver import Line, Source

FIRST = 1_700_000_000_000_000_000
PART = 16 << 10
"""Bytes of a part of a long line, as the daemon writes it."""


def stamp(at: int) -> bytes:
    """A time as the daemon writes it, so many nanoseconds after FIRST (less than a second)."""
    return f"2023-11-14T22:13:20.{at:09d}Z ".encode()


def frame(source: Source, at: int, text: bytes) -> bytes:
    content = stamp(at) + text
    return bytes([1 if source == "stdout" else 2, 0, 0, 0]) + len(content).to_bytes(4) + content


def chunks(content: bytes, cuts: list[int]) -> Iterator[bytes]:
    """The content, cut anywhere."""
    begin = 0
    for cut in sorted(cut % (len(content) + 1) for cut in cuts):
        yield content[begin:cut]
        begin = cut
    yield content[begin:]


def parts(text: bytes) -> list[bytes]:
    """A line as the daemon writes it."""
    return [text[begin : begin + PART] for begin in range(0, len(text), PART)] or [b""]


@pytest.mark.parametrize(
    ("time", "at"),
    [
        ("2023-11-14T22:13:20.000000001Z", FIRST + 1),
        ("2023-11-14T22:13:20.5Z", FIRST + 500_000_000),
        ("2023-11-14T22:13:20Z", FIRST),
        ("2023-11-14T23:13:20.000000002+01:00", FIRST + 2),
    ],
)
def test_times_keep_their_nanoseconds(time: str, at: int) -> None:
    assert nanoseconds(time) == at


def test_what_is_no_time_is_shown() -> None:
    with pytest.raises(ValueError, match="'yesterday' where a time should be"):
        nanoseconds("yesterday")


def test_the_engine_is_asked_for_nanoseconds() -> None:
    assert seconds(FIRST + 1) == "1700000000.000000001"
    assert seconds(0) == "0.000000000"


LINES = st.lists(
    st.tuples(st.sampled_from(["stdout", "stderr"]), st.binary(max_size=9).map(lambda text: text.replace(b"\n", b"")))
)


@given(LINES, st.lists(st.integers(0, 2000), max_size=9))
def test_streams_are_told_apart_wherever_their_bytes_are_cut(
    lines: list[tuple[Source, bytes]], cuts: list[int]
) -> None:
    content = b"".join(frame(source, at, text + b"\n") for at, (source, text) in enumerate(lines))
    found = list(pieces_of_streams(chunks(content, cuts)))
    assert found == [Piece(source, FIRST + at, text + b"\n") for at, (source, text) in enumerate(lines)]


@given(st.lists(st.binary(max_size=9).map(lambda text: text.replace(b"\n", b""))), st.lists(st.integers(0, 2000)))
def test_a_terminals_lines_are_found_wherever_they_are_cut(texts: list[bytes], cuts: list[int]) -> None:
    content = b"".join(stamp(at) + text + b"\r\n" for at, text in enumerate(texts))
    found = list(pieces_of_terminal(chunks(content, cuts)))
    assert found == [Piece("stdout", FIRST + at, text + b"\r\n") for at, text in enumerate(texts)]


def test_a_terminals_long_line_loses_the_times_within_it() -> None:
    text = b"x" * 40_000
    content = b"".join(stamp(1) + part for part in parts(text)) + b"\r\n" + stamp(2) + b"last"
    assert list(pieces_of_terminal([content])) == [
        Piece("stdout", FIRST + 1, text + b"\r\n"),
        Piece("stdout", FIRST + 2, b"last"),
    ]


def test_a_terminals_line_without_an_end_does_not_fill_the_memory() -> None:
    part = stamp(1) + b"x" * PART
    found = list(pieces_of_terminal(part for _ in range(200)))
    assert len(found) > 1
    assert all(len(piece.text) <= LONGEST_LINE + 2 * PART for piece in found)
    assert b"".join(piece.text for piece in found) == b"x" * PART * 200


def test_what_was_cut_in_its_time_is_left_out() -> None:
    assert list(pieces_of_terminal([stamp(1) + b"a\r\n", b"2023-11-14T22"])) == [Piece("stdout", FIRST + 1, b"a\r\n")]


# Joining


def joined(into: Joined, *pieces: Piece) -> list[Line]:
    return [line for piece in pieces if (line := into.add(piece)) is not None]


def out(at: int, text: bytes) -> Piece:
    return Piece("stdout", at, text)


def test_a_lines_parts_are_joined_whatever_the_other_stream_does_meanwhile() -> None:
    found = joined(Joined(0), out(1, b"on"), Piece("stderr", 2, b"two\n"), out(1, b"e\n"))
    assert found == [Line("stderr", 2, b"two"), Line("stdout", 1, b"one")]


def test_the_last_line_needs_no_newline() -> None:
    lines = Joined(0)
    assert joined(lines, Piece("stderr", 2, b"b"), out(1, b"a")) == []
    assert list(lines.rest()) == [Line("stdout", 1, b"a"), Line("stderr", 2, b"b")]
    assert list(lines.rest()) == []


def test_what_is_read_again_is_skipped() -> None:
    lines = Joined(0)
    read = [out(5, b"a\n"), Piece("stderr", 4, b"b\n"), out(6, b"c\n")]
    assert len(joined(lines, *read)) == 3
    lines.begin_anew()
    assert joined(lines, *read, out(7, b"d\n")) == [Line("stdout", 7, b"d")]


def test_what_the_daemon_sends_a_second_time_is_skipped() -> None:
    lines = Joined(0)
    file = [out(at, b"%d\n" % at) for at in range(1, 9)]
    assert [line.at for line in joined(lines, *file[:6], *file[2:])] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_line_whose_parts_are_sent_a_second_time_is_whole() -> None:
    lines = Joined(0)
    assert joined(lines, out(1, b"a\n"), out(2, b"lo"), out(1, b"a\n"), out(2, b"lo"), out(2, b"ng\n")) == [
        Line("stdout", 1, b"a"),
        Line("stdout", 2, b"long"),
    ]


def test_two_lines_of_one_moment_are_both_there_and_stay_two() -> None:
    lines = Joined(0)
    both = [out(5, b"a\n"), out(5, b"b\n")]
    assert [line.text for line in joined(lines, *both)] == [b"a", b"b"]
    lines.begin_anew()
    assert joined(lines, *both) == []


def test_what_stands_before_a_piece_that_was_read_was_read_too() -> None:
    lines = Joined(0)
    joined(lines, out(5, b"a\n"), out(6, b"b\n"), Piece("stderr", 4, b"c\n"))
    assert [lines.is_past(out(at, b"")) for at in (4, 5, 6, 7)] == [True, True, False, False]
    assert [lines.is_past(Piece("stderr", at, b"")) for at in (3, 4, 5)] == [True, False, False]


def test_lines_before_the_moment_asked_for_are_left_out() -> None:
    assert joined(Joined(6), out(5, b"a\n"), out(6, b"b\n")) == [Line("stdout", 6, b"b")]


def test_the_log_is_read_again_from_a_second_before_the_last_line() -> None:
    lines = Joined(17)
    assert lines.since == 17
    joined(lines, out(FIRST, b"a\n"), Piece("stderr", FIRST + 5, b"b\n"))
    assert lines.since == FIRST + 5 - REREAD


def test_a_line_without_an_end_is_given_in_pieces_each_of_them_once() -> None:
    lines = Joined(0)
    endless = [out(5, b"x" * PART) for _ in range(2 * LONGEST_LINE // PART)]
    assert [len(line.text) for line in joined(lines, *endless)] == [LONGEST_LINE, LONGEST_LINE]
    lines.begin_anew()
    assert joined(lines, *endless, out(5, b"y\n")) == [Line("stdout", 5, b"y")]


@given(
    st.lists(st.tuples(st.sampled_from(["stdout", "stderr"]), st.integers(0, 3)), max_size=30),
    st.integers(0, 30),
    st.integers(0, 30),
)
def test_reading_that_is_broken_off_anywhere_and_begun_anew_gives_each_line_once(
    printed: list[tuple[Source, int]], broken_off: int, begun: int
) -> None:
    pieces: list[Piece] = []
    for at, (source, size) in enumerate(printed, 1):
        pieces += [Piece(source, at, b"part") for _ in range(size)] + [Piece(source, at, b"%d\n" % at)]
    lines = Joined(0)
    found = joined(lines, *pieces[:broken_off])
    lines.begin_anew()
    first = min(begun, len({piece.at for piece in pieces[:broken_off]}))
    found += joined(lines, *(piece for piece in pieces if piece.at >= first))
    assert sorted(line.at for line in found) == list(range(1, len(printed) + 1))
    assert all(line.text == b"part" * printed[line.at - 1][1] + b"%d" % line.at for line in found)
