"""IAM and STS at an endpoint, as ECS asks them."""

from __future__ import annotations

import json

from emulator.neighbours.clients import Clients
from emulator.neighbours.ports import Credentials, Place, Role, ServiceRefusedError

LIFETIME = 6 * 3600
"""Seconds for which a task's credentials hold (documented: task IAM role; at most six hours)."""


class EndpointIam:
    """Roles and their sessions. See emulator.neighbours.ports.Identity for every method."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def role(self, place: Place, name: str) -> Role | None:
        """The role of a name."""
        try:
            with self._clients.asking("iam", place) as iam:
                found = iam.get_role(RoleName=name.rpartition("/")[2])["Role"]
        except ServiceRefusedError as refusal:
            if refusal.code == "NoSuchEntity":
                return None
            raise
        trust = found["AssumeRolePolicyDocument"]  # botocore reads it
        return Role(
            arn=found["Arn"], name=found["RoleName"], trust=trust if isinstance(trust, str) else json.dumps(trust)
        )

    def assume(self, place: Place, role_arn: str, session: str) -> Credentials:
        """A new session of a role."""
        with self._clients.asking("sts", place) as sts:
            found = sts.assume_role(RoleArn=role_arn, RoleSessionName=session, DurationSeconds=LIFETIME)["Credentials"]
        return Credentials(
            role_arn=role_arn,
            access_key_id=found["AccessKeyId"],
            secret_access_key=found["SecretAccessKey"],
            session_token=found["SessionToken"],
            expires_at=found["Expiration"].timestamp(),
        )

    def revoke(self, place: Place, access_key_id: str) -> None:
        """Nothing: no call of AWS's ends a session, so it ends when it expires."""
