"""Secrets and parameters (documented: SecretsManager and SSM resource type references)."""

from __future__ import annotations

import json
from typing import Any

from emulator.neighbours.embedded.cloudformation.kinds import Api, Kind, changed, only, retag, without
from emulator.neighbours.embedded.cloudformation.members import PropertyError
from emulator.neighbours.embedded.cloudformation.resource_types import Made, Properties, Wanted


def _text(api: Api, properties: Properties) -> dict[str, str]:
    """The secret's text: the one given, or a password, which may be put into an object."""
    if "GenerateSecretString" not in properties:
        return only(properties, "SecretString")
    if not isinstance(properties["GenerateSecretString"], dict):
        raise PropertyError("#/GenerateSecretString: expected type: JSONObject")
    wanted: dict[str, Any] = dict(properties["GenerateSecretString"])
    template, key = wanted.pop("SecretStringTemplate", None), wanted.pop("GenerateStringKey", None)
    password = str(api("GetRandomPassword", wanted)["RandomPassword"])
    if template is None and key is None:
        return {"SecretString": password}
    try:
        content = {**json.loads(str(template)), str(key): password}
    except (TypeError, ValueError):
        raise PropertyError("#/GenerateSecretString/SecretStringTemplate: it is no JSON object") from None
    return {"SecretString": json.dumps(content)}


def _create_secret(api: Api, wanted: Wanted) -> Made:
    properties = wanted.properties
    request = {"Name": wanted.name, **only(properties, "Description", "KmsKeyId", "Tags", "Type")}
    if "ReplicaRegions" in properties:
        request["AddReplicaRegions"] = properties["ReplicaRegions"]
    arn = api("CreateSecret", {**request, **_text(api, properties)})["ARN"]
    return Made(arn, {"Id": arn})


def _update_secret(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    """A password is made anew only where the way it is made has changed."""
    after = wanted.properties
    update = only(after, "Description", "KmsKeyId")
    if changed(before, after, "SecretString", "GenerateSecretString"):
        update |= _text(api, after)
    api("UpdateSecret", {"SecretId": made.id, **update})
    retag(api, {"SecretId": made.id}, before, after)


def _delete_secret(api: Api, made: Made, _properties: Properties) -> None:
    """At once, so that a stack of the same name can be made again (inferred)."""
    api("DeleteSecret", {"SecretId": made.id, "ForceDeleteWithoutRecovery": True})


# Parameters. Moto's own have no name where the template gives none.


def _put_parameter(api: Api, wanted: Wanted, *, overwrite: bool) -> None:
    """Its tags are a map in templates; they are set when it is new only."""
    tags = {} if overwrite else {"Tags": _tag_list(wanted.properties)}
    request = {**without(wanted.properties, "Tags"), "Name": wanted.name, "Overwrite": overwrite}
    api("PutParameter", {**request, **tags})


def _tag_list(properties: Properties) -> list[dict[str, Any]]:
    tags = properties.get("Tags", {})
    return [{"Key": key, "Value": value} for key, value in tags.items()] if isinstance(tags, dict) else tags


def _create_parameter(api: Api, wanted: Wanted) -> Made:
    _put_parameter(api, wanted, overwrite=False)
    return Made(wanted.name, only(wanted.properties, "Type", "Value"))


def _update_parameter(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    _put_parameter(api, wanted, overwrite=True)
    which = {"ResourceType": "Parameter", "ResourceId": made.id}
    tags = {"Tags": _tag_list(before)}, {"Tags": _tag_list(wanted.properties)}
    retag(api, which, *tags, ("AddTagsToResource", "RemoveTagsFromResource"))


def _delete_parameter(api: Api, made: Made, _properties: Properties) -> None:
    api("DeleteParameter", {"Name": made.id})


KINDS = (
    Kind(
        type="AWS::SSM::Parameter",
        service="ssm",
        create=_create_parameter,
        update=_update_parameter,
        delete=_delete_parameter,
        fixed=frozenset({"Name"}),
        required=frozenset({"Type", "Value"}),
        attributes=frozenset({"Type", "Value"}),
        named_by="Name",
        tagged=False,
    ),
    Kind(
        type="AWS::SecretsManager::Secret",
        service="secretsmanager",
        create=_create_secret,
        update=_update_secret,
        delete=_delete_secret,
        fixed=frozenset({"Name"}),
        attributes=frozenset({"Id"}),
        named_by="Name",
    ),
)
