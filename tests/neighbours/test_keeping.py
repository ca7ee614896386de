"""Whatever clients do, what is kept of it makes the same again: many short walks through what has rules of its own."""

from __future__ import annotations

import io
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.app import Emulator
from emulator.clock import ManualClock
from emulator.config import Config
from emulator.ids import RandomIds
from emulator.neighbours.answers import Answer
from emulator.neighbours.clients import Clients
from emulator.neighbours.embedded.chance import IdsOfCall
from emulator.neighbours.embedded.clocks import TimeOfCall
from emulator.neighbours.embedded.given import from_outside, is_done_again
from emulator.neighbours.embedded.keeping.keeper import Keeper
from emulator.neighbours.journal import Journal
from emulator.neighbours.ports import Place, ServiceRefusedError
from emulator.state.folder import neighbours_file
from tests.builders import NOW

pytestmark = pytest.mark.filterwarnings(
    "ignore:S3 key was not disposed of in time:ResourceWarning",  # moto leaves it to the garbage collector
    "ignore::pytest.PytestUnraisableExceptionWarning",
)

HERE = Place("000000000000", "us-east-1")
Client = Callable[[str], Any]
Step = tuple[str, dict[str, Any]]
"""An operation, by boto3's name or of those below, and its arguments."""

walk = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def services(folder: Path, now: float = NOW) -> Iterator[Client]:
    """The other services of a new emulator that keeps its state in a folder."""
    emulator = Emulator(Config(runtime="simulated", state_dir=folder), clock=ManualClock(now))
    clients = Clients(emulator.neighbours.moto, {})
    try:
        yield lambda service: clients.client(service, HERE)
    finally:
        emulator.close()


@contextmanager
def no_warning() -> Iterator[None]:
    """Nothing is logged that somebody should see: every call that was kept could be done again."""
    seen: list[str] = []
    watch = logging.Handler(logging.WARNING)
    watch.emit = lambda record: seen.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("emulator").addHandler(watch)
    try:
        yield
    finally:
        logging.getLogger("emulator").removeHandler(watch)
    assert seen == []


def calls_in(folder: Path) -> int:
    """How many calls are kept in a state folder."""
    with closing(sqlite3.connect(neighbours_file(folder))) as journal:
        (number,) = journal.execute("select count(*) from call").fetchone()
        return int(number)


def walked(service: str, steps: list[Step], look: Callable[[Client], Any]) -> int:
    """Take steps, and see the same before and after a restart. Returns how many calls were kept at the end."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        with services(folder) as client:
            for operation, arguments in steps:
                with suppress(ClientError):  # refused steps are steps too
                    _take(client(service), operation, arguments)
            before = look(client)
        with services(folder) as client, no_warning():
            assert look(client) == before
        return calls_in(folder)


def _take(client: Any, operation: str, arguments: dict[str, Any]) -> None:
    if operation == "upload":
        upload(client, **arguments)
    else:
        getattr(client, operation)(**arguments)


def upload(s3: Any, *, then: str = "complete_multipart_upload", **where: str) -> None:
    """Upload an object in a part, and end that in one way or another, or not at all."""
    begun = {**where, "UploadId": s3.create_multipart_upload(**where)["UploadId"]}
    tag = s3.upload_part(**begun, PartNumber=1, Body=b"part")["ETag"]
    if then == "complete_multipart_upload":
        s3.complete_multipart_upload(**begun, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]})
    elif then:
        getattr(s3, then)(**begun)


def answer(call: Callable[..., Any], **arguments: Any) -> Any:
    """What a call answers, without what belongs to this one answer; a refusal's code."""
    try:
        found = call(**arguments)
    except ClientError as refusal:
        return refusal.response["Error"]["Code"]
    found.pop("ResponseMetadata")
    return found | ({"Body": found["Body"].read()} if "Body" in found else {})


# --- S3

BUCKETS = ("left", "right")
KEYS = ("a", "b/c ü+%")
bucket, key = st.sampled_from(BUCKETS), st.sampled_from(KEYS)


