"""Variables: what a file says, and which of two with one name counts."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import api_models as ecs
from emulator.planner.containers import container_spec, environment_files
from emulator.planner.environment import Environment, read_file
from tests.builders import container, definition, task


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("A=1", {"A": "1"}),
        ("A=1\nB=2\n", {"A": "1", "B": "2"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("A=1\r\r\n", {"A": "1\r"}),
        ("A=b=c==", {"A": "b=c=="}),
        ("A=", {"A": ""}),
        ("=1\n==\n=", {}),
        ("A\n\nexport\n", {}),
        ("export A=1", {"export A": "1"}),
        ("#A=1\n#\n# B=2", {}),
        (" #A=1", {" #A": "1"}),
        ("A=1#2 # three", {"A": "1#2 # three"}),
        (" A = 1 ", {" A ": " 1 "}),
        ("A=\"quoted\"\nB='single'\nC=$A ${B}", {"A": '"quoted"', "B": "'single'", "C": "$A ${B}"}),
        ("A=1\nA=2", {"A": "2"}),
        ("\ufeffA=1", {"\ufeffA": "1"}),
        ("A=ü\x0bé\x85\u2028", {"A": "ü\x0bé\x85\u2028"}),
        ("", {}),
    ],
)
def test_a_file_is_read_line_by_line(text: str, variables: dict[str, str]) -> None:
    assert read_file(text) == variables


NAMES = st.text(st.characters(exclude_characters="=\n\r", codec="utf-8"), min_size=1).filter(lambda n: n[0] != "#")
VALUES = st.text(st.characters(exclude_characters="\n\r", codec="utf-8"))


@given(st.dictionaries(NAMES, VALUES), st.sampled_from(["\n", "\r\n"]))
def test_every_variable_that_was_written_is_read(variables: dict[str, str], end: str) -> None:
    assert read_file("".join(f"{name}={value}{end}" for name, value in variables.items())) == variables


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    for name, value in read_file(text).items():
        assert f"{name}={value}" in lines
        assert name
        assert not name.startswith("#")


STRENGTH = ("defaults", "files", "definition", "overrides", "secrets", "injected")
"""Where a variable may come from, the weakest first."""


def environment(**layers: Any) -> Environment:
    return Environment(**{**layers, "files": (layers["files"],) if "files" in layers else ()})


@pytest.mark.parametrize(("weak", "strong"), [*combinations(STRENGTH, 2)])
def test_the_stronger_of_two_counts(weak: str, strong: str) -> None:
    both = environment(**{weak: {"A": weak, "B": weak}, strong: {"A": strong}})
    assert both.merged() == {"A": strong, "B": weak}


def test_the_earlier_of_two_files_counts() -> None:
    assert Environment(files=({"A": "1"}, {"A": "2", "B": "2"})).merged() == {"A": "1", "B": "2"}


def test_what_may_be_secret_is_not_printed() -> None:
    shown = repr(environment(secrets={"A": "hush"}, files={"B": "hush"}, definition={"C": "seen"}))
    assert "seen" in shown
    assert "hush" not in shown


def test_more_can_be_injected_and_more_can_be_a_default() -> None:
    found = Environment(definition={"A": "mine"}).with_injected({"A": "ecs"}).with_injected({"B": "ecs"})
    assert found.merged() == {"A": "ecs", "B": "ecs"}
    assert Environment(definition={"A": "mine"}).with_defaults({"A": "0", "B": "0"}).merged() == {"A": "mine", "B": "0"}


def test_a_container_knows_its_region_unless_it_says_otherwise_and_that_it_is_on_fargate() -> None:
    given = [ecs.KeyValuePair(name=name, value="x") for name in ("AWS_REGION", "AWS_EXECUTION_ENV", "A")]
    content = definition(container(environment=tuple(given)))
    assert container_spec(task(content), content, "web").environment.merged() == {
        "AWS_REGION": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
        "A": "x",
    }


def test_files_of_run_task_come_before_those_of_the_definition() -> None:
    content = definition(container(environment_files=(ecs.EnvironmentFile(value="mine", type="s3"),)))
    override = ecs.ContainerOverride(name="web", environment_files=(ecs.EnvironmentFile(value="given", type="s3"),))
    blank = task(content)
    overridden = blank.shown(blank.content.replace(overrides=ecs.TaskOverride(container_overrides=(override,))))
    assert environment_files(overridden, (content.container_definitions or ())[0]) == ("given", "mine")
