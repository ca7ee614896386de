"""The secrets of Secrets Manager (documented: SecretsManager resource type reference)."""

from __future__ import annotations

import json
from typing import Any

from emulator.neighbours.embedded.cloudformation.kinds import Api, Kind, changed, only, retag
from emulator.neighbours.embedded.cloudformation.members import PropertyError
from emulator.neighbours.embedded.cloudformation.resource_types import Made, Properties, Wanted


def _text(api: Api, properties: Properties) -> dict[str, str]:
    """The secret's text: the one given, or a password, which may be put into an object."""
    if "GenerateSecretString" not in properties:
        return only(properties, "SecretString")
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


def _create(api: Api, wanted: Wanted) -> Made:
    properties = wanted.properties
    request = {"Name": wanted.name, **only(properties, "Description", "KmsKeyId", "Tags", "Type")}
    if "ReplicaRegions" in properties:
        request["AddReplicaRegions"] = properties["ReplicaRegions"]
    arn = api("CreateSecret", {**request, **_text(api, properties)})["ARN"]
    return Made(arn, {"Id": arn})


def _update(api: Api, made: Made, before: Properties, wanted: Wanted) -> None:
    """A password is made anew only where the way it is made has changed."""
    after = wanted.properties
    update = only(after, "Description", "KmsKeyId")
    if changed(before, after, "SecretString", "GenerateSecretString"):
        update |= _text(api, after)
    api("UpdateSecret", {"SecretId": made.id, **update})
    retag(api, {"SecretId": made.id}, before, after)


def _delete(api: Api, made: Made, _properties: Properties) -> None:
    """At once, so that a stack of the same name can be made again (inferred)."""
    api("DeleteSecret", {"SecretId": made.id, "ForceDeleteWithoutRecovery": True})


KINDS = (
    Kind(
        type="AWS::SecretsManager::Secret",
        service="secretsmanager",
        create=_create,
        update=_update,
        delete=_delete,
        fixed=frozenset({"Name"}),
        attributes=frozenset({"Id"}),
        named_by="Name",
    ),
)