def _s3_steps() -> st.SearchStrategy[Step]:
    body = st.binary(max_size=3)
    put = st.builds(lambda b, k, c: ("put_object", {"Bucket": b, "Key": k, "Body": c}), bucket, key, body)
    delete = st.builds(lambda b, k: ("delete_object", {"Bucket": b, "Key": k}), bucket, key)
    copy = st.builds(
        lambda b, k, c, j: ("copy_object", {"Bucket": b, "Key": k, "CopySource": {"Bucket": c, "Key": j}}),
        bucket,
        key,
        bucket,
        key,
    )
    tag = st.builds(
        lambda b, k: (
            "put_object_tagging",
            {"Bucket": b, "Key": k, "Tagging": {"TagSet": [{"Key": "t", "Value": "v"}]}},
        ),
        bucket,
        key,
    )
    both = st.builds(
        lambda b: ("delete_objects", {"Bucket": b, "Delete": {"Objects": [{"Key": each} for each in KEYS]}}), bucket
    )
    versions = st.builds(
        lambda b, s: ("put_bucket_versioning", {"Bucket": b, "VersioningConfiguration": {"Status": s}}),
        bucket,
        st.sampled_from(["Enabled", "Suspended"]),
    )
    once = st.builds(
        lambda b, k: ("put_object", {"Bucket": b, "Key": k, "Body": b"1", "IfNoneMatch": "*"}), bucket, key
    )
    parts = st.builds(
        lambda b, k, then: ("upload", {"Bucket": b, "Key": k, "then": then}),
        bucket,
        key,
        st.sampled_from(["complete_multipart_upload", "abort_multipart_upload", ""]),
    )
    make = st.builds(lambda b: ("create_bucket", {"Bucket": b}), bucket)
    end = st.builds(lambda b: ("delete_bucket", {"Bucket": b}), bucket)
    return st.one_of(put, put, delete, delete, copy, tag, both, versions, once, parts, make, end)


def _buckets(client: Client) -> Any:
    s3 = client("s3")
    return [
        s3.list_buckets()["Buckets"],
        *(answer(s3.list_object_versions, Bucket=each) for each in BUCKETS),
        *(answer(s3.list_multipart_uploads, Bucket=each) for each in BUCKETS),
        *(answer(s3.get_object, Bucket=each, Key=key) for each in BUCKETS for key in KEYS),
        *(answer(s3.get_object_tagging, Bucket=each, Key=key) for each in BUCKETS for key in KEYS),
    ]


@walk
@given(st.lists(_s3_steps(), max_size=20))
def test_objects_come_back(steps: list[Step]) -> None:
    made = [("create_bucket", {"Bucket": each}) for each in BUCKETS]
    walked("s3", made + steps, _buckets)


# --- DynamoDB

