"""What a call means for those before it: which of them need not be done again any more.

Rules are here for what clients do again and again: objects of S3, items of DynamoDB, log streams, instances of Cloud
Map, sessions of roles. All other calls stay. A rule may take a call for needed that is not, never the other way round.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime

from emulator.neighbours.embedded.keeping.dynamodb import deletes_no_item, entries_of_dynamodb
from emulator.neighbours.embedded.keeping.paths import folder, path
from emulator.neighbours.embedded.keeping.s3 import deletes_no_object, entries_of_s3, named_buckets
from emulator.neighbours.journal import Effect, Entry, KeptCall, below, exactly

Rule = Callable[[KeptCall, bytes], list[Entry]]

SESSION = re.compile(rb"<AccessKeyId>(\w+)</AccessKeyId>")
END_OF_SESSION = re.compile(rb"<Expiration>([^<]+)</Expiration>")


def entries(call: KeptCall, answer: bytes) -> list[Entry]:
    """What is to be written of a call that got this answer."""
    rule = RULES.get(call.backend)
    found = rule(call, answer) if rule is not None else []
    return found or [(call, Effect(needs=named_buckets(call.body)))]


def is_vain(call: KeptCall) -> bool:
    """Will a call, which was not made yet, change nothing? Clients often delete what may be there."""
    if call.backend == "s3":
        return deletes_no_object(call)
    return call.backend == "dynamodb" and deletes_no_item(call)


def _of_sts(call: KeptCall, answer: bytes) -> list[Entry]:
    key, end = SESSION.search(answer), END_OF_SESSION.search(answer)
    if key is None or end is None:
        return []
    until = datetime.fromisoformat(end[1].decode()).timestamp()
    return [(call, Effect(about=path("sts", key[1].decode()), makes=True, until=until))]


def _of_logs(call: KeptCall, _answer: bytes) -> list[Entry]:
    asked = json.loads(call.body)
    if "logGroupName" not in asked:
        return []
    group = folder("logs", *call.place, asked["logGroupName"])
    match call.operation:
        case "CreateLogGroup":
            effect = Effect(about=group, makes=True)
        case "DeleteLogGroup":
            effect = Effect(about=group, ends=True, outdates=(below(group),))
        case "CreateLogStream":
            effect = Effect(about=group + path(asked["logStreamName"]), makes=True)
        case "DeleteLogStream":
            stream = group + path(asked["logStreamName"])
            effect = Effect(about=stream, ends=True, outdates=(exactly(stream),))
        case _:
            effect = Effect(about=group, needs=named_buckets(call.body))
    return [(call, effect)]


def _of_cloud_map(call: KeptCall, _answer: bytes) -> list[Entry]:
    asked = json.loads(call.body)
    if "InstanceId" not in asked:
        return []
    instance = folder("servicediscovery", *call.place, asked["ServiceId"], asked["InstanceId"])
    match call.operation:
        case "RegisterInstance":
            effect = Effect(about=instance, makes=True, outdates=(below(instance),))
        case "DeregisterInstance":
            effect = Effect(about=instance, ends=True, outdates=(below(instance),))
        case "UpdateInstanceCustomHealthStatus":
            health = instance + "health"
            effect = Effect(about=health, outdates=(exactly(health),))
        case _:
            return []
    return [(call, effect)]


RULES: dict[str, Rule] = {
    "dynamodb": entries_of_dynamodb,
    "logs": _of_logs,
    "s3": entries_of_s3,
    "servicediscovery": _of_cloud_map,
    "sts": _of_sts,
}
