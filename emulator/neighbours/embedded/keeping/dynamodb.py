"""What calls of DynamoDB mean for those before them.

A call is about `dynamodb/account/region/table/`, or below it about `items/key`, or about `others`: items that came in
another way than one by one. Of a call that writes items its outcome is kept, as a PutItem or DeleteItem for each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from emulator.neighbours.embedded.keeping.paths import folder, path
from emulator.neighbours.journal import Effect, Entry, KeptCall, below, exactly

TARGET = "DynamoDB_20120810"
TABLE_OF_ARN = re.compile(r":table/([^/]+)")
TABLE_OF_STATEMENT = re.compile(r"\b(?:INTO|UPDATE|FROM)\s+\"?([\w.-]+)", re.IGNORECASE)

Asked = Mapping[str, Any]
"""The members of a request."""
Written = Iterator[tuple[str, dict[str, Any]]]
"""The tables of items that a request writes, with the items or their keys."""


def entries_of_dynamodb(call: KeptCall, _answer: bytes) -> list[Entry]:
    """What is to be written of a call."""
    asked = json.loads(call.body)
    if call.operation in WRITTEN:
        return [_of_item(call, _name(table), item) for table, item in WRITTEN[call.operation](asked)]
    if call.operation in STATEMENTS:
        found = [_of_statement(call, statement) for statement in STATEMENTS[call.operation](asked)]
        return found or [(None, Effect())]
    return [(call, _of_table(call, asked))]


def deletes_no_item(call: KeptCall) -> bool:
    """Would a call delete an item that is not there?"""
    if call.operation != "DeleteItem":
        return False
    asked = json.loads(call.body)
    table = _found_table(call, _name(asked["TableName"]))
    return table is not None and _found_item(table, asked["Key"]) is None


def _of_table(call: KeptCall, asked: Asked) -> Effect:
    table = _table(call, _name(str(asked.get("TableName") or asked.get("ResourceArn"))))
    match call.operation:
        case "CreateTable":
            return Effect(about=table, makes=True)
        case "DeleteTable":
            return Effect(about=table, ends=True, outdates=(below(table),))
        case "CreateBackup":
            return Effect(needs=(below(table),))
        case "RestoreTableFromBackup" | "RestoreTableToPointInTime":
            source = _table(call, _name(str(asked.get("SourceTableName") or asked.get("SourceTableArn"))))
            others = f"{_table(call, asked['TargetTableName'])}others"
            return Effect(about=others, needs=(exactly(others), below(source)))
        case _:
            return Effect(about=table)


def _of_item(call: KeptCall, table: str, item: dict[str, Any]) -> Entry:
    """The outcome of a call for one item."""
    from moto.dynamodb.models.utilities import dynamo_json_dump

    moto_table = _found_table(call, table)
    keys = {name: item[name] for name in moto_table.table_key_attrs}
    about = f"{_table(call, table)}items/{path(*_told_apart(keys))}"
    found = _found_item(moto_table, keys)
    if found is None:
        gone = _called(call, "DeleteItem", json.dumps({"TableName": table, "Key": keys}))
        return gone, Effect(about=about, ends=True, outdates=(exactly(about), exactly(f"{_table(call, table)}others")))
    now = dynamo_json_dump({"TableName": table, "Item": found.to_json()["Attributes"]})
    return _called(call, "PutItem", now), Effect(about=about, makes=True, outdates=(exactly(about),))


def _of_statement(call: KeptCall, statement: Asked) -> Entry:
    """PartiQL can write to any item of a table."""
    found = TABLE_OF_STATEMENT.search(statement["Statement"])
    table = _table(call, found[1] if found else "")
    others = f"{table}others"
    single = _called(call, "ExecuteStatement", json.dumps(statement))
    return single, Effect(about=others, needs=(below(table),))


def _called(call: KeptCall, operation: str, body: str) -> KeptCall:
    environ = {**call.environ, "HTTP_X_AMZ_TARGET": f"{TARGET}.{operation}"}
    return replace(call, operation=operation, environ=environ, body=body.encode())


def _found_table(call: KeptCall, name: str) -> Any:
    """Moto's table of a name; None when there is none."""
    return _backend(call).tables.get(name)


def _backend(call: KeptCall) -> Any:
    from moto.dynamodb.models import dynamodb_backends

    return dynamodb_backends[call.place.account][call.place.region]


def _found_item(table: Any, keys: Mapping[str, Any]) -> Any:
    """Moto's item with these keys; None when there is none, or when they are not keys of the table."""
    from moto.dynamodb.models.dynamo_type import DynamoType

    if not set(table.table_key_attrs) <= keys.keys():
        return None
    return table.get_item(*(DynamoType(keys[name]) for name in table.table_key_attrs))


def _told_apart(keys: Mapping[str, Any]) -> list[str]:
    """The values of keys as moto tells them apart: 1 and 1.0 are one."""
    from moto.dynamodb.models.dynamo_type import DynamoType

    values = [DynamoType(value).cast_value for value in keys.values()]
    return [repr(value.as_integer_ratio() if isinstance(value, Decimal) else value) for value in values]


def put_again(call: KeptCall) -> None:
    """Do a PutItem of ours again: a thirtieth of what it takes by way of the service's front."""
    asked = json.loads(call.body)
    _backend(call).put_item(asked["TableName"], asked["Item"], overwrite=True)


def _table(call: KeptCall, name: str) -> str:
    return folder("dynamodb", *call.place, name)


def _name(table: str) -> str:
    """A table's name, out of itself or an ARN."""
    found = TABLE_OF_ARN.search(table)
    return found[1] if found else table


def _of_batch(asked: Asked) -> Written:
    for table, requests in asked["RequestItems"].items():
        for request in requests:
            yield table, request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"]


def _of_transaction(asked: Asked) -> Written:
    for member in asked["TransactItems"]:
        for kind, write in member.items():
            if kind != "ConditionCheck":
                yield write["TableName"], write["Item"] if kind == "Put" else write["Key"]


def _writing(statements: list[Asked]) -> list[Asked]:
    return [each for each in statements if not each["Statement"].lstrip().upper().startswith("SELECT")]


WRITTEN: dict[str, Callable[[Asked], Written]] = {
    "PutItem": lambda asked: iter([(asked["TableName"], asked["Item"])]),
    "UpdateItem": lambda asked: iter([(asked["TableName"], asked["Key"])]),
    "DeleteItem": lambda asked: iter([(asked["TableName"], asked["Key"])]),
    "BatchWriteItem": _of_batch,
    "TransactWriteItems": _of_transaction,
}
STATEMENTS: dict[str, Callable[[Asked], list[Asked]]] = {
    "ExecuteStatement": lambda asked: _writing([asked]),
    "ExecuteTransaction": lambda asked: _writing(asked["TransactStatements"]),
    "BatchExecuteStatement": lambda asked: _writing(asked["Statements"]),
}
