"""What tests share: whether there is a Docker daemon, and a running emulator without one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.emulators import InProcess

ROOT = Path(__file__).parent.parent


@cache
def docker_problem() -> str | None:
    """Why the tests that need Docker cannot run; None when they can."""
    asked = subprocess.run([ROOT / "scripts" / "docker-answers"], capture_output=True, text=True, check=False)
    return None if asked.returncode == 0 else asked.stderr.strip() or "no Docker daemon answers"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    wanting = [item for item in items if item.get_closest_marker("docker")]
    if wanting and (problem := docker_problem()):
        for item in wanting:
            item.add_marker(pytest.mark.skip(reason=problem))


@pytest.fixture
def emulator() -> Iterator[InProcess]:
    """An emulator in this process, on a port of its own, whose containers are simulated and whose time stands still."""
    with InProcess.started() as running:
        yield running
