"""Who calls with an access key of this process's IAM or STS, and the policies that apply to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from emulator.neighbours.embedded.moto import Moto
from emulator.neighbours.ports import Place, Principal


def principal_of(moto: Moto, place: Place, key: str) -> Principal | None:
    """The user or the role's session that a key was given to; None for a key that was not given out, or ended."""
    iam = moto.backend("iam")[place.account][place.partition]
    sts = moto.backend("sts")[place.account][place.partition]
    with moto.locks.held("iam", place), moto.locks.held("sts", place):
        found = iam.access_keys.get(key)
        if found is None or found.status != "Active":
            return None
        if found.user_name:
            return _user(iam, iam.get_user(found.user_name))
        session = sts.get_assumed_role_from_access_key(key)
        role = next((role for role in iam.roles.values() if session and role.arn == session.role_arn), None)
        return _session(iam, session, role) if session and role else None


def _user(iam: Any, user: Any) -> Principal:
    groups = [group for group in iam.groups.values() if any(member.name == user.name for member in group.users)]
    return Principal(
        arn=user.arn,
        user_id=user.id,
        tags=_tags(iam.list_user_tags(user.name)),
        policies=tuple(document for holder in (user, *groups) for document in _documents(holder)),
    )


def _session(iam: Any, session: Any, role: Any) -> Principal:
    boundary = iam.managed_policies.get(role.permissions_boundary_arn)
    return Principal(
        arn=session.arn,
        user_id=f"{role.id}:{session.session_name}",
        tags=_tags(role.tags),
        policies=tuple(_documents(role)),
        boundary=_document(boundary) if boundary else None,
        session=(session.policy,) if session.policy else None,
    )


def _documents(holder: Any) -> Iterator[str]:
    """The policies within a user, group or role, and those attached to it."""
    yield from holder.policies.values()
    yield from map(_document, holder.managed_policies.values())


def _document(policy: Any) -> str:
    """The version of a managed policy that counts."""
    return next(str(version.document) for version in policy.versions if version.is_default)


def _tags(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}
