"""Which service, region and account a request is meant for. Signatures are not checked."""

from __future__ import annotations

import re
from base64 import b32decode
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from emulator.edge.exchange import Scope
from emulator.errors import ApiError

ECS = "ecs"
ECS_TARGET = b"AmazonEC2ContainerServiceV20141113"
NO_ACCOUNT = "000000000000"
"""The account of an access key that is no account id."""

SERVICE_OF_TARGET = {
    ECS_TARGET: ECS,
    b"AmazonEC2ContainerRegistry_V20150921": "ecr",
    b"AmazonSQS": "sqs",
    b"AmazonSSM": "ssm",
    b"AnyScaleFrontendService": "application-autoscaling",
    b"AWSEvents": "events",
    b"AWSStepFunctions": "states",
    b"CertificateManager": "acm",
    b"com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101": "cloudtrail",
    b"DynamoDB_20120810": "dynamodb",
    b"GraniteServiceVersion20100801": "monitoring",
    b"Kinesis_20131202": "kinesis",
    b"Logs_20140328": "logs",
    b"Route53AutoNaming_v20170314": "servicediscovery",
    b"secretsmanager": "secretsmanager",
    b"TrentService": "kms",
}
"""The first part of X-Amz-Target, for requests that are not signed."""

_REGION = re.compile(r"[a-z0-9-]{1,32}")
_KEY = re.compile(r"A[KS]IA[Q-Z2-7][A-Z2-7]{15}")
_REGION_LABEL = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]")
_AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


class Credential(NamedTuple):
    """The part of a signature that says for whom it is."""

    account: str
    region: str | None
    service: str
    key: str


def credential_of(scope: Scope, headers: dict[bytes, bytes]) -> Credential | None:
    """Read the credential from the Authorization header, or from a pre-signed URL; None in a request without one.

    Raises ApiError for a region that cannot be one: it becomes part of ARNs.
    """
    text = _in_header(headers.get(b"authorization", b"")) or _in_query(scope["query_string"])
    credential = _parsed(text) if text else None
    if credential is not None and credential.region is None:  # SigV4A signs for a set of regions
        regions = headers.get(b"x-amz-region-set", b"").decode("latin-1")
        return credential._replace(region=regions if _REGION.fullmatch(regions) else None)
    return credential


def service_without_credential(headers: dict[bytes, bytes], path: str) -> str | None:
    """The service that an unsigned request means.

    By its target, else by AWS's name for the service in the host, else by what only one service takes unsigned: forms
    (AssumeRoleWithWebIdentity of STS) and paths (public objects of S3).
    """
    target = headers.get(b"x-amz-target")
    if target is not None:
        return SERVICE_OF_TARGET.get(target.rpartition(b".")[0])
    named = _service_of_host(headers.get(b"host", b""))
    if named is not None:
        return named
    if headers.get(b"content-type", b"").startswith(b"application/x-www-form-urlencoded"):
        return "sts"
    return None if path in {"/", "/favicon.ico"} else "s3"


def _in_header(authorization: bytes) -> bytes:
    _, found, rest = authorization.partition(b"Credential=")
    return rest.split(b",", 1)[0].strip() if found else b""


def _in_query(query: bytes) -> bytes:
    if b"X-Amz-Credential=" not in query:
        return b""
    value = query.partition(b"X-Amz-Credential=")[2].partition(b"&")[0]
    return unquote_to_bytes(value)


@lru_cache(maxsize=512)
def _parsed(text: bytes) -> Credential | None:
    """`key/date/region/service/aws4_request`; SigV4A has no region in it."""
    match text.decode("latin-1").split("/"):
        case [key, _, region, service, "aws4_request"]:
            if not _REGION.fullmatch(region):
                raise ApiError("InvalidSignatureException", "Credential should be scoped to a valid region.")
            return Credential(account_of(key), region, service, key)
        case [key, _, service, "aws4_request"]:
            return Credential(account_of(key), None, service, key)
    return None


def account_of(key: str) -> str:
    """The account of an access key: a key of twelve digits is the account, and a key of IAM or STS has it within.

    It is the number in the 40 bits that follow the prefix and a leading one; keys made before 2019 have no leading one
    (observed: published decoders of access key ids).
    """
    if len(key) == 12 and key.isascii() and key.isdigit():
        return key
    if _KEY.fullmatch(key) is None:
        return NO_ACCOUNT
    number = int.from_bytes(b32decode(key[4:]), "big") >> 39 & (1 << 40) - 1
    return f"{number:012d}" if number < 10**12 else NO_ACCOUNT


@lru_cache(maxsize=512)
def _service_of_host(host: bytes) -> str | None:
    """`logs` of `logs.us-east-1.amazonaws.com`, `ecr` of `123456789012.dkr.ecr.us-east-1.amazonaws.com`."""
    name = host.decode("latin-1").lower().split(":", 1)[0]
    domain = next((domain for domain in _AWS_DOMAINS if name.endswith(domain)), None)
    if domain is None:
        return None
    labels = name.removesuffix(domain).split(".")
    if len(labels) > 1 and _REGION_LABEL.fullmatch(labels[-1]):
        labels.pop()
    return labels[-1].removesuffix("-fips")
