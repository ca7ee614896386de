"""Which calls change something that is kept over a restart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

Environ = Mapping[str, Any]

NAMES = {"awslambda": "lambda", "cognitoidp": "cognito-idp", "s3bucket_path": "s3"}
"""Botocore's names of services whose requests are told apart by their paths, where moto's name is another."""

READ = re.compile(
    r"(Batch|Transact|Admin)?"
    r"(Get|List|Describe|Head|Lookup|Query|Scan|Search|Select|Filter|Simulate|Test|Validate|Check|Decode|Preview"
    r"|Estimate|Discover|Retrieve|Detect|Generate|Poll|Count)(?![a-z])"
    r"|(Encrypt|Decrypt|ReEncrypt|Sign|Verify|VerifyMac)$"
)
"""How operations begin that change nothing."""

TRAFFIC = re.compile(
    r"(PutEvents|PutLogEvents|PutMetricData|PutRecords?|PutRecordBatch|WriteRecords|Publish|PublishBatch|PurgeQueue"
    r"|Send\w+|Receive\w+|ChangeMessage\w+|DeleteMessage(Batch)?|Invoke\w*|PostToConnection"
    r"|(Start|Stop|Redrive)\w*(Execution|Query|Replay|Build|Run|Job|LiveTail)|(Submit|Cancel|Terminate)Job"
    r"|CreateExportTask|ExportTableToPointInTime|ImportTable"
    r"|\w*InitiateAuth|\w*RespondToAuthChallenge|(Respond|Record|Signal)\w+(Completed|Failed|Heartbeat|Execution))$"
)
"""What passes through services: messages, log lines, measurements, records, invocations, executions, exports."""


ACTION = re.compile(r"(?:^|&)Action=(\w+)")
"""Where the query protocol says what it wants."""


class Asked(NamedTuple):
    """What a request asks for."""

    operation: str
    """Its name; "" for one that only reads. A path that AWS's model does not have is named by the request's method."""
    labels: Mapping[str, str]
    """What its path names, such as Bucket and Key, for services that have it in the path."""


def is_kept(operation: str) -> bool:
    """Does an operation change something that shall survive a restart?"""
    return bool(operation) and not READ.match(operation) and not TRAFFIC.match(operation)


def asked(environ: Environ, backend: str, body: bytes) -> Asked:
    """What a request asks for. `backend`: moto's name of the service."""
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    if target:
        return Asked(target.rpartition(".")[2], {})
    if backend != "s3":  # whose objects may have any words in them
        form = "x-www-form-urlencoded" in str(environ.get("CONTENT_TYPE", ""))
        action = ACTION.search(str(environ["QUERY_STRING"])) or (form and ACTION.search(body.decode("latin-1")))
        if action:
            return Asked(action[1], {})
    method = str(environ["REQUEST_METHOD"])
    return Asked("", {}) if method in {"GET", "HEAD", "OPTIONS"} else _by_path(environ, backend, method)


def _by_path(environ: Environ, backend: str, method: str) -> Asked:
    from botocore.exceptions import UnknownServiceError
    from moto.core.request import Request
    from moto.core.routing import get_service_router
    from werkzeug.exceptions import NotFound

    try:
        operation, labels = get_service_router(NAMES.get(backend, backend)).match(Request(dict(environ)))
    except (NotFound, NotImplementedError, UnknownServiceError):
        return Asked(method, {})
    return Asked(str(operation.name), labels)
