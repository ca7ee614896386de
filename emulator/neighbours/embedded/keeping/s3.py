"""What calls of S3 mean for those before them.

A call is about `s3/bucket/`, `s3/bucket/key`, or `s3/bucket/?uploads/id` while an object is uploaded in parts.
"""

from __future__ import annotations

import html
import re
import sys
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from emulator.neighbours.embedded.keeping.paths import folder, path
from emulator.neighbours.journal import Effect, Entry, KeptCall, Range, below, exactly

EVERYTHING = "s3/"
"""What a call is about of which nobody knows what it is about. It stays, and so does whatever deletes something."""

UPLOAD = re.compile(rb"<UploadId>([^<]+)</UploadId>")
KEY = re.compile(rb"<Key>([^<]*)</Key>")


def entries_of_s3(call: KeptCall, answer: bytes) -> list[Entry]:
    """What is to be written of a call."""
    if "Bucket" not in call.labels:
        return [(call, Effect(about=EVERYTHING, needs=(below(EVERYTHING),)))]
    bucket = folder("s3", call.labels["Bucket"])
    if call.operation == "DeleteObjects":
        return _objects_deleted(call, call.labels["Bucket"], bucket)
    if "Key" not in call.labels:
        return [(call, _of_bucket(call, call.labels["Bucket"], bucket))]
    if _keeps_versions(call.labels["Bucket"]):
        needs = (exactly(bucket + path(call.labels["Key"])), exactly(bucket))
        return [(call, Effect(about=bucket + path(call.labels["Key"]), needs=needs + _copied(call)))]
    upload = _upload(call, answer)
    if upload is not None:
        return [(call, _of_upload(call, bucket + path(call.labels["Key"]), f"{bucket}?uploads/{upload}"))]
    return [(call, _of_object(call, bucket + path(call.labels["Key"])))]


def deletes_no_object(call: KeptCall) -> bool:
    """Would a call delete an object that is not there, and leave no trace of it?"""
    if call.operation != "DeleteObject" or _keeps_versions(call.labels["Bucket"]):
        return False
    bucket = _found(call.labels["Bucket"])
    return bucket is not None and call.labels["Key"] not in bucket.keys


def named_buckets(body: bytes) -> tuple[Range, ...]:
    """Calls about the buckets that another service's call names: it may have read something there."""
    models = sys.modules.get("moto.s3.models")
    if models is None:
        return ()
    names = list(models.s3_backends.bucket_accounts)
    return tuple(below(folder("s3", name)) for name in names if name.encode() in body)


def _of_bucket(call: KeptCall, name: str, bucket: str) -> Effect:
    match call.operation:
        case "CreateBucket":
            found = _found(name)
            made_now = found is not None and found.creation_date.timestamp() == call.at  # else it was there before
            return Effect(about=bucket, makes=made_now)
        case "DeleteBucket":
            return Effect(about=bucket, ends=True, outdates=(below(bucket), exactly(EVERYTHING)))
        case "PutBucketVersioning" | "PutObjectLockConfiguration":
            return Effect(about=bucket, needs=(below(bucket),))  # objects of before become the first versions
        case _:
            return Effect(about=bucket)


def _of_object(call: KeptCall, about: str) -> Effect:
    if {"HTTP_IF_MATCH", "HTTP_X_AMZ_WRITE_OFFSET_BYTES"} & call.environ.keys():
        return Effect(about=about, needs=(exactly(about),))  # builds on what was there
    match call.operation:
        case "PutObject" | "CopyObject":
            return Effect(about=about, makes=True, needs=_copied(call), outdates=(exactly(about),))
        case "DeleteObject":
            return Effect(about=about, ends=True, outdates=(exactly(about), exactly(EVERYTHING)))
        case _:
            return Effect(about=about)


def _of_upload(call: KeptCall, about: str, upload: str) -> Effect:
    match call.operation:
        case "CreateMultipartUpload":
            return Effect(about=upload, makes=True)
        case "CompleteMultipartUpload":
            return Effect(about=about, makes=True, outdates=(exactly(about),), gathers=(exactly(upload),))
        case "AbortMultipartUpload":
            return Effect(about=upload, ends=True, outdates=(exactly(upload),))
        case _:
            return Effect(about=upload, needs=_copied(call))


def _upload(call: KeptCall, answer: bytes) -> str | None:
    """The id of the upload that a call begins or belongs to."""
    if call.operation == "CreateMultipartUpload":
        found = UPLOAD.search(answer)
        return found[1].decode() if found else None
    return parse_qs(str(call.environ["QUERY_STRING"])).get("uploadId", [None])[0]


def _copied(call: KeptCall) -> tuple[Range, ...]:
    """Calls about what a call copies."""
    source = unquote(str(call.environ.get("HTTP_X_AMZ_COPY_SOURCE", ""))).lstrip("/")
    if not source:
        return ()
    bucket, _, key = source.partition("?versionId=")[0].partition("/")
    if bucket.startswith("arn:"):
        return (below(EVERYTHING),)
    return exactly(folder("s3", bucket)), exactly(folder("s3", bucket) + path(key))


def _objects_deleted(call: KeptCall, name: str, bucket: str) -> list[Entry]:
    """DeleteObjects, as a call for each object."""
    if _keeps_versions(name) or b"<VersionId>" in call.body:
        return [(call, Effect(about=bucket, needs=(below(bucket),)))]
    keys = [html.unescape(key.decode()) for key in KEY.findall(call.body)]
    singles = [_deletion(call, name, key) for key in keys]
    return [(single, _of_object(single, bucket + path(key))) for single, key in zip(singles, keys, strict=True)]


def _deletion(call: KeptCall, bucket: str, key: str) -> KeptCall:
    text = f"/{bucket}/{key}"
    environ = {
        "REQUEST_METHOD": "DELETE",
        "PATH_INFO": text.encode().decode("latin-1"),
        "RAW_URI": quote(text, safe="/"),
        "QUERY_STRING": "",
        "HTTP_HOST": f"s3.{call.place.region}.amazonaws.com",
    }
    kept = {name: value for name, value in call.environ.items() if name not in {"CONTENT_TYPE", "HTTP_CONTENT_MD5"}}
    return replace(call, operation="DeleteObject", environ={**kept, **environ}, body=b"")


def _keeps_versions(name: str) -> bool:
    found = _found(name)
    return found is not None and found.versioning_status is not None


def _found(name: str) -> Any:
    """Moto's bucket of a name, whoever has it."""
    from moto.s3.models import s3_backends

    partition, account = s3_backends.bucket_accounts.get(name, ("", ""))
    return s3_backends[account][partition].buckets.get(name) if account else None
