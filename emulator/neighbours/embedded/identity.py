"""IAM and STS in this process, as ECS asks them at each start of a task: without a request, in microseconds."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from emulator.neighbours.embedded.moto import Moto
from emulator.neighbours.identity import LIFETIME
from emulator.neighbours.ports import Credentials, Place, Role


class EmbeddedIam:
    """Roles and their sessions. See emulator.neighbours.ports.Identity for every method."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto

    def role(self, place: Place, name: str) -> Role | None:
        """The role of a name."""
        backend = self._iam(place)
        with self._moto.locks.held("iam", place):
            for role in backend.roles.values():
                if role.name == name.rpartition("/")[2]:
                    return Role(arn=role.arn, name=role.name, trust=role.assume_role_policy_document)
        return None

    def assume(self, place: Place, role_arn: str, session: str) -> Credentials:
        """A new session of a role."""
        sts = self._moto.backend("sts")[place.account][place.partition]
        with self._moto.locks.held("iam", place), self._moto.locks.held("sts", place):
            found = sts.assume_role(
                region_name=place.region,
                role_session_name=session,
                role_arn=role_arn,
                policy="",
                duration=LIFETIME,
                external_id="",
            )
        return Credentials(
            role_arn=role_arn,
            access_key_id=found.access_key_id,
            secret_access_key=found.secret_access_key,
            session_token=found.session_token,
            expires_at=found.expiration.replace(tzinfo=UTC).timestamp(),
        )

    def revoke(self, place: Place, access_key_id: str) -> None:
        """End a session: its key is nobody's from now on."""
        if not self._moto.is_loaded:
            return
        with self._moto.locks.held("iam", place), self._moto.locks.held("sts", place):
            self._iam(place).access_keys.pop(access_key_id, None)
            sts = self._moto.backend("sts")[place.account][place.partition]
            sts.assumed_roles = [role for role in sts.assumed_roles if role.access_key_id != access_key_id]

    def _iam(self, place: Place) -> Any:
        return self._moto.backend("iam")[place.account][place.partition]
