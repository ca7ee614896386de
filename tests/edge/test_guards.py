"""No web page gets in: not by a host name of its own, not by a visitor's browser."""

import pytest

from tests.edge.clients import TARGET, call, scope, serving, wired

PAGE = "https://page.example:8443"
HANDSHAKE = (
    "GET /exec HTTP/1.1",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
)


@pytest.fixture(scope="module")
def open_url():
    """An edge that lets in a host, the hosts below another, and a page."""
    with serving(allow_hosts=["Emulator.Test", "*.below.test"], allow_origins=[PAGE + "/", "null"]) as url:
        yield url


def refused(answer):
    return (answer.status, answer.json["__type"]) == (403, "AccessDeniedException")


# Hosts.


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:4566",
        "localhost.",
        "web.localhost:4566",
        "127.0.0.1:4566",
        "10.0.0.7",
        "[::1]:4566",
        "[::1]",
        "[2001:db8::7]:80",
        "ecs.us-east-1.amazonaws.com",
        "ecs-fips.us-gov-west-1.amazonaws.com:443",
        "ecs.cn-north-1.amazonaws.com.cn",
        "ecs.eu-west-1.api.aws",
    ],
)
def test_a_host_of_this_machine_or_of_aws_is_served(url, host):
    assert call(url, Host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.test",
        "evil.test:4566",
        "localhost.evil.test",
        "notlocalhost",
        "127.0.0.1.evil.test",
        "evilamazonaws.com",
        "amazonaws.com.evil.test",
        "[::1].evil.test",
        "[evil.test]",
        "[::1",
        "[::1]evil",
        "localhost:4566.evil.test",
        "",
        ":4566",
        "x" * 300 + ".localhost",
        "ö.test",
    ],
)
def test_another_host_is_refused(url, host):
    assert refused(call(url, Host=host))


def test_the_refusal_names_the_host_and_the_flag(url):
    message = call(url, Host="evil.test:99").json["message"]
    assert message == (
        "The host 'evil.test' is not served here. To serve it, start the emulator with --allow-host evil.test."
    )


@pytest.mark.parametrize("host", ["emulator.test:4566", "EMULATOR.test", "a.below.test", "a.b.below.test"])
def test_an_allowed_host_is_served(open_url, host):
    assert call(open_url, Host=host).status == 200


@pytest.mark.parametrize("host", ["a.emulator.test", "below.test", "notbelow.test"])
def test_only_the_allowed_host_is_served(open_url, host):
    assert refused(call(open_url, Host=host))


def test_any_host_can_be_allowed():
    with serving(allow_hosts=["*"]) as url:
        assert call(url, Host="evil.test").status == 200


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_request_without_a_host_is_refused(url, version):
    with wired(url) as wire:
        wire.send(f"POST / HTTP/{version}", f"X-Amz-Target: {TARGET}.ListClusters", "Content-Length: 0")
        assert refused(wire.answer())


def test_two_hosts_are_refused(url):
    with wired(url) as wire:
        wire.send("POST / HTTP/1.1", "Host: evil.test", "Host: localhost", "Content-Length: 0")
        assert refused(wire.answer())


# Origins.


@pytest.mark.parametrize(
    "origin", [PAGE, "null", "http://localhost:1", "https://localhost", "http://127.0.0.1", "", "http://localhost.evil"]
)
def test_a_page_of_another_site_is_refused(url, origin):
    assert refused(call(url, Host="localhost", Origin=origin))


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:4566", "http://localhost:4566"),
        ("Localhost:4566", "http://localhost:4566"),
        ("localhost", "http://localhost"),
        ("localhost:80", "http://localhost"),
        ("[::1]:4566", "http://[::1]:4566"),
    ],
)
def test_a_page_served_here_may_call(url, host, origin):
    answer = call(url, Host=host, Origin=origin)
    assert answer.status == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_an_allowed_page_may_call_and_is_told_so(open_url):
    headers = call(open_url, Origin=PAGE).headers
    assert headers["Access-Control-Allow-Origin"] == PAGE
    assert headers["Access-Control-Expose-Headers"] == "x-amzn-RequestId"
    assert headers["Vary"] == "Origin"


