"""What a request says of its caller and of itself, whichever action it is for.

Documented: the IAM user guide's page "AWS global condition context keys".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from emulator.policies.patterns import Value, arn_parts


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls: an ARN, the unique id (`AIDA…`, or `AROA…:session`) if it is known, and the tags.

    The tags are those of the user, role or session.
    """

    arn: str
    user_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def global_context(identity: Identity, region: str, now: float, source_ip: str | None = None) -> dict[str, Value]:
    """The global keys of a request at this moment, in seconds since the epoch.

    Every request counts as one over TLS: policies that insist on it mean the way to AWS, and there is none here. There
    is no key about MFA, as with long-term credentials.
    """
    account, name = arn_parts(identity.arn)[4:]
    context: dict[str, Value | None] = {
        "aws:PrincipalAccount": account,
        "aws:PrincipalArn": role_arn(identity.arn) or identity.arn,
        "aws:PrincipalType": _type(name),
        "aws:username": name.rpartition("/")[2] if name.startswith("user/") else None,
        "aws:userid": account if name == "root" else identity.user_id,
        "aws:RequestedRegion": region,
        "aws:CurrentTime": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "aws:EpochTime": str(int(now)),
        "aws:SourceIp": source_ip,
        "aws:SecureTransport": "true",
        "aws:ViaAWSService": "false",
        **{f"aws:PrincipalTag/{key}": value for key, value in identity.tags.items()},
    }
    return {key: value for key, value in context.items() if value is not None}


def root_arn(arn: str) -> str:
    """The ARN of the root user of a caller's account."""
    _, partition, _, _, account, _ = arn_parts(arn)
    return f"arn:{partition}:iam::{account}:root"


def role_arn(arn: str) -> str | None:
    """The ARN of a session's role, without the path that a session does not name; None for other callers."""
    _, partition, _, _, account, name = arn_parts(arn)
    session = name.split("/")
    return f"arn:{partition}:iam::{account}:role/{session[1]}" if session[0] == "assumed-role" and session[1:] else None


def _type(name: str) -> str:
    types = {"root": "Account", "user": "User", "assumed-role": "AssumedRole", "federated-user": "FederatedUser"}
    return types.get(name.partition("/")[0], "Anonymous")
