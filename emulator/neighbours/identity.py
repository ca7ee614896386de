"""IAM and STS, as ECS asks them."""

from __future__ import annotations

import json

from emulator.neighbours.clients import Clients
from emulator.neighbours.embedded.moto import Moto
from emulator.neighbours.ports import Credentials, Place, Role, ServiceRefusedError

LIFETIME = 6 * 3600
"""Seconds for which a task's credentials hold (documented: task IAM role; at most six hours)."""

PARTITIONS = ("aws", "aws-cn", "aws-us-gov")


class Iam:
    """Roles and their sessions. See emulator.neighbours.ports.Identity for every method."""

    def __init__(self, clients: Clients, moto: Moto | None) -> None:
        """`moto`: where sessions are ended, which no call of AWS's does."""
        self._clients = clients
        self._moto = moto

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
        """End a session: its key is nobody's from now on. At an endpoint it stays until it expires."""
        if self._moto is None:
            return
        if self._moto.keeper is not None:
            self._moto.keeper.end_session(access_key_id)
        if not self._moto.is_loaded:
            return
        accounts = self._moto.backend("iam")
        with self._moto.locks.held("iam", place):
            for partition in PARTITIONS:
                accounts[place.account][partition].access_keys.pop(access_key_id, None)
