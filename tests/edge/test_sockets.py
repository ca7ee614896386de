"""Sockets that are served beside the edge's own."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from emulator.edge.server import Edge, listen, running
from emulator.edge.sockets import Sockets
from tests.edge.clients import ask, call, connected, parts


@contextmanager
def listening() -> Iterator[tuple[socket.socket, str]]:
    """A socket, and the URL at which it is."""
    with listen("127.0.0.1", 0) as listener:
        yield listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


def saying(text: bytes):
    async def application(scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"path", scope["path"].encode())]})
        await send({"type": "http.response.body", "body": text})

    return application


@pytest.fixture
def sockets():
    return Sockets()


@pytest.fixture
def edge(sockets):
    with running(Edge(parts(sockets=sockets))):
        yield


@pytest.mark.usefixtures("edge")
def test_each_is_answered_by_its_own_application(sockets):
    with listening() as (one, one_url), listening() as (two, two_url):
        sockets.open("a", one, saying(b"one"))
        sockets.open("b", two, saying(b"two"))
        assert [call(url, path="/x").body for url in (one_url, two_url)] == [b"one", b"two"]
        assert call(one_url, path="/x").headers["path"] == "/x"


@pytest.mark.usefixtures("edge")
def test_without_an_application_the_edge_answers(sockets):
    with listening() as (listener, url):
        sockets.open("a", listener)
        assert call(url).json == {"clusterArns": ["arn:aws:ecs:us-east-1:000000000000:cluster/default"]}
        assert call(url, Host="evil.example").status == 403


def test_before_the_server_runs_a_socket_waits(sockets):
    with listening() as (listener, url):
        sockets.open("a", listener, saying(b"waited"))
        with running(Edge(parts(sockets=sockets))):
            assert call(url).body == b"waited"


@pytest.mark.usefixtures("edge")
def test_those_of_one_owner_are_closed_and_others_stay(sockets):
    with listening() as (one, one_url), listening() as (two, two_url), listening() as (other, other_url):
        sockets.open("a", one, saying(b"one"))
        sockets.open("a", two, saying(b"two"))
        sockets.open("b", other, saying(b"other"))
        assert call(two_url).body == b"two"
        sockets.close("a")
        sockets.close("nobody")
        assert call(other_url).body == b"other"  # answered after what was asked before
        for url in (one_url, two_url):
            with pytest.raises(ConnectionRefusedError):
                call(url)


def test_one_that_is_closed_before_the_server_runs_is_never_served(sockets):
    with listening() as (gone, _), listening() as (listener, url):
        sockets.open("a", gone, saying(b"gone"))
        sockets.close("a")
        sockets.open("b", listener, saying(b"there"))
        with running(Edge(parts(sockets=sockets))):
            assert call(url).body == b"there"
            assert gone.fileno() == -1


def test_all_are_closed_when_the_server_ends(sockets):
    with listening() as (listener, url), listening() as (late, _):
        with running(Edge(parts(sockets=sockets))):
            sockets.open("a", listener, saying(b"one"))
            assert call(url).body == b"one"
        assert listener.fileno() == -1
        sockets.open("b", late, saying(b"late"))
        assert late.fileno() == -1


def test_a_connection_that_is_kept_does_not_hold_up_the_end(sockets):
    with listening() as (listener, url), connected(url) as connection, running(Edge(parts(sockets=sockets))):
        sockets.open("a", listener, saying(b"one"))
        assert ask(connection).body == b"one"


def test_a_socket_that_cannot_be_served_is_named_and_others_are_not_harmed(sockets, caplog):
    with listening() as (listener, url), listening() as (broken, _):
        broken.close()
        with running(Edge(parts(sockets=sockets))):
            sockets.open("a", broken)
            sockets.open("b", listener, saying(b"fine"))
            assert call(url).body == b"fine"
        assert "cannot be served" in caplog.text