def test_an_allowed_page_may_read_refusals_too(open_url):
    refusal = call(open_url, "Unknown", Origin=PAGE)
    assert (refusal.status, refusal.headers["Access-Control-Allow-Origin"]) == (400, PAGE)


def test_an_allowed_page_may_read_the_control_pages(open_url):
    answer = call(open_url, None, b"", "GET", "/_emulator/health", Origin=PAGE)
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, PAGE)


@pytest.mark.parametrize("origin", ["https://page.example", "http://page.example:8443", "https://x.page.example:8443"])
def test_only_the_allowed_page_may_call(open_url, origin):
    assert refused(call(open_url, Origin=origin))


def test_a_page_of_no_origin_cannot_be_allowed(open_url):
    assert refused(call(open_url, Origin="null"))


def preflight(url, origin):
    return call(url, None, b"", "OPTIONS", Origin=origin, Access_Control_Request_Method="POST")


def test_an_allowed_page_s_preflight_is_answered(open_url):
    answer = preflight(open_url, PAGE)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert answer.headers["Access-Control-Allow-Headers"] == "*, Authorization"
    assert answer.headers["Access-Control-Allow-Methods"] == "POST, GET, OPTIONS"


def test_another_page_s_preflight_is_refused(open_url):
    answer = preflight(open_url, "https://evil.test")
    assert refused(answer)
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_two_origins_are_refused(open_url):
    with wired(open_url) as wire:
        wire.send("POST / HTTP/1.1", "Host: localhost", "Origin: https://evil.test", f"Origin: {PAGE}")
        assert refused(wire.answer())


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_an_image_or_script_on_a_page_of_another_site_is_refused(url, site):
    assert refused(call(url, None, b"", "GET", Sec_Fetch_Site=site, Sec_Fetch_Mode="no-cors"))


def test_a_link_on_a_page_of_another_site_may_be_followed(url):
    assert call(url, None, b"", "GET", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate").status == 200


def test_a_link_that_is_a_signed_call_must_not_be_followed(url):
    path = "/?Action=DeleteUser&X-Amz-Credential=AKID/20260101/us-east-1/iam/aws4_request"
    assert refused(call(url, None, b"", "GET", path, Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate"))


# The guards stand before everything.


@pytest.mark.parametrize(("method", "path"), [("GET", "/_emulator/health"), ("POST", "/_emulator/reset"), ("GET", "/")])
@pytest.mark.parametrize("header", [{"Host": "evil.test"}, {"Origin": "https://evil.test"}])
def test_the_guards_stand_before_every_page(url, method, path, header):
    assert refused(call(url, None, b"", method, path, **header))


def test_the_guards_stand_before_neighbours():
    async def neighbour(exchange):
        raise AssertionError

    with serving(neighbour=neighbour) as url:
        assert refused(call(url, None, Host="evil.test", Authorization=scope(service="logs")))


@pytest.mark.parametrize("line", ["Host: evil.test", "Host: localhost\r\nOrigin: http://evil.test"])
def test_the_guards_stand_before_web_sockets(line):
    async def echo(_scope, _receive, send):
        await send({"type": "websocket.accept"})

    with serving(websockets=echo) as url, wired(url) as wire:
        wire.send(*HANDSHAKE, line)
        assert wire.status() == 403


def test_a_web_socket_is_refused_while_nobody_serves_it(url):
    with wired(url) as wire:
        wire.send(*HANDSHAKE, "Host: localhost")
        assert wire.status() == 403


def test_a_web_socket_is_served_by_whoever_was_given():
    async def accept(_scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close"})

    with serving(websockets=accept) as url, wired(url) as wire:
        wire.send(*HANDSHAKE, "Host: localhost:4566", "Origin: http://localhost:4566")
        assert wire.status() == 101
