"""How the server starts, and how it ends."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from emulator.edge.server import Edge, PortInUseError, listen, running
from tests.edge.clients import TARGET, FakeApi, ask, call, connected, parts, wired

ROOT = Path(__file__).parents[2]

PROGRAM = """
import sys
from tests.edge.clients import FakeApi, parts
from emulator.edge.server import Edge, listen, serve

class Api(FakeApi):
    def DeleteCluster(self, request, caller):
        print("deleting", flush=True)
        sys.stdin.readline()
        return b"{}"

given = parts(Api(), startup=lambda: print("startup", flush=True), shutdown=lambda: print("shutdown", flush=True))
serve(Edge(given), [listen("127.0.0.1", 0)], ready=lambda host, port: print(host, port, flush=True))
print("end", flush=True)
"""


@contextmanager
def process():
    """The server in a process of its own; gives the process and its URL."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)])}
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == "startup\n"
            host, port = server.stdout.readline().split()
            yield server, f"http://{host}:{port}"
        finally:
            server.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_though_a_connection_is_open(number):
    with process() as (server, url), connected(url) as connection:
        assert ask(connection).status == 200
        server.send_signal(number)
        assert server.wait(30) == 0
        assert server.stdout.read() == "shutdown\nend\n"
        assert server.stderr.read() == ""


def test_a_call_that_runs_is_answered_before_the_end():
    with process() as (server, url), ThreadPoolExecutor() as pool:
        answer = pool.submit(call, url, "DeleteCluster")
        assert server.stdout.readline() == "deleting\n"
        server.send_signal(signal.SIGTERM)
        server.stdin.write("\n")
        server.stdin.flush()
        assert answer.result(30).status == 200
        assert server.wait(30) == 0


def test_ready_is_told_the_port_that_was_found():
    with process() as (_server, url):
        assert not url.endswith(":0")
        assert call(url).status == 200


def test_a_port_in_use_is_named_with_the_way_out():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError) as caught:
            listen("127.0.0.1", port)
    assert str(caught.value) == (
        f"Port {port} on 127.0.0.1 is taken: stop what listens there, or choose another with --port."
    )
    assert isinstance(caught.value, OSError)


def test_a_port_can_be_taken_again_at_once():
    with running(Edge(parts())) as url:
        call(url)
    listen("127.0.0.1", int(url.rpartition(":")[2])).close()


def test_a_host_of_another_machine_is_an_error():
    with pytest.raises(OSError, match="assign"):
        listen("192.0.2.1", 0)


def test_ipv6_is_served():
    with running(Edge(parts()), "::1") as url:
        assert url.startswith("http://[::1]:")
        assert call(url).status == 200


def test_answers_are_sent_without_waiting_for_more():
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto != 0  # asyncio sets TCP_NODELAY on no other socket


def test_startup_comes_before_the_first_call_and_shutdown_after_the_last():
    told = []

    class Telling(FakeApi):
        def perform(self, handler, request, caller, found):
            told.append(handler.name)
            return super().perform(handler, request, caller, found)

    given = parts(Telling(), startup=lambda: told.append("startup"), shutdown=lambda: told.append("shutdown"))
    with running(Edge(given)) as url:
        call(url)
    assert told == ["startup", "ListClusters", "shutdown"]


def test_shutdown_comes_after_the_writes_that_run():
    api, told = FakeApi(), []
    edge = Edge(parts(api, shutdown=lambda: told.append(api.go_on.is_set())))

    def go_on_once_it_stops(url):
        with suppress(OSError):
            while True:
                call(url)
        api.go_on.set()

    with ThreadPoolExecutor() as pool:
        with running(edge) as url:
            answer = pool.submit(call, url, "DeleteCluster")
            assert api.waiting.acquire(timeout=30)
            pool.submit(go_on_once_it_stops, url)
        assert answer.result(30).status == 200
    assert told == [True]


def test_a_call_that_does_not_end_is_told_of_the_stop():
    with ExitStack() as open_still:
        with running(Edge(parts())) as url:
            wire = open_still.enter_context(wired(url))
            wire.send("POST / HTTP/1.1", "Host: localhost", f"X-Amz-Target: {TARGET}.ListClusters", "Content-Length: 2")
            call(url)
        stopped = wire.answer()
    assert (stopped.status, stopped.json["__type"]) == (503, "ServiceUnavailable")


def test_what_startup_raises_ends_the_server():
    def fail():
        raise ValueError("the state folder is in use")

    with pytest.raises(ValueError, match="the state folder is in use"), running(Edge(parts(startup=fail))):
        pass


def test_what_shutdown_raises_is_not_lost():
    def fail():
        raise ValueError("the store cannot be closed")

    with pytest.raises(ValueError, match="the store cannot be closed"), running(Edge(parts(shutdown=fail))) as url:
        call(url)


def test_importing_the_server_imports_nothing_heavy():
    program = "import sys, emulator.edge.server; print(*{m.partition('.')[0] for m in sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    heavy = {"flask", "werkzeug", "boto3", "botocore", "docker", "moto", "websockets", "jsonschema"}
    assert not heavy & set(done.stdout.split())
