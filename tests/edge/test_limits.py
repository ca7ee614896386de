"""Bodies and heads have limits, and whoever passes them is told so."""

import threading

import pytest

from tests.edge.clients import TARGET, ask, call, connected, wired

MIB = 1 << 20
HEAD = ("POST / HTTP/1.1", "Host: localhost", f"X-Amz-Target: {TARGET}.ListClusters")


def mebibytes(count):
    piece = b" " * MIB
    return (piece for _ in range(count))


def is_too_long(answer):
    return (answer.status, answer.json["__type"]) == (413, "RequestEntityTooLargeException")


def test_a_body_of_a_mebibyte_is_read(url):
    assert call(url, body=b"{}" + b" " * (MIB - 2)).status == 200


def test_a_body_of_one_byte_more_is_refused(url):
    assert is_too_long(call(url, body=b"{}" + b" " * (MIB - 1)))


def test_a_chunked_body_of_one_byte_more_is_refused(url):
    assert is_too_long(call(url, body=iter([b"{}" + b" " * (MIB - 2), b" "])))


@pytest.mark.parametrize("operation", ["ListClusters", "Unknown"])
def test_a_hundred_megabytes_get_an_answer_and_no_reset(url, operation):
    with connected(url) as connection:
        answer = ask(connection, operation, mebibytes(100), Content_Length=str(100 * MIB))
        assert answer.status == (413 if operation == "ListClusters" else 400)
        assert ask(connection).status == 200


def test_a_hundred_chunked_megabytes_get_an_answer_and_no_reset(url):
    with connected(url) as connection:
        assert is_too_long(ask(connection, body=mebibytes(100)))
        assert ask(connection).status == 200


def test_a_gigabyte_is_refused_before_it_is_sent(url):
    with wired(url) as wire:
        wire.send(*HEAD, f"Content-Length: {1 << 30}")
        answer = wire.answer()
        assert is_too_long(answer)
        assert answer.headers["connection"] == "close"


def test_a_body_without_end_is_cut_off(url):
    sent = 0
    chunk = b"%x\r\n%s\r\n" % (MIB, b" " * MIB)
    with wired(url) as wire:
        wire.send(*HEAD, "Transfer-Encoding: chunked")
        try:
            while sent < 1024:
                wire.send_bytes(chunk)
                sent += 1
        except OSError:
            pass
    assert 256 <= sent < 512
    assert call(url).status == 200


def test_a_caller_that_waits_for_leave_to_send_gets_it(url):
    with wired(url) as wire:
        wire.send(*HEAD, "Content-Length: 2", "Expect: 100-continue")
        assert wire.status() == 100
        wire.send_bytes(b"{}")
        assert wire.answer().status == 200
        wire.send(*HEAD, "Content-Length: 2", body=b"{}")
        assert wire.answer().status == 200


def test_a_caller_that_waits_with_too_long_a_body_is_refused_at_once(url):
    with wired(url) as wire:
        wire.send(*HEAD, f"Content-Length: {2 * MIB}", "Expect: 100-continue")
        assert is_too_long(wire.answer())
        assert wire.ended()


def test_a_caller_that_waits_without_an_operation_is_refused_at_once(url):
    with wired(url) as wire:
        wire.send("POST / HTTP/1.1", "Host: localhost", "Content-Length: 2", "Expect: 100-continue")
        assert wire.answer().status == 400
        assert wire.ended()


def test_a_refusal_after_the_body_was_sent_keeps_the_connection(url):
    with wired(url) as wire:
        wire.send(*HEAD, "Content-Length: 2", "Expect: 100-continue")
        assert wire.status() == 100
        wire.send_bytes(b"[]")
        assert wire.answer().status == 400
        wire.send(*HEAD, "Content-Length: 2", body=b"{}")
        assert wire.answer().status == 200


def test_a_header_of_32_kib_is_read(url):
    assert call(url, X_Long="x" * 32768).status == 200


def test_a_header_of_a_megabyte_does_not_hurt_the_server(url):
    with wired(url) as wire:
        try:
            wire.send(*HEAD, "X-Long: " + "x" * 1_000_000)
            refused = wire.status() == 400
        except OSError:
            refused = True
        assert refused
    assert call(url).status == 200


def test_a_head_without_end_is_cut_off(url):
    sent = 0
    with wired(url) as wire:
        wire.send_bytes(b"POST / HTTP/1.1\r\n")
        try:
            while sent < 1000:
                wire.send_bytes(b"X-%d: %s\r\n" % (sent, b"x" * 16384))
                sent += 1
        except OSError:
            pass
    assert sent < 1000


def test_many_wrong_members_do_not_hold_the_server_long(url):
    body = b'{"requiresCompatibilities":[' + b"1," * 400_000 + b"1]}"
    answer = call(url, "RegisterTaskDefinition", body)
    assert answer.json["message"] == "400001 members have a wrong type."


def test_a_slow_body_holds_up_nobody(url):
    started = threading.Event()

    def slowly():
        yield b"{"
        started.set()
        assert call(url).status == 200
        yield b"}"

    assert call(url, body=slowly()).status == 200
    assert started.is_set()
