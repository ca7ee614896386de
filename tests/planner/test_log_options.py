"""From a container's logConfiguration to its log stream."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import api_models as ecs
from emulator.planner.containers import asks_other_services, container_spec, warnings
from emulator.planner.log_options import DATE_DIRECTIVES, Beginning, beginning, log_problem, log_spec
from emulator.planner.specs import LogSpec
from tests.builders import TASK_ID, container, definition, task

NEEDED = {"awslogs-group": "/ecs/web", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "ecs"}


def logging(driver: str = "awslogs", **options: str) -> ecs.ContainerDefinition:
    """A container with these options beside the needed ones (`awslogs_region` for dashes)."""
    given = {name.replace("_", "-"): value for name, value in options.items()}
    return container(log_configuration=ecs.LogConfiguration(log_driver=driver, options={**NEEDED, **given}))


def spec(**options: str) -> LogSpec:
    found = log_spec(task(), logging(**options))
    assert found is not None
    return found


def test_the_stream_is_named_after_prefix_container_and_task() -> None:
    assert spec() == LogSpec(group="/ecs/web", region="eu-west-1", stream=f"ecs/web/{TASK_ID}")


def test_without_a_region_it_is_the_tasks() -> None:
    assert spec(awslogs_region="").region == "us-east-1"


@pytest.mark.parametrize(("value", "wanted"), [("true", True), ("True", True), ("false", False), ("", False)])
def test_a_group_is_made_when_it_is_asked_for(value: str, wanted: bool) -> None:
    assert spec(awslogs_create_group=value).create_group is wanted


@pytest.mark.parametrize(
    "given", [container(), logging("splunk"), logging("awsfirelens")], ids=["none", "splunk", "fire"]
)
def test_other_log_drivers_have_no_stream(given: ecs.ContainerDefinition) -> None:
    assert log_spec(task(), given) is None


def test_a_containers_specification_has_its_log() -> None:
    content = definition(logging())
    assert container_spec(task(content), content, "web").log == spec()
    assert asks_other_services(task(content), content)


def test_awslogs_is_acted_on_and_others_are_told() -> None:
    assert warnings(definition(logging())) == ()
    assert warnings(definition(logging("splunk"))) == (
        "logConfiguration of container web is accepted and not acted on yet",
    )


@pytest.mark.parametrize(
    ("options", "buffer"),
    [
        ({}, None),
        ({"mode": "blocking", "max_buffer_size": "5m"}, None),
        ({"mode": "non-blocking"}, 10 << 20),
        ({"mode": "non-blocking", "max_buffer_size": "25m"}, 25 << 20),
        ({"mode": "non-blocking", "max_buffer_size": "1.5 KiB"}, 1536),
        ({"mode": "non-blocking", "max_buffer_size": "4096"}, 4096),
        ({"mode": "non-blocking", "max_buffer_size": "2gb"}, 2 << 30),
    ],
)
def test_only_what_does_not_block_has_a_buffer(options: dict[str, str], buffer: int | None) -> None:
    assert spec(**options).buffer == buffer
    assert log_problem(logging(**options)) is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mode": "sometimes"}, "mode is 'sometimes', and must be one of blocking, non-blocking"),
        ({"mode": "non-blocking", "max_buffer_size": "much"}, "max-buffer-size is 'much'"),
        ({"mode": "non-blocking", "max_buffer_size": "0"}, "max-buffer-size is '0'"),
        ({"awslogs_multiline_pattern": "("}, "awslogs could not parse multiline pattern key '('"),
        ({"awslogs_datetime_format": "(%Y"}, "awslogs could not parse multiline pattern key"),
    ],
)
def test_what_cannot_be_meant_is_named_and_never_raises(options: dict[str, str], words: str) -> None:
    assert words in (log_problem(logging(**options)) or "")
    spec(**options)


@given(st.dictionaries(st.sampled_from(["mode", "max-buffer-size", "awslogs-multiline-pattern"]), st.text(max_size=30)))
def test_no_text_raises_anything(options: dict[str, str]) -> None:
    hostile = container(log_configuration=ecs.LogConfiguration(log_driver="awslogs", options=options))
    log_problem(hostile)
    log_spec(task(), hostile)


def test_the_date_format_counts_more_than_the_pattern() -> None:
    found = beginning({"awslogs-datetime-format": "%Y", "awslogs-multiline-pattern": "^INFO"})
    assert found is not None
    assert Beginning(found).is_at("in 2024")
    assert not Beginning(found).is_at("INFO")


@pytest.mark.parametrize(
    ("format_", "line", "begins"),
    [
        (r"\[%b %d, %Y %H:%M:%S\]", "[May 01, 2017 19:00:01] A message", True),
        (r"\[%b %d, %Y %H:%M:%S\]", "Another multiline message", False),
        ("%Y-%m-%dT%H:%M:%S%L", "at 2017-05-01T19:00:01.123Z", True),
        ("%Y-%m-%dT%H:%M:%S%L", "2017-13-01T19:00:01.123", False),
        ("%A, %I:%M %p", "Monday, 07:00 PM", True),
        ("%H:%M:%S.%f %z", "23:59:59.000001 +0200", True),
        ("%H:%M", "24:00", False),
        ("%d/%j", "31/366", True),
        ("%d/%j", "32/366", False),
        ("100%% of %y", "100% of 24", True),
    ],
)
def test_a_date_format_finds_dates(format_: str, line: str, begins: bool) -> None:
    pattern = beginning({"awslogs-datetime-format": format_})
    assert pattern is not None
    assert Beginning(pattern).is_at(line) is begins


@given(
    st.integers(0, 4_000_000_000).map(lambda at: datetime.fromtimestamp(at, timezone(timedelta(hours=-3)))),
    st.lists(st.sampled_from("aAwdbBmYyHIpMSfzj"), min_size=1, max_size=6),
)
def test_a_date_format_finds_what_was_written_with_it(moment: datetime, directives: list[str]) -> None:
    format_ = " ".join(f"%{each}" for each in directives)
    pattern = beginning({"awslogs-datetime-format": f"^{format_}$"})
    assert pattern is not None
    assert Beginning(pattern).is_at(moment.strftime(format_))


def test_a_pattern_is_found_anywhere_in_a_line() -> None:
    assert Beginning("INFO|ERROR").is_at("1: ERROR")
    assert not Beginning("^(INFO|ERROR)").is_at("1: ERROR")


def test_a_pattern_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(TimeoutError):
        Beginning("(a|aa)+$").is_at("a" * 60 + "!")


def test_every_directive_is_a_pattern_of_its_own() -> None:
    for directive, pattern in DATE_DIRECTIVES.items():
        assert re.compile(pattern).groups == 0, directive


def test_options_may_be_missing_altogether() -> None:
    bare: Any = container(log_configuration=ecs.LogConfiguration(log_driver="awslogs"))
    found = log_spec(task(), bare)
    assert found == LogSpec(group="", region="us-east-1", stream=f"web/{TASK_ID}")
