"""What ECS asks of CloudWatch Logs, in this process and at an endpoint."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.neighbours.neighbours import Neighbours
from emulator.neighbours.ports import LogEvent, Logs, Place, ServiceRefusedError
from tests.builders import NOW
from tests.emulators import InProcess

HERE = Place("000000000000", "us-east-1")
DAY = 24 * 3600 * 1000


@pytest.fixture(params=["embedded", "endpoint"])
def logs(request: pytest.FixtureRequest, emulator: InProcess) -> Iterator[Logs]:
    if request.param == "embedded":
        yield emulator.app.neighbours.ports.logs
    else:
        yield Neighbours(embedded=False, endpoints={"logs": emulator.url}).ports.logs


@pytest.fixture
def stream(logs: Logs) -> Logs:
    """The service, with the stream `s` in the group `g`."""
    logs.create_group(HERE, "g")
    logs.create_stream(HERE, "g", "s")
    return logs


def event(text: str, late: int = 0) -> LogEvent:
    """An event, so many milliseconds after now."""
    return LogEvent(round(NOW * 1000) + late, text)


def test_making_again_what_is_there_is_fine(stream: Logs) -> None:
    stream.create_group(HERE, "g")
    stream.create_stream(HERE, "g", "s")


def test_a_stream_needs_its_group(logs: Logs) -> None:
    with pytest.raises(ServiceRefusedError) as caught:
        logs.create_stream(HERE, "g", "s")
    assert (caught.value.code, caught.value.message) == (
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    )


@pytest.mark.parametrize("name", ["g", "other"])
def test_there_are_no_events_of_a_stream_that_is_not_there(stream: Logs, name: str) -> None:
    for ask in (lambda: stream.latest(HERE, name, "t", 5), lambda: stream.put(HERE, name, "t", [event("a")])):
        with pytest.raises(ServiceRefusedError) as caught:
            ask()
        assert caught.value.code == "ResourceNotFoundException"


def test_the_latest_events_are_the_last_ones_oldest_first(stream: Logs) -> None:
    events = [event(str(late), late) for late in range(10)]
    assert stream.put(HERE, "g", "s", events)
    assert stream.latest(HERE, "g", "s", 3) == events[-3:]
    assert stream.latest(HERE, "g", "s", 100) == events


def test_an_empty_stream_has_no_events(stream: Logs) -> None:
    assert stream.latest(HERE, "g", "s", 3) == []


@pytest.mark.parametrize("late", [-15 * DAY, DAY], ids=["too old", "too new"])
def test_what_the_service_drops_is_told(stream: Logs, late: int) -> None:
    assert not stream.put(HERE, "g", "s", sorted([event("kept"), event("dropped", late)], key=lambda each: each.at))
    assert stream.latest(HERE, "g", "s", 3) == [event("kept")]


def test_places_are_apart(stream: Logs) -> None:
    for place in (Place("000000000000", "eu-west-1"), Place("111122223333", "us-east-1")):
        with pytest.raises(ServiceRefusedError):
            stream.latest(place, "g", "s", 3)
