"""Stock clients of other services, at the same URL as ECS."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import threading
from typing import Any

import boto3
import pytest
import requests
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.emulators import InProcess, client, served

ROLE = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:
    """Code and message of a refused call."""
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_one_program_uses_s3_sqs_dynamodb_and_ecs_through_one_url(emulator: InProcess) -> None:
    s3, sqs, table = emulator.client("s3"), emulator.client("sqs"), emulator.client("dynamodb")
    s3.create_bucket(Bucket="orders")
    s3.put_object(Bucket="orders", Key="1.json", Body=b"{}")
    queue = sqs.create_queue(QueueName="orders")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="1.json")
    table.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    message = sqs.receive_message(QueueUrl=queue)["Messages"][0]
    content = s3.get_object(Bucket="orders", Key=message["Body"])["Body"].read()
    table.put_item(TableName="orders", Item={"id": {"S": message["Body"]}, "content": {"B": content}})
    item = table.get_item(TableName="orders", Key={"id": {"S": "1.json"}})["Item"]
    assert item == {"id": {"S": "1.json"}, "content": {"B": b"{}"}}
    assert emulator.ecs.create_cluster(clusterName="orders")["cluster"]["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("service", "operation", "member"),
    [
        ("sts", "get_caller_identity", "Account"),  # query
        ("ec2", "describe_regions", "Regions"),  # ec2 query
        ("logs", "describe_log_groups", "logGroups"),  # JSON
        ("cloudwatch", "list_metrics", "Metrics"),
        ("lambda", "list_functions", "Functions"),  # REST with JSON
        ("route53", "list_hosted_zones", "HostedZones"),  # REST with XML
        ("elbv2", "describe_load_balancers", "LoadBalancers"),
        ("stepfunctions", "list_state_machines", "stateMachines"),
        ("application-autoscaling", "describe_scalable_targets", "ScalableTargets"),
        ("servicediscovery", "list_namespaces", "Namespaces"),
        ("resourcegroupstaggingapi", "get_resources", "ResourceTagMappingList"),
    ],
)
def test_every_protocol_is_spoken(emulator: InProcess, service: str, operation: str, member: str) -> None:
    arguments = {"ServiceNamespace": "ecs"} if service == "application-autoscaling" else {}
    assert member in getattr(emulator.client(service), operation)(**arguments)


def test_a_twelve_digit_key_is_the_account_of_every_service(emulator: InProcess) -> None:
    theirs = emulator.client("logs", account="123456789012")
    theirs.create_log_group(logGroupName="mine")
    assert ":123456789012:" in theirs.describe_log_groups()["logGroups"][0]["arn"]
    assert emulator.client("logs").describe_log_groups()["logGroups"] == []


def test_the_signature_s_region_counts_whatever_the_user_agent_says(emulator: InProcess) -> None:
    queues = emulator.client("sqs", region="eu-west-1", user_agent_extra="region/us-west-2")
    assert "QueueUrl" in queues.create_queue(QueueName="here")
    assert "QueueUrls" not in emulator.client("sqs", region="us-west-2").list_queues()
    arn = queues.get_queue_attributes(
        QueueUrl=queues.get_queue_url(QueueName="here")["QueueUrl"], AttributeNames=["QueueArn"]
    )
    assert arn["Attributes"]["QueueArn"] == "arn:aws:sqs:eu-west-1:000000000000:here"


def test_keys_of_an_assumed_role_stand_for_the_role_s_account(emulator: InProcess) -> None:
    role = emulator.client("iam", account="123456789012").create_role(RoleName="r", AssumeRolePolicyDocument=ROLE)
    keys = emulator.client("sts").assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="me")["Credentials"]
    session = emulator.client("sts", account=keys["AccessKeyId"])
    assert session.get_caller_identity()["Arn"] == "arn:aws:sts::123456789012:assumed-role/r/me"
    cluster = client(emulator.url, account=keys["AccessKeyId"]).create_cluster(clusterName="c")["cluster"]
    assert cluster["clusterArn"] == "arn:aws:ecs:us-east-1:123456789012:cluster/c"


def test_keys_of_s3_may_have_any_character(emulator: InProcess) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="bkt")
    key = "a//ü b%2F+c"
    s3.put_object(Bucket="bkt", Key=key, Body=b"x", Metadata={"snake_case": "1", "kebab-case": "2"})
    found = s3.get_object(Bucket="bkt", Key=key)
    assert (found["Body"].read(), found["Metadata"]) == (b"x", {"snake_case": "1", "kebab-case": "2"})
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="bkt")["Contents"]] == [key]


def test_presigned_urls_need_no_other_signature(emulator: InProcess) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="bkt")
    put = s3.generate_presigned_url("put_object", Params={"Bucket": "bkt", "Key": "k"})
    assert requests.put(put, data=b"from afar", timeout=10).status_code == 200
    get = s3.generate_presigned_url("get_object", Params={"Bucket": "bkt", "Key": "k"})
    assert requests.get(get, timeout=10).content == b"from afar"
    who = emulator.client("sts").generate_presigned_url("get_caller_identity")
    assert "<Account>000000000000</Account>" in requests.get(who, timeout=10).text


@pytest.mark.parametrize("host", ["bkt.s3.localhost", "bkt.localhost", "bkt.s3.us-east-1.amazonaws.com"])
def test_the_host_may_name_the_bucket(emulator: InProcess, host: str) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="bkt")
    s3.put_object(Bucket="bkt", Key="k", Body=b"x")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "bkt", "Key": "k"}).replace("/bkt/k", "/k")
    assert requests.get(url, headers={"Host": host}, timeout=10).content == b"x"


def test_large_uploads_come_in_parts_and_chunks(emulator: InProcess) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="bkt")
    s3.upload_fileobj(io.BytesIO(b"x" * (9 << 20)), "bkt", "parts")
    s3.put_object(Bucket="bkt", Key="chunks", Body=io.BytesIO(b"y" * 100_000), ChecksumAlgorithm="SHA256")
    assert s3.head_object(Bucket="bkt", Key="parts")["ContentLength"] == 9 << 20
    assert s3.get_object(Bucket="bkt", Key="chunks")["Body"].read() == b"y" * 100_000


def test_a_body_may_come_in_chunks_and_compressed(emulator: InProcess) -> None:
    emulator.client("logs").create_log_group(logGroupName="g")
    head = {
        "X-Amz-Target": "Logs_20140328.DescribeLogGroups",
        "Content-Type": "application/x-amz-json-1.1",
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/logs/aws4_request",
    }
    chunked = requests.post(emulator.url, data=iter([b'{"limit"', b":1}"]), headers=head, timeout=10)
    packed = requests.post(
        emulator.url, data=gzip.compress(b'{"limit":1}'), headers={**head, "Content-Encoding": "gzip"}, timeout=10
    )
    assert chunked.json()["logGroups"][0]["logGroupName"] == "g"
    assert packed.json()["logGroups"][0]["logGroupName"] == "g"


def test_public_objects_are_read_without_a_signature(emulator: InProcess) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="bkt")
    s3.put_object(Bucket="bkt", Key="k", Body=b"x", ACL="public-read")
    s3.put_object(Bucket="bkt", Key="private", Body=b"x")
    nobody = boto3.client("s3", endpoint_url=emulator.url, config=Config(signature_version=UNSIGNED))
    assert nobody.get_object(Bucket="bkt", Key="k")["Body"].read() == b"x"
    assert refusal(nobody.get_object, Bucket="bkt", Key="private")[0] in ("AccessDenied", "403")


def test_a_role_is_assumed_with_a_web_identity_without_a_signature(emulator: InProcess) -> None:
    nobody = boto3.client(
        "sts", endpoint_url=emulator.url, region_name="us-east-1", config=Config(signature_version=UNSIGNED)
    )
    found = nobody.assume_role_with_web_identity(
        RoleArn="arn:aws:iam::000000000000:role/r", RoleSessionName="me", WebIdentityToken="a-token-of-somebody"
    )
    assert found["AssumedRoleUser"]["Arn"] == "arn:aws:sts::000000000000:assumed-role/r/me"


@pytest.mark.parametrize(("region", "names"), [("us-east-1", "us-east-1"), ("xx-nowhere-9", "xx-nowhere-9")])
def test_every_region_that_can_be_one_is_one(emulator: InProcess, region: str, names: str) -> None:
    topic = emulator.client("sns", region=region).create_topic(Name="t")["TopicArn"]
    assert topic == f"arn:aws:sns:{names}:000000000000:t"


def test_a_service_that_does_not_exist_is_refused(emulator: InProcess) -> None:
    head = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/frobnicate/aws4_request"}
    answer = requests.post(emulator.url, data=b"{}", headers=head, timeout=10)
    assert (answer.status_code, answer.json()["__type"]) == (400, "UnknownOperationException")


def test_an_operation_that_moto_lacks_answers_so(emulator: InProcess) -> None:
    bedrock = emulator.client("bedrock")
    code, message = refusal(bedrock.list_foundation_models)
    assert (code, "not been implemented" in message) == ("NotImplementedException", True)


@pytest.mark.parametrize(
    ("service", "content_type"),
    [("s3", "text/plain"), ("sqs", "application/x-amz-json-1.0"), ("ec2", "application/x-www-form-urlencoded")],
)
def test_requests_that_make_no_sense_get_an_error_of_the_service(
    emulator: InProcess, service: str, content_type: str
) -> None:
    head = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request",
        "Content-Type": content_type,
        "X-Amz-Target": "AmazonSQS.Nonsense",
    }
    for path, body in (("/", b"\xff\xfe\x00"), ("/%ff%00/../x?%ff", b"Action=&=&&"), ("/?Action=Nope", b"{")):
        answer = requests.post(emulator.url + path, data=body, headers=head, timeout=10)
        assert answer.status_code in range(200, 600)
        assert "<!doctype html" not in answer.text.lower()
    assert emulator.client("sts").get_caller_identity()["Account"] == "000000000000"


def test_moto_s_own_pages_are_not_shown(emulator: InProcess) -> None:
    for path in ("/moto-api/data.json", "/moto-api/reset"):
        answer = requests.get(emulator.url + path, timeout=10)
        assert "Error" in answer.text
        assert answer.status_code in (400, 403, 404)


def test_who_waits_for_a_message_holds_up_nobody(emulator: InProcess) -> None:
    sqs = emulator.client("sqs")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    received: list[str] = []

    def wait() -> None:
        answer = emulator.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=20)
        received.extend(message["Body"] for message in answer.get("Messages", ()))

    waiting = threading.Thread(target=wait)
    waiting.start()
    sqs.send_message(QueueUrl=queue, MessageBody="at last")
    waiting.join(15)
    assert received == ["at last"]


def test_eight_threads_lose_and_double_nothing(emulator: InProcess) -> None:
    sqs = emulator.client("sqs")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    for number in range(20):
        entries = [{"Id": str(each), "MessageBody": f"{number}-{each}"} for each in range(10)]
        sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    received: list[str] = []

    def receive() -> None:
        mine = emulator.client("sqs")
        while found := mine.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            received.extend(message["Body"] for message in found)

    threads = [threading.Thread(target=receive) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(received) == sorted(f"{number}-{each}" for number in range(20) for each in range(10))


def test_a_reset_forgets_what_other_services_hold(emulator: InProcess) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="bkt")
    requests.post(f"{emulator.url}/_emulator/reset", timeout=10).raise_for_status()
    assert s3.list_buckets()["Buckets"] == []
    assert refusal(s3.list_objects_v2, Bucket="bkt")[0] == "NoSuchBucket"


def test_nobody_answers_for_other_services_when_told_so() -> None:
    with InProcess.started(neighbours="none") as emulator:
        for service, operation in (("s3", "list_buckets"), ("ec2", "describe_vpcs"), ("logs", "describe_log_groups")):
            code, message = refusal(getattr(emulator.client(service), operation))
            assert (code, "--neighbour" in message) == ("ServiceNotAvailable", True)
        assert emulator.ecs.list_clusters()["clusterArns"] == []


def test_a_service_may_be_answered_elsewhere() -> None:
    with (
        served("--ephemeral", "--runtime", "simulated") as elsewhere,
        InProcess.started(neighbours="none", endpoints=(("s3", elsewhere.url), ("sqs", elsewhere.url))) as emulator,
    ):
        s3 = emulator.client("s3")
        s3.create_bucket(Bucket="bkt")
        s3.put_object(Bucket="bkt", Key="a b/ü", Body=b"x" * 100_000)
        there = client(elsewhere.url, "s3")
        assert there.get_object(Bucket="bkt", Key="a b/ü")["Body"].read() == b"x" * 100_000
        assert "QueueUrl" in emulator.client("sqs").create_queue(QueueName="q")
        get = s3.generate_presigned_url("get_object", Params={"Bucket": "bkt", "Key": "a b/ü"})
        assert len(requests.get(get, timeout=10).content) == 100_000


def test_an_endpoint_that_is_gone_is_named() -> None:
    with InProcess.started(endpoints=(("logs", "http://127.0.0.1:9"),)) as emulator:
        code, message = refusal(emulator.client("logs").describe_log_groups)
    assert (code, "http://127.0.0.1:9" in message) == ("ServiceUnavailable", True)


@pytest.mark.parametrize("value", ["s3", "s3=ftp://x", "=http://x", "ecs=http://x", "s3=http://"])
def test_an_endpoint_is_a_name_and_a_url(value: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "emulator", "serve", "--ephemeral", "--neighbour", value],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "--neighbour" in done.stderr
