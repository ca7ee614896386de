"""Fixtures of the driver's daemon tests: an image, and drivers that clean up behind themselves.

A plugin that test modules name, so that modules without a daemon do not have it.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from emulator.clock import SystemClock
from emulator.runtime.docker import DockerDriver
from tests.images import import_busybox
from tests.runtime.docker_world import API_PORT, PATIENCE, MakeDriver, Recorder, Signpost, image_name, ours


@pytest.fixture
def signpost() -> Iterator[Signpost]:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        listener.settimeout(PATIENCE)
        yield Signpost(listener)


@pytest.fixture(scope="session")
def api() -> Iterator[docker.APIClient]:
    client = docker.APIClient(timeout=60)
    yield client
    client.close()


@pytest.fixture(scope="session")
def image(api: docker.APIClient) -> Iterator[str]:
    import_busybox(api, image_name())
    yield image_name()
    api.remove_image(image_name(), force=True)


@pytest.fixture
def make_driver(api: docker.APIClient) -> Iterator[MakeDriver]:
    """Makes drivers, each an emulator of its own unless told otherwise; after the test nothing of them is left."""
    made: dict[str, list[DockerDriver]] = {}

    def make(instance: str | None = None, **given: Any) -> DockerDriver:
        instance = instance or f"test-{secrets.token_hex(6)}"
        usual = {"ephemeral_lock": None, "clock": SystemClock(), "port": API_PORT}
        driver = DockerDriver(instance=instance, **(usual | given))
        made.setdefault(instance, []).append(driver)
        return driver

    yield make
    for instance, drivers in made.items():
        for driver in drivers:
            driver.remove_all_but(())  # also for one that the test has closed
            driver.close(keep_tasks=False)
        assert ours(api, instance) == []


@pytest.fixture
def driver(make_driver: MakeDriver, image: str) -> DockerDriver:
    return make_driver()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def watched(driver: DockerDriver, recorder: Recorder) -> DockerDriver:
    """A driver that is connected; `recorder` is its watcher."""
    driver.watch(recorder.as_watcher())
    assert recorder.found() == []
    return driver
