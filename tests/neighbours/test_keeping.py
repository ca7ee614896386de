"""Whatever clients do, what is kept of it makes the same again: many short walks through what has rules of its own."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.clock import ManualClock
from emulator.config import set_up_moto
from emulator.ids import RandomIds
from emulator.neighbours.clients import Clients
from emulator.neighbours.embedded.keeping.keeper import Keeper
from emulator.neighbours.journal import Journal
from emulator.neighbours.neighbours import Neighbours
from emulator.neighbours.ports import Place
from tests.builders import NOW

pytestmark = pytest.mark.filterwarnings(
    "ignore:S3 key was not disposed of in time:ResourceWarning",  # moto leaves it to the garbage collector
    "ignore::pytest.PytestUnraisableExceptionWarning",
)

HERE = Place("000000000000", "us-east-1")
Client = Callable[[str], Any]
Step = tuple[str, dict[str, Any]]
"""An operation, by boto3's name, and its arguments."""

walk = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def services(file: Path, now: float = NOW) -> Iterator[Client]:
    """The other services of a new process that keeps what they hold in a file."""
    set_up_moto()
    keeper = Keeper(Journal(file), ManualClock(now), RandomIds())
    found = Neighbours(embedded=True, endpoints={}, keeper=keeper)
    clients = Clients(found.moto, {})
    try:
        yield lambda service: clients.client(service, HERE)
    finally:
        found.close()


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


def calls_in(file: Path) -> int:
    with closing(sqlite3.connect(file)) as journal:
        (number,) = journal.execute("select count(*) from call").fetchone()
        return int(number)


def walked(service: str, steps: list[Step], look: Callable[[Client], Any]) -> int:
    """Take steps, and see the same before and after a restart. Returns how many calls were kept at the end."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "neighbours.sqlite3"
        with services(file) as client:
            for operation, arguments in steps:
                try:
                    getattr(client(service), operation)(**arguments)
                except ClientError:  # refused steps are steps too
                    continue
            before = look(client)
        with services(file) as client, no_warning():
            assert look(client) == before
        return calls_in(file)


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
    make = st.builds(lambda b: ("create_bucket", {"Bucket": b}), bucket)
    end = st.builds(lambda b: ("delete_bucket", {"Bucket": b}), bucket)
    return st.one_of(put, put, delete, delete, copy, tag, both, versions, make, end)


def _buckets(client: Client) -> Any:
    s3 = client("s3")
    return [
        s3.list_buckets()["Buckets"],
        *(answer(s3.list_object_versions, Bucket=each) for each in BUCKETS),
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