TABLES = ("left", "right")
table, number = st.sampled_from(TABLES), st.sampled_from(["1", "1.0", "2"])
KEY_IS_A_NUMBER: dict[str, Any] = {
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "N"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def _dynamodb_steps() -> st.SearchStrategy[Step]:
    put = st.builds(
        lambda t, n: ("put_item", {"TableName": t, "Item": {"id": {"N": n}, "by": {"S": "put"}}}), table, number
    )
    add = st.builds(
        lambda t, n: (
            "update_item",
            {
                "TableName": t,
                "Key": {"id": {"N": n}},
                "UpdateExpression": "ADD times :one",
                "ExpressionAttributeValues": {":one": {"N": "1"}},
            },
        ),
        table,
        number,
    )
    delete = st.builds(lambda t, n: ("delete_item", {"TableName": t, "Key": {"id": {"N": n}}}), table, number)
    batch = st.builds(
        lambda t, n: (
            "batch_write_item",
            {
                "RequestItems": {
                    t: [
                        {"PutRequest": {"Item": {"id": {"N": "3"}, "b": {"B": b"\0\xff"}}}},
                        {"DeleteRequest": {"Key": {"id": {"N": n}}}},
                    ]
                }
            },
        ),
        table,
        number,
    )
    both = st.builds(
        lambda n: (
            "transact_write_items",
            {
                "TransactItems": [
                    {
                        "Put": {
                            "TableName": "left",
                            "Item": {"id": {"N": n}, "l": {"L": [{"M": {"x": {"BOOL": True}}}]}},
                        }
                    },
                    {"Delete": {"TableName": "right", "Key": {"id": {"N": n}}}},
                ]
            },
        ),
        number,
    )
    insert = st.builds(
        lambda t: ("execute_statement", {"Statement": f"INSERT INTO \"{t}\" value {{'id': 1, 'by': 'sql'}}"}), table
    )
    drop = st.builds(lambda t: ("execute_statement", {"Statement": f'DELETE FROM "{t}" WHERE id = 1'}), table)
    make = st.builds(lambda t: ("create_table", {"TableName": t, **KEY_IS_A_NUMBER}), table)
    end = st.builds(lambda t: ("delete_table", {"TableName": t}), table)
    restore = st.builds(
        lambda t: ("restore_table_to_point_in_time", {"SourceTableName": t, "TargetTableName": "right"}), table
    )
    return st.one_of(put, put, add, delete, delete, batch, both, insert, drop, make, end, restore)


def _tables(client: Client) -> Any:
    found = client("dynamodb")
    described = [answer(found.describe_table, TableName=each) for each in TABLES]
    scanned = [answer(found.scan, TableName=each) for each in TABLES]
    return described, [sorted(each["Items"], key=str) if isinstance(each, dict) else each for each in scanned]


@walk
@given(st.lists(_dynamodb_steps(), max_size=20))
def test_items_come_back(steps: list[Step]) -> None:
    made: list[Step] = [("create_table", {"TableName": each, **KEY_IS_A_NUMBER}) for each in TABLES]
    walked("dynamodb", made + steps, _tables)


# --- What is done again and again leaves no trail


def test_an_object_that_is_written_over_is_kept_once() -> None:
    again: list[Step] = [("put_object", {"Bucket": "left", "Key": "a", "Body": b"1"})] * 3
    parts: list[Step] = [("upload", {"Bucket": "left", "Key": "a"})]
    assert walked("s3", [("create_bucket", {"Bucket": "left"}), *again, *parts, *again], _buckets) == 2


def test_buckets_and_objects_that_are_gone_leave_nothing() -> None:
    steps: list[Step] = [
        ("create_bucket", {"Bucket": "left"}),
        ("put_bucket_tagging", {"Bucket": "left", "Tagging": {"TagSet": []}}),
        ("put_object", {"Bucket": "left", "Key": "a", "Body": b"1"}),
        ("upload", {"Bucket": "left", "Key": "b/c ü+%"}),
        ("upload", {"Bucket": "left", "Key": "b/c ü+%", "then": ""}),
        ("delete_objects", {"Bucket": "left", "Delete": {"Objects": [{"Key": each} for each in KEYS]}}),
        ("delete_object", {"Bucket": "left", "Key": "never there"}),
        ("delete_bucket", {"Bucket": "left"}),
    ]
    assert walked("s3", steps, _buckets) == 0


def test_of_an_item_only_what_it_is_now_is_kept() -> None:
    key = {"TableName": "left", "Key": {"id": {"N": "1"}}}
    add = {"UpdateExpression": "ADD times :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    steps: list[Step] = [
        ("create_table", {"TableName": "left", **KEY_IS_A_NUMBER}),
        *[("update_item", {**key, **add})] * 3,
        ("put_item", {"TableName": "left", "Item": {"id": {"N": "2"}}}),
        ("delete_item", {"TableName": "left", "Key": {"id": {"N": "2.0"}}}),
        ("delete_item", {"TableName": "left", "Key": {"id": {"N": "3"}}}),
    ]
    assert walked("dynamodb", steps, _tables) == 2
    assert walked("dynamodb", [*steps, ("delete_table", {"TableName": "left"})], _tables) == 0


def test_log_groups_and_streams_that_are_gone_leave_nothing() -> None:
    stream = {"logGroupName": "/g", "logStreamName": "s"}
    steps: list[Step] = [
        ("create_log_group", {"logGroupName": "/g"}),
        ("create_log_stream", stream),
        ("delete_log_stream", stream),
    ]
    look = lambda client: client("logs").describe_log_groups()["logGroups"]  # noqa: E731
    assert walked("logs", steps, look) == 1
    assert walked("logs", [*steps, ("delete_log_group", {"logGroupName": "/g"})], look) == 0


def test_instances_of_cloud_map_come_and_go_and_leave_nothing(tmp_path: Path) -> None:
    with services(tmp_path) as client:
        discovery = client("servicediscovery")
        discovery.create_http_namespace(Name="n")
        namespace = discovery.list_namespaces()["Namespaces"][0]["Id"]
        checked = {"Name": "s", "NamespaceId": namespace, "HealthCheckCustomConfig": {"FailureThreshold": 1}}
        instance = {"ServiceId": discovery.create_service(**checked)["Service"]["Id"], "InstanceId": "i"}
        before = calls_in(tmp_path)
        for status in ("UNHEALTHY", "HEALTHY"):
            discovery.register_instance(**instance, Attributes={"AWS_INSTANCE_IPV4": "10.0.0.1"})
            discovery.update_instance_custom_health_status(**instance, Status=status)
        assert calls_in(tmp_path) == before + 2
        discovery.deregister_instance(**instance)
        assert calls_in(tmp_path) == before


def test_sessions_are_forgotten_when_they_are_over(tmp_path: Path) -> None:
    asked = {"RoleArn": "arn:aws:iam::000000000000:role/r", "RoleSessionName": "me", "DurationSeconds": 900}
    with services(tmp_path) as client:
        client("sts").assume_role(**asked)
        client("sts").assume_role(**asked)
        assert calls_in(tmp_path) == 2
    with services(tmp_path, NOW + 901) as client:
        client("sts").assume_role(**asked)
        assert calls_in(tmp_path) == 1


# --- What passes through services is not kept, and does not pass through them again


def test_messages_measurements_and_log_events_are_not_kept(tmp_path: Path) -> None:
    with services(tmp_path) as client:
        queue = client("sqs").create_queue(QueueName="q")["QueueUrl"]
        topic = client("sns").create_topic(Name="t")["TopicArn"]
        stream = {"logGroupName": "/g", "logStreamName": "s"}
        client("logs").create_log_group(logGroupName="/g")
        client("logs").create_log_stream(**stream)
        before = calls_in(tmp_path)
        client("sqs").send_message(QueueUrl=queue, MessageBody="m")
        client("sqs").receive_message(QueueUrl=queue)
        client("sns").publish(TopicArn=topic, Message="m")
        client("logs").put_log_events(**stream, logEvents=[{"timestamp": int(NOW * 1000), "message": "m"}])
        client("cloudwatch").put_metric_data(Namespace="n", MetricData=[{"MetricName": "m", "Value": 1}])
        client("events").put_events(Entries=[{"Source": "s", "DetailType": "t", "Detail": "{}"}])
        assert calls_in(tmp_path) == before


def test_an_object_that_comes_back_is_not_told_of_again(tmp_path: Path) -> None:
    def messages(client: Client) -> int:
        queue = client("sqs").get_queue_url(QueueName="q")["QueueUrl"]
        found = client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"])
        return int(found["Attributes"]["ApproximateNumberOfMessages"])

    with services(tmp_path) as client:
        client("sqs").create_queue(QueueName="q")
        client("s3").create_bucket(Bucket="bkt")
        told = {"QueueArn": "arn:aws:sqs:us-east-1:000000000000:q", "Events": ["s3:ObjectCreated:*"]}
        client("s3").put_bucket_notification_configuration(
            Bucket="bkt", NotificationConfiguration={"QueueConfigurations": [told]}
        )
        client("s3").put_object(Bucket="bkt", Key="k", Body=b"1")
        assert messages(client) == 2  # one says that there will be more
    with services(tmp_path) as client:
        assert messages(client) == 0
        client("s3").put_object(Bucket="bkt", Key="k", Body=b"2")
        assert messages(client) == 1


# --- What a call is given


def test_what_was_encrypted_is_decrypted_after_a_restart(tmp_path: Path) -> None:
    with services(tmp_path) as client:
        key = client("kms").create_key()["KeyMetadata"]["KeyId"]
        hidden = client("kms").encrypt(KeyId=key, Plaintext=b"hush")["CiphertextBlob"]
    with services(tmp_path) as client:
        assert client("kms").decrypt(CiphertextBlob=hidden)["Plaintext"] == b"hush"


def test_a_call_is_done_at_the_emulator_s_time_then_and_now(tmp_path: Path) -> None:
    for now in (NOW, NOW + 100):
        with services(tmp_path, now) as client:
            with suppress(ClientError):
                client("iam").create_user(UserName="ann")
            assert client("iam").get_user(UserName="ann")["User"]["CreateDate"].timestamp() == int(NOW)


def test_ids_after_a_restart_are_not_those_of_before(tmp_path: Path) -> None:
    made = []
    for _ in range(2):
        with services(tmp_path) as client:
            made.append(client("ec2").create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"])
            assert set(made) <= {vpc["VpcId"] for vpc in client("ec2").describe_vpcs()["Vpcs"]}
    assert len(set(made)) == 2


def test_an_uploaded_part_waits_for_the_others_over_a_restart(tmp_path: Path) -> None:
    where = {"Bucket": "bkt", "Key": "k"}
    with services(tmp_path) as client:
        client("s3").create_bucket(Bucket="bkt")
        where["UploadId"] = client("s3").create_multipart_upload(**where)["UploadId"]
        tag = client("s3").upload_part(**where, PartNumber=1, Body=b"part")["ETag"]
    with services(tmp_path) as client:
        parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
        client("s3").complete_multipart_upload(**where, MultipartUpload=parts)
    with services(tmp_path) as client:
        assert client("s3").get_object(Bucket="bkt", Key="k")["Body"].read() == b"part"


# --- What others answered, and what goes wrong


def _answered(body: bytes = b"", status: str = "200 OK") -> Answer:
    return status, [], body


def _request(operation: str = "CreateThing") -> dict[str, Any]:
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/", "QUERY_STRING": "", "RAW_URI": "/"}
    return {**environ, "HTTP_X_AMZ_TARGET": f"Service.{operation}", "wsgi.input": io.BytesIO(b"{}")}


def keeper_of(folder: Path) -> Keeper:
    return Keeper(Journal(neighbours_file(folder)), ManualClock(NOW), RandomIds())


def test_others_are_asked_once_and_their_answers_told_again(tmp_path: Path) -> None:
    asked: list[str] = []
    heard: list[Any] = []

    def ask(name: str) -> dict[str, str]:
        asked.append(name)
        if name == "no":
            raise ServiceRefusedError("Ask", "NoException", "No.", 400)
        return {"name": name}

    def perform(_backend: str, _environ: Any) -> Answer:
        heard.append(from_outside(lambda: ask("yes")))
        with pytest.raises(ServiceRefusedError, match="NoException: No"):
            from_outside(lambda: ask("no"))
        heard.append(is_done_again())
        return _answered()

    with closing(keeper_of(tmp_path)) as keeper:
        keeper.bring_back(perform)
        keeper.kept("service", HERE, _request(), perform)
    with closing(keeper_of(tmp_path)) as keeper:
        keeper.bring_back(perform)
    assert asked == ["yes", "no"]
    assert heard == [{"name": "yes"}, False, {"name": "yes"}, True]


def test_steps_that_a_service_takes_by_itself_are_taken_again(tmp_path: Path) -> None:
    made: list[tuple[str, float]] = []

    def take(_place: Place) -> bool:
        made.append((IdsOfCall(RandomIds()).uuid(), TimeOfCall(ManualClock(0)).now()))
        return len(made) == 2

    with closing(keeper_of(tmp_path)) as keeper:
        keeper.steps["service"] = take
        for _ in range(3):
            keeper.step("service", HERE)
    with closing(keeper_of(tmp_path)) as keeper:
        keeper.steps["service"] = take
        keeper.bring_back(lambda _backend, _environ: _answered())
    assert made[3:] == [made[1]]
    assert made[1][1] == NOW
    assert len(set(made)) == 3


def test_a_call_within_another_is_a_part_of_it(tmp_path: Path) -> None:
    with closing(keeper_of(tmp_path)) as keeper:

        def perform(_backend: str, environ: Any) -> Answer:
            if environ["HTTP_X_AMZ_TARGET"] == "Service.CreateThing":
                keeper.kept("other", HERE, _request("CreatePart"), perform)
            return _answered()

        keeper.bring_back(perform)
        keeper.kept("service", HERE, _request(), perform)
    assert calls_in(tmp_path) == 1


def test_a_refused_call_is_not_kept(tmp_path: Path) -> None:
    with closing(keeper_of(tmp_path)) as keeper:
        keeper.kept("service", HERE, _request(), lambda _backend, _environ: _answered(status="400 Bad Request"))
    assert calls_in(tmp_path) == 0


def test_a_call_that_cannot_be_done_again_is_named_and_the_others_are_done(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []

    def refuse(_backend: str, environ: Any) -> Answer:
        done.append(environ["HTTP_X_AMZ_TARGET"])
        if environ["HTTP_X_AMZ_TARGET"] == "Service.CreateThing":
            return _answered(b'{"__type": "a.b#SecretNotFoundException", "message": "hush"}', "400 Bad Request")
        if environ["HTTP_X_AMZ_TARGET"] == "Service.CreateOther":
            raise RuntimeError("hush")
        return _answered()

    with closing(keeper_of(tmp_path)) as keeper:
        for operation in ("CreateThing", "CreateThing", "CreateOther", "CreateThird"):
            keeper.kept("service", HERE, _request(operation), lambda _backend, _environ: _answered())
    with closing(keeper_of(tmp_path)) as keeper, caplog.at_level(logging.WARNING):
        keeper.bring_back(refuse)
    assert done[-1] == "Service.CreateThird"
    assert [message.partition("again: ")[2] for message in caplog.messages] == [
        "service CreateThing (SecretNotFoundException), 2 times",
        "service CreateOther (RuntimeError), 1 times",
    ]
    assert "hush" not in caplog.text


def test_a_call_that_cannot_be_written_is_not_acknowledged(tmp_path: Path) -> None:
    with closing(keeper_of(tmp_path)) as keeper:
        with closing(sqlite3.connect(neighbours_file(tmp_path))) as journal:
            journal.execute("drop table call")
        with pytest.raises(ServiceRefusedError, match="InternalFailure: This was done, but cannot be kept"):
            keeper.kept("service", HERE, _request(), lambda _backend, _environ: _answered())
