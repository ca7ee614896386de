"""The path of an AWS call: what is answered, and what is refused in which words."""

import http.client
import logging
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.edge.clients import TARGET, FakeApi, ask, call, connected, scope, serving, wired

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


def client(url, region="us-east-1", key="AKIDEXAMPLE", service="ecs"):
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=url,
        aws_access_key_id=key,
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )


# Answers.


def test_answers_the_operation_s_bytes(url):
    assert call(url).body == b'{"clusterArns":["arn:aws:ecs:us-east-1:000000000000:cluster/default"]}'


def test_answers_a_structure_as_json_without_absent_members(url):
    body = call(url, "CreateCluster", b'{"clusterName":"a"}').body
    assert body == b'{"cluster":{"clusterName":"a","status":"ACTIVE"}}'


def test_answers_with_aws_s_headers(url):
    headers = call(url).headers
    assert headers["Content-Type"] == "application/x-amz-json-1.1"
    assert UUID.fullmatch(headers["x-amzn-RequestId"])
    assert headers["Date"].endswith(" GMT")
    assert headers["Content-Length"] == "70"
    assert "Server" not in headers


def test_every_answer_has_an_id_of_its_own(url):
    assert call(url).headers["x-amzn-RequestId"] != call(url).headers["x-amzn-RequestId"]


def test_an_empty_body_is_an_empty_structure(url):
    assert call(url, "CreateCluster", b"").json == {"cluster": {"status": "ACTIVE"}}


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/x-amz-json-1.1"])
def test_the_content_type_does_not_matter(url, content_type):
    assert call(url, Content_Type=content_type).status == 200


def test_the_query_string_does_not_matter(url):
    assert call(url, path="/?Action=Nothing").status == 200


def test_unknown_members_are_ignored(url):
    assert call(url, body=b'{"whatIsThis":[{}]}').status == 200


def test_boto3_is_served(url):
    assert client(url).create_cluster(clusterName="a")["cluster"]["clusterName"] == "a"


# Refusals.


def test_a_refusal_has_type_sentence_and_members_in_utf_8(url):
    refusal = call(url, "DescribeClusters")
    assert refusal.status == 400
    assert refusal.headers["Content-Type"] == "application/x-amz-json-1.1"
    assert refusal.body.decode() == '{"__type":"ConflictException","message":"Es geht nicht: ☹","resourceIds":["a"]}'


def test_boto3_sees_a_refusal(url):
    with pytest.raises(ClientError) as caught:
        client(url).describe_clusters()
    assert caught.value.response["Error"] == {"Code": "ConflictException", "Message": "Es geht nicht: ☹"}


@pytest.mark.parametrize("operation", [None, "", "NoSuchOperation", "listClusters", "ListClustersx"])
def test_an_unknown_operation_is_refused_without_a_message(url, operation):
    refusal = call(url, operation)
    assert (refusal.status, refusal.body) == (400, b'{"__type":"UnknownOperationException"}')


@pytest.mark.parametrize(
    "target", ["ListClusters", f"{TARGET}ListClusters", f"x{TARGET}.ListClusters", "ä.ListClusters"]
)
def test_a_target_of_another_form_is_an_unknown_operation(url, target):
    refusal = call(url, None, X_Amz_Target=target, Authorization=scope())
    assert refusal.body == b'{"__type":"UnknownOperationException"}'


def test_an_unwritten_operation_says_so(url):
    refusal = call(url, "RunTask")
    assert (refusal.status, refusal.json["__type"]) == (501, "NotImplementedException")
    assert "RunTask" in refusal.json["message"]


@pytest.mark.parametrize(("method", "path"), [("PUT", "/"), ("DELETE", "/"), ("OPTIONS", "/"), ("GET", "/clusters")])
def test_other_methods_and_paths_are_unknown(url, method, path):
    refusal = call(url, method=method, path=path)
    assert (refusal.status, refusal.json["__type"]) == (404, "UnknownOperationException")


def test_a_signed_get_is_no_visit_of_a_browser(url):
    assert call(url, None, b"", "GET", Authorization=scope()).status == 404


