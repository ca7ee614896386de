"""Running emulators for tests: one in this process whose time is moved by hand, and one as users start it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config as BotoConfig

from emulator.app import Emulator
from emulator.clock import ManualClock
from emulator.config import Config
from emulator.edge.server import Edge, running
from tests.builders import NOW

ROOT = Path(__file__).parent.parent


def client(url: str, service: str = "ecs", *, region: str = "us-east-1", account: str = "test", **settings: Any) -> Any:
    """A stock boto3 client, which does not try again."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=account,
        aws_secret_access_key="test",
        config=BotoConfig(retries={"max_attempts": 0}, parameter_validation=True, **settings),
    )


@dataclass
class InProcess:
    """An emulator in this process. Nothing moves by itself: `advance` does."""

    url: str
    app: Emulator
    clock: ManualClock

    @classmethod
    @contextmanager
    def started(cls, **settings: Any) -> Iterator[InProcess]:
        clock = ManualClock(NOW)
        app = Emulator(Config(runtime="simulated", **settings), clock=clock)
        app.neighbours.reset()  # moto keeps what it holds beside its objects, for the whole process
        with running(Edge(app.parts)) as url:
            yield cls(url, app, clock)

    @property
    def ecs(self) -> Any:
        return client(self.url)

    def client(self, service: str, **settings: Any) -> Any:
        return client(self.url, service, **settings)

    def advance(self, seconds: float = 0) -> None:
        """Let time pass, and everything happen that happens meanwhile."""
        loop = self.app.runtime.loop
        end = round(self.clock.now() + seconds, 3)
        loop.quiesce()
        while (wake := loop.wake()) is not None and wake <= end:
            self.clock.set(max(wake, self.clock.now()))
            loop.quiesce()
        self.clock.set(end)
        loop.quiesce()


@dataclass
class Served:
    """An emulator as users start it: a process of its own."""

    process: subprocess.Popen[str]
    url: str
    ready_line: str

    @property
    def ecs(self) -> Any:
        return client(self.url)

    def kill(self) -> None:
        """End it as a crash would."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """End it as a user would. Returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


@contextmanager
def served(*options: str, **environment: str) -> Iterator[Served]:
    """Start `ecs-emulator serve` on a free port; whatever happens, it is stopped at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "emulator", "serve", "--port", "0", *options],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("ecs-emulator ready at "), f"no ready line: {line!r}"
        yield Served(process, line.split()[3], line)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
        process.stdout.close()
