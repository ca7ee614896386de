"""What code in a task is answered at 169.254.170.2."""

import json
from collections.abc import Callable, Mapping
from contextlib import contextmanager

import pytest

from emulator.edge.server import Edge, listen, running
from emulator.edge.sockets import Sockets
from emulator.edge.task_endpoint import Inside, TaskEndpoint, go_json
from emulator.errors import ApiError
from tests.builders import TASK_ARN
from tests.edge.clients import Reply, call, parts

SESSION = {
    "RoleArn": "arn:aws:iam::000000000000:role/a&b",
    "AccessKeyId": "ASIAQAAAAAAADGJNMQB2",
    "SecretAccessKey": "s",
    "Token": "t",
    "Expiration": "2026-01-01T06:00:00Z",
}

Credentials = Callable[[str, str], Mapping[str, object]]


@contextmanager
def inside(credentials: Credentials):
    """A task's endpoint; gives a function that asks for a path."""
    sockets = Sockets()
    with running(Edge(parts(sockets=sockets))), listen("127.0.0.1", 0) as listener:
        sockets.open(TASK_ARN, listener, TaskEndpoint(TASK_ARN, Inside(credentials=credentials)))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield lambda path, method="GET": call(url, None, path=path, method=method, body=b"")


def asked(path: str, credentials: Credentials = lambda _arn, _id: SESSION, method: str = "GET") -> Reply:
    with inside(credentials) as ask:
        reply: Reply = ask(path, method)
        return reply


def test_credentials_are_told_as_the_agent_tells_them():
    reply = asked("/v2/credentials/some-id")
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert reply.body == (
        b'{"RoleArn":"arn:aws:iam::000000000000:role/a\\u0026b","AccessKeyId":"ASIAQAAAAAAADGJNMQB2",'
        b'"SecretAccessKey":"s","Token":"t","Expiration":"2026-01-01T06:00:00Z"}'
    )


@pytest.mark.parametrize("id_", ["some-id", "a/b//c", "a%2Fb", "a?b=c", "%0A"])
def test_all_that_follows_is_the_id_and_the_task_is_the_sockets(id_):
    reply = asked(f"/v2/credentials/{id_}", lambda arn, id_: {"seen": [arn, id_]})
    plain = id_.replace("%2F", "/").replace("%0A", "\n").partition("?")[0]
    assert reply.json == {"seen": [TASK_ARN, plain]}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_any_method_is_answered_alike(method):
    assert asked("/v2/credentials/some-id", method=method).json == SESSION


def test_an_id_is_needed():
    reply = asked("/v2/credentials/")
    assert (reply.status, reply.headers["content-type"]) == (400, "application/json")
    assert reply.body == (
        b'{"code":"NoIdInRequest","message":"CredentialsV2Request: No Credential ID in the request",'
        b'"HTTPErrorCode":400}'
    )


@pytest.mark.parametrize(
    ("code", "words", "status"),
    [
        ("InvalidIdInRequest", "Credentials not found", 400),
        ("CredentialsUninitialized", "Credentials uninitialized for ID", 503),
    ],
)
def test_refusals_say_their_status_too(code, words, status):
    def refuse(_arn, _id):
        raise ApiError(code, words, status=status)

    reply = asked("/v2/credentials/some-id", refuse)
    assert reply.status == status
    assert reply.json == {"code": code, "message": f"CredentialsV2Request: {words}", "HTTPErrorCode": status}


def test_a_defect_tells_nothing_to_the_task_and_all_to_the_log(caplog):
    def fail(_arn, _id):
        raise KeyError("inner-workings")

    reply = asked("/v2/credentials/some-id", fail)
    assert reply.status == 500
    assert reply.json == {"code": "InternalServerError", "message": "Internal server error", "HTTPErrorCode": 500}
    assert "inner-workings" in caplog.text


@pytest.mark.parametrize("path", ["/", "/v2/credentials", "/v2/metadata", "/v3/x", "/_emulator/health", "/x%00"])
def test_nothing_else_is_there(path):
    reply = asked(path)
    assert (reply.status, reply.headers["content-type"]) == (404, "text/plain; charset=utf-8")
    assert reply.body == b"404 page not found\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [("<a&b>", '"\\u003ca\\u0026b\\u003e"'), ("é\u2028", '"é\\u2028"'), ({"a": [1, None]}, '{"a":[1,null]}')],
)
def test_json_is_written_as_go_does(value, text):
    assert go_json(value) == text.encode()
    assert json.loads(text) == value