def test_a_browser_is_greeted(url):
    greeting = call(url, None, b"", "GET")
    assert (greeting.status, greeting.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert b"/_emulator/health" in greeting.body


def test_head_has_headers_and_no_body(url):
    with connected(url) as connection:
        assert ask(connection, None, b"", "HEAD").body == b""
        assert ask(connection).status == 200


@pytest.mark.parametrize(
    "body", [b"not json", b"[]", b'"x"', b"null", b"{", b"\xff\xfe", b'{"clusterName":"\xff"}', b"\x1f\x8b\x08\x00"]
)
def test_what_is_no_json_object_is_refused(url, body):
    refusal = call(url, "CreateCluster", body)
    assert (refusal.status, refusal.json["__type"]) == (400, "SerializationException")


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_a_hundred_thousand_levels_are_refused(url, opening):
    assert call(url, body=opening * 100_000).json["__type"] == "SerializationException"


def test_a_wrong_type_is_refused_by_the_member_s_name(url):
    refusal = call(url, "CreateCluster", b'{"clusterName":5}')
    assert refusal.json["message"] == "clusterName: NUMBER_VALUE can not be converted to a String"


# Service, region, account.


def arn(answer):
    return answer.json["clusterArns"][0]


def test_the_region_is_that_of_the_signature(url):
    assert arn(call(url, Authorization=scope(region="eu-west-1"))).startswith("arn:aws:ecs:eu-west-1:")


def test_the_partition_follows_the_region(url):
    assert arn(call(url, Authorization=scope(region="cn-north-1"))).startswith("arn:aws-cn:ecs:cn-north-1:")


def test_a_twelve_digit_access_key_is_the_account(url):
    assert ":123456789012:" in arn(call(url, Authorization=scope(key="123456789012")))


@pytest.mark.parametrize("key", ["AKIDEXAMPLE", "12345678901", "1234567890123", "12345678901x", ""])
def test_another_access_key_belongs_to_the_account_of_zeros(url, key):
    assert ":000000000000:" in arn(call(url, Authorization=scope(key=key)))


def test_boto3_chooses_region_and_account(url):
    answer = client(url, "ap-southeast-2", "210987654321").list_clusters()
    assert answer["clusterArns"] == ["arn:aws:ecs:ap-southeast-2:210987654321:cluster/default"]


def test_the_default_region_can_be_set():
    with serving(default_region="sa-east-1") as url:
        assert ":sa-east-1:" in arn(call(url))


def test_a_region_that_cannot_be_one_is_refused(url):
    refusal = call(url, Authorization=scope(region='x"y'))
    assert (refusal.status, refusal.json["__type"]) == (400, "InvalidSignatureException")


@pytest.mark.parametrize("service", ["logs", "s3", "elasticloadbalancing"])
def test_another_service_is_not_served_yet(url, service):
    refusal = call(url, None, Authorization=scope(service=service))
    assert refusal.status == 501
    assert refusal.json == {
        "__type": "NotImplementedException",
        "message": f"This emulator does not serve '{service}' yet.",
    }


def test_a_neighbour_gets_what_is_not_ecs():
    async def neighbour(exchange):
        said = await exchange.receive()
        told = f"{exchange.service} {exchange.caller.region} {exchange.path} {said['body'].decode()}"
        await exchange.answer(200, b"text/plain", told.encode())

    with serving(neighbour=neighbour) as url:
        answer = call(url, None, b"key", "PUT", "/bucket", Authorization=scope("eu-west-1", "s3"))
        assert answer.body == b"s3 eu-west-1 /bucket key"
        assert call(url, Authorization=scope()).status == 200


def test_a_neighbour_s_defect_is_answered_as_one():
    async def neighbour(_exchange):
        raise KeyError("inner-workings")

    with serving(neighbour=neighbour) as url:
        refusal = call(url, Authorization=scope(service="logs"))
        assert (refusal.status, refusal.json["__type"]) == (500, "ServerException")


def test_half_an_answer_is_never_taken_for_a_whole_one():
    async def neighbour(exchange):
        await exchange.send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        raise KeyError

    # The connection is cut: whether the client reads to its end or is reset depends on who is quicker.
    cut = (http.client.IncompleteRead, ConnectionResetError)
    with serving(neighbour=neighbour) as url, pytest.raises(cut):
        call(url, Authorization=scope(service="logs"))


# Defects.


def test_a_defect_is_answered_as_one_and_shows_no_inner_workings(url):
    refusal = call(url, "ListTasks")
    assert (refusal.status, refusal.json["__type"]) == (500, "ServerException")
    assert "defect of the emulator" in refusal.json["message"]
    assert b"inner-workings" not in refusal.body
    assert b"Traceback" not in refusal.body


def test_a_defect_s_traceback_is_logged_under_the_request_s_id_without_its_body(url, caplog):
    with caplog.at_level(logging.ERROR):
        refusal = call(url, "ListTasks", b'{"family":"hunter2"}')
    assert refusal.headers["x-amzn-RequestId"] in caplog.text
    assert "KeyError" in caplog.text
    assert "hunter2" not in caplog.text


# Connections.


@pytest.mark.parametrize("operation", ["ListTasks", "DescribeClusters", "RunTask", "Unknown"])
def test_a_connection_goes_on_after_an_error(url, operation):
    with connected(url) as connection:
        ask(connection, operation)
        before = connection.sock
        assert ask(connection).status == 200
        assert connection.sock is before


def test_a_connection_goes_on_after_a_refusal_that_left_the_body_unread(url):
    with connected(url) as connection:
        assert ask(connection, "Unknown", b"x" * 500_000).status == 400
        assert ask(connection).status == 200


def test_pipelined_requests_are_answered_in_their_order(url):
    with wired(url) as wire:
        head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
        wire.send_bytes(
            b"".join(
                f"{head}X-Amz-Target: {TARGET}.{operation}\r\n\r\n{{}}".encode()
                for operation in ("Unknown", "CreateCluster", "ListClusters")
            )
        )
        assert [wire.answer().body[:10] for _ in range(3)] == [b'{"__type":', b'{"cluster"', b'{"clusterA']


def test_a_chunked_body_is_read(url):
    body = iter([b'{"cluster', b'Name":', b'"a"}'])
    assert call(url, "CreateCluster", body).json["cluster"]["clusterName"] == "a"


def test_a_caller_that_leaves_before_its_body_is_whole_disturbs_nobody(url, caplog):
    with wired(url) as wire:
        wire.send("POST / HTTP/1.1", "Host: localhost", f"X-Amz-Target: {TARGET}.ListClusters", "Content-Length: 9")
    assert call(url).status == 200
    assert caplog.text == ""


@pytest.mark.parametrize(
    "request_line",
    [b"\x16\x03\x01 nonsense", b"BREW / HTTP/1.1", b"POST /\xff HTTP/1.1", b"CONNECT a:1 HTTP/1.1", b"PRI * HTTP/2.0"],
)
def test_broken_http_is_refused_and_the_next_connection_served(url, request_line):
    with wired(url) as wire:
        wire.send_bytes(request_line + b"\r\nHost: localhost\r\n\r\n")
        assert wire.status() == 400
    assert call(url).status == 200


@pytest.mark.parametrize("headers", ["Content-Length: -1", "Content-Length: 2\r\nTransfer-Encoding: chunked"])
def test_a_body_of_no_clear_length_is_refused(url, headers):
    with wired(url) as wire:
        wire.send("POST / HTTP/1.1", "Host: localhost", f"X-Amz-Target: {TARGET}.ListClusters", headers)
        assert wire.status() == 400


def test_an_offer_of_http_2_is_not_taken_up(url):
    offer = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2_Settings": "AAMAAABkAAQAAP__"}
    assert call(url, **offer).status == 200


# Threads.


def test_slow_writes_do_not_hold_up_reads():
    api = FakeApi()
    with serving(api=api) as url, ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(call, url, "DeleteCluster") for _ in range(4)]
        api.waiting.acquire(timeout=30)
        assert call(url).status == 200
        assert not any(answer.done() for answer in slow)
        api.go_on.set()
        assert [answer.result().status for answer in slow] == [200] * 4


