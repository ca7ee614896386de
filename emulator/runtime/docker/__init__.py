"""Runs tasks as containers of a Docker daemon, or of an engine that speaks its API.

Knows Docker and the runtime's driver protocol; knows nothing of the store, the API or AWS's other services. Importing
it is cheap: the `docker` package is imported when the daemon is first asked.
"""

from __future__ import annotations

from emulator.runtime.docker.driver import DockerDriver

__all__ = ["DockerDriver"]
