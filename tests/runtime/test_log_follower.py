"""A container's output on its way into its stream, with a service and a container made for the purpose."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from emulator.neighbours.ports import LogEvent, Place, ServiceRefusedError, ServiceUnreachableError
from emulator.runtime.driver import Line
from emulator.runtime.steps.log_events import MOST_EVENTS
from emulator.runtime.steps.log_follower import Follower, Pace, Patience, Stream

PLACE = Place("000000000000", "us-east-1")
PATIENCE = 20.0
"""Seconds after which what a test waits for is taken not to come."""
PATIENT = Patience(PATIENCE, PATIENCE)
SHORT = Patience(0.2, 0.2)
QUICK = Pace(between=0.01, quiet=0.1, retry=0.01)
END = None


@dataclass
class Service:
    """CloudWatch Logs with one group and one stream. `problems` come first, each once."""

    streams: set[tuple[str, str]] = field(default_factory=lambda: {("g", "s")})
    groups: set[str] = field(default_factory=lambda: {"g"})
    batches: list[list[LogEvent]] = field(default_factory=list)
    problems: list[Exception] = field(default_factory=list)
    took: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    """Released for each batch that was taken."""
    opened: threading.Event = field(default_factory=threading.Event)
    """Not set, the service does not answer until it is."""

    def __post_init__(self) -> None:
        self.opened.set()

    def create_group(self, place: Place, group: str) -> None:
        self.groups.add(group)

    def create_stream(self, place: Place, group: str, stream: str) -> None:
        if group not in self.groups:
            raise missing("CreateLogStream")
        self.streams.add((group, stream))

    def put(self, place: Place, group: str, stream: str, events: Sequence[LogEvent]) -> bool:
        assert self.opened.wait(PATIENCE)
        if self.problems:
            raise self.problems.pop(0)
        if (group, stream) not in self.streams:
            raise missing("PutLogEvents")
        self.batches.append(list(events))
        self.took.release()
        return all(event.at >= 0 for event in events)

    def latest(self, place: Place, group: str, stream: str, most: int) -> list[LogEvent]:
        if (group, stream) not in self.streams:
            raise missing("GetLogEvents")
        return sorted(self.events, key=lambda event: event.at)[-most:]

    @property
    def events(self) -> list[LogEvent]:
        return [event for batch in self.batches for event in batch]

    @property
    def messages(self) -> list[str]:
        return [event.message for event in self.events]

    def wait_for_a_batch(self) -> None:
        assert self.took.acquire(timeout=PATIENCE)


def missing(operation: str) -> ServiceRefusedError:
    return ServiceRefusedError(operation, "ResourceNotFoundException", "The specified log group does not exist.")


class Printer:
    """A container's output, printed by the test."""

    def __init__(self) -> None:
        self.queue: queue.Queue[Line | None] = queue.Queue()
        self.since: int | None = None
        self.read = 0

    def print(self, *texts: str, at: int = 1000) -> None:
        """Print lines, at a moment in milliseconds."""
        for text in texts:
            self.queue.put(Line("stdout", at * 1_000_000, text.encode()))

    def end(self) -> None:
        self.queue.put(END)

    def open(self, since: int) -> Printer:
        self.since = since
        return self

    def __iter__(self) -> Iterator[Line]:
        while (line := self.queue.get()) is not END:
            self.read += 1
            yield line

    def close(self) -> None:
        self.end()


@dataclass
class Scene:
    service: Service
    printer: Printer
    follower: Follower

    def wait_for_the_end(self) -> None:
        assert self.follower.wait(PATIENT)
        self.follower.join(PATIENCE)