def test_calls_that_ask_other_services_hold_up_nobody():
    class Asking(FakeApi):
        def find(self, name):
            handler = super().find(name)
            return replace(handler, looks=lambda _look: None) if name == "DeleteCluster" else handler

        def look(self, handler, request, caller):
            return self.DeleteCluster(request, caller)

    api = Asking()
    with serving(api=api) as url, ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(call, url, "DeleteCluster") for _ in range(2)]
        assert all(api.waiting.acquire(timeout=30) for _ in slow)
        assert call(url).status == 200
        assert call(url, "CreateCluster").status == 200
        assert not any(answer.done() for answer in slow)
        api.go_on.set()
        assert [answer.result().status for answer in slow] == [200] * 2


def test_reads_run_on_the_loop_and_writes_elsewhere():
    seen = {}

    class Watching(FakeApi):
        def perform(self, handler, request, caller, found):
            seen[handler.name] = threading.current_thread().name
            return super().perform(handler, request, caller, found)

    with serving(api=Watching()) as url:
        call(url, "ListClusters")
        call(url, "CreateCluster")
    assert seen["ListClusters"].startswith("edge")
    assert seen["CreateCluster"].startswith("write")


def test_a_hundred_callers_at_once_are_answered(url):
    with ThreadPoolExecutor(25) as pool:
        assert {answer.status for answer in pool.map(lambda _: call(url, "CreateCluster"), range(100))} == {200}


def test_a_keep_alive_connection_serves_many_calls(url):
    with connected(url) as connection:
        assert {ask(connection).status for _ in range(50)} == {200}


def test_http_1_0_is_answered_and_closed(url):
    with wired(url) as wire:
        wire.send("POST / HTTP/1.0", "Host: localhost", f"X-Amz-Target: {TARGET}.ListClusters", "Content-Length: 0")
        answer = wire.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert wire.ended()
