"""What `valueFrom` of a secret, `credentialsParameter` and an environment file's `value` point at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MALFORMED = "an invalid ARN format for the AWS Secrets Manager secret was specified. Specify a valid ARN and try again."
"""The words of ECS's agent, for whatever is no ARN of a secret or of a parameter."""


class MalformedReferenceError(Exception):
    """A reference points at nothing that can be there. Says so in ECS's words."""


@dataclass(frozen=True, slots=True)
class SecretReference:
    """A secret of Secrets Manager or a parameter of Parameter Store, in an account and a region.

    `id` is what the service is asked for: a name or an ARN. Of a secret, `json_key` asks for a member of its JSON,
    `stage` and `version` for another version than the current one.
    """

    service: Literal["secretsmanager", "ssm"]
    account: str
    region: str
    id: str
    json_key: str | None = None
    stage: str | None = None
    version: str | None = None

    @property
    def name(self) -> str:
        """A parameter's name, which is what ECS tells of it even where the task definition has the ARN (inferred)."""
        _, is_arn, name = self.id.partition(":parameter/")
        if not is_arn:
            return self.id
        return f"/{name}" if "/" in name else name


@dataclass(frozen=True, slots=True)
class ObjectReference:
    """An object of S3."""

    bucket: str
    key: str


def read_secret(value_from: str, account: str, region: str) -> SecretReference:
    """What a secret's `valueFrom` points at. A parameter's name alone is one of the task's account and region.

    Documented: Amazon ECS developer guide, "Pass Secrets Manager secrets through Amazon ECS environment variables" and
    its sibling for parameters. Raises MalformedReferenceError.
    """
    if not value_from.startswith("arn:"):
        return SecretReference("ssm", account, region, value_from)
    parts = value_from.split(":", 5)
    if len(parts) == 6:
        _, _, service, where, whose, resource = parts
        if service == "secretsmanager":
            return _secret(value_from, SecretReference("secretsmanager", whose, where, value_from), resource)
        if service == "ssm" and resource.startswith("parameter/"):
            return SecretReference("ssm", whose, where, value_from)
    raise _malformed(value_from)


def read_registry_secret(parameter: str, account: str, region: str) -> SecretReference:
    """What `credentialsParameter` points at: the ARN of a secret, or a name in the task's account and region.

    Documented: guide, "Private registry authentication for tasks".
    """
    parts = parameter.split(":", 5)
    if len(parts) == 6 and parts[0] == "arn":
        account, region = parts[4], parts[3]
    return SecretReference("secretsmanager", account, region, parameter)


def read_object(arn: str) -> ObjectReference:
    """What an environment file's `value` points at. Raises MalformedReferenceError, in the words of ECS's agent."""
    parts = arn.split(":", 5)
    if len(parts) == 6 and parts[0] == "arn" and parts[2] == "s3":
        bucket, _, key = parts[5].partition("/")
        if bucket and key:
            return ObjectReference(bucket, key)
    raise MalformedReferenceError(
        f"unable to parse bucket and key from s3 ARN specified in environmentFile {arn}, error: invalid s3 arn"
    )


def _secret(value_from: str, whole: SecretReference, resource: str) -> SecretReference:
    """`secret:<name>`, or `secret:<name>:<json key>:<stage>:<version>`, of which the last three may be empty."""
    kind, _, rest = resource.partition(":")
    name, *which = rest.split(":")
    if kind != "secret" or not name or len(which) not in (0, 3):
        raise _malformed(value_from)
    if not which:
        return whole
    key, stage, version = (part or None for part in which)
    arn = value_from.removesuffix(":" + ":".join(which))
    return SecretReference(whole.service, whole.account, whole.region, arn, key, stage, version)


def _malformed(value_from: str) -> MalformedReferenceError:
    return MalformedReferenceError(f"trying to retrieve secret with value {value_from} resulted in error: {MALFORMED}")
