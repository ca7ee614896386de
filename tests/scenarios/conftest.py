"""What scenarios with real containers share."""

from __future__ import annotations

from collections.abc import Iterator

import docker
import pytest

from tests.images import import_busybox

IMAGE = "local/busybox:1"


@pytest.fixture(scope="session")
def engine() -> Iterator[docker.APIClient]:
    """The daemon itself, to look behind the emulator, with the test image on it."""
    client = docker.APIClient()
    import_busybox(client, IMAGE)
    yield client
    client.close()
