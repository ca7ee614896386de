"""Roles and policies of IAM (documented: IAM resource type reference).

Moto's own attach no managed policies to a role, and change neither its trust nor its policies.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from emulator.neighbours.embedded.cloudformation import reasons
from emulator.neighbours.embedded.cloudformation.kinds import Api, Kind, changed, only, retag, without
from emulator.neighbours.embedded.cloudformation.resource_types import Made, Properties, Wanted
from emulator.neighbours.ports import ServiceRefusedError

MOST_VERSIONS = 5
"""Versions of a managed policy (documented: IAM quotas)."""


def _document(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _unless_missing(api: Api, operation: str, members: Properties) -> None:
    try:
        api(operation, members)
    except ServiceRefusedError as refusal:
        if not reasons.is_missing(refusal):
            raise


# Roles


def _inline(properties: Properties) -> dict[str, str]:
    return {each["PolicyName"]: _document(each["PolicyDocument"]) for each in properties.get("Policies", [])}


def _create_role(api: Api, wanted: Wanted) -> Made:
    request = {
        **without(wanted.properties, "ManagedPolicyArns", "Policies"),
        "RoleName": wanted.name,
        "AssumeRolePolicyDocument": _document(wanted.properties.get("AssumeRolePolicyDocument", {})),
    }
    role = api("CreateRole", request)["Role"]
    return Made(role["RoleName"], {"Arn": role["Arn"], "RoleId": role["RoleId"]})


def _complete_role(api: Api, made: Made, wanted: Wanted) -> None:
    _set_policies(api, made.id, {}, wanted.properties)


def _set_policies(api: Api, role: str, before: Properties, after: Properties) -> None:
    which, was, now = {"RoleName": role}, _inline(before), _inline(after)
    for name, document in now.items():
        if was.get(name) != document:
            api("PutRolePolicy", {**which, "PolicyName": name, "PolicyDocument": document})
    for name in was:
        if name not in now:
            _unless_missing(api, "DeleteRolePolicy", {**which, "PolicyName": name})
    attached, wanted = before.get("ManagedPolicyArns", []), after.get("ManagedPolicyArns", [])
    for arn in wanted:
        if arn not in attached:
            api("AttachRolePolicy", {**which, "PolicyArn": arn})
    for arn in attached:
        if arn not in wanted:
            _unless_missing(api, "DetachRolePolicy", {**which, "PolicyArn": arn})


def _update_role(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    which, after = {"RoleName": made.id}, wanted.properties
    if changed(before, after, "AssumeRolePolicyDocument"):
        trust = _document(after.get("AssumeRolePolicyDocument", {}))
        api("UpdateAssumeRolePolicy", {**which, "PolicyDocument": trust})
    if changed(before, after, "Description", "MaxSessionDuration"):
        api("UpdateRole", {**which, **only(after, "Description", "MaxSessionDuration")})
    if changed(before, after, "PermissionsBoundary"):
        if "PermissionsBoundary" in after:
            api("PutRolePermissionsBoundary", {**which, **only(after, "PermissionsBoundary")})
        else:
            api("DeleteRolePermissionsBoundary", which)
    _set_policies(api, made.id, before, after)
    retag(api, which, before, after, ("TagRole", "UntagRole"))


def _delete_role(api: Api, made: Made, properties: Properties) -> None:
    _set_policies(api, made.id, properties, {})
    api("DeleteRole", {"RoleName": made.id})


# Policies of roles, users and groups


def _holders(properties: Properties) -> Iterator[tuple[str, str]]:
    """Whose a policy is: Role, User or Group, and the name."""
    for kind in ("Role", "User", "Group"):
        for name in properties.get(f"{kind}s", []):
            yield kind, str(name)


def _put_policy(api: Api, properties: Properties) -> None:
    policy = {**only(properties, "PolicyName"), "PolicyDocument": _document(properties.get("PolicyDocument", {}))}
    for kind, name in _holders(properties):
        api(f"Put{kind}Policy", {f"{kind}Name": name, **policy})


def _create_policy(api: Api, wanted: Wanted) -> Made:
    _put_policy(api, wanted.properties)
    return Made(wanted.name, {"Id": wanted.name})


def _update_policy(api: Api, _made: Made, before: Properties, wanted: Wanted) -> None:
    _put_policy(api, wanted.properties)
    renamed = changed(before, wanted.properties, "PolicyName")
    kept = set() if renamed else set(_holders(wanted.properties))
    _take_policy(api, before, [holder for holder in _holders(before) if holder not in kept])


def _take_policy(api: Api, properties: Properties, holders: list[tuple[str, str]]) -> None:
    for kind, name in holders:
        _unless_missing(api, f"Delete{kind}Policy", {f"{kind}Name": name, **only(properties, "PolicyName")})


def _delete_policy(api: Api, _made: Made, properties: Properties) -> None:
    _take_policy(api, properties, list(_holders(properties)))


# Managed policies


def _create_managed(api: Api, wanted: Wanted) -> Made:
    properties = wanted.properties
    request = {"PolicyName": wanted.name, "PolicyDocument": _document(properties.get("PolicyDocument", {}))}
    arn = api("CreatePolicy", {**request, **only(properties, "Description", "Path")})["Policy"]["Arn"]
    return Made(arn, {"PolicyArn": arn})


def _complete_managed(api: Api, made: Made, wanted: Wanted) -> None:
    for kind, name in _holders(wanted.properties):
        api(f"Attach{kind}Policy", {f"{kind}Name": name, "PolicyArn": made.id})


def _update_managed(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    after = wanted.properties
    if changed(before, after, "PolicyDocument"):
        old = _other_versions(api, made.id)
        if len(old) >= MOST_VERSIONS - 1:
            api("DeletePolicyVersion", {"PolicyArn": made.id, "VersionId": old[-1]})
        document = {"PolicyDocument": _document(after.get("PolicyDocument", {})), "SetAsDefault": True}
        api("CreatePolicyVersion", {"PolicyArn": made.id, **document})
    had, has = list(_holders(before)), list(_holders(after))
    for kind, name in has:
        if (kind, name) not in had:
            api(f"Attach{kind}Policy", {f"{kind}Name": name, "PolicyArn": made.id})
    _detach(api, made.id, [holder for holder in had if holder not in has])


def _other_versions(api: Api, arn: str) -> list[str]:
    """Those that are not the default, newest first."""
    found = api("ListPolicyVersions", {"PolicyArn": arn})["Versions"]
    ids = [version["VersionId"] for version in found if not version["IsDefaultVersion"]]
    return sorted(ids, key=lambda id_: int(id_[1:]), reverse=True)


def _detach(api: Api, arn: str, holders: list[tuple[str, str]]) -> None:
    for kind, name in holders:
        _unless_missing(api, f"Detach{kind}Policy", {f"{kind}Name": name, "PolicyArn": arn})


def _delete_managed(api: Api, made: Made, properties: Properties) -> None:
    _detach(api, made.id, list(_holders(properties)))
    for version in _other_versions(api, made.id):
        api("DeletePolicyVersion", {"PolicyArn": made.id, "VersionId": version})
    api("DeletePolicy", {"PolicyArn": made.id})


KINDS = (
    Kind(
        type="AWS::IAM::Role",
        service="iam",
        create=_create_role,
        complete=_complete_role,
        update=_update_role,
        delete=_delete_role,
        fixed=frozenset({"Path", "RoleName"}),
        required=frozenset({"AssumeRolePolicyDocument"}),
        objects={"Policies": ("PolicyName", "PolicyDocument")},
        attributes=frozenset({"Arn", "RoleId"}),
        named_by="RoleName",
    ),
    Kind(
        type="AWS::IAM::Policy",
        service="iam",
        create=_create_policy,
        update=_update_policy,
        delete=_delete_policy,
        required=frozenset({"PolicyDocument", "PolicyName"}),
        attributes=frozenset({"Id"}),
        tagged=False,
    ),
    Kind(
        type="AWS::IAM::ManagedPolicy",
        service="iam",
        create=_create_managed,
        complete=_complete_managed,
        update=_update_managed,
        delete=_delete_managed,
        fixed=frozenset({"Description", "ManagedPolicyName", "Path"}),
        required=frozenset({"PolicyDocument"}),
        attributes=frozenset({"PolicyArn"}),
        named_by="ManagedPolicyName",
        tagged=False,
    ),
)