Begin = Callable[..., Scene]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Begins to follow a container that has printed so much; at the end nobody follows any more."""
    scenes = []

    def begun(*texts: str, service: Service | None = None, begins: str | None = None, pace: Pace = QUICK) -> Scene:
        service, printer = service or Service(), Printer()
        stream = Stream(service, PLACE, "g", "s")
        scene = Scene(service, printer, Follower("web", stream, begins, printer.open, pace))
        scenes.append(scene)
        printer.print(*texts)
        scene.follower.begin()
        return scene

    yield begun
    for scene in scenes:
        scene.service.opened.set()
        scene.follower.cancel()
        scene.follower.join(PATIENCE)


def test_lines_arrive_while_the_container_runs(begin: Begin) -> None:
    scene = begin("one")
    scene.service.wait_for_a_batch()
    assert scene.service.events == [LogEvent(1000, "one")]
    scene.printer.print("two")
    scene.service.wait_for_a_batch()
    assert scene.service.messages == ["one", "two"]
    assert not scene.follower.is_finished


def test_the_end_of_the_output_is_the_end_of_following(begin: Begin) -> None:
    scene = begin("one", "two")
    scene.printer.end()
    scene.wait_for_the_end()
    assert scene.service.messages == ["one", "two"]
    assert scene.follower.is_finished


def test_a_container_that_prints_nothing_puts_nothing(begin: Begin) -> None:
    scene = begin()
    scene.printer.end()
    scene.wait_for_the_end()
    assert scene.service.batches == []


def test_many_lines_come_in_few_batches_and_in_order(begin: Begin) -> None:
    texts = [str(number) for number in range(2 * MOST_EVENTS + 5)]
    scene = begin(*texts, pace=Pace())
    scene.printer.end()
    scene.wait_for_the_end()
    assert scene.service.messages == texts
    assert max(len(batch) for batch in scene.service.batches) <= MOST_EVENTS
    assert len(scene.service.batches) < 10


@pytest.mark.parametrize(
    "problem",
    [
        ServiceUnreachableError("logs does not answer: connection refused"),
        ServiceRefusedError("PutLogEvents", "ThrottlingException", "Rate exceeded"),
    ],
    ids=["unreachable", "throttled"],
)
def test_what_is_not_taken_is_put_again_and_said_once(
    begin: Begin, problem: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    scene = begin("one", service=Service(problems=[problem, problem]))
    scene.printer.end()
    scene.wait_for_the_end()
    assert scene.service.messages == ["one"]
    (said,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert said == f"The output of web does not reach g/s and waits: {problem}"


def test_a_batch_that_will_never_be_taken_holds_up_no_other(begin: Begin) -> None:
    problem = ServiceRefusedError("PutLogEvents", "InvalidParameterException", "no")
    scene = begin("one", service=Service(problems=[problem]))
    scene.printer.print("two")
    scene.printer.end()
    scene.wait_for_the_end()
    assert scene.service.messages in ([], ["two"])
    assert scene.service.problems == []


def test_a_defect_of_a_service_ends_following_and_says_so(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    scene = begin("one", service=Service(problems=[KeyError("defect")]))
    scene.wait_for_the_end()
    assert "The output of web is no longer put" in caplog.text


def test_what_the_service_drops_is_told(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    scene = begin()
    scene.printer.print("old", at=-1)
    scene.printer.end()
    scene.wait_for_the_end()
    assert "CloudWatch Logs dropped output of web for its time stamps" in caplog.text


def test_while_nothing_is_taken_no_more_than_a_batch_is_read(begin: Begin) -> None:
    service = Service()
    service.opened.clear()
    scene = begin(*["x"] * (3 * MOST_EVENTS), service=service)
    scene.printer.end()
    assert not scene.follower.wait(SHORT)
    assert scene.printer.read <= 2 * MOST_EVENTS
    service.opened.set()
    scene.wait_for_the_end()
    assert len(service.events) == 3 * MOST_EVENTS


def test_a_stream_that_was_removed_is_made_again(begin: Begin) -> None:
    scene = begin("one")
    scene.service.wait_for_a_batch()
    scene.service.streams.clear()
    scene.printer.print("two")
    scene.printer.end()
    scene.wait_for_the_end()
    assert scene.service.messages == ["one", "two"]


def test_a_service_that_has_forgotten_everything_gets_it_from_the_beginning(begin: Begin) -> None:
    scene = begin("one", service=Service(streams=set(), groups=set()))
    scene.service.wait_for_a_batch()
    assert scene.printer.since == 0
    assert (scene.service.groups, scene.service.streams) == ({"g"}, {("g", "s")})
    assert scene.service.messages == ["one"]


def test_what_is_stored_is_not_put_again(begin: Begin) -> None:
    service = Service(batches=[[LogEvent(5000, "one"), LogEvent(5000, "two")]])
    scene = begin(service=service)
    scene.printer.print("one", "two", "three", at=5000)
    scene.printer.end()
    scene.wait_for_the_end()
    assert scene.printer.since == 4_000_000_000
    assert service.messages == ["one", "two", "three"]


def test_a_service_that_does_not_say_what_it_has_is_asked_again(begin: Begin) -> None:
    class Slow(Service):
        def latest(self, place: Place, group: str, stream: str, most: int) -> list[LogEvent]:
            if self.problems:
                raise self.problems.pop()
            return []

    scene = begin("one", service=Slow(problems=[ServiceUnreachableError("not yet")]))
    scene.printer.end()
    scene.wait_for_the_end()
    assert scene.service.messages == ["one"]


def test_lines_that_belong_together_are_one_event(begin: Begin) -> None:
    scene = begin("Traceback", " a", " b", "Next", begins="^[A-Z]")
    scene.printer.end()
    scene.wait_for_the_end()
    assert scene.service.messages == ["Traceback\n a\n b\n", "Next\n"]


def test_lines_that_belong_together_come_when_no_other_follows(begin: Begin) -> None:
    scene = begin("Traceback", " a", begins="^[A-Z]")
    scene.service.wait_for_a_batch()
    assert scene.service.messages == ["Traceback\n a\n"]
    assert not scene.follower.is_finished


def test_a_pattern_that_is_none_ends_following_and_says_so(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    scene = begin("one", begins="(")
    scene.wait_for_the_end()
    assert "The output of web is no longer read" in caplog.text


def test_a_follower_that_is_cancelled_ends_while_it_waits_for_output(begin: Begin) -> None:
    scene = begin("one")
    scene.service.wait_for_a_batch()
    scene.follower.cancel()
    scene.wait_for_the_end()


def test_a_follower_that_is_cancelled_ends_while_the_service_refuses(begin: Begin) -> None:
    scene = begin("one", service=Service(problems=[ServiceUnreachableError("gone")] * 1000))
    assert not scene.follower.wait(SHORT)
    scene.follower.cancel()
    scene.wait_for_the_end()
    assert scene.service.messages == []


def test_less_patience_is_had_with_a_service_that_takes_nothing(begin: Begin) -> None:
    scene = begin("one", service=Service(problems=[ServiceUnreachableError("gone")] * 1000))
    scene.printer.end()
    assert not scene.follower.wait(Patience(quiet=PATIENCE, refused=0.1))


def test_waiting_goes_on_as_long_as_something_does(begin: Begin) -> None:
    scene = begin()
    for number in range(5):
        scene.printer.print(str(number))
        scene.service.wait_for_a_batch()
    scene.printer.end()
    assert scene.follower.wait(PATIENT)
    assert scene.service.messages == ["0", "1", "2", "3", "4"]
