"""Servers under test, each a process as users start it, ended when its block ends, whatever ended that."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.request import urlopen

from benchmarks.wire import Connection, ecs_request

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = Path(sys.executable).parent
"""Where the commands of the environment are that we run in."""

PATIENCE = 60.0
"""Seconds that a server has to answer at first, and to end."""
BETWEEN_TRIES = 0.0005
"""Seconds between two attempts to connect: the error of a start's time, and too seldom to keep a core busy."""

Runtime = Literal["simulated", "docker"]


class NotStartedError(Exception):
    """A server does not answer. Carries what it said."""


@dataclass(slots=True)
class Server:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int
    began: float
    """When its process was started, by `time.perf_counter`."""
    said: Path

    def first_answer(self) -> float:
        """Wait for the first answered call, and give the milliseconds from the process's start until then.

        Raises NotStartedError.
        """
        connection = Connection(self.port)
        request = ecs_request("ListClusters")
        try:
            while True:
                try:
                    connection.call(request)
                except ConnectionRefusedError:
                    self._check_alive()
                    time.sleep(BETWEEN_TRIES)
                else:
                    return (time.perf_counter() - self.began) * 1000
        finally:
            connection.close()

    def _check_alive(self) -> None:
        if self.process.poll() is not None or time.perf_counter() - self.began > PATIENCE:
            raise NotStartedError(f"{self.process.args!r} does not answer: {self.said.read_text()[-2000:]}")

    def client(self, service: str) -> Any:
        """boto3's client of a service, which does not try again."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - nobody checks it
            config=Config(retries={"max_attempts": 0}),
        )

    def wait_for_spares(self, number: int) -> None:
        """Wait until so many namespaces are ready for tasks to come. Raises NotStartedError."""
        until = time.monotonic() + 2 * PATIENCE
        while self._spares() < number:
            if time.monotonic() > until:
                raise NotStartedError(f"{number} namespaces were not ready after {2 * PATIENCE:g} s")
            time.sleep(0.05)

    def _spares(self) -> int:
        with urlopen(f"http://127.0.0.1:{self.port}/_emulator/health", timeout=PATIENCE) as answer:
            return int(json.load(answer)["runtime"]["pool"])

    def memory(self) -> float:
        """Resident memory in MiB, once the server has nothing to do."""
        self.settle()
        return self._resident()

    def settle(self) -> None:
        """Wait until the server does nothing any more: for a second its use of a processor has not grown."""
        same_since, last = time.monotonic(), self._processor_time()
        while time.monotonic() - same_since < 1:
            time.sleep(0.1)
            now = self._processor_time()
            if now != last:
                same_since, last = time.monotonic(), now

    def _processor_time(self) -> tuple[str, str]:
        """In the program and in the kernel, in hundredths of a second (proc(5), "stat")."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return fields[11], fields[12]

    def _resident(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines())
        return int(fields["VmRSS"].split()[0]) / 1024

    def stop(self) -> None:
        """End it as a user would; one that does not end is killed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self._wait()
        except SystemExit:  # we were interrupted in this very wait: it is still to end before its folder is removed
            self._wait()
            raise

    def _wait(self) -> None:
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def emulator(runtime: Runtime, *options: str) -> Iterator[Server]:
    """`ecs-emulator serve` on a free port. Keeps nothing unless the options say so."""
    kept = () if "--state-dir" in options else ("--ephemeral",)
    command = [str(COMMANDS / "ecs-emulator"), "serve", "--runtime", runtime, "--pull", "never", *kept, *options]
    with _running(lambda port: [*command, "--port", str(port)]) as server:
        yield server


@contextmanager
def keeping_emulator(runtime: Runtime) -> Iterator[Server]:
    """The same with state that is kept, as users have it by default, in a folder that is removed at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="ecs-emulator-bench-") as folder,
        emulator(runtime, "--state-dir", folder) as server,
    ):
        yield server


def moto() -> AbstractContextManager[Server]:
    """`moto_server` on a free port."""
    return _running(lambda port: [str(COMMANDS / "moto_server"), "-H", "127.0.0.1", "-p", str(port)])


@contextmanager
def _running(command: Callable[[int], list[str]]) -> Iterator[Server]:
    # What the user's shell sets up is for the user's emulators, and our way to our modules would slow each import.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ECS_EMULATOR_") and name != "PYTHONPATH"
    }
    port = _free_port()
    with tempfile.NamedTemporaryFile(prefix="ecs-emulator-bench-") as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            command(port),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env=environment,
            cwd=ROOT,
            start_new_session=True,  # Ctrl-C is for the benchmark, which then ends its servers in order
        )
        server = Server(process, port, began, Path(said.name))
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def on_one_core(*servers: Server) -> Iterator[None]:
    """Keep ourselves and these servers on one core.

    Else the kernel decides for each of them whether a call wakes another core, which takes as long as the call itself.
    """
    before = os.sched_getaffinity(0)
    try:
        _keep_on({max(before)}, os.getpid(), *(server.process.pid for server in servers))
        yield
    finally:
        _keep_on(before, os.getpid())


def _keep_on(cores: set[int], *processes: int) -> None:
    for process in processes:
        for thread in Path(f"/proc/{process}/task").iterdir():
            with suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), cores)


def _free_port() -> int:
    """A port that nobody has at this moment. Told to the server, so that it can be asked before it says anything."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
